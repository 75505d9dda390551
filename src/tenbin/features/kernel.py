"""The compiled kernel: normal.c, kernel.c and tally.c read texts where they were built, to the same bits as NumPy."""

from __future__ import annotations

import ctypes
import functools
import itertools
from array import array
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenbin.compiled.library import NUMBER, POINTER, Library, fitting, open_library, place
from tenbin.features.characters import IDEOGRAPHS_BEYOND, kind_table
from tenbin.features.labels import LAST_NUMBER, label_table, role_table
from tenbin.features.lexicon import TEXT_NORM, Lexicon, log_counts
from tenbin.features.marks import HASH_BITS, MARKS, word_index
from tenbin.features.ngrams import class_table
from tenbin.features.normal_text import fold_table, plain_text
from tenbin.features.surface_columns import LOGGED, SIGNS, SURFACE_NAMES, length_weights, sign_table, surface_order
from tenbin.features.token_events import length_columns, pair_events
from tenbin.types import Float32s, Floats

_LONG = 20_000
"""From so many characters on the interpreter's lock is given up: before, that would take longer than the work."""


class _Lexicon(ctypes.Structure):
    """`Lexicon` of kernel.c."""

    _fields_ = (
        *((name, POINTER) for name in ("folds", "classes", "rows", "idf", "log_counts", "directions", "scale")),
        *((name, NUMBER) for name in ("known", "words", "dim", "counts")),
        *((name, ctypes.c_double) for name in ("text_norm", "character_weight")),
        *((name, NUMBER) for name in ("ideographs_from", "ideographs_to")),
    )


class _Signs(ctypes.Structure):
    """`Signs` of tally.c."""

    _fields_ = (
        *((name, POINTER) for name in ("kinds", "pair_events", "length_columns")),
        *((name, POINTER) for name in ("groups", "firsts", "counts", "names", "sizes", "codes")),
        *((name, NUMBER) for name in ("n_events", "hash_bits", "words", "longest", "n_names")),
        *((name, NUMBER) for name in ("ideographs_from", "ideographs_to")),
    )


class _Labels(ctypes.Structure):
    """`Labels` of tally.c."""

    _fields_ = (("roles", POINTER), ("labels", POINTER), ("last_number", NUMBER))


@functools.cache
def _tables() -> tuple[int, int, int]:
    """Where the classes of characters and the logarithms of counts stand, which never change, and how many of these."""
    counts = log_counts()
    return class_table().ctypes.data, counts.ctypes.data, len(counts)


class _Surface(ctypes.Structure):
    """`Surface` of tally.c."""

    _fields_ = (
        *((name, POINTER) for name in ("folds", "signs", "labels", "signs_of", "weights", "order")),
        *((name, NUMBER) for name in ("n_signs", "logged", "width")),
    )


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


@functools.cache
def surface_tables() -> _Surface:
    """What never changes of these."""
    tables = ctypes.addressof(_signs()[0]), ctypes.addressof(_labels())
    arrays = (array.ctypes.data for array in (sign_table(), length_weights(), surface_order()))
    return _Surface(fold_table().ctypes.data, *tables, *arrays, len(SIGNS), len(LOGGED), len(SURFACE_NAMES))


class TextFunction:
    """A function of the library that is given texts; it gives up the interpreter's lock where the work is long."""

    def __init__(self, library: Library, name: str, *arguments: type[ctypes.c_void_p] | type[ctypes.c_int64]) -> None:
        taken = (POINTER, ctypes.c_char_p, POINTER, NUMBER, *arguments)
        self._held = library.function(name, *taken)
        self._free = library.function(name, *taken, gives_up_lock=True)

    def __call__(self, learnt: ctypes.Structure, texts: Sequence[str], *rest: NDArray[np.generic]) -> None:
        """Call it with the texts, each between two spaces, and what else it takes."""
        text = f" {'  '.join(texts)} "
        bounds = array("q", itertools.accumulate([len(text) + 2 for text in texts], initial=0))
        call = self._held if len(text) < _LONG else self._free
        codes = text.encode("utf-32-le", "surrogatepass")
        if call(ctypes.addressof(learnt), codes, bounds.buffer_info()[0], len(texts), *map(place, rest)):
            raise MemoryError


class Learnt(NamedTuple):
    """What a fit has learnt as the library takes it, and the arrays that it points to."""

    lexicon: _Lexicon
    arrays: tuple[NDArray[np.generic], ...]
    dim: int


class Kernel:
    """What the library does with texts."""

    def __init__(self, library: Library) -> None:
        self._read = TextFunction(library, "tenbin_read_texts", *[POINTER] * 3)
        self._count_events = TextFunction(library, "tenbin_count_events", POINTER)
        self._count_surface = TextFunction(library, "tenbin_count_surface", *[POINTER] * 3)

    def can_read(self, lexicon: Lexicon) -> bool:
        """Whether the kernel holds so many n-grams: up to 65,534."""
        return lexicon.rows.dtype == np.uint16

    def learnt(self, lexicon: Lexicon, directions: NDArray[np.int8], scale: Float32s) -> Learnt:
        """A lexicon, its directions [V, dim] and their scales [dim], for `read`."""
        known, dim = len(lexicon), len(scale)
        arrays = (
            *(lexicon.rows, fitting(lexicon.idf, known, dtype=np.float32)),
            fitting(directions, known, dim, dtype=np.int8),
            fitting(scale, dim, dtype=np.float32),
        )
        rows, idf, of_directions, of_scale = (own.ctypes.data for own in arrays)
        classes, log_counts_, counts = _tables()
        taken = _Lexicon(
            *(fold_table().ctypes.data, classes, rows, idf, log_counts_, of_directions, of_scale),
            *(known, lexicon.n_words, dim, counts),
            *(TEXT_NORM, lexicon.character_weight),
            *IDEOGRAPHS_BEYOND,
        )
        return Learnt(taken, arrays, dim)

    def read(self, texts: Sequence[str], learnt: Learnt) -> tuple[Float32s, Floats, Floats]:
        """What `Projection.read` gives for n texts."""
        n = len(texts)
        vectors, known, new = np.empty((n, learnt.dim), np.float32), np.empty(n), np.empty(n)
        self._read(learnt.lexicon, [*map(plain_text, texts)], vectors, known, new)
        return vectors, known, new

    def count_events(self, texts: Sequence[str]) -> Floats:
        """What `count_events` gives."""
        signs, _ = _signs()
        events = np.empty((len(texts), signs.n_events))
        self._count_events(signs, texts, events)
        return events

    def count_surface(self, plain: Sequence[str], wholes: Sequence[str], told: Floats) -> tuple[Float32s, Floats]:
        """What `count_surface` gives."""
        n = len(plain)
        surface, tokens = np.empty((n, len(SURFACE_NAMES)), np.float32), np.empty(n)
        self._count_surface(surface_tables(), [*plain, *wholes], told, surface, tokens)
        return surface, tokens


@functools.cache
def load_kernel() -> Kernel | None:
    """The kernel of this installation, None where there is none."""
    library = open_library()
    return None if library is None else Kernel(library)


__all__ = ["Kernel", "Learnt", "TextFunction", "load_kernel", "surface_tables"]
