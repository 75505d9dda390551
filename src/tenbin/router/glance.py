"""From queries to what is expected of every candidate, by the compiled library: one call for all that reads and looks.

glance.c does what `Encoder` and `Estimator` do one after the other, to the same bits. A lone request is served from
cold caches, where what stands between the calls takes as long as the calls.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from tenbin.compiled.library import NUMBER, POINTER, Library, open_library, require_fit
from tenbin.features.hashed import HashedEmbedder
from tenbin.features.kernel import Kernel, TextFunction, load_kernel, surface_tables
from tenbin.features.normal_text import plain_text
from tenbin.features.routing_text import text_of
from tenbin.features.surface import what_is_counted
from tenbin.protocols import Embedder
from tenbin.router.encoder import conversation_of, counted_tokens, groups_of
from tenbin.router.estimator import Estimator
from tenbin.router.outlook import Outlook
from tenbin.types import Estimates, Query


class _Taken(ctypes.Structure):
    """`Glance` of glance.c."""

    _fields_ = (
        *((name, POINTER) for name in ("lexicon", "surface", "outlook")),
        *(("usual", ctypes.c_double), ("vector", NUMBER), ("width", NUMBER)),
    )


class Glance:
    """`tenbin_glance` of the library with what it is to know of a base embedder and of an estimator."""

    def __init__(
        self, embedder: HashedEmbedder, estimator: Estimator, outlook: Outlook, kernel: Kernel, library: Library
    ) -> None:
        self.embedder, self.estimator, self.outlook = embedder, estimator, outlook
        self._learnt = embedder.projection_.told(kernel)
        require_fit((self._learnt.dim, surface_tables().width) == outlook.sizes)
        told = ctypes.addressof(self._learnt.lexicon), ctypes.addressof(surface_tables()), outlook.at
        self._taken = _Taken(*told, embedder.usual_share_, *outlook.sizes)
        self._glance = TextFunction(library, "tenbin_glance", *[POINTER] * 3)

    @classmethod
    def opened(cls, embedder: Embedder, estimator: Estimator) -> Glance | None:
        """The glance with the library of this installation; None where it is not there, or cannot read or look so."""
        library, kernel, outlook = open_library(), load_kernel(), estimator.outlook
        if library is None or kernel is None or outlook is None or not isinstance(embedder, HashedEmbedder):
            return None
        can_read = kernel.can_read(embedder.projection_.lexicon)
        return cls(embedder, estimator, outlook, kernel, library) if can_read else None

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process it is told to the library of that one: addresses mean nothing there."""
        return Glance.opened, (self.embedder, self.estimator)

    def __call__(self, queries: Sequence[Query], *, with_groups: bool) -> Estimates:
        """What is expected of every candidate for each of n queries, which are read at once."""
        conversations = [conversation_of(query) for query in queries]
        groups, counted = groups_of(queries, with_groups=with_groups), counted_tokens(queries)
        plain, wholes, told = what_is_counted(conversations)
        embedded = [plain_text(text_of(conversation)) for conversation in conversations]
        expected = self.outlook.none_yet(len(queries))
        places = map(self.outlook.places_of, groups)
        asked = [(*own, tokens, *place) for own, tokens, place in zip(told, counted, places, strict=True)]
        self._glance(self._taken, [*embedded, *plain, *wholes], np.array(asked, np.float64), *expected)
        return self.estimator.estimates_of(expected, groups, counted)


__all__ = ["Glance"]
