"""An evaluation on a terminal: the verdict first, then what stands behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tenbin.cli.output import clip, faint, good, number, percent, prose, strong, table, usd, words_of
from tenbin.report.catalogue import Catalogue, load_catalogue
from tenbin.report.notes import told_note

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenbin.evaluate.result import Evaluation, OperatingPoint
    from tenbin.report import Example
    from tenbin.router.router import Router
    from tenbin.types import Figure, Panel, Query


def evaluation_text(evaluation: Evaluation, lang: str) -> str:
    """The verdict and its tables in one language."""
    words, curves = words_of(lang), load_catalogue(lang)
    sentences = evaluation.verdict.sentences[lang]
    parts = [
        "\n".join([good(prose(sentences[0])), *map(prose, sentences[1:])]),
        faint(words("evaluate.data", n=f"{evaluation.data.n_clusters:,}")),
        f"{strong(words('evaluate.promise'))}\n{promises(evaluation, words)}",
        f"{strong(words('evaluate.models'))}\n{singles(evaluation, words)}",
        f"{strong(words('evaluate.against'))}\n{comparison(evaluation, words, curves)}",
    ]
    if evaluation.notes:
        parts.append(faint(prose("\n".join(told_note(note, curves) or note for note in evaluation.notes))))
    return "\n\n".join(parts)


def promises(evaluation: Evaluation, words: Catalogue) -> str:
    """The operating points chosen on training data, and what they did."""
    headers = [words(f"evaluate.{key}") for key in ("asked", "kept_quality", "saving", "cost", "kept")]
    rows = [
        [
            percent(point.target, 0),
            bracketed(point.quality_ratio, percent),
            bracketed(point.saving, percent),
            bracketed(point.cost_usd, per_thousand),
            words(_answer(point)),
        ]
        for point in evaluation.operating_points
        if point.kind == "min_quality"
    ]
    return table(headers, rows, indent=2)


def _answer(point: OperatingPoint) -> str:
    """Whether the promise was kept; one that training did not reach was never made."""
    if not point.reached:
        return "evaluate.unreached"
    return "evaluate.yes" if point.kept else "evaluate.no"


def singles(evaluation: Evaluation, words: Catalogue) -> str:
    """Every model asked for everything, the best first."""
    ordered = sorted(evaluation.singles, key=lambda single: -single.quality.value)
    rows = [
        [
            single.model + (faint(f" ({words('evaluate.reference')})") if single.model == evaluation.reference else ""),
            bracketed(single.quality, number),
            usd(1000 * single.cost_usd.value),
        ]
        for single in ordered
    ]
    return table([words(f"evaluate.{key}") for key in ("model", "quality", "cost")], rows, indent=2)


def comparison(evaluation: Evaluation, words: Catalogue, curves: Catalogue) -> str:
    """AIQ and AIQ-log of every curve, and how far the router is ahead."""
    titles = {curve.name: curve.title for curve in evaluation.curves}
    ahead = {difference.baseline: difference for difference in evaluation.differences}
    lead = words("evaluate.ahead")
    rows = []
    for summary in evaluation.summaries:
        difference = ahead.get(summary.name)
        title = curves.get(f"curve.{summary.name}", titles[summary.name])
        rows.append(
            [
                words("evaluate.router") if difference is None else clip(title, 40),
                number(summary.aiq.value, 4),
                "" if difference is None else bracketed(difference.aiq, signed),
                number(summary.aiq_log.value, 4),
                "" if difference is None else bracketed(difference.aiq_log, signed),
            ]
        )
    return table([words("evaluate.baseline"), "AIQ", lead, "AIQ-log", lead], rows, indent=2)


def bracketed(figure: Figure, draw: Callable[[float], str]) -> str:
    """A figure with its interval: `45.2% [40.1%, 50.3%]`; an end without bound is a dash."""
    if not math.isfinite(figure.value):
        return "–"
    ends = [draw(end) if math.isfinite(end) else "–" for end in (figure.low, figure.high)]
    return draw(figure.value) if ends == ["–", "–"] else f"{draw(figure.value)} [{', '.join(ends)}]"


def per_thousand(cost_usd: float) -> str:
    """Dollars per query as dollars per 1,000 queries."""
    return usd(1000 * cost_usd)


def signed(value: float) -> str:
    """A difference with its sign, to four decimals."""
    return f"{value:+z.4f}"


def pick_examples(router: Router, panel: Panel, evaluation: Evaluation, count: int) -> list[Example]:
    """`count` evaluated prompts, spread evenly over the panel, with the decision at the verdict's trade-off."""
    from tenbin.outcomes import prompt_key  # noqa: PLC0415 (only with --examples)
    from tenbin.report import Example  # noqa: PLC0415
    from tenbin.types import TradeOff  # noqa: PLC0415

    unseen = [query for query in panel.part("test").queries if prompt_key(query) not in router.seen]
    count = min(count, len(unseen))
    chosen = [unseen[(2 * k + 1) * len(unseen) // (2 * count)] for k in range(count)]
    trade_off = TradeOff(0.0 if evaluation.chosen is None else evaluation.chosen.mu)
    return [Example(shown_prompt(query), router.decide(query, trade_off)) for query in chosen]


def shown_prompt(query: Query) -> str:
    """The text of a query as the report shows it, a conversation turn by turn; pictures and the like say nothing."""
    from tenbin.features import read_conversation  # noqa: PLC0415 (only with --examples)

    if query.messages is None:
        return query.prompt
    turns: list[Mapping[str, Any]] = [*query.messages]
    return "\n\n".join(f"{turn.get('role', '')}: {read_conversation([turn]).text}" for turn in turns)
