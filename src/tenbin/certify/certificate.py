"""What a certificate says: which setting keeps which share of the reference's quality, what it saves and rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tenbin.types import Figure, TradeOff

Finding = Literal["certified", "too_few", "no_choice"]
"""`certified`: a setting that saves; `too_few`: not one could be proved, so the reference alone serves; `no_choice`:
there is nothing to prove, since no setting is expected to save anything."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The first setting not proved that saves more on the same prompts: how much, and about how many labels it takes.

    `n_labels` are those with which it is proved in four of five tries; None where its quality looks too low for any.
    """

    mu: float
    saving: float
    n_labels: int | None


@dataclass(frozen=True, slots=True)
class GroupCertificate:
    """How far one group walked the path: its prompts, the setting it holds to (mu None: the reference), its quality.

    `holds` says whether the setting of the whole is proved for this group, too.
    """

    group: str
    n_prompts: int
    step: int
    mu: float | None
    quality: Figure
    holds: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """With confidence 1 - alpha: routed so, mean quality is at least `min_quality` times the reference's.

    `allow` names the candidates that the setting chooses among (the reference alone where nothing was proved),
    `trade_off` is the setting. `step` of `n_steps` settings were proved. `quality` is the share of the reference's
    quality and `saving` the share of its dollars that were observed there, both with 95 % intervals; `next_step` is
    None where no further setting saves more on these prompts. `largest_weight` is that of the labels (1: all were
    certain to be bought). `versions` names package, artifact, prices and calibration: another of any of the last three,
    and this certificate is void.
    """

    min_quality: float
    alpha: float
    finding: Finding
    reference: str
    trade_off: TradeOff
    allow: tuple[str, ...]
    step: int
    n_steps: int
    n_prompts: int
    n_pairs: int
    largest_weight: float
    quality: Figure
    saving: Figure
    next_step: NextStep | None
    group: str | None
    groups: tuple[GroupCertificate, ...]
    versions: Mapping[str, str]
