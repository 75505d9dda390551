"""The nouns of Tenbin: the same words in code, files, commands and docs.

Arrays are `[n, M]`: n queries by M candidates, NaN where nothing is known. Money is in dollars, time in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]
Ints = NDArray[np.int64]
Choices = NDArray[np.int32]
Bools = NDArray[np.bool_]

Message = Mapping[str, Any]
"""One chat message as OpenAI or Anthropic clients write it: `role`, `content` (text or a list of parts), ...."""

Progress = Callable[[str, float], None]
"""Called by long work with what it is doing and how much of that is done, in [0, 1]."""


def silent(_step: str, _done: float) -> None:
    """A `Progress` that nobody watches."""


SPLITS = ("train", "calibration", "test")
CELLS = ("quality", "input_tokens", "output_tokens", "cost_usd", "latency_s", "label_propensity")
"""The arrays that every panel has, in the order in which its content is hashed."""
ESTIMATED = ("quality", "quality_sd", "gap_sd", "input_tokens", "output_tokens", "latency_s")
"""The arrays that all estimates have."""


@dataclass(frozen=True, slots=True)
class Query:
    """One thing to answer: a prompt, or the messages of a conversation, and what the answer needs.

    `input_tokens` is the counted number where the caller knows it (None: estimated from the text).
    `requirements` names capabilities that the candidate must have: `tools`, `vision`, `json_schema`, `reasoning`.
    """

    query_id: str
    prompt: str = ""
    messages: tuple[Message, ...] | None = None
    group: str | None = None
    input_tokens: float | None = None
    max_output_tokens: float | None = None
    requirements: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model as it is called: provider, model name there, reasoning effort, output cap, what it can do.

    `capabilities` None means unknown, hence not filtered; so does `context_window_tokens` None.
    """

    name: str
    provider: str | None = None
    model: str | None = None
    reasoning_effort: str | None = None
    max_output_tokens: int | None = None
    context_window_tokens: int | None = None
    capabilities: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One query answered by one candidate: how well, with how many tokens, at what cost, judged by what.

    `quality` is in [0, 1], None where unlabelled; `label_propensity` is the probability with which this pair was
    chosen for labelling (1 where all were). `label_noise_sd` is the standard deviation of the noise in `quality`, None
    where it is not known.
    """

    query_id: str
    model: str
    quality: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    observed_at: str | None = None
    judge: str | None = None
    label_propensity: float = 1.0
    label_noise_sd: float | None = None


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """The tokens that one call is billed for, by kind.

    `input_tokens` includes cached and cache-write ones, `output_tokens` includes hidden reasoning, whatever the
    provider's own way of counting. `cache_write_1h_tokens` are those of the cache writes that are kept for an hour;
    audio is part of the input that is neither cached nor written, and of the output that is no reasoning. `tier` is
    the class in which the provider served it, "priority" or "flex" (None: as everybody).
    A struct: every request makes two and writes one down, and a frozen dataclass takes ten times as long.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_1h_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """n queries by M candidates, NaN where unlabelled or unmeasured; rows in the order of `queries`.

    `split` is "train", "calibration" or "test" per query, None for the whole where the table has no such column.
    `data_hash` is the SHA-256 of the canonical content: independent of row order and file format. `label_noise_sd`
    [n, M] is the standard deviation of the noise in `quality`, None for the whole where nobody has measured it.
    """

    queries: tuple[Query, ...]
    models: tuple[str, ...]
    quality: Floats
    input_tokens: Floats
    output_tokens: Floats
    cost_usd: Floats
    latency_s: Floats
    label_propensity: Floats
    split: tuple[str, ...] | None = None
    data_hash: str = ""
    label_noise_sd: Floats | None = None

    def __len__(self) -> int:
        return len(self.queries)

    def take(self, rows: Sequence[int] | Ints | Bools) -> Panel:
        """The panel of some rows, in the order given (indices or a mask); `data_hash` is kept as the origin's."""
        index = np.asarray(rows)
        if index.dtype == np.bool_ or not index.size:
            index = np.flatnonzero(index)
        return Panel(
            queries=tuple(self.queries[int(i)] for i in index),
            models=self.models,
            quality=self.quality[index],
            input_tokens=self.input_tokens[index],
            output_tokens=self.output_tokens[index],
            cost_usd=self.cost_usd[index],
            latency_s=self.latency_s[index],
            label_propensity=self.label_propensity[index],
            split=None if self.split is None else tuple(self.split[int(i)] for i in index),
            data_hash=self.data_hash,
            label_noise_sd=None if self.label_noise_sd is None else self.label_noise_sd[index],
        )

    def part(self, split: str) -> Panel:
        """The rows of one split; the whole where the table has no splits."""
        return self if self.split is None else self.take(np.array([each == split for each in self.split]))

    @property
    def label_weight(self) -> Floats:
        """1 / label propensity [n, M]; 1 where none is told."""
        return 1.0 / np.where(np.isnan(self.label_propensity), 1.0, self.label_propensity)

    def of_models(self, models: Sequence[str]) -> Panel:
        """The panel with only these models as columns, in the order given; `data_hash` is kept as the origin's."""
        at = [self.models.index(model) for model in models]
        noise = None if self.label_noise_sd is None else self.label_noise_sd[:, at]
        cells = {name: getattr(self, name)[:, at] for name in CELLS}
        return replace(self, models=tuple(models), label_noise_sd=noise, **cells)


@dataclass(frozen=True, slots=True)
class Features:
    """What a predictor sees of n queries.

    `vectors` float32 [n, d] unit-length embeddings of the routing text; `surface` float32 [n, s] smooth surface
    features of the whole query; `groups` the group label of each query or None; `text_tokens` [n] tokens estimated
    from the whole text; `input_tokens` [n] counted ones where given, else NaN; `familiarity` [n] in [0, 1]: the share
    of the text that the embedder knows from training, `novelty` [n] in [0, 1] that which no training prompt had (1 and
    0 where it cannot tell).
    """

    vectors: Float32s
    surface: Float32s
    groups: tuple[str | None, ...]
    text_tokens: Floats
    input_tokens: Floats
    familiarity: Floats
    novelty: Floats

    def __len__(self) -> int:
        return len(self.groups)

    def take(self, rows: Sequence[int] | Ints | Bools) -> Features:
        """The features of some rows, in the order given (indices or a mask)."""
        index = np.asarray(rows)
        if index.dtype == np.bool_ or not index.size:
            index = np.flatnonzero(index)
        return Features(
            vectors=self.vectors[index],
            surface=self.surface[index],
            groups=tuple(self.groups[int(i)] for i in index),
            text_tokens=self.text_tokens[index],
            input_tokens=self.input_tokens[index],
            familiarity=self.familiarity[index],
            novelty=self.novelty[index],
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """A predictor's answer for one target: mean and standard deviation of the mean, both [n, M]."""

    mean: Floats
    sd: Floats


@dataclass(frozen=True, slots=True)
class Estimates:
    """What is expected of every candidate, [n, M] each; dollars are not among them: prices are applied when deciding.

    `quality_sd` is the standard deviation of the estimated mean, `gap_sd` that of q_m - q_reference (0 for the
    reference). `latency_s` is NaN where no time was recorded. `recorded_cost_usd` is given instead of tokens where
    the outcome table has only dollars: then token arrays are NaN and a price change scales these dollars. `likeness`
    [n] is the p-value of being like the training prompts, `novelty` [n] that of having no more new words than those of
    the same kind (None: not asked).
    """

    quality: Floats
    quality_sd: Floats
    gap_sd: Floats
    input_tokens: Floats
    output_tokens: Floats
    latency_s: Floats
    recorded_cost_usd: Floats | None = None
    likeness: Floats | None = None
    novelty: Floats | None = None

    @classmethod
    def of_quality(cls, quality: Floats) -> Estimates:
        """Estimates of which nothing but the quality is known."""
        unknown = np.full_like(quality, np.nan)
        return cls(quality, unknown, unknown, unknown, unknown, unknown)

    def take(self, rows: Sequence[int] | Ints | Bools | slice) -> Estimates:
        """The estimates of some queries, in the order given."""
        index = rows if isinstance(rows, slice) else np.asarray(rows)
        held: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        taken: dict[str, Any] = {name: None if cells is None else cells[index] for name, cells in held.items()}
        return Estimates(**taken)

    def capped(self, output_caps: Floats | None) -> Estimates:
        """The estimates of answers that may have so many tokens [n, M] at most (None: any number)."""
        if output_caps is None:
            return self
        return replace(self, output_tokens=np.minimum(self.output_tokens, output_caps))


NORMAL_95 = 1.959963984540054
"""Standard deviations from the middle of a normal distribution to an end of its 95 % interval."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number and its 95 % interval; NaN where it is not identifiable, or has none."""

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """How wide the interval is."""
        return self.high - self.low

    @property
    def flipped(self) -> Figure:
        """1 - the figure: from a share of a cost to what is saved of it, and back."""
        return Figure(1.0 - self.value, 1.0 - self.high, 1.0 - self.low)


UNKNOWN = Figure(math.nan, math.nan, math.nan)
"""What was not measured, or cannot be told."""


@dataclass(frozen=True, slots=True)
class TradeOff:
    """The user's dial: `mu` weighs cost against quality, `w` seconds against dollars, both in [0, 1].

    `caution` >= 0 shrinks quality by that many standard deviations of the gap to the reference; `minimax` replaces
    the quality by the lower end of its credible set.
    """

    mu: float
    w: float = 0.0
    caution: float = 0.0
    minimax: bool = False


@dataclass(frozen=True, slots=True)
class CandidateView:
    """One candidate in the explanation of a decision: its estimates, its loss, and why it lost (or won)."""

    model: str
    quality: float
    quality_sd: float
    input_tokens: float
    output_tokens: float
    cost_usd: float
    latency_s: float
    loss: float
    eligible: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The model chosen for one query at one trade-off, with every candidate's estimates and the reason.

    `propensity` is the probability with which this choice was made (1 without exploration); `versions` names the
    artifact and the price book that decided.
    """

    query_id: str
    trade_off: TradeOff
    model: str
    candidates: tuple[CandidateView, ...]
    reason: str
    propensity: float = 1.0
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Price:
    """What one model costs from one day on; rates in dollars per million tokens, `request_usd` per call.

    Above `long_context_tokens` of input the whole call is billed at the `long_…` rates. A rate of None means: as the
    plain input or output rate, for cache writes that are kept for an hour twice the input rate; a long one of None: the
    plain one, dearer by as much as the input (or output) is. Tokens of a call that was served as priority or flex cost
    so many times as much (None: 2.5 times, the most that is published, and once).
    `source` says in words where the figures come from; it never enters a bill or a hash.
    """

    input_usd_per_mtok: float
    output_usd_per_mtok: float
    since: date | None = None
    cached_input_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    reasoning_usd_per_mtok: float | None = None
    request_usd: float = 0.0
    long_context_tokens: int | None = None
    long_input_usd_per_mtok: float | None = None
    long_output_usd_per_mtok: float | None = None
    long_cached_input_usd_per_mtok: float | None = None
    long_cache_write_usd_per_mtok: float | None = None
    cache_write_1h_usd_per_mtok: float | None = None
    audio_input_usd_per_mtok: float | None = None
    audio_output_usd_per_mtok: float | None = None
    priority_factor: float | None = None
    flex_factor: float | None = None
    source: str | None = None
