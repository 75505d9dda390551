"""A run of a pilot in words, tables and JSON: what it bought, what went wrong, what to do; and what one would buy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tenbin.cli.failure import one_line
from tenbin.cli.output import NAME_WIDTH, caution, clip, faint, number, prose, strong, table, usd
from tenbin.cli.progress import duration
from tenbin.pilot.commands import pilot_command
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.run.forecast import CandidateForecast, RunForecast
from tenbin.pilot.run.report import CandidateReport, RunReport
from tenbin.report.catalogue import Catalogue

ENDINGS: Mapping[str, str] = {
    "done": "pilot_run.ended_done",
    "budget": "pilot_run.ended_budget",
    "stopped": "pilot_run.ended_stopped",
    "left": "pilot_run.ended_left",
}


def report_text(folder: PilotFolder, report: RunReport, words: Catalogue) -> str:
    """The run as a person reads it."""
    titles = ("candidate", "planned", "bought", "left", "failed", "seconds", "answers", "grading")
    rows = [
        [
            clip(one_line(candidate.name), NAME_WIDTH),
            f"{candidate.planned:,}",
            f"{candidate.bought_before + candidate.bought:,}",
            f"{candidate.left:,}",
            f"{sum(candidate.failures.values()):,}",
            number(candidate.latency_s, 2),
            usd(candidate.answer_usd),
            usd(candidate.grading_usd),
        ]
        for candidate in report.candidates
    ]
    head = words(
        "pilot_run.bought_now",
        bought=f"{report.bought:,}",
        graded=f"{sum(candidate.graded for candidate in report.candidates):,}",
        time=duration(report.elapsed_s),
        now=usd(report.spent_usd - report.spent_before_usd),
        spent=usd(report.spent_usd),
        budget=usd(report.budget_usd),
    )
    parts = [strong(prose(head)), table([words(f"pilot_run.{title}") for title in titles], rows)]
    said = [prose(f"- {line}", hang=2) for line in remarks(report, words)]
    if said:
        parts.append("\n".join(said))
    parts.append(_ending(folder, report, words))
    return "\n\n".join(parts)


def remarks(report: RunReport, words: Catalogue) -> Iterator[str]:
    """One sentence for everything that a person should know of the run, candidate by candidate."""
    for candidate in report.candidates:
        name = one_line(candidate.name)
        if candidate.set_aside is not None:
            yield caution(f"{name}: {one_line(words('pilot_run.set_aside', why=candidate.set_aside))}")
        for line in _of_candidate(candidate, words):
            yield f"{name}: {one_line(line)}"
    if report.unpaid:
        yield words("pilot_run.unpaid", n=f"{report.unpaid:,}")
    if report.waiting:
        yield words("pilot_run.no_rival", n=f"{report.waiting:,}")
    if report.unknown_usd:
        yield words("pilot_run.unknown", usd=usd(report.unknown_usd))
    if report.overrun_usd:
        yield words("pilot_run.overrun", usd=usd(report.overrun_usd))


def _of_candidate(candidate: CandidateReport, words: Catalogue) -> Iterator[str]:
    if candidate.failures and candidate.set_aside is None:
        yield words("pilot_run.failures", kinds=kinds_text(candidate), last=candidate.last_failure)
    if candidate.is_broke:
        yield words("pilot_run.broke", left=f"{candidate.left:,}")
    if candidate.given_up:
        yield words("pilot_run.given_up", n=f"{candidate.given_up:,}")
    if candidate.refusals:
        yield words("pilot_run.refusals", n=f"{candidate.refusals:,}")
    if candidate.empty:
        yield words("pilot_run.empty", n=f"{candidate.empty:,}")
    if candidate.cut:
        key = "pilot_run.cut" if candidate.has_own_cap else "pilot_run.cut_by_default"
        yield words(key, n=f"{candidate.cut:,}", cap=f"{candidate.cap_tokens:,}")
    if candidate.estimated:
        yield words("pilot_run.estimated", n=f"{candidate.estimated:,}")
    if candidate.ungraded:
        yield words("pilot_run.ungraded", n=f"{candidate.ungraded:,}", last=candidate.last_ungraded)


def kinds_text(candidate: CandidateReport) -> str:
    """The failed calls by kind: `3 timeout, 1 reset`."""
    return ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in sorted(candidate.failures.items()))


def _ending(folder: PilotFolder, report: RunReport, words: Catalogue) -> str:
    told = words(ENDINGS[report.ended], left=f"{report.left:,}", budget=usd(report.budget_usd))
    command = pilot_command("status", folder.name, folder.path.parent)
    return f"{told}\n{faint(words('pilot_run.next', command=one_line(command)))}"


def report_json(name: str, report: RunReport) -> dict[str, Any]:
    """The run as `--json` prints it."""
    return {
        "pilot": name,
        "ended": report.ended,
        "metric": report.metric,
        "bought": report.bought,
        "left": report.left,
        "failed_calls": report.failed_calls,
        "budget_usd": report.budget_usd,
        "spent_usd": report.spent_usd,
        "spent_before_usd": report.spent_before_usd,
        "unknown_usd": report.unknown_usd,
        "overrun_usd": report.overrun_usd,
        "unpaid_gradings": report.unpaid,
        "waiting_for_reference": report.waiting,
        "elapsed_s": report.elapsed_s,
        "candidates": report.candidates,
    }


def forecast_text(found: RunForecast, words: Catalogue) -> str:
    """What a run would ask, as a person reads it."""
    titles = ("candidate", "planned", "bought", "to_ask", "expected", "at_most", "time")
    rows = [
        [
            clip(one_line(candidate.name), NAME_WIDTH),
            f"{candidate.planned:,}",
            f"{candidate.bought:,}",
            f"{candidate.pairs:,}",
            usd(candidate.expected_usd),
            usd(candidate.bound_usd),
            duration(candidate.likely_s),
        ]
        for candidate in found.candidates
    ]
    left_usd = max(found.budget_usd - found.spent_usd, 0.0)
    parts = [strong(words("pilot_run.dry", pairs=f"{found.pairs:,}", time=duration(found.likely_s)))]
    if rows:
        parts.append(table([words(f"pilot_run.{title}") for title in titles], rows))
    lines = [
        words(
            "pilot_run.money",
            expected=usd(found.expected_usd),
            bound=usd(found.bound_usd),
            left=usd(left_usd),
            budget=usd(found.budget_usd),
        )
    ]
    if found.bound_usd > left_usd:
        lines.append(words("pilot_run.may_not_suffice"))
    if found.gradings:
        lines.append(words("pilot_run.gradings_first", n=f"{found.gradings:,}"))
    if found.unknown_usd:
        lines.append(words("pilot_run.unknown", usd=usd(found.unknown_usd)))
    for candidate in found.candidates:
        lines += [f"{one_line(candidate.name)}: {line}" for line in _of_forecast(candidate, words)]
    parts.append("\n".join(prose(f"- {line}", hang=2) for line in lines))
    return "\n\n".join(parts)


def _of_forecast(candidate: CandidateForecast, words: Catalogue) -> Iterator[str]:
    if not candidate.has_own_cap and candidate.pairs:
        yield words("pilot_run.default_cap", cap=f"{candidate.cap_tokens:,}")
    if not candidate.is_latency_measured and candidate.pairs:
        yield words("pilot_run.assumed_latency", seconds=f"{candidate.latency_s:g}")
    if candidate.unsayable:
        yield words("pilot_run.unsayable", n=f"{candidate.unsayable:,}")
    if candidate.given_up:
        yield words("pilot_run.given_up", n=f"{candidate.given_up:,}")


def forecast_json(name: str, found: RunForecast) -> dict[str, Any]:
    """What a run would ask, as `--json` prints it."""
    return {
        "pilot": name,
        "dry_run": True,
        "metric": found.metric,
        "pairs": found.pairs,
        "gradings": found.gradings,
        "budget_usd": found.budget_usd,
        "spent_usd": found.spent_usd,
        "unknown_usd": found.unknown_usd,
        "expected_usd": found.expected_usd,
        "bound_usd": found.bound_usd,
        "likely_s": found.likely_s,
        "candidates": found.candidates,
    }
