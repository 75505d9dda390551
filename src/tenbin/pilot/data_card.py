"""The data card of an exported pilot, in Markdown: where the outcomes come from and what they may be used for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath

import numpy as np

import tenbin
from tenbin.pilot.export_table import Layout, Prompts
from tenbin.pilot.pair import Pair
from tenbin.pilot.results import Answer, Results
from tenbin.pilot.settings import PilotSettings
from tenbin.reasons import counted
from tenbin.types import SPLITS, Price

NO_LICENCE = "not stated: ask whoever gave you this table before you use it"
TRACES = 5
"""So many different values of a judge's detail (its model, its prompt's hash, ...) are listed."""
COLUMNS: Mapping[Layout, str] = {
    "outcomes": "One row per prompt and model; the columns are those of Tenbin's outcome table: `query_id`, `prompt` "
    "or `messages`, `group`, `model`, `split`, `quality` (0 to 1, empty where the metric could not tell), "
    "`input_tokens`, `output_tokens` (hidden reasoning included), `cost_usd` (the call alone, at the prices of its "
    "day), `latency_s`, `label_propensity` (the probability with which the pair was chosen), `observed_at`, `judge`.",
    "sprout": "One row per prompt: `key`, `dataset` (the group), `prompt`, `golden_answer`, and one struct per model "
    "`{num_input_tokens, num_output_tokens, response, score}`; one file per split (validation = calibration). Dollars, "
    "seconds, propensities, dates and the turns of conversations have no place in this layout.",
}
PROMPTS: Mapping[Prompts, str] = {
    "kept": "as they were asked",
    "hashed": "replaced by the first 24 hex digits of the SHA-256 of their normalised text; answers are left "
    "out. Whoever guesses a prompt can check the guess against the hash",
    "dropped": "left out, and so are answers and ids. The table can be counted, not fitted",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What the card is written from; `files` are names without folders, `prices` today's where a book is at hand."""

    name: str
    settings: PilotSettings
    results: Results
    plan: Sequence[Pair]
    files: Sequence[str]
    data_hash: str
    layout: Layout = "outcomes"
    prompts: Prompts = "kept"
    licence: str | None = None
    prices: Mapping[str, Price] | None = None


def write_card(card: Card) -> str:
    """The card as Markdown. Neither a key nor a path of this machine is in it."""
    answers = [answer for key, answer in sorted(card.results.answers.items()) if key[2] == 0]
    parts = [
        f"# {_line(card.name)}: outcomes of a pilot",
        _facts(card, answers),
        f"## Columns\n\n{COLUMNS[card.layout]}",
        f"## Prompts\n\n{_prompts(card)}",
        f"## Candidates\n\n{_candidates(card, answers)}",
        f"## Quality\n\n{_quality(card, answers)}",
        f"## Prices\n\n{_prices(card, answers)}",
        f"## How pairs were chosen\n\n{_sampling(card, answers)}",
    ]
    return "\n\n".join(parts) + "\n"


def _facts(card: Card, answers: Sequence[Answer]) -> str:
    times = [answer.bought.at for answer in answers]
    rows = [
        ("files", ", ".join(f"`{_line(name)}`" for name in card.files)),
        ("licence", _line(card.licence) if card.licence else NO_LICENCE),
        ("source of the prompts", f"{_line(PurePath(card.settings.prompts_source).name)}, as given to the pilot"),
        ("answers", f"{len(answers):,}, asked from {_day(min(times))} to {_day(max(times))}"),
        ("hash of the outcomes", f"`{card.data_hash}`"),
        ("written by", f"Tenbin {tenbin.__version__} on {datetime.now(UTC).date().isoformat()}"),
    ]
    return _table(("", ""), rows)


def _prompts(card: Card) -> str:
    asked = {query_id for query_id, _, _ in card.results.answers}
    splits = Counter[str](prompt.split for prompt in card.results.prompts if prompt.query_id in asked)
    told = ", ".join(f"{splits[split]:,} {split}" for split in SPLITS if splits[split])
    stood = sum(prompt.count for prompt in card.results.prompts)
    return (
        f"{counted(sum(splits.values()), 'prompt')} with an answer ({told}), "
        f"of {counted(len(card.results.prompts), 'different one')} "
        f"that stood {counted(stood, 'time')} in the source. Here they are {PROMPTS[card.prompts]}."
    )


def _candidates(card: Card, answers: Sequence[Answer]) -> str:
    rows = []
    for model in card.results.models:
        mine = [answer for answer in answers if answer.bought.model == model]
        graded = [answer for answer in mine if not np.isnan(answer.quality())]
        quality = f"{_mean(graded, [a.quality() for a in graded]):.3f}" if graded else "-"
        refused = sum(answer.bought.is_refusal for answer in mine)
        cost = _mean(mine, [answer.bought.cost_usd for answer in mine])
        rows.append(
            (f"`{_line(model)}`", f"{len(mine):,}", f"{len(graded):,}", quality, f"${cost:.4g}", f"{refused:,}")
        )
    headers = ("candidate", "answers", "graded", "mean quality", "mean dollars", "refusals")
    return _table(headers, rows) + "\n\nMeans are over the prompts that were asked, weighted by 1 / `label_propensity`."


def _mean(answers: Sequence[Answer], values: Sequence[float]) -> float:
    return float(np.average(values, weights=[1.0 / answer.bought.label_propensity for answer in answers]))


def _quality(card: Card, answers: Sequence[Answer]) -> str:
    metrics = sorted({answer.grades[0].metric for answer in answers if 0 in answer.grades})
    labelled = sum(bool(answer.labels) for answer in answers)
    untold = sum(answer.is_untold for answer in answers)
    said = [
        f"Graded by {', '.join(f'`{_line(metric)}`' for metric in metrics) or 'nothing yet'}.",
        f"Answers of which the metric could not tell the quality, which is empty then: {untold:,}.",
        f"Pairs answered twice: {len(card.results.answered_twice()):,}.",
        f"Answers graded twice: {len(card.results.graded_twice()):,}, labelled by people: {labelled:,}.",
    ]
    traces = _traces(answers)
    return " ".join(said) + (f"\n\n{_table(('judge', ''), traces)}" if traces else "")


def _traces(answers: Iterable[Answer]) -> list[tuple[str, str]]:
    """What a judge's labels are traceable by: its model, the hash of its prompt, its temperature."""
    found: dict[str, Counter[str]] = {}
    for answer in answers:
        for key, value in answer.grades[0].details.items() if 0 in answer.grades else ():
            found.setdefault(key, Counter())[value] += 1
    return [
        (_line(key), ", ".join(f"`{_line(value)}`" for value, _ in values.most_common(TRACES)))
        for key, values in sorted(found.items())
        if len(values) <= TRACES
    ]


def _prices(card: Card, answers: Sequence[Answer]) -> str:
    versions = sorted({answer.bought.price_version for answer in answers if answer.bought.price_version})
    said = "Dollars are those of each call at the prices of its day."
    if versions:
        said += f" Price books by hash: {', '.join(f'`{version[:16]}`' for version in versions)}."
    rows = [
        (f"`{_line(model)}`", f"${price.input_usd_per_mtok:g}", f"${price.output_usd_per_mtok:g}")
        for model, price in sorted((card.prices or {}).items())
        if model in card.results.models
    ]
    if not rows:
        return said
    return f"{said}\n\n{_table(('candidate', 'per million input tokens', 'per million output tokens'), rows)}"


def _sampling(card: Card, answers: Sequence[Answer]) -> str:
    planned = Counter(pair.stage for pair in card.plan)
    bought = Counter(answer.bought.stage for answer in answers)
    rows = [
        (str(stage), f"{planned[stage]:,}", f"{bought[stage]:,}", _range(answers, stage))
        for stage in sorted(planned.keys() | bought.keys())
    ]
    said = (
        "Calibration and test prompts were drawn uniformly before anything was asked, and the planner never chose "
        "among them. Means over the table are unbiased when weighted by 1 / `label_propensity`."
    )
    return f"{said}\n\n{_table(('stage', 'pairs planned', 'first answers', 'label propensity'), rows)}"


def _range(answers: Iterable[Answer], stage: int) -> str:
    chosen = [answer.bought.label_propensity for answer in answers if answer.bought.stage == stage]
    if not chosen:
        return "-"
    low, high = min(chosen), max(chosen)
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(text: str) -> str:
    """A text of the user's as it may stand in a cell: on one line, without what Markdown or HTML would act on."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return re.sub(r"([|<>`\[\]])", r"\\\1", flat)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
