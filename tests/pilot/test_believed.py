"""People's labels correct a lenient judge; too few of them leave the grades alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tenbin.outcomes import read_outcomes
from tenbin.outcomes.write import write_outcomes
from tenbin.pilot.believed import BY_PEOPLE, believed, check_judge
from tenbin.pilot.records import Graded, Labelled, Record
from tenbin.pilot.results import Results, results_of
from tests.pilot.made import every_pair, made_prompts, made_records


def lenient(n: int, labelled: int) -> tuple[Results, Results]:
    """A judge who lets half of the wrong answers pass, beside people who do not; and the results as they truly are."""
    prompts = made_prompts(n)
    records = made_records(prompts, every_pair(prompts))
    rng = np.random.default_rng(0)
    truth = [record for record in records if isinstance(record, Graded)]
    drawn = [truth[int(i)] for i in rng.permutation(len(truth))[:labelled]]
    people = [Labelled(it.query_id, it.model, 2e9, it.quality or 0.0, "ann") for it in drawn]
    kind = [_passed(record, rng) for record in records]
    return results_of(prompts, [*kind, *people]), results_of(prompts, records)


def _passed(record: Record, rng: np.random.Generator) -> Record:
    is_wrong = isinstance(record, Graded) and record.quality == 0.0
    return msgspec.structs.replace(record, quality=1.0) if is_wrong and rng.random() < 0.5 else record


def means(results: Results) -> Sequence[float]:
    found: Sequence[float] = np.nanmean(results.panel().quality, axis=0).tolist()
    return found


def test_labels_of_people_take_the_judges_kindness_out() -> None:
    judged, truth = lenient(150, 120)
    corrected = believed(judged)
    wrong = np.array(means(judged)) - np.array(means(truth))
    left = np.array(means(corrected)) - np.array(means(truth))
    assert wrong.max() > 0.2
    assert np.abs(left).mean() < np.abs(wrong).mean() / 2.0
    assert all(answer.grades[0].metric.endswith(BY_PEOPLE) for answer in corrected.answers.values())
    check = check_judge(judged)
    assert (check.n_labels, check.n_people, check.is_applied) == (120, 1, True)
    assert check.agreement[0].bias.low > 0.05
    assert [arm.corrected.value for arm in check.corrected] == pytest.approx(means(corrected), abs=0.1)


def test_where_somebody_labelled_everything_it_does_not_matter_what_others_labelled_before() -> None:
    prompts = made_prompts(40)
    records = made_records(prompts, every_pair(prompts))
    first = [Labelled(p.query_id, "big", 1e9, 1.0, "ann", label_propensity=0.25) for p in prompts[::4]]
    all_of_them = [Labelled(p.query_id, "big", 2e9, 0.0, "bob") for p in prompts]
    results = results_of(prompts, [*records, *first, *all_of_them])
    arm = check_judge(results).corrected[0]
    # A quarter of the answers are worth a half by the mean of two people, the others nothing.
    assert arm.corrected.value == pytest.approx(0.125)
    assert np.nanmean(believed(results).panel().quality[:, 0]) == pytest.approx(0.125)


def test_too_few_labels_are_told_and_correct_nothing() -> None:
    judged, _ = lenient(30, 9)
    assert believed(judged) is judged
    assert not check_judge(judged).is_applied
    assert check_judge(lenient(30, 0)[0]).agreement == ()


def test_answers_given_twice_tell_the_noise_of_each_label(tmp_path: Path) -> None:
    prompts = made_prompts(30)
    pairs = every_pair(prompts)
    twice = [msgspec.structs.replace(pair, repeat=1) for pair in pairs if pair.query_id < "q0010"]
    results = results_of(prompts, made_records(prompts, [*pairs, *twice]))
    assert results.panel().label_noise_sd is None
    told = believed(results)
    panel = told.panel()
    assert panel.label_noise_sd is not None
    assert np.all(np.ptp(panel.label_noise_sd, axis=0) == 0.0)
    assert 0.1 < panel.label_noise_sd.mean() < 0.6
    write_outcomes(tmp_path / "table.parquet", told.rows())
    read = read_outcomes(tmp_path / "table.parquet")
    assert read.data_hash == panel.data_hash
    np.testing.assert_array_equal(read.label_noise_sd, panel.label_noise_sd)
    few = results_of(prompts, made_records(prompts, [*pairs, *twice[:9]]))
    assert believed(few) is few
