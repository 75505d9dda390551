"""What people's labels say of a pilot's metric, as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tenbin.cli.output import number, percent, strong, table
from tenbin.pilot.believed import LEAST_LABELS, JudgeCheck
from tenbin.quality.agreement import Agreement
from tenbin.report.catalogue import Catalogue
from tenbin.types import Figure


def checked_text(checked: JudgeCheck, table_means: Sequence[float], words: Catalogue) -> str:
    """Agreement, means, noise: in that order, as far as there is anything to say; `table_means` as in the table."""
    if not checked.n_labels:
        return "\n".join([words("pilot_label.none"), *_noise(checked, words)])
    parts = [
        "",
        strong(words("pilot_label.agreement")),
        "",
        _agreement_table(checked, words),
        "",
        strong(words("pilot_label.means")),
        "",
        _means_table(checked, table_means, words),
        "",
    ]
    verdict = "corrected" if checked.is_applied else "few"
    parts.append(words(f"pilot_label.{verdict}", n=str(checked.n_labels), least=str(LEAST_LABELS)))
    return "\n".join([*parts, *_noise(checked, words)])


def _agreement_table(checked: JudgeCheck, words: Catalogue) -> str:
    heads = [words(f"pilot_label.{key}") for key in ("model", "n", "same", "kappa", "correlation", "bias")]
    rows = [
        [
            row.model or words("pilot_label.all"),
            str(row.n),
            percent(row.same, 0),
            _interval(row.kappa, 2),
            number(row.correlation, 2),
            _interval(row.bias, 3, signed=True),
        ]
        for row in checked.agreement
    ]
    return table(heads, rows, indent=2)


def _means_table(checked: JudgeCheck, table_means: Sequence[float], words: Catalogue) -> str:
    heads = [words(f"pilot_label.{key}") for key in ("model", "judged", "people", "best", "table")]
    rows = [
        [
            model,
            number(arm.judged),
            _interval(arm.labelled, 3),
            _interval(arm.corrected, 3),
            number(mean),
        ]
        for model, arm, mean in zip(checked.models, checked.corrected, table_means, strict=True)
    ]
    return table(heads, rows, indent=2)


def _noise(checked: JudgeCheck, words: Catalogue) -> list[str]:
    noise = checked.noise
    if math.isnan(noise.label_sd.value):
        return [words("pilot_label.no_noise")]
    return [
        words(
            "pilot_label.noise",
            n=str(noise.n_reanswered),
            sd=_interval(noise.label_sd, 3),
            reliability=percent(noise.reliability, 0),
        )
    ]


def _interval(interval: Figure, decimals: int, *, signed: bool = False) -> str:
    if math.isnan(interval.value):
        return "–"
    value = f"{interval.value:+.{decimals}f}" if signed else f"{interval.value:.{decimals}f}"
    if math.isnan(interval.low):
        return value
    return f"{value} [{interval.low:.{decimals}f}, {interval.high:.{decimals}f}]"


def checked_json(name: str, checked: JudgeCheck, table_means: Sequence[float]) -> dict[str, Any]:
    """The same as one document."""
    noise = checked.noise
    return {
        "pilot": name,
        "n_labelled": checked.n_labels,
        "is_corrected": checked.is_applied,
        "agreement": [_agreement_json(row) for row in checked.agreement],
        "models": [
            {
                "model": model,
                "n_graded": arm.n_graded,
                "n_labelled": arm.n_labelled,
                "judged": arm.judged,
                "people": arm.labelled,
                "corrected": arm.corrected,
                "slope": arm.slope,
                "table": mean,
            }
            # Nobody has labelled: nothing is corrected, and there are no rows.
            for model, arm, mean in zip(checked.models, checked.corrected, table_means, strict=False)
        ],
        "noise": {
            "label_sd": noise.label_sd,
            "grading_sd": noise.grading_sd,
            "answering_sd": noise.answering_sd,
            "reliability": noise.reliability,
            "n_regraded": noise.n_regraded,
            "n_reanswered": noise.n_reanswered,
            "notes": noise.notes,
        },
    }


def _agreement_json(row: Agreement) -> dict[str, Any]:
    return {
        "model": row.model or None,
        "n": row.n,
        "same": row.same,
        "distance": row.distance,
        "bias": row.bias,
        "correlation": row.correlation,
        "kappa": row.kappa,
    }
