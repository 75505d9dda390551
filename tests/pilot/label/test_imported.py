"""Labels from a file stand beside those of the page: each weighs as much as answers of its model it speaks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenbin.pilot.journal import Journal, read_journal
from tenbin.pilot.label.imported import import_labels
from tenbin.pilot.records import Labelled
from tenbin.pilot.results import read_results
from tests.pilot.made import every_pair, made_prompts, made_records, written


def test_a_label_carries_the_share_of_its_models_answers_that_the_file_labels(tmp_path: Path) -> None:
    prompts = made_prompts(20)
    pairs = every_pair(prompts)
    folder = written(tmp_path / "p", prompts, pairs, made_records(prompts, pairs))
    rows = [f"q{i:04},big,1,{who}" for i in range(5) for who in ("eva", "ken")] + ["q0000,mid,0.5,eva"]
    file = tmp_path / "labels.csv"
    file.write_text("\n".join(["query_id,model,quality,labeller", *rows]))
    with Journal.open(folder) as journal:
        assert import_labels(file, read_results(folder), journal, "me") == 11
    labels = [record for record in read_journal(folder) if isinstance(record, Labelled)]
    assert {(label.model, label.label_propensity) for label in labels} == {("big", 0.25), ("mid", 0.05)}
    assert all(label.labeller in ("eva", "ken") for label in labels)
    assert labels[0].quality == pytest.approx(1.0)
