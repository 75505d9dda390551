"""Pilots merged: one prompt is one query, labels that agree are kept, clashes and differences are said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tenbin.errors import UsageError
from tenbin.outcomes.read import read_outcomes
from tenbin.outcomes.write import TableRow, write_outcomes
from tenbin.pilot.merge import Source, merge
from tenbin.pilot.pair import Pair
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Bought, Graded, Record
from tenbin.pilot.results import results_of
from tenbin.types import Usage


def source(
    name: str, *told: tuple[PilotPrompt, str, float | None], at: float = 0.0, p: float = 0.5, metric: str = "m"
) -> Source:
    records: list[Record] = []
    for prompt, model, quality in told:
        bought = Bought("c", prompt.query_id, model, at, "a", Usage(1, 2), 0.1, 1.0, label_propensity=p)
        records += [bought, Graded(prompt.query_id, model, at, quality, metric)]
    return Source(name, metric, results_of({prompt.query_id: prompt for prompt, _, _ in told}.values(), records))


def test_the_same_prompt_in_two_pilots_is_one_query(tmp_path: Path) -> None:
    first = source("a", (PilotPrompt("1", "Is 91 prime?"), "big", 1.0), (PilotPrompt("1", "Is 91 prime?"), "mid", None))
    twin = PilotPrompt("x", "  is 91\nPRIME? ", group="maths")
    second = source("b", (twin, "small", 0.0), (twin, "big", 1.0), (twin, "mid", 0.5), at=9.0)
    merged = merge([first, second])
    assert {(r.query.query_id, r.query.group, r.outcome.model, r.outcome.quality) for r in merged.rows} == {
        ("1", "maths", "big", 1.0),
        ("1", "maths", "mid", 0.5),
        ("1", "maths", "small", 0.0),
    }
    assert (merged.shared, merged.agreed, merged.clashes) == (1, 1, ())
    propensity = {row.outcome.model: row.outcome.label_propensity for row in merged.rows}
    assert propensity == {"big": 0.75, "mid": 0.75, "small": 0.5}
    assert merged.one_sided == 1  # small: the first pilot may have drawn it too, with a chance that nobody wrote down
    alone = source("c", (PilotPrompt("2", "Is 2 even?"), "big", 1.0))
    assert merge([alone, second]).one_sided == 0
    certain = source("d", (PilotPrompt("1", "Is 91 prime?"), "other", 1.0), p=1.0)
    assert merge([certain, source("a", (PilotPrompt("1", "Is 91 prime?"), "big", 1.0), p=1.0)]).one_sided == 0
    write_outcomes(tmp_path / "all.parquet", merged.rows)
    assert len(read_outcomes(tmp_path / "all.parquet")) == 1


def by_lot(name: str, prompts: list[PilotPrompt], chance: np.ndarray, quality: np.ndarray, seed: int) -> Source:
    """A pilot that asked "cheap" of every prompt and, by lot, "big"; its plan says whom the lot passed over."""
    drawn = np.random.default_rng(seed).random(len(prompts)) < chance
    plan, records = [], list[Record]()
    for prompt, p, is_drawn, score in zip(prompts, chance.tolist(), drawn.tolist(), quality.tolist(), strict=True):
        plan.append(Pair(prompt.query_id, "cheap", passed_over={} if is_drawn else {"big": p}))
        plan += [Pair(prompt.query_id, "big", label_propensity=p)] if is_drawn else []
        for model, its_chance in [("cheap", 1.0), *([("big", p)] if is_drawn else [])]:
            key = (prompt.query_id, model)
            records.append(Bought("c", *key, 0.0, "a", Usage(1, 2), 0.1, 1.0, label_propensity=its_chance))
            records.append(Graded(*key, 0.0, score, "m"))
    return Source(name, "m", results_of(prompts, records), plan)


def test_a_merged_mean_is_that_of_all_prompts_whoever_drew_which_pair() -> None:
    prompts = [PilotPrompt(f"{i}", f"p{i}") for i in range(1200)]
    quality = np.linspace(0.0, 1.0, len(prompts))
    # Both like to ask where the answers are good.
    sources = [by_lot(name, prompts, 0.25 + 0.6 * quality, quality, seed) for name, seed in (("a", 1), ("b", 2))]
    merged = merge(sources)
    assert (merged.shared, merged.one_sided) == (len(prompts), 0)

    def mean(rows: tuple[TableRow, ...]) -> float:
        big = [row.outcome for row in rows if row.outcome.model == "big"]
        return float(np.average([it.quality or 0.0 for it in big], weights=[1.0 / it.label_propensity for it in big]))

    assert mean(merged.rows) == pytest.approx(0.5, abs=0.02)
    # The test can fail: of plans that say nothing of whom they passed over, one-sided pairs weigh too much.
    silent = merge([Source(it.name, it.metric, it.results) for it in sources])
    assert silent.one_sided > 400
    assert mean(silent.rows) < 0.47


def test_who_never_answered_in_a_pilot_had_no_chance_there() -> None:
    prompt = PilotPrompt("1", "p")
    other = source("b", (prompt, "cheap", 1.0))
    plan = [Pair("1", "cheap", passed_over={"big": 0.5})]
    merged = merge([source("a", (prompt, "big", 1.0)), Source("b", "m", other.results, plan)])
    assert {row.outcome.model: row.outcome.label_propensity for row in merged.rows} == {"big": 0.5, "cheap": 0.5}


@pytest.mark.parametrize("turned", [False, True])
def test_a_clash_is_said_and_the_later_label_holds_whoever_is_named_first(turned: bool) -> None:
    prompt = PilotPrompt("1", "p")
    sources = [source("a", (prompt, "big", 1.0), at=99.0), source("b", (prompt, "big", 0.25), at=1.0)]
    merged = merge(sources[::-1] if turned else sources)
    [clash] = merged.clashes
    assert (dict(clash.quality), clash.kept) == ({"a": 1.0, "b": 0.25}, "a")
    assert merged.rows[0].outcome.quality == 1.0


def test_what_was_trained_on_anywhere_proves_nothing() -> None:
    first = source("a", (PilotPrompt("1", "p", split="test"), "big", 1.0))
    second = source("b", (PilotPrompt("1", "p", split="train"), "mid", 1.0))
    merged = merge([first, second])
    assert {row.split for row in merged.rows} == {"train"}
    assert merged.moved == 1


def test_two_prompts_with_one_id_stay_two() -> None:
    merged = merge([source("a", (PilotPrompt("1", "p"), "m", 1.0)), source("b", (PilotPrompt("1", "q"), "m", 0.0))])
    assert {row.query.query_id: row.query.prompt for row in merged.rows} == {"1": "p", "b/1": "q"}
    assert merged.renamed == 1


def test_different_metrics_are_refused_unless_forced_and_a_name_counts_once() -> None:
    sources = [
        source("a", (PilotPrompt("1", "p"), "m", 1.0)),
        source("b", (PilotPrompt("1", "p"), "m", 1.0), metric="n"),
    ]
    with pytest.raises(UsageError, match="different metrics \\(a: m, b: n\\)"):
        merge(sources)
    assert merge(sources, force=True).metrics == {"a": "m", "b": "n"}
    with pytest.raises(UsageError, match="named twice"):
        merge([sources[0], sources[0]])
