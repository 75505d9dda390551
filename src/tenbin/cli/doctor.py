"""`tenbin doctor`: whether a gateway with this configuration would serve, and what to do where it would not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE, lang_option
from tenbin.cli.open_router import CONFIG
from tenbin.cli.output import (
    caution,
    emit_json,
    faint,
    good,
    json_option,
    one_cell,
    pad,
    prose,
    say,
    strong,
    text_width,
    words_of,
)
from tenbin.errors import TenbinError

if TYPE_CHECKING:
    from tenbin.cli.doctor_finding import Finding
    from tenbin.report.catalogue import Catalogue


@click.command()
@click.argument("config", type=FILE, default=CONFIG)
@lang_option
@json_option
def doctor(config: Path, lang: str, as_json: bool) -> None:
    """Check whether a gateway would serve, and say what to do.

    Looks at CONFIG (default: tenbin.toml), the keys in the environment, the candidates (their lists of models are asked
    for: no tokens are spent), routers, prices, store, clock, ports, threads and the compiled code. The exit code is
    that of the first failure.
    """
    words = words_of(lang)
    findings = examine(config)
    failures = [finding for finding in findings if finding.status == "fail"]
    if as_json:
        emit_json({"config": config, "is_healthy": not failures, "findings": [row(f, words) for f in findings]})
    else:
        say(doctor_text(findings, words))
    if failures:
        first = failures[0]
        raise first.error(first.what(words), where=first.subject or None, fix=first.advice(words))


def examine(config: Path) -> list[Finding]:
    """Every finding, in the order of what depends on what; a configuration that cannot be read ends it."""
    from tenbin.cli.doctor_finding import Finding  # noqa: PLC0415 (numpy only when run)
    from tenbin.cli.doctor_reach import check_clock, check_reach, reach  # noqa: PLC0415
    from tenbin.cli.doctor_router import check_prices, check_routers  # noqa: PLC0415
    from tenbin.cli.doctor_setup import (  # noqa: PLC0415
        check_config,
        check_environment,
        check_kernel,
        check_ports,
        check_store,
        check_threads,
        read_setup,
    )

    environ = os.environ
    try:
        setup = read_setup(config, environ)
    except TenbinError as error:
        return [Finding.of_error("config", error)]
    said = reach(setup.destinations, environ)
    return [
        *check_config(setup),
        *check_environment(setup, environ),
        *check_reach(setup.destinations, said),
        *check_routers(setup, environ),
        *check_prices(setup),
        *check_store(setup),
        *check_clock(list(said.values())),
        *check_ports(setup),
        *check_threads(environ),
        *check_kernel(),
    ]


def row(finding: Finding, words: Catalogue) -> dict[str, str | None]:
    """A finding as `--json` prints it."""
    return {
        "check": finding.check,
        "subject": finding.subject,
        "status": finding.status,
        "what": finding.what(words),
        "fix": finding.advice(words),
    }


def doctor_text(findings: Sequence[Finding], words: Catalogue) -> str:
    """One line per finding, what to do below it, and the sum at the end."""
    checks = {finding.check: words(f"doctor.{finding.check}") for finding in findings}
    marks = {"ok": good("ok"), "warn": caution("warn"), "fail": click.style("fail", fg="red", bold=True)}
    width = max(map(text_width, checks.values()))
    hang = width + 8
    lines = []
    for finding in findings:
        subject = f"{finding.subject}: " if finding.subject else ""
        what = one_cell(finding.what(words))
        head = f"{pad(marks[finding.status], 4)}  {pad(checks[finding.check], width)}  "
        lines.append(prose(f"{head}{subject}{what}", hang=hang))
        if (advice := finding.advice(words)) is not None:
            lines.append(prose(f"{' ' * hang}{faint(one_cell(advice))}", hang=hang))
    fails, warnings = (sum(finding.status == status for finding in findings) for status in ("fail", "warn"))
    if fails:
        total = strong(words("doctor.sum_fail", fails=str(fails), warnings=str(warnings)))
    else:
        total = strong(words("doctor.sum_warn", warnings=str(warnings)) if warnings else words("doctor.sum_ok"))
    return "\n".join([*lines, "", total])
