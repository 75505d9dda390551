"""What a good table becomes: the same panel from every format, in whatever order its rows come."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest

from tenbin.errors import DataError, UsageError
from tenbin.outcomes import read_outcomes
from tenbin.outcomes.identity import prompt_key

KINDS = ("t.csv", "t.jsonl", "t.parquet")


@pytest.mark.parametrize("name", KINDS)
def test_every_column_lands_in_its_place(rows, write, name):
    panel = read_outcomes(write(rows, name))
    assert [query.query_id for query in panel.queries] == ["a", "b", "c"]
    assert [query.prompt for query in panel.queries] == ['first, "quoted"\nand two lines', "二つ目", "?"]
    assert [query.group for query in panel.queries] == ["en", "ja", "en"]
    assert panel.models == ("big", "small")
    assert panel.split == ("test", "train", "calibration")
    nan = np.nan
    np.testing.assert_array_equal(panel.quality, [[0.5, nan], [1.0, 0.25], [0.0, nan]])
    np.testing.assert_array_equal(panel.input_tokens, [[5, 5], [4, 3], [0, nan]])
    np.testing.assert_array_equal(panel.output_tokens, [[30, nan], [20, 10], [1, nan]])
    np.testing.assert_array_equal(panel.cost_usd, [[0.02, nan], [0.01, 0.001], [0.0, nan]])
    np.testing.assert_array_equal(panel.latency_s, [[2.0, nan], [1.5, 0.5], [0.1, nan]])
    np.testing.assert_array_equal(panel.label_propensity, [[1, 1], [1, 0.5], [1, 1]])


def test_the_hash_is_of_the_content_not_of_the_file(rows, write):
    hashes = {read_outcomes(write(rows, name)).data_hash for name in KINDS}
    hashes.add(read_outcomes(write(rows[::-1], "shuffled.jsonl")).data_hash)
    assert len(hashes) == 1
    assert len(hashes.pop()) == 64


@pytest.mark.parametrize(
    ("column", "value"),
    [("prompt", "another"), ("quality", 0.75), ("output_tokens", 31), ("group", "fr"), ("model", "huge")],
)
def test_the_hash_changes_with_the_content(rows, write, column, value):
    before = read_outcomes(write(rows, "t.jsonl")).data_hash
    changed = [dict(row, **{column: value}) if row["query_id"] == "c" else row for row in rows]
    assert read_outcomes(write(changed, "u.jsonl")).data_hash != before


def test_only_the_needed_columns_are_needed(write):
    panel = read_outcomes(write([{"query_id": "1", "prompt": "p", "model": "m", "quality": 1}], "t.csv"))
    assert panel.split is None
    assert panel.queries[0].group is None
    assert np.isnan(panel.cost_usd).all()
    assert (panel.label_propensity == 1.0).all()


def test_other_columns_are_ignored_even_if_they_repeat(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("note,note,Quality,query_id,prompt,model,quality\nx,y,no,1,p,m,0.5\n")
    assert read_outcomes(path).quality[0, 0] == 0.5


def test_a_mapping_renames(write):
    table = [{"id": 7, "question": "p", "llm": "m", "score": 0.5, "quality": "ignored"}]
    mapping = {"query_id": "id", "prompt": "question", "model": "llm", "quality": "score"}
    for name in KINDS:
        panel = read_outcomes(write(table, name), mapping)
        assert panel.queries[0].query_id == "7"
        assert panel.quality.tolist() == [[0.5]]


def test_a_mapping_of_an_unknown_name_says_which_was_meant(rows, write):
    with pytest.raises(UsageError, match='did you mean "quality"'):
        read_outcomes(write(rows, "t.csv"), {"qualty": "score"})
    with pytest.raises(DataError, match='did you mean "quality"'):
        read_outcomes(write(rows, "t.csv"), {"quality": "qualiti"})


def test_without_ids_the_prompt_is_the_query(rows, write):
    bare = [{k: v for k, v in row.items() if k != "query_id"} for row in rows]
    panels = [read_outcomes(write(bare, name)) for name in KINDS]
    assert len({panel.data_hash for panel in panels}) == 1
    assert sorted(query.prompt for query in panels[0].queries) == ["?", 'first, "quoted"\nand two lines', "二つ目"]
    assert np.count_nonzero(~np.isnan(panels[0].quality)) == 4


def test_messages_nested_or_as_text_are_the_same(write):
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "héllo"}]
    nested = [{"query_id": "1", "messages": messages, "model": "m", "quality": 1.0}]
    as_text = [{"query_id": "1", "messages": json.dumps(messages), "model": "m", "quality": 1.0}]
    panels = [read_outcomes(write(nested, name)) for name in KINDS]
    panels += [read_outcomes(write(as_text, f"text.{name}")) for name in KINDS]
    assert len({panel.data_hash for panel in panels}) == 1
    assert [dict(message) for message in panels[2].queries[0].messages] == messages


def test_absent_message_fields_that_parquet_spells_as_null_are_dropped(write):
    messages = [{"role": "assistant", "content": "x", "name": "tool"}, {"role": "user", "content": "y"}]
    panel = read_outcomes(write([{"query_id": "1", "messages": messages, "model": "m", "quality": 1.0}], "t.parquet"))
    assert dict(panel.queries[0].messages[1]) == {"role": "user", "content": "y"}
    seen = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": "u", "detail": None}}]
    parts = [messages[0], {"role": "user", "content": seen}]
    rows = [{"query_id": "1", "messages": parts, "model": "m", "quality": 1.0}]
    read = read_outcomes(write(rows, "parts.parquet"))
    parts[1]["content"] = [seen[0], {"type": "image_url", "image_url": {"url": "u"}}]
    again = read_outcomes(write(rows, "parts.jsonl"))
    assert read.queries == again.queries
    assert read.data_hash == again.data_hash
    assert prompt_key(read.queries[0]) == prompt_key(again.queries[0])


def test_truth_values_are_qualities(write):
    table = [{"query_id": "1", "prompt": "p", "model": m, "quality": q} for m, q in (("a", True), ("b", False))]
    for name in KINDS:
        assert read_outcomes(write(table, name)).quality.tolist() == [[1.0, 0.0]]


def test_nan_is_unlabelled(write):
    table = [{"query_id": q, "prompt": "p", "model": "m", "quality": v} for q, v in (("1", float("nan")), ("2", 1.0))]
    for name in ("t.csv", "t.jsonl"):
        assert np.isnan(read_outcomes(write(table, name)).quality[0, 0])


@pytest.mark.parametrize(
    "prompt", ["\u200f", "x" * 1_000_000, "שלום\u200f عليكم", "👩‍👩‍👧 'quote' \\ back", "\t line\r\nend ", '{"a": 1}']
)
def test_every_prompt_is_legal(write, prompt):
    table = [{"query_id": "1", "prompt": prompt, "model": "m", "quality": 1.0}]
    for name in KINDS:
        assert read_outcomes(write(table, name)).queries[0].prompt == prompt


def test_gzip_and_byte_order_mark(rows, write, tmp_path):
    plain = write(rows, "t.csv")
    packed = tmp_path / "u.csv.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + plain.read_bytes()))
    assert read_outcomes(packed).data_hash == read_outcomes(plain).data_hash


def test_tabs_windows_line_ends_and_glob_characters(tmp_path):
    path = tmp_path / "t [v2]*.tsv"
    path.write_bytes(b"query_id\tprompt\tmodel\tquality\r\n1\ta, b\tm\t0.5\r\n")
    assert read_outcomes(path).queries[0].prompt == "a, b"


def test_a_file_whose_name_is_a_pattern_brings_no_other_file_along(tmp_path):
    path = tmp_path / "run*.jsonl"
    path.write_text('{"query_id": 1, "prompt": "asked for", "model": "m", "quality": 0.5}\n')
    (tmp_path / "run2.jsonl").write_text('{"query_id": 2, "prompt": "another", "model": "m", "quality": 0.5}\n')
    assert [query.prompt for query in read_outcomes(path).queries] == ["asked for"]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("column", ["record", "file_row_number", "c0"])
def test_a_column_may_be_called_what_the_reader_calls_its_own(write, name, column):
    table = [
        {"prompt": prompt, "model": model, "quality": 0.5, column: query_id}
        for query_id, prompt, model in (("A", "x", "m"), ("B", "y", "m"), ("A", "x", "n"))
    ]
    panel = read_outcomes(write(table, name), {"query_id": column})
    assert [(query.query_id, query.prompt) for query in panel.queries] == [("A", "x"), ("B", "y")]
    assert panel.models == ("m", "n")


def test_a_column_of_json_lines_may_begin_in_any_line(write):
    plain = [{"query_id": i, "prompt": f"p{i}", "model": "m", "quality": 0.5} for i in range(1100)]
    later = {"query_id": "z", "prompt": "z", "model": "m", "quality": 0.5, "group": "g", "cost_usd": 0.25}
    panel = read_outcomes(write([*plain, {**later, "label_propensity": 0.5}], "t.jsonl"))
    assert panel.queries[-1].group == "g"
    assert panel.cost_usd[-1, 0] == 0.25
    assert panel.label_propensity[-1, 0] == 0.5


def test_a_folder_of_files_is_one_table(rows, write, tmp_path):
    whole = read_outcomes(write(rows, "whole.jsonl"))
    folder = tmp_path / "parts"
    folder.mkdir()
    for i, row in enumerate(rows):
        write([row], f"parts/{i}.jsonl")
    (folder / "prices.toml").write_text("")
    assert read_outcomes(folder).data_hash == whole.data_hash


def test_take_keeps_rows_together(rows, write):
    panel = read_outcomes(write(rows, "t.csv")).take([2, 1])
    assert [query.query_id for query in panel.queries] == ["c", "b"]
    assert panel.quality[1].tolist() == [1.0, 0.25]


def test_progress_runs_to_the_end(rows, write):
    told: list[float] = []
    read_outcomes(write(rows, "t.csv"), progress=lambda _, done: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_importing_the_room_loads_no_reader():
    code = "import sys, tenbin.outcomes; print([m for m in ('duckdb', 'pandas', 'pyarrow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_columns_that_are_null_in_the_whole_file(write):
    table = [{"query_id": "1", "prompt": "p", "messages": None, "group": None, "model": "m", "quality": 1.0,
              "cost_usd": None, "split": None}]  # fmt: skip
    panels = [read_outcomes(write(table, name)) for name in KINDS]
    assert len({panel.data_hash for panel in panels}) == 1
    assert panels[2].queries[0].messages is None
    assert panels[2].split is None


@pytest.mark.parametrize("name", KINDS)
def test_the_noise_of_labels_is_read_where_it_is_told(rows, write, name):
    plain = read_outcomes(write(rows, name))
    assert plain.label_noise_sd is None
    for row in rows[:2]:
        row["label_noise_sd"] = 0.25
    noisy = read_outcomes(write(rows, f"noisy-{name}"))
    assert int((noisy.label_noise_sd == 0.25).sum()) == 2
    assert np.isnan(noisy.label_noise_sd).sum() == 4
    assert noisy.data_hash != plain.data_hash
    assert noisy.take([0]).label_noise_sd.shape == (1, 2)


def test_a_table_without_noise_has_the_hash_that_it_always_had(rows, write):
    for row in rows:
        row["label_noise_sd"] = None
    assert read_outcomes(write(rows, "t.jsonl")).data_hash == (
        read_outcomes(
            write([{k: v for k, v in row.items() if k != "label_noise_sd"} for row in rows], "u.jsonl")
        ).data_hash
    )
