"""The compiled library: what was made of the C beside this file at installation, and whether it is that."""

from __future__ import annotations

import ctypes
import functools
import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tenbin.errors import ArtifactError

FOLDER = Path(__file__).parent
LIBRARY = "_kernel.so"
SOURCES = ("normal.c", "kernel.c", "tally.c", "sight.c", "outlook.c", "glance.c", "scales.c", "pen.c")
POINTER, NUMBER = ctypes.c_void_p, ctypes.c_int64
Fault = Literal["absent", "foreign", "outdated"]

_START = ctypes.c_char * 0


class Library:
    """The functions of one library, which keeps nothing between calls.

    Raises OSError where the file is no library for this machine, ValueError where it is another one.
    """

    def __init__(self, path: Path) -> None:
        self._held, self._free = ctypes.PyDLL(str(path)), ctypes.CDLL(str(path))
        self.source = ctypes.c_char_p.in_dll(self._free, "tenbin_source").value

    def function(self, name: str, *arguments: type[Any], gives_up_lock: bool = False) -> Any:
        """A function that gives a number; it holds the interpreter's lock, or gives it up, which takes its time."""
        found = getattr(self._free if gives_up_lock else self._held, name)
        found.argtypes, found.restype = arguments, ctypes.c_int
        return found


def place(array: NDArray[np.generic]) -> int:
    """Where an array that can be written to begins; its `ctypes.data` takes seven times as long to say so."""
    # numpy's stubs know that arrays are buffers from Python 3.12 on.
    return ctypes.addressof(_START.from_buffer(array))  # type: ignore[arg-type, unused-ignore]


def fitting(array: ArrayLike, *shape: int, dtype: type[np.generic] = np.float64) -> NDArray[Any]:
    """The array as the library reads it: of this type, in one piece.

    Raises ArtifactError where it has another shape: the library is told where arrays begin, and would read on beyond.
    """
    found = np.ascontiguousarray(array, dtype)
    require_fit(found.shape == shape)
    return found


def require_fit(is_fit: bool) -> None:
    """Raise ArtifactError where arrays that the library is to read together are not made for each other."""
    if not is_fit:
        raise ArtifactError("its arrays do not fit together", where="the router", fix="fit the router again")


def library_fault(folder: Path = FOLDER) -> Fault | None:
    """Why the library of this folder is not used; None where it is.

    It was never compiled (`absent`), or for another machine (`foreign`), or from another source than
    stands here, or none does (`outdated`).
    """
    library = folder / LIBRARY
    if not library.exists():
        return "absent"
    try:
        made_of = Library(library).source
    except (OSError, ValueError):
        return "foreign"
    try:
        sources = b"".join((folder / source).read_bytes() for source in SOURCES)
    except OSError:  # images are made smaller by such files
        return "outdated"
    return None if made_of == hashlib.sha256(sources).hexdigest().encode() else "outdated"


@functools.cache
def open_library() -> Library | None:
    """The library of this installation, None where it has a fault."""
    return None if library_fault() else Library(FOLDER / LIBRARY)


__all__ = ["NUMBER", "POINTER", "Fault", "Library", "fitting", "library_fault", "open_library", "place", "require_fit"]
