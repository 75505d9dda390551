"""The journal replayed: one panel, the same as its written table; what was said twice stands apart."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tenbin.errors import DataError
from tenbin.outcomes.read import read_outcomes
from tenbin.outcomes.write import write_outcomes
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Begun, Bought, Failed, Graded, Labelled, Record
from tenbin.pilot.results import read_results, results_of
from tenbin.types import Usage
from tests.pilot.made import every_pair, made_prompts, made_settings, written

PROMPTS = (
    PilotPrompt("q2", 'Is "91" prime,\nor not? 天秤', group="maths", count=3),
    PilotPrompt("q1", messages=({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"})),
    PilotPrompt("q3", "never asked"),
    PilotPrompt("q4", "held out", split="test"),
)


def bought(query_id: str, model: str, *, repeat: int = 0, cost_usd: float = 0.5, propensity: float = 1.0) -> Bought:
    return Bought(
        f"{query_id}-{model}-{repeat}",
        query_id,
        model,
        at=1_700_000_000.0,
        answer="yes",
        usage=Usage(12, 40, reasoning_tokens=7),
        cost_usd=cost_usd,
        latency_s=1.5,
        repeat=repeat,
        label_propensity=propensity,
    )


def graded(query_id: str, model: str, quality: float | None, *, repeat: int = 0, round: int = 0) -> Graded:
    return Graded(query_id, model, 1_700_000_001.0, quality, "exact", repeat=repeat, round=round, cost_usd=0.01)


JOURNAL: tuple[Record, ...] = (
    Begun("b1", "q1", "big", 1.0, reserve_usd=1.0),
    bought("q1", "big"),
    graded("q1", "big", 0.25),
    graded("q1", "big", 0.75),
    graded("q1", "big", 0.0, round=1),
    bought("q1", "big", repeat=1, cost_usd=9.0),
    graded("q1", "big", 1.0, repeat=1),
    bought("q1", "small", propensity=0.5),
    graded("q1", "small", None),
    bought("q2", "small"),
    bought("q4", "small"),
    graded("q4", "small", 1.0),
    Failed("f1", "q2", "big", 2.0, "refused", is_final=True),
    graded("q2", "big", 1.0),
    Labelled("q1", "big", 3.0, 0.5, "ann"),
    Labelled("q1", "big", 4.0, 1.0, "ann"),
)


def test_the_last_first_grade_counts_and_nothing_is_silently_zero() -> None:
    panel = results_of(PROMPTS, JOURNAL).panel()
    assert [query.query_id for query in panel.queries] == ["q1", "q2", "q4"]
    assert panel.models == ("big", "small")
    assert panel.split == ("train", "train", "test")
    np.testing.assert_array_equal(panel.quality, [[0.75, np.nan], [np.nan, np.nan], [np.nan, 1.0]])
    np.testing.assert_array_equal(panel.cost_usd[0], [0.5, 0.5])
    np.testing.assert_array_equal(panel.label_propensity, [[1.0, 0.5], [1.0, 1.0], [1.0, 1.0]])


def test_second_answers_and_gradings_stand_apart() -> None:
    results = results_of(PROMPTS, JOURNAL)
    assert [(first.quality(), second.quality()) for first, second in results.answered_twice()] == [(0.75, 1.0)]
    assert [(answer.quality(), answer.quality(1)) for answer in results.graded_twice()] == [(0.75, 0.0)]
    assert results.answers["q1", "big", 0].labels["ann"].quality == 1.0


def test_grades_of_two_metrics_are_never_mixed() -> None:
    # `pilot run --regrade` was stopped after one answer: the other grades are of another measure.
    begun = [*JOURNAL, msgspec.structs.replace(graded("q4", "small", 0.25), metric="judge-1")]
    results = results_of(PROMPTS, begun)
    assert (results_of(PROMPTS, JOURNAL).metric, results.metric) == ("exact", "judge-1")
    assert {row.outcome.quality for row in results.rows()} == {0.25, None}
    assert not results.graded_twice()


def test_a_threshold_or_a_mixture_without_a_model_is_no_judge() -> None:
    for details, is_judged in (({"score": "0.4"}, False), ({"polite.judge": "m"}, True), ({"judge": "m"}, True)):
        grade = msgspec.structs.replace(graded("q4", "small", 0.0), details=details)
        assert results_of(PROMPTS, [*JOURNAL, grade]).answers["q4", "small", 0].is_judged == is_judged


def test_a_column_may_be_asked_for_before_it_has_an_answer() -> None:
    panel = results_of(PROMPTS, JOURNAL).panel(["small", "new"])
    assert panel.models == ("small", "new")
    assert np.isnan(panel.quality[:, 1]).all()


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv", "tsv"])
def test_the_written_table_reads_as_the_same_panel(suffix: str, tmp_path: Path) -> None:
    results = results_of(PROMPTS, JOURNAL)
    path = tmp_path / f"it's.{suffix}"
    write_outcomes(path, results.rows())
    read, panel = read_outcomes(path), results.panel()
    assert read.queries == panel.queries
    assert read.split == panel.split
    assert read.data_hash == panel.data_hash
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_the_table_says_when_and_by_what(tmp_path: Path) -> None:
    write_outcomes(tmp_path / "table.jsonl", results_of(PROMPTS, JOURNAL).rows())
    row = json.loads((tmp_path / "table.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert row["observed_at"] == "2023-11-14T22:13:20+00:00"
    assert row["judge"] == "exact"


def test_a_folder_is_read_without_the_line_that_a_crash_cut_off(tmp_path: Path) -> None:
    folder = PilotFolder(tmp_path)
    folder.prompts.write_bytes(b"\n".join(msgspec.json.encode(prompt) for prompt in PROMPTS))
    assert not read_results(folder).answers
    lines = [msgspec.json.encode(record) for record in JOURNAL]
    folder.journal.write_bytes(b"\n".join([*lines, b'{"type":"bou']))
    assert read_results(folder) == results_of(PROMPTS, JOURNAL)
    folder.journal.write_bytes(b"\n".join([lines[0], b"no json", lines[1], b""]))
    with pytest.raises(DataError, match=r"journal\.jsonl:2"):
        read_results(folder)


def test_a_pilot_that_was_never_planned_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"there is no such pilot; plan it first: tenbin pilot plan none --root .* PROMPTS"
    ):
        read_results(PilotFolder(tmp_path / "none"))
    PilotFolder(tmp_path / "support").path.mkdir()
    PilotFolder(tmp_path / "support").write_settings(made_settings())
    with pytest.raises(DataError, match='there is no such pilot; did you mean "support"'):
        read_results(PilotFolder(tmp_path / "suport"))


def test_a_file_of_a_pilot_that_is_gone_or_empty_is_damage(tmp_path: Path) -> None:
    folder = written(tmp_path / "pilot", made_prompts(3), every_pair(made_prompts(3)), [])
    for file, read in ((folder.prompts, folder.read_prompts), (folder.plan, folder.read_plan)):
        for content in (b"", b"\n\n"):
            file.write_bytes(content)
            with pytest.raises(DataError, match=rf"{file.name}: is damaged \(it is empty\)"):
                read()
        file.unlink()
        with pytest.raises(DataError, match=rf"{file.name}: is damaged \(it is gone\)"):
            read()


def test_second_answers_stand_at_their_query_and_model() -> None:
    results = results_of(PROMPTS, JOURNAL)
    np.testing.assert_array_equal(
        results.qualities(results.panel(), repeat=1), [[1.0, np.nan], [np.nan, np.nan], [np.nan, np.nan]]
    )
