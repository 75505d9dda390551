"""A pilot's status on a terminal: what to do first, then what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tenbin.cli.failure import one_line
from tenbin.cli.output import NAME_WIDTH, clip, faint, good, prose, strong, table
from tenbin.pilot.commands import next_commands
from tenbin.pilot.status import Status
from tenbin.pilot.telling import Telling


def status_text(status: Status, lang: str, root: Path) -> str:
    """One pilot in full."""
    told = Telling.of(status, lang)
    words = told.words
    commands = "\n".join(f"  {command}" for command in next_commands(status, root))
    parts = [
        "\n".join([good(prose(told.headline())), *map(prose, told.reasons())]),
        f"{strong(words('page.next'))}\n{commands}" if commands else "",
        faint(prose(told.scope())),
        _part(
            words("found.title"),
            [prose(told.unmeasured())] if told.unmeasured() else [savings(told), prose(told.proof())],
        ),
        _part(words("singles.title"), [singles(told)] if status.singles else []),
        _part(words("judge.title"), [*map(prose, told.grades()), graded(told)]),
        _part(words("room.title"), [prose(told.head_room())]) if status.singles else "",
        _part(words("pace.title"), [pace(told), prose(told.pace())] if status.pace.points else []),
        _part(words("payback.title"), [prose(told.payback())]),
        _part(words("bought.title"), [stages(told), candidates(told), prose(told.spending())]),
        _part(words("odd.title"), [prose(one_line(said)) for said in told.oddities()] or [words("odd.none")]),
    ]
    return "\n\n".join(part for part in parts if part)


def compared_text(statuses: Sequence[Status], lang: str) -> str:
    """Several pilots side by side, one row each, their verdicts below."""
    told = [Telling.of(status, lang) for status in statuses]
    words = told[0].words
    headers = [
        words("compare.pilot"),
        words("compare.reference"),
        words("compare.spent"),
        words("compare.asked"),
        words("compare.measured"),
        words("compare.saving", kept=told[0].kept),
        words("compare.payback"),
    ]
    rows = [
        [
            clip(one.status.name, NAME_WIDTH),
            clip(one.status.settings.reference, NAME_WIDTH),
            one.numbers.usd(one.status.tally.spent_usd),
            one.numbers.plain(one.status.asked),
            one.numbers.plain(one.status.n_measured),
            "–" if one.status.saving is None else one.share(one.status.saving.saving),
            "–" if one.status.payback is None else one.span(one.status.payback.queries),
        ]
        for one in told
    ]
    verdicts = "\n".join(f"{strong(one.status.name)}: {one.headline()}" for one in told)
    return f"{table(headers, rows, left=(0, 1))}\n\n{verdicts}"


def savings(told: Telling) -> str:
    """The saving at every target, beside mixing blindly."""
    headers = [told.words(f"found.{key}") for key in ("kept", "saving", "blind", "beyond", "cost")]
    rows = [
        [
            told.numbers.percent(saving.ratio, 0),
            told.share(saving.saving),
            told.share(saving.blind_saving),
            told.share(saving.beyond),
            told.numbers.per_thousand_usd(saving.cost_usd.value),
        ]
        for saving in told.status.savings
    ]
    return table(headers, rows, indent=2, left=())


def singles(told: Telling) -> str:
    """Every candidate in play asked for everything, the best first."""
    headers = [told.words(f"singles.{key}") for key in ("model", "quality", "ratio", "cost", "saving")]
    ordered = sorted(told.status.singles, key=lambda single: -single.quality.value)
    reference = told.status.settings.reference
    rows = [
        [
            clip(single.model, NAME_WIDTH)
            + (faint(f" ({told.words('singles.reference')})") if single.model == reference else ""),
            told.share(single.quality),
            told.share(single.quality_ratio),
            told.numbers.per_thousand_usd(single.cost_usd.value),
            told.share(single.saving),
        ]
        for single in ordered
    ]
    drawn = table(headers, rows, indent=2)
    if not told.status.aside:
        return drawn
    return f"{drawn}\n{told.words('singles.aside', models=', '.join(told.status.aside))}"


def graded(told: Telling) -> str:
    """Each candidate's mean quality as graded, as people say, and corrected; empty without people's labels."""
    check = told.status.judge
    if not check.corrected:
        return ""
    headers = [told.words(f"judge.{key}") for key in ("model", "judged", "labelled", "corrected", "labels")]
    rows = [
        [
            clip(model, NAME_WIDTH),
            told.percent(arm.judged),
            told.interval(arm.labelled),
            told.interval(arm.corrected),
            told.numbers.plain(arm.n_labelled),
        ]
        for model, arm in zip(check.models, check.corrected, strict=True)
    ]
    return table(headers, rows, indent=2)


def pace(told: Telling) -> str:
    """What was found for how many dollars."""
    headers = [told.words(f"pace.{key}") for key in ("stage", "spent", "labels", "prompts", "saving", "cost")]
    rows = [
        [
            told.numbers.plain(point.stage),
            told.numbers.usd(point.spent_usd),
            told.numbers.plain(point.n_labels),
            told.numbers.plain(point.n_prompts),
            told.share(point.saving),
            told.numbers.per_thousand_usd(point.cost_usd.value),
        ]
        for point in told.status.pace.points
    ]
    return table(headers, rows, indent=2, left=())


def stages(told: Telling) -> str:
    """The stages of the plan."""
    headers = [told.words(f"bought.{key}") for key in ("stage", "planned", "bought", "given_up", "left", "left_usd")]
    rows = [
        [
            *(told.numbers.plain(n) for n in (it.stage, it.planned, it.bought, it.given_up, it.left)),
            told.numbers.usd(it.left_usd),
        ]
        for it in told.status.tally.stages
    ]
    return table(headers, rows, indent=2, left=())


def candidates(told: Telling) -> str:
    """What each candidate answered and took."""
    headers = [
        told.words(f"bought.{key}") for key in ("model", "planned", "bought", "graded", "cost", "seconds", "tokens")
    ]
    rows = [
        [
            clip(one.model, NAME_WIDTH),
            *(told.numbers.plain(n) for n in (one.planned, one.bought, one.graded)),
            told.numbers.usd(one.mean_cost_usd),
            told.numbers.plain(one.mean_latency_s, 1),
            told.numbers.plain(one.mean_output_tokens),
        ]
        for one in told.status.tally.candidates
    ]
    return table(headers, rows, indent=2)


def _part(title: str, body: Sequence[str]) -> str:
    said = "\n".join(text for text in body if text)
    return f"{strong(title)}\n{said}" if said else ""
