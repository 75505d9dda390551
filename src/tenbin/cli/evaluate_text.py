"""An evaluation on a terminal: the verdict first, then what stands behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tenbin.cli.output import clip, faint, good, number, percent, strong, table, usd

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenbin.evaluate.result import Evaluation, Figure
    from tenbin.report import Example
    from tenbin.router.router import Router
    from tenbin.types import Panel, Query

WORDS: Mapping[str, tuple[str, str]] = {
    "data": (
        "{n} unseen prompts, 95% intervals over prompts in brackets",
        "未学習のプロンプト {n} 件、[ ] 内は 95% 区間",
    ),
    "promise": (
        "Dial set on training data, realised on these prompts",
        "訓練データで決めた設定と、このプロンプトでの実績",
    ),
    "asked": ("asked for", "目標"),
    "kept_quality": ("quality kept", "維持した品質"),
    "saving": ("saving", "節約"),
    "cost": ("per 1,000", "1,000 件あたり"),
    "kept": ("promise", "約束"),
    "yes": ("kept", "達成"),
    "no": ("missed", "未達"),
    "models": ("Each model alone", "単独モデル"),
    "model": ("model", "モデル"),
    "quality": ("quality", "品質"),
    "against": (
        "Router against baselines (area under the cost-quality curve)",
        "ルーターとベースラインの比較 (費用・品質曲線の面積)",
    ),
    "baseline": ("baseline", "ベースライン"),
    "router": ("this router", "このルーター"),
    "ahead": ("router ahead", "ルーターの差"),
    "reference": ("reference", "基準"),
}


def evaluation_text(evaluation: Evaluation, lang: str) -> str:
    """The verdict and its tables in one language."""
    words = {key: pair[lang == "ja"] for key, pair in WORDS.items()}
    sentences = evaluation.verdict.sentences[lang]
    parts = [
        "\n".join([good(sentences[0]), *sentences[1:]]),
        faint(words["data"].format(n=f"{evaluation.data.n_test:,}")),
        f"{strong(words['promise'])}\n{promises(evaluation, words)}",
        f"{strong(words['models'])}\n{singles(evaluation, words)}",
        f"{strong(words['against'])}\n{comparison(evaluation, words)}",
        *([faint("\n".join(evaluation.notes))] if evaluation.notes else []),
    ]
    return "\n\n".join(parts)


def promises(evaluation: Evaluation, words: Mapping[str, str]) -> str:
    """The operating points chosen on training data, and what they did."""
    headers = [words[key] for key in ("asked", "kept_quality", "saving", "cost", "kept")]
    rows = [
        [
            percent(point.target, 0),
            bracketed(point.quality_ratio, percent),
            bracketed(point.saving, percent),
            usd(1000 * point.cost_usd.value),
            words["yes" if point.kept else "no"],
        ]
        for point in evaluation.operating_points
        if point.kind == "min_quality"
    ]
    return table(headers, rows, indent=2)


def singles(evaluation: Evaluation, words: Mapping[str, str]) -> str:
    """Every model asked for everything, the best first."""
    ordered = sorted(evaluation.singles, key=lambda single: -single.quality.value)
    rows = [
        [
            single.model + (faint(f" ({words['reference']})") if single.model == evaluation.reference else ""),
            bracketed(single.quality, number),
            usd(1000 * single.cost_usd.value),
        ]
        for single in ordered
    ]
    return table([words[key] for key in ("model", "quality", "cost")], rows, indent=2)


def comparison(evaluation: Evaluation, words: Mapping[str, str]) -> str:
    """AIQ and AIQ-log of every curve, and how far the router is ahead."""
    titles = {curve.name: curve.title for curve in evaluation.curves}
    ahead = {difference.baseline: difference for difference in evaluation.differences}
    rows = []
    for summary in evaluation.summaries:
        difference = ahead.get(summary.name)
        rows.append(
            [
                words["router"] if difference is None else clip(titles[summary.name], 36),
                number(summary.aiq.value, 4),
                "" if difference is None else bracketed(difference.aiq, signed),
                number(summary.aiq_log.value, 4),
                "" if difference is None else bracketed(difference.aiq_log, signed),
            ]
        )
    return table([words["baseline"], "AIQ", words["ahead"], "AIQ-log", words["ahead"]], rows, indent=2)


def bracketed(figure: Figure, draw: Callable[[float], str]) -> str:
    """A figure with its interval: `45.2% [40.1%, 50.3%]`."""
    if not math.isfinite(figure.value):
        return "–"
    if not math.isfinite(figure.low):
        return draw(figure.value)
    return f"{draw(figure.value)} [{draw(figure.low)}, {draw(figure.high)}]"


def signed(value: float) -> str:
    return f"{value:+.4f}"


def pick_examples(router: Router, panel: Panel, evaluation: Evaluation, count: int) -> list[Example]:
    """`count` evaluated prompts, spread evenly over the panel, with the decision at the verdict's trade-off."""
    from tenbin.outcomes import prompt_key  # noqa: PLC0415 (only with --examples)
    from tenbin.report import Example  # noqa: PLC0415
    from tenbin.types import TradeOff  # noqa: PLC0415

    unseen = [
        query
        for i, query in enumerate(panel.queries)
        if (panel.split is None or panel.split[i] == "test") and prompt_key(query) not in router.seen
    ]
    count = min(count, len(unseen))
    chosen = [unseen[(2 * k + 1) * len(unseen) // (2 * count)] for k in range(count)]
    trade_off = TradeOff(verdict_mu(evaluation))
    return [Example(shown_prompt(query), router.decide(query, trade_off)) for query in chosen]


def verdict_mu(evaluation: Evaluation) -> float:
    """The mu of the operating point that the verdict rests on, or of the 97 % one, or 0."""
    ratio = evaluation.verdict.ratio
    wanted = ratio if math.isfinite(ratio) else 0.97
    found = [p.mu for p in evaluation.operating_points if p.kind == "min_quality" and p.target == wanted and p.reached]
    return found[0] if found else 0.0


def shown_prompt(query: Query) -> str:
    if query.messages is None:
        return query.prompt
    turns: list[Mapping[str, Any]] = [*query.messages]
    return "\n\n".join(f"{turn.get('role', '')}: {turn.get('content') or ''}" for turn in turns)
