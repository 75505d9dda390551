"""A judge behind a fake upstream: what it grades, and what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tenbin.config import load_document
from tenbin.prices.book import PriceBook
from tenbin.quality.grade import Answered, Grade
from tenbin.quality.grader import Grader
from tenbin.quality.open_grader import open_grader
from tenbin.testing import Answer, FakeUpstream
from tenbin.types import Usage
from tenbin.upstream.client import UpstreamClient

PRICES = PriceBook.loads("[models.judge]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 10")
ONE_CALL = Usage(100, 20)
ONE_CALL_USD = (100 * 1 + 20 * 10) / 1e6
DOCUMENT = """
[candidates.judge]
model = "{model}"
base_url = "{base_url}"
judge = true
{more}
[candidates.small]
model = "acme-small"
base_url = "{base_url}"
[candidates.cousin]
model = "strict-judge-mini"
provider = "acme"
base_url = "{base_url}"
[metrics.m]
kind = "{kind}"
judge = "judge"
{keys}
"""
ANSWERED = Answered("q", "small", "What is 2 + 2?", "It is 4.", reference="4", rival="Five.")


def says(**reply: Any) -> Answer:
    return Answer(text=json.dumps({"reason": "so", **reply}), usage=ONE_CALL)


class Judged:
    """A judge behind a fake upstream; what it was asked stands in `asked`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[dict[str, Any]] = []

    def grade(
        self,
        script: Any,
        answered: Answered = ANSWERED,
        *,
        kind: str = "judge",
        keys: str = "",
        more: str = "",
        model: str = "strict-judge",
        candidates: Sequence[str] = ("small",),
    ) -> Grade:
        """One grade by the judge; checks that its cost stays below what was to be reserved."""

        async def whole(upstream: FakeUpstream) -> Grade:
            client = UpstreamClient({"KEY": "k"}, resends=False)
            await client.open()
            try:
                asked = {"kind": kind, "keys": keys, "more": more, "model": model}
                grader = self.open(upstream.base_url, client, candidates=candidates, **asked)
                grade = await grader.grade(answered)
                assert grade.cost_usd <= grader.reserve_usd(answered)
                return grade
            finally:
                await client.close()

        with FakeUpstream(script) as upstream:
            grade = asyncio.run(whole(upstream))
            self.asked = [request.json for request in upstream.requests]
        return grade

    def open(
        self,
        base_url: str = "http://127.0.0.1:1/v1",
        client: UpstreamClient | None = None,
        *,
        kind: str = "judge",
        keys: str = "",
        more: str = "",
        model: str = "strict-judge",
        candidates: Sequence[str] = ("small",),
        prices: PriceBook | None = PRICES,
    ) -> Grader:
        path = self.folder / "tenbin.toml"
        path.write_text(
            DOCUMENT.format(base_url=base_url, kind=kind, keys=keys, more=more, model=model), encoding="utf-8"
        )
        made = client or UpstreamClient({})
        return open_grader(
            load_document(path, {}), "m", prices=prices, client=made, candidates=candidates, environ={"KEY": "k"}
        )

    @property
    def prompts(self) -> list[str]:
        return [request["messages"][-1]["content"] for request in self.asked]
