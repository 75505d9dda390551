"""The base embedder: hashed n-grams weighed by log count and rarity, projected with what the training prompts teach.

No third-party weights and no download. `fit` chooses the most telling n-grams of the training prompts and finds the
directions in which the prompts differ most (latent semantic analysis by randomised subspace iteration: Deerwester et
al. 1990; Halko, Martinsson and Tropp 2011, algorithm 4.4).

Projection is exact: weights and directions are small integers in float32 whose products and sums all stay below 2**24
by Cauchy-Schwarz, so that no order of summation, batch shape, thread count or processor changes a bit of the result.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tenbin.errors import ArtifactError, UsageError
from tenbin.features.characters import blocks
from tenbin.features.familiarity import known_shares, new_shares
from tenbin.features.ngrams import NOWHERE, SLOTS, WORD_SLOTS, NGrams, ngrams_of
from tenbin.protocols import Arrays
from tenbin.types import Bools, Float32s, Floats, Ints, Progress

Rows = NDArray[np.unsignedinteger[Any]]
"""The row of the projection for each n-gram, counted from 1; 0 where no training prompt had it, and one more than there
are rows where some had it that is not projected.
"""

_FORMAT = 2
_TEXTS_AT_ONCE = 16
_CHARACTERS_AT_ONCE = 1 << 16
_ROWS_AT_ONCE = 512
_TEXT_NORM = 2048.0
_DIRECTION_NORM = 7900.0
_DIRECTION_MAX = 127.0
_MAX_COUNT = 4096
_COMMON = 1536
"""So many n-grams, those that most training prompts have, are projected for all texts of a block together."""
_LEAST_TEXTS = 4
"""For fewer texts it costs more than it saves."""
_LARGEST_PRODUCT = 1 << 18
"""Multiplications that OpenBLAS does on one thread: waking others was 20 times slower on a busy machine."""
_OVERSAMPLING = 20
_MIN_USUAL_SHARE = 0.05
_USUAL_QUANTILE = 0.1
_STATE = ("slots", "idf", "projection", "scale", "seen", "settings")


@functools.cache
def _log_counts() -> Floats:
    """1 + log(count) for counts from 1, 0 for 0; counts are capped."""
    return np.array([0.0] + [1.0 + math.log(count) for count in range(1, _MAX_COUNT)])


def _sampling_order(texts: Sequence[str]) -> list[str]:
    """The texts in an order that depends on their content alone, so that the order of rows decides nothing."""

    def key(text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    return sorted(texts, key=key)


def _document_frequency(texts: Sequence[str]) -> Ints:
    """How many of the texts contain each slot, int64 [SLOTS]."""
    width = SLOTS + 1
    frequency = np.zeros(width, np.int64)
    for start, stop in _some_at_once(texts):
        found = ngrams_of(texts[start:stop])
        owners = np.tile(np.arange(len(found)), len(found.bounds)).repeat(np.diff(found.bounds).ravel())
        np.add.at(frequency, np.unique(owners * width + found.slots) % width, 1)
    return np.delete(frequency, NOWHERE)


def _some_at_once(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Ranges of texts that are worked on together."""
    return blocks(texts, _TEXTS_AT_ONCE, _CHARACTERS_AT_ONCE)


def _most_telling(score: Floats, count: int) -> Ints:
    """The slots of the `count` best positive scores, in rising order; ties go to the lower slot."""
    best = np.argsort(-score, kind="stable")[:count]
    return np.sort(best[score[best] > 0])


def _times_gram(matrix: Float32s, basis: Floats) -> Floats:
    """matrix' matrix basis in float64, a few rows at a time, so that the matrix itself never has to be so wide."""
    total = np.zeros_like(basis)
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        rows = matrix[start : start + _ROWS_AT_ONCE].astype(np.float64)
        total += rows.T @ (rows @ basis)
    return total


class HashedEmbedder:
    """Embeds texts of any script by n-grams that the training prompts share; fast, small, and fitted in seconds.

    `dim` columns at most (fewer where fewer prompts are given); `words` and `characters` bound the word and character
    n-grams kept; `max_texts` bounds the prompts from which rarity is learnt, `max_rows` those of the projection.
    Learnt: `name` changes with the weights, so that a router refuses vectors of another fit. `left_out_familiarity_`
    [n] is that of the training texts in their order, each judged without itself, NaN beyond `max_rows` of them, and
    `left_out_novelty_` [n] likewise; they are there after `fit` and not saved.
    """

    def __init__(
        self,
        dim: int = 256,
        *,
        words: int = 4096,
        characters: int = 2048,
        character_weight: float = 0.5,
        max_texts: int = 20_000,
        max_rows: int = 8_000,
        iterations: int = 2,
        seed: int = 0,
    ) -> None:
        self.max_dim = dim
        self.words = words
        self.characters = characters
        self.character_weight = character_weight
        self.max_texts = max_texts
        self.max_rows = max_rows
        self.iterations = iterations
        self.seed = seed
        self._fitted = False

    @property
    def name(self) -> str:
        """`base-DIM-HASH` of the learnt weights; `base` before `fit`."""
        return f"base-{self.dim}-{self._hash}" if self._fitted else "base"

    @property
    def dim(self) -> int:
        """Columns of the vectors: the number of learnt directions."""
        return len(self.scale_) if self._fitted else self.max_dim

    def fit(self, texts: Sequence[str], progress: Progress | None = None) -> Self:
        """Learn n-grams, their rarity and the projection from routing texts; the order of `texts` does not matter.

        Raises UsageError where no text has a visible character.
        """
        sample = _sampling_order(texts)[: self.max_texts]
        if progress:
            progress("counting n-grams", 0.0)
        frequency = _document_frequency(sample)
        n = len(sample)
        idf = np.log((1 + n) / (1 + frequency)) + 1
        score = np.where(frequency >= min(2, n), frequency * idf, 0.0)
        words = _most_telling(score[:WORD_SLOTS], self.words)
        characters = _most_telling(score[WORD_SLOTS:], self.characters) + WORD_SLOTS
        slots = np.concatenate([words, characters])
        if not len(slots):
            words = _most_telling(frequency[:WORD_SLOTS].astype(np.float64), self.words)
            slots = words
        if not len(slots):
            raise UsageError("the base embedder found nothing to learn from", fix="give prompts that are not empty")
        self._use(slots, idf[slots].astype(np.float32), len(words), frequency > 0)
        shares, novelty = self._left_out(sample[: self.max_rows], frequency)
        usual = max(float(np.quantile(shares, _USUAL_QUANTILE)), _MIN_USUAL_SHARE)
        place = {text: i for i, text in enumerate(sample[: self.max_rows])}
        places = [place.get(text, -1) for text in texts]
        self.left_out_familiarity_ = np.append(np.minimum(shares / usual, 1.0), np.nan)[places]
        self.left_out_novelty_ = np.append(novelty, np.nan)[places]
        if progress:
            progress("projecting n-grams", 0.4)
        projection, scale = self._directions(sample[: self.max_rows])
        self._set_projection(projection, scale, usual)
        if progress:
            progress("projecting n-grams", 1.0)
        return self

    def _use(self, slots: Ints, idf: Float32s, words: int, seen: Bools) -> None:
        """Take what is known, and which slots [SLOTS] any training prompt had."""
        self.slots_ = slots
        self.idf_ = idf
        self.n_words_ = words
        self.seen_ = seen
        # As narrow as it can be: every request looks up thousands of places in it, all over the table.
        beyond = len(slots) + 1
        self._row = np.full(SLOTS + 1, beyond, np.min_scalar_type(beyond))
        self._row[:SLOTS][~seen] = 0
        self._row[slots] = np.arange(1, beyond)
        self._beyond = self._row.dtype.type(beyond)

    def _set_projection(self, projection: NDArray[np.int8], scale: Float32s, usual: float) -> None:
        self.projection_ = projection
        self.scale_ = scale
        self._learn_common()
        self.usual_share_ = usual
        self._fitted = True
        digest = hashlib.sha256()
        for key, array in sorted(self.save().items()):
            digest.update(f"{key}{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        self._hash = digest.hexdigest()[:12]

    def _learn_common(self) -> None:
        """Keep the directions of the commonest n-grams as float32, in tiles that one thread multiplies."""
        tile = max(_LARGEST_PRODUCT // (_TEXTS_AT_ONCE * max(self.projection_.shape[1], 1)), 1)
        count = min(_COMMON, len(self.idf_)) // tile * tile
        common = np.argsort(self.idf_, kind="stable")[:count]
        # As narrow as it can be, like `_row`.
        self._column = np.full(len(self.idf_), count, np.min_scalar_type(count))
        self._column[common] = np.arange(count)
        self._tiles = self.projection_.take(common, 0).astype(np.float32).reshape(-1, tile, self.projection_.shape[1])

    def _left_out(self, texts: Sequence[str], frequency: Ints) -> tuple[Floats, Floats]:
        """The shares [n] of training prompts' n-grams that are known, and new, each judged as if it were not there."""
        known = self._is_known(self._row) & np.append(frequency >= 3, False)
        new = np.append(frequency == 1, False)
        shares = np.empty((2, len(texts)))
        for start, stop in _some_at_once(texts):
            found = ngrams_of(texts[start:stop])
            shares[0, start:stop] = known_shares(found, known.take(found.slots))
            shares[1, start:stop] = new_shares(found, new.take(found.slots))
        return shares[0], shares[1]

    def _is_known(self, rows: Rows) -> Bools:
        known: Bools = rows > 0
        known &= rows < self._beyond
        return known

    def _weights(self, found: NGrams, rows: Rows, is_known: Bools) -> tuple[Ints, Float32s, Ints]:
        """The index in `slots_` [k], rising in each text, and the whole-number weight [k] of every known n-gram of n
        texts, and where those of each text begin, and the last ones end [n + 1].

        `rows` [m] are the n-grams' own, `is_known` [m] says which are known.
        """
        n, bits = len(found), len(self.slots_).bit_length()
        places = is_known.nonzero()[0]
        texts = np.arange(n + 1, dtype=np.int32) << bits
        keys = texts[None, :-1].repeat(len(found.bounds), 0).ravel().repeat(found.among(places).ravel())
        keys += rows.take(places)
        keys.sort()  # faster than counting in a table of all texts and slots
        is_first = np.empty(len(keys) + 1, np.bool_)
        is_first[0] = is_first[-1] = True
        np.not_equal(keys[1:], keys[:-1], out=is_first[1:-1])
        firsts = is_first.nonzero()[0]
        known = keys.take(firsts[:-1])
        weights = _log_counts().take(firsts[1:] - firsts[:-1], mode="clip")
        # In each text words come before characters; the two halves are weighed apart.
        starts = texts.repeat(2)[:-1]
        starts[1::2] += self.n_words_ + 1
        halves = known.searchsorted(starts)
        sizes = halves[1:] - halves[:-1]
        known &= (1 << bits) - 1
        known -= 1
        weights *= self.idf_.take(known)
        # Summed one after the other: the last bit of a sum depends on its order, and fits are compared by their hash.
        squares = np.bincount(np.arange(2 * n).repeat(sizes), weights * weights, 2 * n).tolist()
        norms = map(self._norms, squares[::2], squares[1::2])
        weights *= np.array([*itertools.chain.from_iterable(norms)]).repeat(sizes)
        return known, np.rint(weights, out=weights).astype(np.float32), halves[::2]

    def _norms(self, words: float, characters: float) -> tuple[float, float]:
        """By what a text's weights of words and of characters are multiplied, given the sums of their squares."""
        of_words, of_characters = 1.0 if words > 0 else 0.0, self.character_weight if characters > 0 else 0.0
        whole = max(math.sqrt(of_words * of_words + of_characters * of_characters), 1e-12)
        return (
            _TEXT_NORM * (of_words / whole) / max(math.sqrt(words), 1e-12),
            _TEXT_NORM * (of_characters / whole) / max(math.sqrt(characters), 1e-12),
        )

    def _weights_of(self, texts: Sequence[str]) -> Float32s:
        """The weights of many texts, [n, V]."""
        dense = np.zeros((len(texts), len(self.slots_)), np.float32)
        for start, stop in _some_at_once(texts):
            found = ngrams_of(texts[start:stop])
            rows = self._row.take(found.slots)
            known, weights, bounds = self._weights(found, rows, self._is_known(rows))
            dense[np.arange(start, stop).repeat(np.diff(bounds)), known] = weights
        return dense

    def _directions(self, texts: Sequence[str]) -> tuple[NDArray[np.int8], Float32s]:
        """The leading right singular vectors of the weight matrix as whole numbers [V, dim], and their scales [dim]."""
        matrix = self._weights_of(texts)
        matrix /= np.float32(_TEXT_NORM)
        width = min(self.max_dim + _OVERSAMPLING, *matrix.shape)
        # In float64 from here on: in float32 the weakest directions, nearly equal in strength, turn with the rounding
        # of the processor at hand; in float64 they turn by less than a step of the whole numbers they end as.
        basis = np.random.default_rng(self.seed).standard_normal((matrix.shape[1], width))
        for _ in range(self.iterations + 1):
            basis = np.linalg.qr(_times_gram(matrix, basis))[0]
        power, rotation = np.linalg.eigh(basis.T @ _times_gram(matrix, basis))
        kept = np.argsort(-power, kind="stable")[: self.max_dim]
        kept = kept[power[kept] > 1e-6 * power.max()]
        directions = basis @ rotation[:, kept]
        largest = np.argmax(np.abs(directions), axis=0)
        directions *= np.sign(directions[largest, np.arange(len(kept))])
        grid = np.minimum(_DIRECTION_MAX / np.abs(directions).max(axis=0), _DIRECTION_NORM)
        return np.rint(directions * grid).astype(np.int8), (1.0 / (grid * _TEXT_NORM)).astype(np.float32)

    def _projected(self, known: Ints, weights: Float32s, bounds: Ints) -> Float32s:
        """The sums [n, dim] of the texts' weighted directions, given what `_weights` gives."""
        sums = np.zeros((len(bounds) - 1, self.dim), np.float32)
        if len(sums) >= _LEAST_TEXTS and len(self._tiles):
            known, weights, bounds = self._project_common(known, weights, bounds, sums)
        # Text by text; widened after they are taken, since all of the projection in float32 would fill the caches.
        for i, (start, stop) in enumerate(itertools.pairwise(bounds.tolist())):
            sums[i] += weights[start:stop] @ self.projection_.take(known[start:stop], 0).astype(np.float32)
        return sums

    def _project_common(
        self, known: Ints, weights: Float32s, bounds: Ints, sums: Float32s
    ) -> tuple[Ints, Float32s, Ints]:
        """Add what the commonest n-grams give to `sums`, for all texts in one product; the rest is given back."""
        parts, tile, _ = self._tiles.shape
        columns = self._column.take(known)
        is_rare = columns == parts * tile
        common, rare = (~is_rare).nonzero()[0], is_rare.nonzero()[0]
        dense = np.zeros((len(sums), parts, tile), np.float32)
        firsts = np.arange(0, dense.size, parts * tile).repeat(bounds[1:] - bounds[:-1])
        dense.put((firsts + columns).take(common), weights.take(common))
        sums += np.matmul(dense.transpose(1, 0, 2), self._tiles).sum(axis=0)
        return known.take(rare), weights.take(rare), rare.searchsorted(bounds)

    def _unit(self, sums: Float32s) -> Float32s:
        vectors = sums.astype(np.float64) * self.scale_
        lengths = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
        unit: Float32s = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
        return unit

    def read(self, texts: Sequence[str]) -> tuple[Float32s, Floats, Floats]:
        """Unit (or zero) vectors float32 [n, dim], familiarity and novelty of each text, [n] in [0, 1] each.

        Familiarity is the share of n-grams that are known, relative to what nine in ten training prompts reach when
        judged without themselves; about 0 for a script or language that training did not show, 0 for an empty text.
        Novelty is the share of n-grams that no training prompt had, half by words and their pairs, half by characters.
        A row never depends on the other texts, to the last bit.
        """
        if not self._fitted:
            raise UsageError("the base embedder has not been fitted", fix="call fit(texts) first")
        if isinstance(texts, str):
            raise TypeError("embed takes a list of texts, not one text")
        sums, shares = np.empty((len(texts), self.dim), np.float32), np.empty(len(texts))
        novelty = np.empty(len(texts))
        for start, stop in _some_at_once(texts):
            found = ngrams_of(texts[start:stop])
            rows = self._row.take(found.slots)
            is_known = self._is_known(rows)
            sums[start:stop] = self._projected(*self._weights(found, rows, is_known))
            shares[start:stop] = known_shares(found, is_known)
            novelty[start:stop] = new_shares(found, rows == 0)
        return self._unit(sums), np.minimum(shares / self.usual_share_, 1.0), novelty

    def embed(self, texts: Sequence[str]) -> Float32s:
        """Unit (or zero) vectors float32 [n, dim]; a row never depends on the other texts, to the last bit."""
        return self.read(texts)[0]

    def familiarity(self, texts: Sequence[str]) -> Floats:
        """How much of each text is like the training text, float64 [n] in [0, 1]."""
        return self.read(texts)[1]

    def save(self) -> dict[str, NDArray[Any]]:
        """The learnt state as plain arrays by name, about 2 MB."""
        settings = [_FORMAT, self.n_words_, self.character_weight, self.usual_share_]
        return {
            "slots": self.slots_.astype(np.uint32),
            "idf": self.idf_,
            "projection": self.projection_,
            "scale": self.scale_,
            "seen": np.packbits(self.seen_),
            "settings": np.array(settings, np.float64),
        }

    @classmethod
    def load(cls, arrays: Arrays) -> Self:
        """The embedder of that state; vectors are identical to the bit. Raises ArtifactError on a damaged state."""
        missing = [key for key in _STATE if key not in arrays]
        if missing:
            raise ArtifactError(f"the base embedder's state lacks {', '.join(missing)}", fix="fit the router again")
        slots, idf, projection, scale, seen, settings = (np.asarray(arrays[key]) for key in _STATE)
        if len(settings) != 4 or int(settings[0]) != _FORMAT:
            raise ArtifactError("the base embedder's state has another format", fix="fit again or update tenbin")
        sizes_fit = projection.shape == (len(slots), len(scale)) and len(idf) == len(slots)
        sizes_fit = sizes_fit and seen.shape == (SLOTS // 8,)
        if not sizes_fit or projection.dtype != np.int8 or (len(slots) and int(slots.max()) >= SLOTS):
            raise ArtifactError("the base embedder's arrays do not fit together", fix="fit the router again")
        loaded = cls(max(len(scale), 1), character_weight=float(settings[2]))
        loaded._use(
            slots.astype(np.int64), idf.astype(np.float32), int(settings[1]), np.unpackbits(seen).astype(np.bool_)
        )
        loaded._set_projection(projection, scale.astype(np.float32), float(settings[3]))
        return loaded


__all__ = ["HashedEmbedder"]
