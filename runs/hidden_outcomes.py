"""Outcomes hidden behind a fake upstream: a pilot must buy them, call by call, to see them.

The upstream answers "right" or "wrong" by the outcome's quality, nothing where that was wrong without a token, with the
outcome's tokens as its usage; the journal of the pilot's own run is all that the buyer learns. The budget of the run is
no bound here: the planner's is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.journal import Journal, read_journal
from tenbin.pilot.pair import Pair
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Record
from tenbin.pilot.run.prepared import prepare
from tenbin.pilot.run.run import Run, RunOptions
from tenbin.pilot.settings import PilotSettings
from tenbin.quality.exact import Exact
from tenbin.quality.metric_grader import MetricGrader
from tenbin.testing import Answer, FakeUpstream, UpstreamRequest
from tenbin.types import Panel, Usage
from tenbin.upstream.client import UpstreamClient

RIGHT, WRONG = "right", "wrong"
AT_ONCE = 16
RUN_USD = 1e6


class HiddenOutcomes:
    """The outcomes of a panel (quality 0 or 1, tokens known, no text twice), for sale at `base_url` while open."""

    def __init__(self, panel: Panel, folder: Path, prices: Path) -> None:
        self._panel = panel
        self._row = {query.prompt: i for i, query in enumerate(panel.queries)}
        self._column = {model: m for m, model in enumerate(panel.models)}
        self._upstream = FakeUpstream(self._answer, models=panel.models, keep=0)
        self._prices = prices
        self._pilot = PilotFolder(folder / "pilots" / "replay")

    def __enter__(self) -> HiddenOutcomes:
        self._upstream.__enter__()
        self._plan()
        return self

    def __exit__(self, *error: object) -> None:
        self._upstream.__exit__(*error)  # type: ignore[arg-type]

    def buy(self, pairs: Sequence[Pair]) -> list[Record]:
        """Put the pairs behind the plan, run the pilot, and read its whole journal."""
        with self._pilot.plan.open("ab") as plan:
            plan.writelines(msgspec.json.encode(pair) + b"\n" for pair in pairs)
        asyncio.run(self._run())
        return list(read_journal(self._pilot))

    async def _run(self) -> None:
        client = UpstreamClient({}, resends=False)
        await client.open()
        with Journal.open(self._pilot) as journal:
            try:
                options = RunOptions(concurrency=AT_ONCE)
                report = await Run(prepare(self._pilot, {}), journal, client, MetricGrader(Exact()), options).run()
            finally:
                await client.close()
        if report.ended != "done":
            raise RuntimeError(f"the run ended by {report.ended}: {report}")

    def _answer(self, request: UpstreamRequest) -> Answer:
        asked = request.json
        i, m = self._row[asked["messages"][-1]["content"]], self._column[asked["model"]]
        usage = Usage(int(self._panel.input_tokens[i, m]), int(self._panel.output_tokens[i, m]))
        wrong = WRONG if usage.output_tokens else ""  # words that cost no token would not be believed
        return Answer(text=RIGHT if self._panel.quality[i, m] == 1.0 else wrong, usage=usage)

    def _plan(self) -> None:
        self._pilot.path.mkdir(parents=True)
        config = self._pilot.path / "tenbin.toml"
        tables = [f'[candidates."{m}"]\nbase_url = "{self._upstream.base_url}"\n' for m in self._panel.models]
        config.write_text("".join([*tables, '[profiles.replay]\nmetric = "exact"\n']), encoding="utf-8")
        self._pilot.write_settings(
            PilotSettings(
                profile="replay",
                candidates=self._panel.models,
                reference=self._panel.models[0],
                metric="exact",
                metric_name="exact",
                budget_usd=RUN_USD,
                config=str(config),
                prompts_source="replay",
                prompts_hash="",
                prices=str(self._prices),
            )
        )
        prompts = (PilotPrompt(q.query_id, q.prompt, reference=RIGHT) for q in self._panel.queries)
        self._pilot.prompts.write_bytes(b"".join(msgspec.json.encode(prompt) + b"\n" for prompt in prompts))
        self._pilot.plan.write_bytes(b"")
