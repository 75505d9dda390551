"""A whole pilot against a fake upstream, from a file of prompts to a router that is proved."""

from __future__ import annotations

import json
import random
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tenbin.testing import Answer, FakeUpstream, UpstreamRequest

Tenbin = Callable[..., Result]
PRICES = {"small": (0.1, 0.4), "large": (3.0, 15.0), "gone": (1.0, 1.0)}


def tasks(n: int) -> dict[str, str]:
    """Sums, which both candidates can, and products, which only the large one can: prompt -> answer."""
    draw = random.Random(1)  # noqa: S311
    made = {}
    while len(made) < n:
        a, b = draw.randrange(10, 99), draw.randrange(10, 99)
        if len(made) % 2:
            made[f"What is {a} + {b}?"] = str(a + b)
        else:
            made[f"Two numbers are multiplied: {a} x {b}. Work it out step by step."] = str(a * b)
    return made


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    truth = tasks(280)

    def answered(request: UpstreamRequest) -> Answer:
        if request.model == "gone":
            return Answer.error(404, message="no such model")
        prompt = request.json["messages"][-1]["content"]
        is_right = request.model == "large" or "+" in prompt
        return Answer(text=f"The answer is {truth[prompt] if is_right else 7}.")

    with FakeUpstream(answered) as running:
        yield running


def test_a_whole_pilot(tenbin: Tenbin, upstream: FakeUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [{"prompt": prompt, "reference": answer} for prompt, answer in tasks(280).items()]
    Path("prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    candidates = [
        f'[candidates.{name}]\nbase_url = "{upstream.base_url}"\nmax_output_tokens = 100\n' for name in PRICES
    ]
    Path("tenbin.toml").write_text("\n".join([*candidates, '[profiles.auto]\nmetric = "numeric"\n']))
    book = [f"[models.{m}]\ninput_usd_per_mtok = {i}\noutput_usd_per_mtok = {o}\n" for m, (i, o) in PRICES.items()]
    Path("prices.toml").write_text("\n".join(book))

    def run(*words: str) -> str:
        told = tenbin(*words)
        assert told.exit_code == 0, told.stderr
        return told.stdout

    run("pilot", "plan", "p", "prompts.jsonl", "--budget", "5", "--prices", "prices.toml", "--queries-per-day", "500")
    assert upstream.received_count == 0
    kinds = []
    for _ in range(4):
        run("pilot", "run", "p")
        (found,) = json.loads(run("pilot", "status", "p", "--json"))["pilots"]
        kinds.append(found["verdict"]["kind"])
        if kinds[-1] != "buy":
            break
        run("pilot", "plan", "p")
    assert kinds[-1] == "live"
    gone = next(one for one in found["candidates"] if one["model"] == "gone")
    assert gone["bought"] == 0
    assert any("gone has failed every time" in said for said in found["odd"])
    assert found["in_play"] == ["large", "small"]
    assert found["head_room"]["value"] is not None
    assert found["proof"]["saving"]["low"] > 0.2
    for command in found["verdict"]["next"][:2]:
        run(*shlex.split(command)[1:])
    run("evaluate", "p-router", "p.parquet", "--out", "evaluation.json")
    assert json.loads(Path("evaluation.json").read_text())["verdict"]["kind"] == "route"
