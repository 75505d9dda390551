"""A small pilot made by hand, run against fake upstreams, and what they would bill for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.journal import Journal, read_journal
from tenbin.pilot.pair import Pair
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Bought, Failed, Graded, Record
from tenbin.pilot.run.prepared import prepare
from tenbin.pilot.run.report import RunReport
from tenbin.pilot.run.run import Run, RunOptions
from tenbin.pilot.settings import PilotSettings
from tenbin.quality.grade import Answered, Grade
from tenbin.quality.grader import Grader
from tenbin.testing import FakeUpstream
from tenbin.upstream.client import UpstreamClient

RATES: Mapping[str, tuple[float, float]] = {"big": (10.0, 40.0), "small": (0.5, 2.0), "claude": (3.0, 15.0)}
"""Dollars per million tokens, in and out."""
EAGER = RunOptions(concurrency=8, deadline_s=5.0, first_pause_s=0.001)


def prompts(n: int) -> list[PilotPrompt]:
    return [PilotPrompt(f"q{i}", f"Question {i}: what is {i} plus {i}?", reference=str(2 * i)) for i in range(n)]


def made(
    folder: Path,
    upstream: FakeUpstream,
    *,
    asked: Sequence[PilotPrompt] | None = None,
    models: Sequence[str] = ("big", "small"),
    pairs: Sequence[Pair] | None = None,
    budget_usd: float = 100.0,
    keys: str = "",
    metric: str = "exact",
) -> PilotFolder:
    """A pilot whose candidates are `models` behind one upstream; "claude" speaks Anthropic's dialect."""
    asked = prompts(6) if asked is None else asked
    pilot = PilotFolder(folder / "pilots" / "mine")
    pilot.path.mkdir(parents=True)
    tables = []
    for model in models:
        dialect = "anthropic" if model == "claude" else "openai"
        table = f'[candidates.{model}]\nbase_url = "{upstream.base_url}"\ndialect = "{dialect}"'
        tables.append(f"{table}\nmax_output_tokens = 50\n{keys}")
    (folder / "tenbin.toml").write_text("\n".join([*tables, f'[profiles.auto]\nmetric = "{metric}"\n']))
    book = [
        f"[models.{model}]\ninput_usd_per_mtok = {RATES[model][0]}\noutput_usd_per_mtok = {RATES[model][1]}\n"
        for model in models
    ]
    (folder / "prices.toml").write_text("".join(book))
    pilot.write_settings(
        PilotSettings(
            profile="auto",
            candidates=tuple(models),
            reference=models[0],
            metric=metric,
            metric_name=metric,
            budget_usd=budget_usd,
            config=str(folder / "tenbin.toml"),
            prompts_source="made",
            prompts_hash="",
            prices=str(folder / "prices.toml"),
        )
    )
    if pairs is None:
        pairs = [Pair(prompt.query_id, model) for prompt in asked for model in models]
    pilot.prompts.write_bytes(b"".join(msgspec.json.encode(prompt) + b"\n" for prompt in asked))
    pilot.plan.write_bytes(b"".join(msgspec.json.encode(pair) + b"\n" for pair in pairs))
    return pilot


class Lengths:
    """A grader that gives 1 to an answer of even length, for `price_usd` each."""

    def __init__(self, price_usd: float = 0.0, *, needs_rival: bool = False, name: str = "lengths") -> None:
        self.name = name
        self.needs_rival = needs_rival
        self.price_usd = price_usd
        self.graded: list[Answered] = []

    def reserve_usd(self, answered: Answered) -> float:  # noqa: ARG002
        return 2.0 * self.price_usd

    async def grade(self, answered: Answered) -> Grade:
        await asyncio.sleep(0)
        self.graded.append(answered)
        return Grade(float(len(answered.answer) % 2 == 0), self.name, cost_usd=self.price_usd)


def run(
    pilot: PilotFolder,
    grader: Grader | None = None,
    options: RunOptions = EAGER,
    *,
    during: Callable[[Run], Any] | None = None,
    environ: Mapping[str, str] | None = None,
    **how: Any,
) -> RunReport:
    """Run the pilot to its end; `during` is called with the run once it has begun."""

    async def whole() -> RunReport:
        prepared = prepare(pilot, environ or {}, **how)
        client = UpstreamClient(environ or {}, resends=False)
        await client.open()
        with Journal.open(pilot) as journal:
            try:
                made = Run(prepared, journal, client, grader or Lengths(), options)
                if during is not None:
                    asyncio.get_running_loop().call_soon(during, made)
                return await asyncio.wait_for(made.run(), 60)
            finally:
                await client.close()

    return asyncio.run(whole())


def records(pilot: PilotFolder, kind: type[Record]) -> list[Any]:
    return [record for record in read_journal(pilot) if isinstance(record, kind)]


def bought(pilot: PilotFolder) -> list[Bought]:
    return records(pilot, Bought)


def graded(pilot: PilotFolder) -> list[Graded]:
    return records(pilot, Graded)


def failures(pilot: PilotFolder) -> list[Failed]:
    return records(pilot, Failed)


def once(holds: Callable[[], bool], *steps: Callable[[], object]) -> None:
    """Do these in the run's loop as soon as this holds."""

    def look() -> None:
        if holds():
            for step in steps:
                step()
        else:
            asyncio.get_running_loop().call_later(0.005, look)

    look()
