"""What is exported reads again, and holds no more than was asked for."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from tenbin.errors import UsageError
from tenbin.outcomes.read import read_outcomes
from tenbin.pilot.data_card import Card, write_card
from tenbin.pilot.export_table import Layout, Prompts, export_table
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Bought, Graded
from tenbin.pilot.results import Results, results_of
from tests.pilot.made import every_pair, made_prompts, made_records, made_settings

PRIVATE = "the secret number is 4711"


@pytest.fixture(scope="module")
def results() -> Results:
    prompts = [
        msgspec.structs.replace(prompt, group="g", reference="gilded") for prompt in made_prompts(12, test_share=0.4)
    ]
    prompts.append(PilotPrompt("talk", messages=({"role": "user", "content": PRIVATE},)))
    records = made_records(prompts, every_pair(prompts)[:-1])
    return results_of(prompts, [*records, Graded("q0003", "big", 2e9, None, "exact-1", details={"judge": "m|x"})])


def test_the_table_is_that_of_the_results(results: Results, tmp_path: Path) -> None:
    export_table(results, tmp_path / "t.parquet")
    assert read_outcomes(tmp_path / "t.parquet").data_hash == results.panel().data_hash


@pytest.mark.parametrize("prompts", ["kept", "hashed"])
def test_sprout_reads_again_with_its_splits(prompts: Prompts, results: Results, tmp_path: Path) -> None:
    files = export_table(results, tmp_path / "s", "sprout", prompts)
    assert [file.name for file in files] == ["train.parquet", "test.parquet"]
    read, panel = read_outcomes(tmp_path / "s"), results.panel()
    assert read.models == panel.models
    assert read.split == panel.split
    assert [(q.query_id, q.group) for q in read.queries] == [(q.query_id, q.group) for q in panel.queries]
    np.testing.assert_array_equal(read.quality, panel.quality)
    np.testing.assert_array_equal(read.output_tokens, panel.output_tokens)
    is_kept = read.queries[0].prompt == panel.queries[0].prompt
    assert is_kept == (prompts == "kept")


@pytest.mark.parametrize(("layout", "prompts"), [("outcomes", "hashed"), ("outcomes", "dropped"), ("sprout", "hashed")])
def test_no_text_is_left_where_none_was_asked_for(
    layout: Layout, prompts: Prompts, results: Results, tmp_path: Path
) -> None:
    files = export_table(results, tmp_path / ("s" if layout == "sprout" else "t.jsonl"), layout, prompts)
    raw = b"".join(file.read_bytes() for file in files)
    for text in (PRIVATE, results.prompts[0].prompt, "an answer", "gilded"):
        assert text.encode() not in raw
    assert (b"talk" in raw) == (prompts == "hashed")


def test_the_card_says_where_it_comes_from_and_nothing_of_this_machine(results: Results) -> None:
    settings = made_settings(prompts_source="/home/ann/secret/tickets.jsonl", config="/etc/tenbin.toml")
    prompts = [msgspec.structs.replace(prompt) for prompt in results.prompts]
    card = Card("support", settings, results, every_pair(prompts), ["t.parquet"], "abc", licence="CC-BY-4.0")
    text = write_card(card)
    for said in ("tickets.jsonl", "CC-BY-4.0", "`exact-1`", "2023-11-14", "`m\\|x`", "| `big` | 13 | 12 |"):
        assert said in text
    assert "/home" not in text
    assert "/etc" not in text
    assert PRIVATE not in text


def test_the_means_of_the_card_are_weighted_as_it_says() -> None:
    prompts = made_prompts(2)
    made = made_records(prompts, every_pair(prompts, ["big"]))
    bought = [msgspec.structs.replace(it, cost_usd=1.0) for it in made if isinstance(it, Bought)]
    bought[1] = msgspec.structs.replace(bought[1], cost_usd=4.0, label_propensity=0.5)
    results = results_of(prompts, bought)
    card = write_card(Card("mine", made_settings(), results, every_pair(prompts), ["t.csv"], results.panel().data_hash))
    assert "| $3 |" in card  # (1 + 2 x 4) / 3


def test_what_cannot_be_exported_is_refused(results: Results, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no answer yet"):
        export_table(results_of(results.prompts, []), tmp_path / "t.csv")
    with pytest.raises(UsageError, match="needs a prompt"):
        export_table(results, tmp_path / "s", "sprout", "dropped")
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        export_table(results, tmp_path / "there", "sprout")
    prompts = made_prompts(1)
    pairs = [pair for model in ("Big", "big") for pair in every_pair(prompts, ["big"]) if model]
    renamed = [msgspec.structs.replace(record, model="Big") for record in made_records(prompts, pairs[:1])]
    twins = results_of(prompts, [*made_records(prompts, pairs[:1]), *renamed])
    with pytest.raises(UsageError, match="cannot tell"):
        export_table(twins, tmp_path / "x", "sprout")
