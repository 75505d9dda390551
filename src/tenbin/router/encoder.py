"""From queries to features: the routing text, its vector, the surface and the tokens of the whole."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tenbin.errors import ArtifactError, PluginError, did_you_mean
from tenbin.features import (
    BASE,
    EMBEDDER_FORMS,
    SURFACE_NAMES,
    Conversation,
    HashedEmbedder,
    embedder_offer,
    open_embedder,
    read_conversation,
    surface_and_tokens,
    text_of,
)
from tenbin.plugins import find_plugin, list_plugins, load
from tenbin.protocols import Arrays, Embedder
from tenbin.router.held_embedder import HeldEmbedder, anothers
from tenbin.types import Features, Float32s, Floats, Progress, Query

QUERIES_AT_ONCE = 512
SURFACE = "surface_names"
PROBED = "probed_vectors"


class Encoder:
    """One embedder with all that is seen of a query beside its vector; used alike in fit and in serve."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder

    def encode(
        self, queries: Sequence[Query], *, with_groups: bool = True, progress: Progress | None = None
    ) -> Features:
        """The features of n queries; a row never depends on the other queries."""
        if len(queries) <= QUERIES_AT_ONCE and progress is None:
            return self._encode(queries, with_groups)
        parts = []
        for start in range(0, max(len(queries), 1), QUERIES_AT_ONCE):
            if progress:
                progress("embedding prompts", start / max(len(queries), 1))
            parts.append(self._encode(queries[start : start + QUERIES_AT_ONCE], with_groups))
        if progress:
            progress("embedding prompts", 1.0)
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _encode(self, queries: Sequence[Query], with_groups: bool) -> Features:
        conversations = [conversation_of(query) for query in queries]
        vectors, familiarity, novelty = self._embed([text_of(conversation) for conversation in conversations])
        surface, text_tokens = surface_and_tokens(conversations)
        return Features(
            vectors=vectors,
            surface=surface,
            groups=groups_of(queries, with_groups=with_groups),
            text_tokens=text_tokens,
            input_tokens=np.array(counted_tokens(queries), dtype=np.float64),
            familiarity=familiarity,
            novelty=novelty,
        )

    def _embed(self, texts: Sequence[str]) -> tuple[Float32s, Floats, Floats]:
        """Vectors, familiarity and novelty: 1 and 0 for embedders that know more than the training prompts."""
        if isinstance(self.embedder, HashedEmbedder):
            return self.embedder.read(texts)
        return self.embedder.embed(texts), np.ones(len(texts)), np.zeros(len(texts))

    def left_out(self, features: Features) -> tuple[Floats, Floats]:
        """Familiarity and novelty [n] of the texts of a fit, each judged without itself (NaN: not judged so).

        `features` are theirs, in the order of the fit.
        """
        if isinstance(self.embedder, HashedEmbedder):
            return self.embedder.left_out_familiarity_, self.embedder.left_out_novelty_
        return features.familiarity, features.novelty

    def save(self) -> dict[str, NDArray[Any]]:
        """What the surface features are, and the learnt state of the base embedder; others carry theirs in packages.

        Of a plug-in's embedder some vectors are kept, by which `load` knows it again.
        """
        learnt = self.embedder.save() if isinstance(self.embedder, HashedEmbedder) else {}
        if (plugin := anothers(self.embedder)) is not None:
            learnt[PROBED] = plugin.probe()
        return {**learnt, SURFACE: np.array(SURFACE_NAMES)}

    @classmethod
    def load(
        cls,
        form: str,
        name: str,
        arrays: Arrays,
        allow_plugins: Collection[str] = (),
        embed_within_s: float | None = None,
    ) -> Self:
        """The encoder of a saved router: `form` opens the embedder, `name` is the identity it must have.

        Raises ArtifactError where the embedder or the surface features found here are not those of the fit.
        """
        if tuple(arrays[SURFACE].tolist()) != SURFACE_NAMES:
            raise ArtifactError(
                "was fitted with other surface features than this version has", where="the router", fix="fit again"
            )
        embedder: Embedder
        if form == BASE:
            embedder = HashedEmbedder.load(arrays)
        else:
            embedder = open_any_embedder(form, allow_plugins, known_as=name, within_s=embed_within_s)
        if embedder.name != name:
            raise ArtifactError(
                f"was fitted with the embedder {name}, here is {embedder.name}",
                where="the router",
                fix="install the version it was fitted with, or fit again",
            )
        if PROBED in arrays and (plugin := anothers(embedder)) is not None:
            with contextlib.suppress(PluginError):  # what cannot embed today says so when it must
                if not plugin.is_still(arrays[PROBED]):
                    raise ArtifactError(
                        f"was fitted with the embedder {name}, which gives other vectors by now",
                        where="the router",
                        fix="install the version it was fitted with, or fit again",
                    )
        return cls(embedder)


def open_any_embedder(
    form: str, allow_plugins: Collection[str], *, known_as: str | None = None, within_s: float | None = None
) -> Embedder:
    """The embedder of a built-in form ("base", "sentence:FOLDER", ...) or of an allowed plug-in's name.

    `known_as` and `within_s` as in `open_embedder`. Errors are those of `open_embedder`, `find_plugin`, `load` and
    `HeldEmbedder`.
    """
    kinds = {built_in.partition(":")[0] for built_in in EMBEDDER_FORMS}
    if form == BASE:
        return open_embedder(form)
    if form.partition(":")[0] in kinds:
        return HeldEmbedder(
            lambda: open_embedder(form, known_as=known_as, within_s=within_s),
            f"embedder {form}",
            "check its package and its files",
        )
    others = {plugin.name for plugin in list_plugins(allow_plugins) if plugin.door == "embedder"} - kinds
    if form not in others:
        fix = did_you_mean(form, [*kinds, *others]) or embedder_offer(others)
        raise PluginError(f'there is no embedder "{form}"', fix=fix)
    plugin = find_plugin("embedder", form, allow_plugins)
    return HeldEmbedder(load(plugin), plugin.where, "run tenbin.testing.check_embedder on it", is_anothers=True)


def conversation_of(query: Query) -> Conversation:
    """The whole of a query as text and counts."""
    return read_conversation(query.prompt if query.messages is None else query.messages)


def groups_of(queries: Sequence[Query], *, with_groups: bool) -> tuple[str | None, ...]:
    """The group of each query; None for all where a router was fitted without groups."""
    return tuple([query.group if with_groups else None for query in queries])


def counted_tokens(queries: Sequence[Query]) -> list[float]:
    """The input tokens [n] of queries where somebody has counted them, else NaN."""
    return [math.nan if query.input_tokens is None else float(query.input_tokens) for query in queries]


def _joined(parts: Sequence[Features]) -> Features:
    arrays = ("vectors", "surface", "text_tokens", "input_tokens", "familiarity", "novelty")
    return Features(
        groups=tuple(group for part in parts for group in part.groups),
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays},
    )
