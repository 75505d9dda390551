"""The public sets as they are published, each told by its columns."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pytest

from tenbin.errors import DataError, UsageError
from tenbin.outcomes import read_outcomes
from tests.outcomes.refused import refused

NAN = float("nan")


def sprout_row(key: str, prompt: str, big: tuple, small: tuple, dataset: str = "math") -> dict:
    def answer(said: tuple) -> dict:
        score, tokens = said
        return {"num_input_tokens": 9, "num_output_tokens": tokens, "response": "text", "score": score}

    return {
        "key": key, "dataset": dataset, "dataset_level": "5", "dataset_idx": 1, "prompt": prompt,
        "golden_answer": "4", "big-model": answer(big), "small-model": answer(small),
    }  # fmt: skip


@pytest.mark.parametrize("part", ["{}-00000-of-00001.parquet", "default-{}-0000.parquet", "{}.parquet"])
def test_sprout_is_wide_with_one_struct_per_model(write, tmp_path, part):
    (tmp_path / "sprout").mkdir()
    write([sprout_row("k2", "q two", (1.0, 50), (0.0, 5))], f"sprout/{part.format('test')}")
    write([sprout_row("k1", "q one", (0.5, 40), (None, None))], f"sprout/{part.format('train')}")
    write([sprout_row("k3", "q three", (1.0, 7), (1.0, 8))], f"sprout/{part.format('validation')}")
    panel = read_outcomes(tmp_path / "sprout")
    assert panel.models == ("big-model", "small-model")
    assert [(query.query_id, query.prompt, query.group) for query in panel.queries] == [
        ("k1", "q one", "math"), ("k2", "q two", "math"), ("k3", "q three", "math"),
    ]  # fmt: skip
    assert panel.split == ("train", "test", "calibration")
    np.testing.assert_array_equal(panel.quality, [[0.5, NAN], [1, 0], [1, 1]])
    np.testing.assert_array_equal(panel.output_tokens, [[40, NAN], [50, 5], [7, 8]])
    np.testing.assert_array_equal(panel.input_tokens, np.full((3, 2), 9.0))
    assert np.isnan(panel.cost_usd).all()


def test_the_split_of_sprout_files_is_told_by_all_of_them_or_none(write, tmp_path):
    (tmp_path / "sprout").mkdir()
    for n, name in enumerate(("train", "test")):
        write([sprout_row(f"k{n}", f"q{n}", (1.0, 5), (0.0, 5))], f"sprout/{name}.parquet")
    assert read_outcomes(tmp_path / "sprout").split == ("train", "test")
    write([sprout_row("k2", "q2", (1.0, 5), (0.0, 5))], "sprout/more.parquet")
    assert read_outcomes(tmp_path / "sprout").split is None


ANSWER = "{'score': 0.5, 'num_output_tokens': 3}"


def test_other_columns_of_sprout_are_no_models(tmp_path):
    """A list of answers, or a model's F1, was taken for a model, and the file then called damaged."""
    others = (
        f"[{ANSWER}]",
        f"{{'all': {ANSWER}}}",
        "{'f1_score': 1, 'num_output_tokens': 3}",
        "{'score': 1}",
        "{'score': 1, 'a, num_output_tokens (': 3}",
    )
    path, named = tmp_path / "t.parquet", ", ".join(f"{other} AS other{i}" for i, other in enumerate(others))
    duckdb.connect().sql(f"SELECT 'p' AS prompt, {ANSWER} AS m, {named}").write_parquet(str(path))
    panel = read_outcomes(path)
    assert (panel.models, panel.quality.tolist(), panel.output_tokens.tolist()) == (("m",), [[0.5]], [[3.0]])
    assert panel.queries[0].group is None


def test_a_model_of_sprout_may_say_more_than_is_read(tmp_path):
    path, more = tmp_path / "t.parquet", ("NULL", "'x'", "{'score, x': [1.5]}", "[{'score': 2}]")
    answers = (ANSWER.replace("}", f", 'num_input_tokens': NULL, 'more': {nested}}}") for nested in more)
    models = ", ".join(f"{answer} AS m{i}" for i, answer in enumerate(answers))
    duckdb.connect().sql(f"SELECT 'p' AS prompt, {models}").write_parquet(str(path))
    panel = read_outcomes(path)
    assert (panel.quality.tolist(), panel.output_tokens.tolist()) == ([[0.5] * 4], [[3.0] * 4])
    assert np.isnan(panel.input_tokens).all()


@pytest.mark.parametrize("lost", [["score"], ["num_output_tokens"], ["num_input_tokens", "num_output_tokens"]])
def test_a_model_of_sprout_with_a_field_missing_is_not_left_out_silently(write, lost):
    row = sprout_row("k", "q", (1.0, 5), (0.0, 5))
    for field in lost:
        del row["big-model"][field]
    refused(write([row], "t.parquet"), f': has a model "big-model" without {lost[-1]}', "leave this column out")


def test_one_sprout_file_has_no_split(write):
    panel = read_outcomes(write([sprout_row("k", "q", (1.0, 5), (0.0, 5))], "train-00000.parquet"), format="sprout")
    assert panel.split is None


def test_a_bad_sprout_score_is_named(write):
    path = write([sprout_row("k", "q", (1.0, 5), (1.5, 5))], "t.parquet")
    with pytest.raises(DataError, match=r"row 1, column small-model\.score: 1\.5 is outside \[0, 1\]"):
        read_outcomes(path)


def test_repeated_keys_of_a_wide_set_are_numbered_by_content(write):
    one = sprout_row("k", "first", (1.0, 5), (0.0, 5))
    two = sprout_row("k", "second", (0.0, 5), (0.0, 5))
    again, turned = (read_outcomes(write(rows, f"{i}.parquet")) for i, rows in enumerate(([one, two], [two, one])))
    assert [query.query_id for query in again.queries] == ["k", "k#2"]
    assert again.data_hash == turned.data_hash


ROUTERBENCH = [
    {
        "sample_id": "mmlu.1", "prompt": "['one, or two']", "eval_name": "mmlu", "gpt-4": 1.0, "meta/llama": 0.0,
        "gpt-4|model_response": "a", "meta/llama|model_response": "b", "gpt-4|total_cost": 0.002,
        "meta/llama|total_cost": 0.0001, "oracle_model_to_route_to": "gpt-4",
    },
    {
        "sample_id": "gsm.1", "prompt": "two", "eval_name": "gsm8k", "gpt-4": 0.25, "meta/llama": 0.5,
        "gpt-4|model_response": "a", "meta/llama|model_response": "b", "gpt-4|total_cost": 0.003,
        "meta/llama|total_cost": 0.0002, "oracle_model_to_route_to": "meta/llama",
    },
]  # fmt: skip


@pytest.mark.parametrize("name", ["r.csv", "r.parquet"])
def test_routerbench_has_score_and_cost_columns(write, name):
    panel = read_outcomes(write(ROUTERBENCH, name))
    assert panel.models == ("gpt-4", "meta/llama")
    assert [(query.query_id, query.group) for query in panel.queries] == [("gsm.1", "gsm8k"), ("mmlu.1", "mmlu")]
    np.testing.assert_array_equal(panel.quality, [[0.25, 0.5], [1, 0]])
    np.testing.assert_array_equal(panel.cost_usd, [[0.003, 0.0002], [0.002, 0.0001]])
    assert np.isnan(panel.output_tokens).all()


@pytest.mark.parametrize("name", ["r.csv", "r.parquet"])
def test_routerbench_of_the_least_columns_may_say_right_or_wrong(write, name):
    row = {"prompt": "p", "a": True, "b": False, "a|total_cost": 0.5, "b|total_cost": 0.25}
    panel = read_outcomes(write([row], name))
    assert (panel.quality.tolist(), panel.cost_usd.tolist()) == ([[1.0, 0.0]], [[0.5, 0.25]])
    assert panel.queries[0].group is None


def test_a_bad_routerbench_cost_is_named(write):
    path = write([dict(ROUTERBENCH[0], **{"gpt-4|total_cost": -1})], "r.csv")
    with pytest.raises(DataError, match=r":2, column gpt-4\|total_cost: -1\.0 is negative"):
        read_outcomes(path)


@pytest.mark.parametrize(
    ("missing", "there"), [("gpt-4", "gpt-4|total_cost"), ("gpt-4|total_cost", "gpt-4")], ids=["score", "cost"]
)
def test_a_model_of_routerbench_with_a_column_missing_is_not_left_out_silently(write, missing, there):
    row = {key: value for key, value in ROUTERBENCH[0].items() if key != missing}
    other = {"mix": 1.0, "mix|model_response": "a", "mix|total_cost": 0.5}
    refused(
        write([{**row, "gpt-4|model_response": "b", **other}], "r.csv"),
        f': has a column "{there}" and none "{missing}"',
    )


def test_a_routerbench_cost_is_no_truth(write):
    path = write([dict(ROUTERBENCH[0], **{"gpt-4|total_cost": True})], "r.csv")
    refused(path, ':2, column gpt-4|total_cost: "True" is not a number')


def test_routellm_csvs_have_a_truth_column_per_model(tmp_path):
    folder = tmp_path / "responses"
    folder.mkdir()
    (folder / "mmlu_anatomy.csv").write_text(
        'prompt,mixtral-8x7b-instruct-v0.1,gpt-4-1106-preview\n"Find x.\nA. 0\nAnswer:",True,False\nTwice,True,True\n'
        "Twice,False,True\n"
    )
    (folder / "gsm8k_responses.csv").write_text(
        "prompt,mixtral-8x7b-instruct-v0.1,gpt-4-1106-preview,mixtral-8x7b-instruct-v0.1_response,"
        'gpt-4-1106-preview_response\nHow much?,False,True," 3 x 4\n= 12",12\n'
    )
    panel = read_outcomes(folder)
    assert panel.models == ("gpt-4-1106-preview", "mixtral-8x7b-instruct-v0.1")
    by_prompt = {
        (query.prompt, query.group): row.tolist() for query, row in zip(panel.queries, panel.quality, strict=True)
    }
    assert by_prompt["Find x.\nA. 0\nAnswer:", "mmlu_anatomy"] == [0, 1]
    assert by_prompt["How much?", "gsm8k"] == [1, 0]
    assert len(panel) == 4, "the prompt that was asked twice is two queries"
    assert sum(query.query_id.endswith("#2") for query in panel.queries) == 1


def test_a_column_of_routellm_without_a_name_is_no_model_and_one_that_ends_like_an_answer_may_be(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("prompt,gpt,gpt_response,no_response,\np,True,text,0.5,more text\n")
    panel = read_outcomes(path)
    assert (panel.models, panel.quality.tolist()) == (("gpt", "no_response"), [[1.0, 0.5]])


@pytest.mark.parametrize(
    "columns", ["score,gpt", "split,gpt", "Group,gpt", "model_name,gpt", "gpt", "gpt,gpt_response"]
)
def test_columns_of_a_table_are_no_models(tmp_path, columns):
    """`prompt,score,correct` was read as the models "score" and "correct"."""
    path = tmp_path / "t.csv"
    path.write_text(f"prompt,{columns}\np,1,0\n")
    with pytest.raises(DataError, match='has no column "model"'):
        read_outcomes(path)


def test_paretobandit_lines_hold_their_arms(tmp_path):
    path = tmp_path / "val.jsonl"
    rows = [
        {"prompt": "p", "arms": {"a/b~c": {"reward": 0.5, "cost": 1e-5, "near_best": True}}, "source": "mmlu"},
        {"prompt": "q", "arms": {"a/b~c": {"reward": 1, "cost": 2e-5}, "it's": {"reward": 0.1, "cost": 0.01}},
         "source": "gsm8k", "difficulty": "easy"},
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    panel = read_outcomes(path)
    assert panel.models == ("a/b~c", "it's")
    found = {query.prompt: (query.group, q.tolist(), c.tolist())
             for query, q, c in zip(panel.queries, panel.quality, panel.cost_usd, strict=True)}  # fmt: skip
    assert found["q"] == ("gsm8k", [1.0, 0.1], [2e-5, 0.01])
    assert found["p"][1][0] == 0.5
    assert np.isnan(found["p"][1][1])
    assert all(query.query_id.startswith("q-") for query in panel.queries)


def test_a_bad_reward_is_named(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"prompt": "p", "arms": {"m": {"reward": "high", "cost": 1}}}\n')
    with pytest.raises(DataError, match=r':1, column arms\.m\.reward: "high" is not a number'):
        read_outcomes(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"prompt": "p", "arms": {"m": {"reward": true}}}', ':2, column arms.m.reward: "true" is not a number'),
        ('{"prompt": "p", "arms": {"m": {"cost": false}}}', ':2, column arms.m.cost: "false" is not a number'),
        ('{"prompt": "p", "arms": [{"reward": 1}]}', ':2, column arms.m.reward: "[{"reward":1}]" is not a number'),
        ('{"prompt": "p", "arms": {"m": [1, 1]}}', ':2, column arms.m.reward: "{"m":[1,1]}" is not a number'),
        ('{"prompt": "p", "arms": {"m": 1}}', ':2, column arms.m.reward: "{"m":1}" is not a number'),
        ('{"prompt": "p", "arms": {"m"', ":2: is not valid JSON"),
    ],
)
def test_a_bad_line_of_paretobandit_is_named(tmp_path, line, said):
    path = tmp_path / "t.jsonl"
    path.write_text(f'{{"prompt": "p", "arms": {{"m": {{"reward": 1, "cost": 1}}}}}}\n{line}\n')
    refused(path, said)
    path.write_text('{"arms": {"m": {"reward": 1, "cost": 1}}}\n')
    refused(path, 'neither a "prompt" nor a "messages" column')


@pytest.mark.parametrize("format", ["sprout", "routerbench", "routellm", "paretobandit"])
def test_a_forced_format_that_does_not_fit_says_what_it_needs(write, tmp_path, format):
    path = write([{"query_id": 1, "question": "p", "model": "m", "quality": 1}], "t.csv")
    with pytest.raises(DataError, match=r"is not .* needs") as caught:
        read_outcomes(path, format=format)
    assert "leave --format out" in str(caught.value)
    table = {"sprout": sprout_row("k", "q", (1.0, 5), (0.0, 5)), "routerbench": ROUTERBENCH[0]}.get(format)
    if table is not None:
        for kept in ({"prompt": "p"}, {key: value for key, value in table.items() if key != "prompt"}):
            with pytest.raises(DataError, match=r"is not .* needs"):
                read_outcomes(write([kept], "t.parquet"), format=format)
        with pytest.raises(DataError, match='neither a "prompt" nor a "messages" column'):
            read_outcomes(tmp_path / "t.parquet")


def test_a_mapping_belongs_to_the_outcome_table(write):
    path = write(ROUTERBENCH, "r.csv")
    with pytest.raises(UsageError, match="not of routerbench"):
        read_outcomes(path, {"quality": "gpt-4"}, format="routerbench")


def test_memory_that_does_not_suffice_is_said_in_words(write, monkeypatch):
    monkeypatch.setattr("tenbin.outcomes.load.MEMORY_LIMITS", ("1MB",))
    with pytest.raises(DataError, match="needs more than 1MB of memory"):
        read_outcomes(write(ROUTERBENCH * 300, "r.csv"))


def test_more_memory_is_taken_only_where_it_is_needed(write, monkeypatch):
    monkeypatch.setattr("tenbin.outcomes.load.MEMORY_LIMITS", ("1MB", "512MB"))
    assert len(read_outcomes(write(ROUTERBENCH, "r.csv"))) == 2
