"""Every kind of bad input gets one sentence: what is wrong, where, what to do."""

from __future__ import annotations

import resource
import sys

import duckdb
import pytest

from tenbin.errors import DataError, UsageError
from tenbin.outcomes import read_outcomes
from tests.outcomes.refused import refused

KINDS = ("t.csv", "t.jsonl", "t.parquet")
GOOD = {"query_id": "1", "prompt": "p", "model": "m", "quality": 1.0}


def second(rows: list[dict], **changes: object) -> list[dict]:
    return [dict(GOOD, query_id="0"), dict(GOOD, **changes), dict(GOOD, query_id="2")]


def spot(name: str, column: str) -> str:
    """Where the second row of a file of that kind is: the header is a line of CSV, Parquet has rows."""
    return {"t.csv": f":3, column {column}", "t.jsonl": f":2, column {column}"}.get(name, f"row 2, column {column}")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("quality", 1.5, "1.5 is outside [0, 1]"),
        ("quality", -0.1, "-0.1 is outside [0, 1]"),
        ("input_tokens", -3, "negative"),
        ("output_tokens", -3, "negative"),
        ("cost_usd", -0.5, "negative"),
        ("latency_s", -1, "negative"),
        ("latency_s", 1.7e18, "more than any call takes; give latency_s of this one call, at most 1e+12"),
        ("output_tokens", 1e300, "more than any call takes"),  # its square overflowed, and fit ended as a bug
        ("label_propensity", 0, "outside (0, 1]"),
        ("label_propensity", 1.2, "outside (0, 1]"),
        ("label_propensity", 1e-300, "below 1e-09; give the probability"),  # its weight overflowed in every mean
        ("model", "  ", "is empty"),
        ("model", None, "is empty"),
        ("model", "\t\u3000", "is empty; name the model that answered"),
        ("model", "small ", '"small " has blanks around it; take them off'),
        ("model", "\u00a0small", "has blanks around it"),
        ("query_id", "", "is empty"),
        ("prompt", "", "is empty; give the text that the model got"),
        ("prompt", None, "is empty; give the text that the model got"),
        ("prompt", " \t\u3000\u00a0\u2028", "is empty; give the text that the model got"),
        ("split", "validation", '"validation" is none of train, calibration and test; write calibration'),
        ("split", "holdout", "none of train, calibration and test"),
    ],
)
def test_a_bad_cell(rows, write, name, column, value, said):
    table = second(rows, **{column: value})
    if column == "split":
        table = [dict(row, split=row.get("split", "train")) for row in table]
    else:
        table = [{column: 1, **row} for row in table]
    refused(write(table, name), name, spot(name, column), said)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("theirs", "ours"), [("Split", "split"), ("Cost_USD", "cost_usd"), (" group", "group")])
def test_a_column_that_is_ours_but_for_its_case_is_not_passed_over(write, name, theirs, ours):
    path = write([{**GOOD, theirs: "test" if ours == "split" else 1}], name)
    refused(path, f'has no column "{ours}", but one "{theirs}"', f'--map "{ours}={theirs}"')
    assert read_outcomes(path, {ours: theirs}).quality[0, 0] == 1.0


def test_two_columns_of_one_name_that_is_read_are_not_chosen_between(tmp_path):
    (tmp_path / "t.csv").write_text("note,note,query_id,prompt,model,quality,quality\nx,y,1,p,m,0.5,1\n")
    refused(tmp_path / "t.csv", 'has more than one column "quality"', "a name of its own")
    nested = "SELECT 'p' AS prompt, [{'prompt': 'x', 'model': 1}] AS note, {'model': 'x'} AS other, 'm' AS model, 1 AS "
    duckdb.connect().sql(f"{nested} quality").write_parquet(str(tmp_path / "one.parquet"))
    assert read_outcomes(tmp_path / "one.parquet").models == ("m",)
    duckdb.connect().sql(f"{nested} qualitx, 0 AS quality").write_parquet(str(tmp_path / "two.parquet"))
    # No plain tool writes two columns of one name, but pyarrow does: so the second one's name is changed in the bytes.
    raw = (tmp_path / "two.parquet").read_bytes().replace(b"qualitx", b"quality")
    (tmp_path / "two.parquet").write_bytes(raw)
    refused(tmp_path / "two.parquet", 'has more than one column "quality"')


def test_a_column_beside_ours_that_differs_in_case_is_passed_over(write):
    for name in ("t.csv", "t.jsonl"):
        assert read_outcomes(write([{**GOOD, "Group": "theirs", "group": "ours"}], name)).queries[0].group == "ours"


@pytest.mark.parametrize(("name", "infinite"), [("t.csv", "inf"), ("t.jsonl", float("inf")), ("t.csv", "1e999")])
@pytest.mark.parametrize("column", ["quality", "cost_usd", "output_tokens"])
def test_infinity(rows, write, name, infinite, column):
    table = [{column: 1, **row} for row in second(rows, **{column: infinite})]
    refused(write(table, name), spot(name, column), "inf")


def test_words_where_a_number_should_be(rows, write):
    refused(write(second(rows, quality="good"), "t.csv"), ":3, column quality", '"good" is not a number')
    refused(write(second(rows, quality="good"), "t.jsonl"), ":2, column quality", '"good" is not a number')
    long, said = second(rows, quality="very " * 12), 'quality: "' + "very " * 7
    refused(write(long, "t.jsonl"), f'{said}very" is not a number')
    refused(write(long, "t.csv"), f'{said}very " is not a number')


def test_digits_of_other_scripts_are_not_called_numbers_stored_as_text(rows, write):
    rows[0]["quality"] = "０.５"
    refused(write(rows, "t.csv"), '"０.５" is not a number', "write a plain number")


def test_numbers_as_text(rows, write):
    refused(write(second(rows, quality="0.5"), "t.jsonl"), ":2, column quality", '"0.5" is text, not a number')
    table = [dict(GOOD, quality="0.5")]
    refused(write(table, "t.parquet"), "row 1, column quality", '"0.5" is text, not a number')
    refused(write([dict(GOOD, output_tokens=True)], "t.jsonl"), "column output_tokens", "not a number")
    path = write([dict(GOOD, quality=[1])], "t.parquet")
    refused(path, "column quality", "is not a number")
    duckdb.connect().sql("SELECT 'p' AS prompt, 'm' AS model, [0.5] AS quality").write_parquet(str(path))
    refused(path, "row 1, column quality", '"[0.5]" is not a number')


def test_the_line_counts_line_breaks_inside_fields(rows, write):
    table = second(rows, quality=7)
    table[0]["prompt"] = "three\nlines\nhere"
    refused(write(table, "t.csv"), ":5, column quality")


def test_blank_lines_are_counted(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text(
        '{"query_id":1,"prompt":"p","model":"m","quality":1}\n\n\n{"query_id":2,"prompt":"p","model":"m","quality":2}\n'
    )
    refused(path, ":4, column quality")


def test_how_many_more_are_bad(rows, write):
    table = [dict(GOOD, query_id=str(i), quality=2) for i in range(5)]
    refused(write(table, "t.csv"), ":2, column quality", "4 more rows have a fault")


def test_a_line_of_many_models_is_one_bad_row(tmp_path):
    path, arms = tmp_path / "t.jsonl", '"arms":{"a":{"reward":1,"cost":1},"b":{"reward":0,"cost":1}}'
    path.write_text("".join(f'{{"prompt":"{said}",{arms}}}\n' for said in ("p", "", "")))
    refused(path, ":2, column prompt: is empty (1 more row has a fault)")
    path.write_text("".join(f'{{"prompt":"{said}",{arms}}}\n' for said in ("p", "")))
    refused(path, ":2, column prompt: is empty; give")


def test_a_mapped_column_is_called_as_the_file_calls_it(write):
    path = write([dict(GOOD, score=3)], "t.csv")
    refused(path, "column score", "3.0 is outside", mapping={"quality": "score"})


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("column", ["model", "quality", "prompt"])
def test_a_missing_column(write, name, column):
    refused(write([{k: v for k, v in GOOD.items() if k != column}], name), name, f'"{column}"', f"--map {column}=")


@pytest.mark.parametrize(
    ("header", "fix"),
    [
        ("query_id, prompt,model,quality", 'add --map "prompt= prompt"'),
        ("query_id;prompt;model;quality", "separate the columns by commas"),
        ("words", "add it, or name it with --map prompt=THEIR_COLUMN (its columns are words)"),
    ],
)
def test_a_header_that_other_tools_write(tmp_path, header, fix):
    (tmp_path / "t.csv").write_text(f"{header}\n1,p,m,1\n")
    refused(tmp_path / "t.csv", 'neither a "prompt" nor', fix)


def test_what_columns_there_are_is_told_in_bounds(write):
    table = [{"query_id": 1, "prompt": "p", **{f"{'x' * 70}{i}": 1 for i in range(10)}}]
    said = refused(write(table, "t.csv"), 'has no column "model"', "(its columns are query_id, prompt, ")
    assert "... (" not in said
    assert "x" * 60 in said
    assert "x" * 61 not in said
    refused(write([{**table[0], "more": 1}], "t.csv"), f"{'x' * 60}, ... (13 columns))")
    refused(write(table, "t.csv"), 'has no column "zzz"', "its columns are query_id, prompt", mapping={"model": "zzz"})
    with pytest.raises(UsageError, match='unknown column "zzz"; Tenbin\'s columns are query_id, prompt, '):
        read_outcomes(write([GOOD], "t.csv"), {"zzz": "model"})


def test_a_column_that_is_read_as_another_is_not_nearly_one(write):
    path = write([{**GOOD, "Split": "x"}], "t.csv")
    refused(path, 'has no column "split", but one "Split"')
    assert read_outcomes(path, {"group": "Split"}).queries[0].group == "x"


def test_a_missing_column_under_another_name(write):
    table = [{"query_id": 1, "prompt": "p", "model": "m", "score": 1}]
    refused(write(table, "t.csv"), 'has no column "quality"; if "score" is it, add --map quality=score')


@pytest.mark.parametrize("value", [None, float("nan")])
def test_no_quality_anywhere(write, value):
    table = [dict(GOOD, query_id=str(i), quality=value) for i in range(3)]
    for name in ("t.csv", "t.jsonl"):
        refused(write(table, name), name, "no row has a quality")


@pytest.mark.parametrize("name", KINDS)
def test_duplicate_pairs(write, name):
    table = [dict(GOOD, query_id="0"), GOOD, dict(GOOD, quality=0.5)]
    first, again = {"t.csv": (":3", ":4"), "t.jsonl": (":2", ":3")}.get(name, (", row 2", ", row 3"))
    said = refused(write(table, name), 'query "1" and model "m"', f"{first} too")
    assert f"{name}{again}: " in said


def test_one_id_with_two_prompts(write):
    table = [GOOD, dict(GOOD, model="n", prompt="q")]
    refused(write(table, "t.csv"), ":3, column prompt", 'query "1" has another prompt than in', ":2")


@pytest.mark.parametrize("ids", [(7, 7.0), (7.0, 7)])
def test_one_query_whose_id_is_a_whole_number_here_and_none_there(write, ids):
    """pandas writes 7.0 where a column has a gap: every query was two, each answered by half of the models."""
    rows = [{**GOOD, "query_id": ids[0], "model": "a"}, {**GOOD, "query_id": ids[1], "model": "b"}]
    refused(write(rows, "t.jsonl"), "t.jsonl:2, column query_id", '"7" and "7.0"', "stands in", "t.jsonl:1")
    rows[1]["prompt"] = "another"
    assert len(read_outcomes(write(rows, "t.jsonl"))) == 2
    versions = [{**GOOD, "query_id": name} for name in ("v1", "v1.0")]
    assert len(read_outcomes(write(versions, "t.csv"))) == 2


@pytest.mark.parametrize(("column", "one", "two"), [("group", "x", "y"), ("split", "train", "test")])
def test_one_id_with_two_groups_or_splits(write, column, one, two):
    table = [dict(GOOD, **{column: one}), dict(GOOD, model="n", **{column: two})]
    refused(write(table, "t.jsonl"), f":2, column {column}", f'query "1" has another {column} than in')


def test_a_query_without_a_split(write):
    table = [dict(GOOD, split="train"), dict(GOOD, query_id="2", split=None)]
    refused(write(table, "t.csv"), ":3, column split", "is empty")


@pytest.mark.parametrize("name", KINDS)
def test_an_empty_file(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    refused(tmp_path / name, name, "is empty")
    (tmp_path / name).write_bytes(b"\n\n")
    refused(tmp_path / name, name, "is empty")


def test_a_header_without_rows(tmp_path):
    (tmp_path / "t.csv").write_text("query_id,prompt,model,quality\n")
    refused(tmp_path / "t.csv", "t.csv", "has no rows")


def test_wrong_encoding(tmp_path, rows, write):
    text = write(rows, "t.csv").read_text(encoding="utf-8")
    for encoding in ("cp932", "utf-16", "utf-16-le"):
        (tmp_path / "u.csv").write_bytes(text.encode(encoding))
        refused(tmp_path / "u.csv", "u.csv:", "is not UTF-8 text; save the file as UTF-8")
    good = '{"query_id":1,"prompt":"p","model":"m","quality":1}\n'
    (tmp_path / "u.jsonl").write_bytes((good * 2).encode() + "日本".encode("euc-jp"))
    refused(tmp_path / "u.jsonl", "u.jsonl:3", "is not UTF-8 text")
    (tmp_path / "u.jsonl").write_bytes(b"\xef\xbb\xbf" + good.encode())
    refused(tmp_path / "u.jsonl", "byte order mark")


@pytest.mark.parametrize("name", ["long.csv", "long.jsonl"])
def test_a_line_of_200_mb_is_refused_in_bounded_memory(tmp_path, name):
    path = tmp_path / name
    with path.open("wb") as stream:
        stream.write(b"query_id,prompt,model,quality\n" if name.endswith("csv") else b'{"query_id": "')
        for _ in range(200):
            stream.write(b"x" * 1024 * 1024)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = 2 if name.endswith("csv") else 1
    refused(path, f"{name}:{line}: is longer than 16 MB")
    unit = 1024 if sys.platform != "darwin" else 1
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 120 * 1024 * 1024
    path.unlink()


def test_a_quoted_field_of_many_lines_that_is_too_long(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b'query_id,prompt,model,quality\n1,"' + b"word\n" * 4_000_000 + b'",m,1\n')
    refused(path, "t.csv:2: is longer than 16 MB")


def test_a_quote_that_never_closes_loses_no_row_silently(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('query_id,prompt,model,quality\n1,p,m,1\n2,"p,m,1\n3,p,m,1\n')
    refused(path, "t.csv:3", "quoted field", "does not close")


@pytest.mark.parametrize("line", ['2, "p, q",m,1', '2, "p",m,1', '2,p,m, "1"', ' "2",p,m,1'])
def test_a_blank_before_a_quote_is_refused(tmp_path, line):
    """The prompt was ` "p` to one of the two readers that a table goes through, and `p, q` to the other."""
    path = tmp_path / "t.csv"
    path.write_text(f'query_id,prompt,model,quality\n1,"p, ""p""\n q",m,1\n{line}\n')
    refused(path, "t.csv:4: has a blank before the quote", "right behind the comma")
    path.write_text('query_id,prompt,model,quality\n1," ""p"", q, ",m,1\n2,p "q" r, "m",1\n'.replace(', "m"', ',"m"'))
    assert [query.prompt for query in read_outcomes(path).queries] == [' "p", q, ', 'p "q" r']


def test_an_odd_quote_inside_a_plain_field_is_legal(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('query_id,prompt,model,quality\n1,a 6" pipe,m,1\n')
    assert read_outcomes(path).queries[0].prompt == 'a 6" pipe'


@pytest.mark.parametrize(("line", "fields"), [("2,p,m", 3), ("2,p,m,1,5", 5)])
def test_a_line_with_other_than_the_header_s_fields(tmp_path, line, fields):
    path = tmp_path / "t.csv"
    path.write_text(f"query_id,prompt,model,quality\n1,p,m,1\n{line}\n")
    refused(path, "t.csv:3", f"has {fields} fields where the header has 4")


def test_mixed_line_ends_are_refused_or_read_whole(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"query_id,prompt,model,quality\n1,p,m,1\n2,p,m,1\r\n3,p,m,1\r\n")
    try:  # DuckDB 1.1 reads them, 2.0 does not
        assert len(read_outcomes(path)) == 3
    except DataError:
        refused(path, "cannot be read as CSV", "one kind of line end")


def test_a_blank_first_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\nquery_id,prompt,model,quality\n1,p,m,1\n")
    refused(path, ":1", "blank first line")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"query_id": 2, "prompt": ', "is not valid JSON"),
        ("[1, 2]", "is a JSON list, not an object"),
        ("3", "is a JSON number or constant, not an object"),
        ('{"a": 1} {"b": 2}', "is not valid JSON"),
        ('{"model": "m", "model": "n"}', 'the key "model" stands twice'),
        (
            '{"query_id": "x", "messages": [{"role": "x", "role": "y", "content": "p"}], "model": "m", "quality": 1}',
            'the key "role" stands twice',
        ),
        ('{"prompt": "\\ud800"}', "surrogate"),
        ("[" * 100_000, "is not valid JSON"),
    ],
)
@pytest.mark.parametrize("before", [1, 1500])
def test_broken_json(tmp_path, line, said, before):
    path = tmp_path / "t.jsonl"
    good = "".join(f'{{"query_id":{i},"prompt":"p","model":"m","quality":1}}\n' for i in range(before))
    path.write_text(good + line + "\n")
    refused(path, f"t.jsonl:{before + 1}: ", said)


def test_a_json_list(tmp_path):
    (tmp_path / "t.json").write_text('[{"query_id": 1}]')
    refused(tmp_path / "t.json", "one JSON list, not JSON lines")


def test_a_price_book_is_no_json_list(tmp_path):
    (tmp_path / "prices.toml").write_text("[models.m]\ninput_usd_per_mtok = 1\n")
    refused(tmp_path / "prices.toml", "is TOML, not a table")


def test_ids_and_models_that_were_swapped(write, monkeypatch):
    monkeypatch.setattr("tenbin.outcomes.load.MAX_CELLS", 8)
    table = [dict(GOOD, query_id=str(i), model=f"m{i}") for i in range(3)]
    refused(write(table, "t.csv"), "3 queries x 3 models", "query_id and model")


def test_an_unknown_format(rows, write):
    with pytest.raises(UsageError, match='did you mean "sprout"'):
        read_outcomes(write(rows, "t.csv"), format="sprot")
