"""The compiled kernel: where kernel.c and tally.c were built at installation, it reads texts, to the same bits."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tenbin.features.characters import IDEOGRAPHS_BEYOND, Kind, kind_table
from tenbin.features.labels import LAST_NUMBER, label_table, role_table
from tenbin.features.lexicon import TEXT_NORM, Lexicon, log_counts
from tenbin.features.marks import HASH_BITS, MARKS, word_index
from tenbin.features.ngrams import class_table
from tenbin.features.token_events import length_columns, pair_events
from tenbin.types import Float32s, Floats, Ints

_FOLDER, _LIBRARY, _SOURCES = Path(__file__).parent, "_kernel.so", ("kernel.c", "tally.c")
_LONG = 20_000
"""From so many characters on the interpreter's lock is given up: before, that would take longer than the work."""
Fault = Literal["absent", "foreign", "outdated"]
_POINTER, _NUMBER = ctypes.c_void_p, ctypes.c_int64


class _Lexicon(ctypes.Structure):
    """`Lexicon` of kernel.c."""

    _fields_ = (
        *((name, _POINTER) for name in ("classes", "rows", "idf", "log_counts", "directions")),
        *((name, _NUMBER) for name in ("known", "words", "dim", "counts")),
        *((name, ctypes.c_double) for name in ("text_norm", "character_weight")),
        *((name, _NUMBER) for name in ("ideographs_from", "ideographs_to")),
    )


class _Signs(ctypes.Structure):
    """`Signs` of tally.c."""

    _fields_ = (
        *((name, _POINTER) for name in ("kinds", "pair_events", "length_columns")),
        *((name, _POINTER) for name in ("groups", "firsts", "counts", "names", "sizes", "codes")),
        *((name, _NUMBER) for name in ("n_events", "hash_bits", "words", "longest", "n_names")),
        *((name, _NUMBER) for name in ("ideographs_from", "ideographs_to")),
    )


class _Labels(ctypes.Structure):
    """`Labels` of tally.c."""

    _fields_ = (("roles", _POINTER), ("labels", _POINTER), ("last_number", _NUMBER))


_START = ctypes.c_char * 0


def _place(array: NDArray[np.generic]) -> int:
    """Where an array that can be written to begins; its `ctypes.data` takes seven times as long to say so."""
    return ctypes.addressof(_START.from_buffer(array.data))


@functools.cache
def _tables() -> tuple[int, int, int]:
    """Where the classes of characters and the logarithms of counts stand, which never change, and how many of these."""
    counts = log_counts()
    return class_table().ctypes.data, counts.ctypes.data, len(counts)


@functools.cache
def _labels() -> _Labels:
    """What never changes either; its tables are kept by who makes them."""
    return _Labels(role_table().ctypes.data, label_table().ctypes.data, LAST_NUMBER)


@functools.cache
def _signs() -> tuple[_Signs, tuple[NDArray[np.generic], ...]]:
    """What never changes, with the arrays that it points to."""
    index = word_index()
    events = np.ascontiguousarray(pair_events())
    of_words = index.groups, index.firsts, index.counts, index.names, index.sizes, index.codes
    arrays = kind_table(), events, np.array(length_columns(), np.int64), *of_words
    sizes = events.shape[1], HASH_BITS, *index.codes.shape, len(MARKS)
    return _Signs(*(array.ctypes.data for array in arrays), *sizes, *IDEOGRAPHS_BEYOND), arrays


class _Function:
    """A function of the library, which gives up the interpreter's lock where the work is long."""

    def __init__(self, library: Path, name: str, *arguments: type[ctypes.c_void_p] | type[ctypes.c_int64]) -> None:
        self._held = getattr(ctypes.PyDLL(str(library)), name)
        self._free = getattr(ctypes.CDLL(str(library)), name)
        for function in (self._held, self._free):
            function.argtypes = [_POINTER, ctypes.c_char_p, _POINTER, _NUMBER, *arguments]
            function.restype = ctypes.c_int

    def __call__(self, learnt: ctypes.Structure, texts: Sequence[str], *rest: int | NDArray[np.generic]) -> None:
        """Call it with the texts, each between two spaces, and what else it takes."""
        text = f" {'  '.join(texts)} "
        lengths = (len(text) + 2 for text in texts)
        bounds = np.fromiter(itertools.accumulate(lengths, initial=0), np.int64, len(texts) + 1)
        others = [one if isinstance(one, int) else _place(one) for one in rest]
        call = self._held if len(text) < _LONG else self._free
        codes = text.encode("utf-32-le", "surrogatepass")
        if call(ctypes.addressof(learnt), codes, _place(bounds), len(texts), *others):
            raise MemoryError


class Kernel:
    """The functions of one compiled library, which keeps nothing between calls.

    Raises OSError where the file is no library for this machine, AttributeError or ValueError where it is another one.
    """

    def __init__(self, library: Path) -> None:
        self.source = ctypes.c_char_p.in_dll(ctypes.CDLL(str(library)), "tenbin_source").value
        self._read = _Function(library, "tenbin_read_texts", *[_POINTER] * 3)
        self._tally = _Function(library, "tenbin_tally_texts", _NUMBER, *[_POINTER] * 4)
        self._options = _Function(library, "tenbin_find_options", *[_POINTER] * 2)

    def can_read(self, lexicon: Lexicon) -> bool:
        """Whether the kernel holds so many n-grams: up to 65,534."""
        return lexicon.rows.dtype == np.uint16

    def read(
        self, normal: Sequence[str], lexicon: Lexicon, directions: NDArray[np.int8]
    ) -> tuple[Float32s, Floats, Floats]:
        """What `Projection.read` gives for n texts that went through `normal_text`."""
        n, dim = len(normal), directions.shape[1]
        classes, log_counts_, counts = _tables()
        rows, idf, of_directions = (array.ctypes.data for array in (lexicon.rows, lexicon.idf, directions))
        learnt = _Lexicon(
            *(classes, rows, idf, log_counts_, of_directions),
            *(len(lexicon), lexicon.n_words, dim, counts),
            *(TEXT_NORM, lexicon.character_weight),
            *IDEOGRAPHS_BEYOND,
        )
        sums, known, new = np.empty((n, dim), np.float32), np.empty(n), np.empty(n)
        self._read(learnt, normal, sums, known, new)
        return sums, known, new

    def tally(self, texts: Sequence[str], marked: int) -> tuple[Floats, Ints, Ints, Ints]:
        """What `tally` gives."""
        n, (signs, _) = len(texts), _signs()
        events, numbers = np.empty((n, signs.n_events)), np.empty(n, np.int64)
        kinds, marks = np.empty((n, len(Kind)), np.int64), np.empty((marked, len(MARKS)), np.int64)
        self._tally(signs, texts, marked, events, kinds, numbers, marks)
        return events, kinds, numbers, marks

    def options(self, texts: Sequence[str]) -> list[tuple[int, int]]:
        """What `find_options` gives."""
        counts, starts = np.empty(len(texts), np.int64), np.empty(len(texts), np.int64)
        self._options(_labels(), texts, counts, starts)
        return [*zip(counts.tolist(), starts.tolist(), strict=True)]


def kernel_fault(folder: Path = _FOLDER) -> Fault | None:
    """Why texts are read without the kernel of this folder; None where they are read by it.

    It was never compiled (`absent`), or for another machine (`foreign`), or from another source than
    stands here (`outdated`).
    """
    library = folder / _LIBRARY
    if not library.exists():
        return "absent"
    try:
        kernel = Kernel(library)
    except (OSError, AttributeError, ValueError):
        return "foreign"
    sources = b"".join((folder / source).read_bytes() for source in _SOURCES)
    wanted = hashlib.sha256(sources).hexdigest().encode()
    return None if kernel.source == wanted else "outdated"


@functools.cache
def load_kernel() -> Kernel | None:
    """The kernel of this installation, None where it has a fault."""
    return None if kernel_fault() else Kernel(_FOLDER / _LIBRARY)


__all__ = ["Fault", "Kernel", "kernel_fault", "load_kernel"]
