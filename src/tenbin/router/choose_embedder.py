"""Which embedder a router uses: the one asked for, or the lightest that cross-validates as well as the best."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tenbin.errors import TenbinError
from tenbin.features import BASE, CachedEmbedder, HashedEmbedder, installed_embedders, text_of
from tenbin.predictors.ridge import RidgePredictor
from tenbin.protocols import Embedder
from tenbin.reasons import Reason
from tenbin.router.crossfit import column_means
from tenbin.router.encoder import Encoder, conversation_of, open_any_embedder
from tenbin.router.train import fit_out_of_fold, observe
from tenbin.types import Floats, Ints, Panel, Progress

AUTO = "auto"
MOST_ROWS = 1_500


@dataclass(frozen=True, slots=True)
class EmbedderChoice:
    """The encoder of a fit: `form` opens its embedder again, `reason` says why it was taken."""

    encoder: Encoder
    form: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Opening:
    """How embedders are opened: the seed of the base, the file that keeps slow ones' vectors, allowed packages."""

    seed: int = 0
    cache: Path | None = None
    allow_plugins: Collection[str] = ()

    def open(self, form: str, texts: Sequence[str], progress: Progress) -> Embedder:
        """The embedder of a form; the base is fitted on the texts."""
        if form == BASE:
            return HashedEmbedder(seed=self.seed).fit(texts, progress)
        embedder = open_any_embedder(form, self.allow_plugins)
        return embedder if self.cache is None else CachedEmbedder(embedder, self.cache)


def choose_embedder(asked: str, panel: Panel, folds: Ints, opening: Opening, progress: Progress) -> EmbedderChoice:
    """The embedder for the training rows `panel`; errors are those of `open_embedder`.

    "auto" predicts quality out of fold with each installed embedder on up to 1,500 rows and takes the lightest whose
    explained variance is within one standard error of the best.
    """
    texts = [text_of(conversation_of(query)) for query in panel.queries]
    if asked != AUTO:
        return EmbedderChoice(Encoder(opening.open(asked, texts, progress)), asked, Reason("embedder_asked"))
    forms = installed_embedders()
    base = opening.open(BASE, texts, progress)
    if len(forms) == 1:
        return EmbedderChoice(Encoder(base), BASE, Reason("embedder_alone"))
    rows = np.sort(np.random.default_rng(opening.seed).permutation(len(panel))[:MOST_ROWS])
    opened: dict[str, Embedder] = {BASE: base}
    gains: dict[str, Floats] = {}
    left_out: list[Reason] = []
    for step, form in enumerate(forms):
        progress("choosing the embedder", step / len(forms))
        try:
            opened[form] = opened.get(form) or opening.open(form, texts, progress)
            gains[form] = _explained(Encoder(opened[form]), panel.take(rows), folds[rows])
        except TenbinError as error:
            left_out.append(Reason("embedder_left_out", form=form, error=str(error)))
    progress("choosing the embedder", 1.0)
    best = max(gains, key=lambda form: float(gains[form].mean()))
    chosen = next(form for form in forms if form in gains and _as_good(gains[form], gains[best]))
    figures = ", ".join(f"{form} {gains[form].mean():.4f}" for form in gains)
    reason = Reason("embedder_lightest", n=f"{len(rows):,}", figures=figures)
    for note in left_out:
        reason = Reason("embedder_and", first=reason, then=note)
    return EmbedderChoice(Encoder(opened[chosen]), chosen, reason)


def _explained(encoder: Encoder, panel: Panel, folds: Ints) -> Floats:
    """Per query [n] what its squared error falls by, over the mean squared deviation: its mean is an R2."""
    observed = observe(panel)
    _, prediction = fit_out_of_fold(
        RidgePredictor, encoder.encode(panel.queries), observed.quality, observed.weight, folds
    )
    means = column_means(observed.quality, observed.weight)
    known = ~np.isnan(observed.quality)
    weight = np.where(known, observed.weight, 0.0)
    quality = np.where(known, observed.quality, 0.0)
    before, after = (weight * (quality - guess) ** 2 for guess in (means, prediction.mean))
    scale = before.sum() / len(panel)
    gain: Floats = (before - after).sum(axis=1) / (scale if scale > 0.0 else 1.0)
    return gain


def _as_good(gain: Floats, best: Floats) -> bool:
    """Whether the mean is within one standard error of the paired difference of the best."""
    apart = best - gain
    return float(apart.mean()) <= float(apart.std() / np.sqrt(len(apart)))
