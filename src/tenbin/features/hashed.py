"""The base embedder: hashed n-grams weighed by log count and rarity, projected with what the training prompts teach.

No third-party weights and no download. `fit` chooses the most telling n-grams of the training prompts and finds the
directions in which the prompts differ most (latent semantic analysis by randomised subspace iteration: Deerwester et
al. 1990; Halko, Martinsson and Tropp 2011, algorithm 4.4). What a text is in them is in projection.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tenbin.errors import ArtifactError, UsageError
from tenbin.features.familiarity import known_shares, new_shares
from tenbin.features.lexicon import TEXT_NORM, Lexicon, some_at_once
from tenbin.features.ngrams import NOWHERE, SLOTS, WORD_SLOTS, ngrams_of
from tenbin.features.projection import Projection
from tenbin.protocols import Arrays
from tenbin.types import Float32s, Floats, Ints, Progress

_FORMAT = 2
_ROWS_AT_ONCE = 512
_DIRECTION_NORM = 7900.0
_DIRECTION_MAX = 127.0
_OVERSAMPLING = 20
_MIN_USUAL_SHARE = 0.05
_USUAL_QUANTILE = 0.1
_STATE = ("slots", "idf", "projection", "scale", "seen", "settings")


def _sampling_order(texts: Sequence[str]) -> list[str]:
    """The texts in an order that depends on their content alone, so that the order of rows decides nothing."""

    def key(text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    return sorted(texts, key=key)


def _document_frequency(texts: Sequence[str]) -> Ints:
    """How many of the texts contain each slot, int64 [SLOTS]."""
    width = SLOTS + 1
    frequency = np.zeros(width, np.int64)
    for start, stop in some_at_once(texts):
        found = ngrams_of(texts[start:stop])
        owners = np.tile(np.arange(len(found)), len(found.bounds)).repeat(np.diff(found.bounds).ravel())
        np.add.at(frequency, np.unique(owners * width + found.slots) % width, 1)
    return np.delete(frequency, NOWHERE)


def _left_out(texts: Sequence[str], lexicon: Lexicon, frequency: Ints) -> tuple[Floats, Floats]:
    """The shares [n] of training prompts' n-grams that are known, and new, each judged as if it were not there."""
    known = lexicon.is_known(lexicon.rows) & np.append(frequency >= 3, False)
    new = np.append(frequency == 1, False)
    shares = np.empty((2, len(texts)))
    for start, stop in some_at_once(texts):
        found = ngrams_of(texts[start:stop])
        shares[0, start:stop] = known_shares(found, known.take(found.slots))
        shares[1, start:stop] = new_shares(found, new.take(found.slots))
    return shares[0], shares[1]


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
        return self.projection_.dim if self._fitted else self.max_dim

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
        kept = idf[slots].astype(np.float32)
        lexicon = Lexicon(slots, kept, len(words), self.character_weight, frequency > 0)
        shares, novelty = _left_out(sample[: self.max_rows], lexicon, frequency)
        usual = max(float(np.quantile(shares, _USUAL_QUANTILE)), _MIN_USUAL_SHARE)
        place = {text: i for i, text in enumerate(sample[: self.max_rows])}
        places = [place.get(text, -1) for text in texts]
        self.left_out_familiarity_ = np.append(np.minimum(shares / usual, 1.0), np.nan)[places]
        self.left_out_novelty_ = np.append(novelty, np.nan)[places]
        if progress:
            progress("projecting n-grams", 0.4)
        directions, scale = self._directions(lexicon.weights_of(sample[: self.max_rows]))
        self._use(Projection(lexicon, directions, scale), usual)
        if progress:
            progress("projecting n-grams", 1.0)
        return self

    def _use(self, projection: Projection, usual: float) -> None:
        self.projection_ = projection
        self.usual_share_ = usual
        self._fitted = True
        digest = hashlib.sha256()
        for key, array in sorted(self.save().items()):
            digest.update(f"{key}{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        self._hash = digest.hexdigest()[:12]

    def _directions(self, matrix: Float32s) -> tuple[NDArray[np.int8], Float32s]:
        """The leading right singular vectors of weights [n, V] as whole numbers [V, dim], and their scales [dim]."""
        matrix /= np.float32(TEXT_NORM)
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
        return np.rint(directions * grid).astype(np.int8), (1.0 / (grid * TEXT_NORM)).astype(np.float32)

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
        vectors, known, new = self.projection_.read(texts)
        return vectors, np.minimum(known / self.usual_share_, 1.0), new

    def embed(self, texts: Sequence[str]) -> Float32s:
        """Unit (or zero) vectors float32 [n, dim]; a row never depends on the other texts, to the last bit."""
        return self.read(texts)[0]

    def familiarity(self, texts: Sequence[str]) -> Floats:
        """How much of each text is like the training text, float64 [n] in [0, 1]."""
        return self.read(texts)[1]

    def save(self) -> dict[str, NDArray[Any]]:
        """The learnt state as plain arrays by name, about 2 MB."""
        lexicon = self.projection_.lexicon
        settings = [_FORMAT, lexicon.n_words, lexicon.character_weight, self.usual_share_]
        return {
            "slots": lexicon.slots.astype(np.uint32),
            "idf": lexicon.idf,
            "projection": self.projection_.directions,
            "scale": self.projection_.scale,
            "seen": np.packbits(lexicon.seen),
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
        sizes_fit = projection.shape == (slots.size, scale.size) and idf.shape == slots.shape == (slots.size,)
        sizes_fit = sizes_fit and scale.shape == (scale.size,) and seen.shape == (SLOTS // 8,)
        if not sizes_fit or projection.dtype != np.int8 or (len(slots) and int(slots.max()) >= SLOTS):
            raise ArtifactError("the base embedder's arrays do not fit together", fix="fit the router again")
        loaded = cls(max(len(scale), 1), character_weight=float(settings[2]))
        known = slots.astype(np.int64), idf.astype(np.float32), int(settings[1]), float(settings[2])
        lexicon = Lexicon(*known, np.unpackbits(seen).astype(np.bool_))
        loaded._use(Projection(lexicon, projection, scale.astype(np.float32)), float(settings[3]))
        return loaded


__all__ = ["HashedEmbedder"]
