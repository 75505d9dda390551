"""An upstream that fails in every way it can, at random, and keeps its own bill: what a hard provider would charge."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tenbin.pilot.pair import Pair
from tenbin.pilot.run.report import RunReport
from tenbin.pilot.run.run import RunOptions
from tenbin.testing import Answer, FakeUpstream, UpstreamRequest
from tenbin.testing.fake.chat import chat_frames
from tenbin.testing.fake.said import say
from tests.pilot.run.made import RATES, Lengths, bought, failures, made, prompts, run

HASTE = RunOptions(concurrency=12, deadline_s=0.6, first_pause_s=0.001)


def troubles(body: Mapping[str, Any], number: int) -> tuple[Answer, ...]:
    """Every way of going wrong, and some of going right in an unusual way."""
    untold = chat_frames({**body, "stream_options": None}, say(body, number, Answer(), None))
    return (
        Answer.error(429, retry_after=0.002),
        Answer.error(503),
        Answer.error(500),
        Answer.error(400, message="temperature must be a number"),
        Answer.error(400, code="content_filter"),
        Answer.context_length_exceeded(),
        Answer.html(502),
        Answer.reset(),
        Answer.close(),
        Answer.cut_stream(200),
        Answer.cut_stream(400, "reset"),
        Answer.error_in_stream(),
        Answer.hang(),
        Answer.hang(300),
        Answer.malformed_http(),
        Answer.malformed_json(),
        Answer.wrong_type(),
        Answer.content_filter(),
        Answer(text=""),
        Answer(chunks=tuple(untold)),
        Answer.gzipped(),
        Answer.drip(7),
    )


class Troubled:
    """The script of a fake upstream: `share` of its answers are troubles. `billed_usd` is by model and purpose.

    Whatever was not refused with a status is billed whole, heard or not.
    """

    def __init__(self, seed: int, share: float) -> None:
        self.billed_usd: Counter[str] = Counter()
        self.asked: Counter[tuple[str, str]] = Counter()
        self._random = Random(seed)  # noqa: S311
        self._share = share
        self._lock = threading.Lock()

    def __call__(self, request: UpstreamRequest) -> Answer:
        body = request.json
        with self._lock:
            answer = self.answer(body, request.number)
            model, text = body["model"], body["messages"][-1]["content"]
            self.asked[model, text if isinstance(text, str) else text[0]["text"]] += 1
            if answer.status < 400:
                usage = say(body, request.number, answer, None).usage
                into, out = RATES[model]
                self.billed_usd[model] += (usage.input_tokens * into + usage.output_tokens * out) / 1e6  # type: ignore[assignment]
        return answer

    def answer(self, body: Mapping[str, Any], number: int) -> Answer:
        """The next answer, right or wrong."""
        is_troubled = self._random.random() < self._share
        return self._random.choice(troubles(body, number)) if is_troubled else Answer()


@dataclass(frozen=True, slots=True)
class Ordeal:
    """What one randomised run came to."""

    budget_usd: float
    spent_usd: float
    billed_usd: float
    calls: int
    failed_calls: int
    bought: int
    ended: str
    runs: int


def ordeal(seed: int, n: int = 12) -> Ordeal:
    """One pilot with a random budget, random troubles and random limits, run up to three times in a row.

    Raises AssertionError where the upstream's bill, or what the journal counts, exceeds the budget, or where a pair
    was bought twice.
    """
    random = Random(seed)  # noqa: S311
    troubled = Troubled(seed, random.choice([0.0, 0.1, 0.4, 0.8]))
    models = ("big", "small", "claude")[: random.randint(1, 3)]
    whole_usd = sum(n * (RATES[model][0] * 15 + RATES[model][1] * 12) / 1e6 for model in models)
    budget_usd = whole_usd * random.uniform(0.2, 6.0)
    grader = Lengths(random.choice([0.0, whole_usd / n / 4]), needs_rival=random.random() < 0.3)
    reports: list[RunReport] = []
    with tempfile.TemporaryDirectory() as name, FakeUpstream(troubled) as upstream:
        asked = prompts(n)
        pairs = [Pair(prompt.query_id, model) for prompt in asked for model in models]
        pairs += [Pair(prompt.query_id, model, repeat=1) for prompt in asked[:2] for model in models]
        random.shuffle(pairs)
        pilot = made(Path(name), upstream, asked=asked, models=models, pairs=pairs, budget_usd=budget_usd)
        for _ in range(random.randint(1, 3)):
            stops = (lambda made: made.stop()) if random.random() < 0.1 else None
            reports.append(run(pilot, grader, HASTE, during=stops))
        answers = bought(pilot)
        failed_calls = len(failures(pilot))
    billed_usd = sum(troubled.billed_usd.values()) + grader.price_usd * len(grader.graded)
    last = reports[-1]
    assert billed_usd <= budget_usd + 1e-12, f"seed {seed}: billed {billed_usd} of {budget_usd}"
    assert last.spent_usd <= budget_usd + 1e-12, f"seed {seed}: spent {last.spent_usd} of {budget_usd}"
    assert last.spent_usd >= billed_usd - 1e-12, f"seed {seed}: counted {last.spent_usd}, billed {billed_usd}"
    assert last.overrun_usd == 0.0
    keys = Counter((answer.query_id, answer.model, answer.repeat) for answer in answers)
    assert max(keys.values(), default=0) <= 1, f"seed {seed}: bought twice"
    return Ordeal(
        budget_usd,
        last.spent_usd,
        billed_usd,
        sum(troubled.asked.values()),
        failed_calls,
        len(answers),
        last.ended,
        len(reports),
    )
