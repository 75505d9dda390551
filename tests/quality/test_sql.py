"""Queries are compared by their rows, and can do nothing but read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.errors import ConfigError, DataError
from tenbin.quality.apart.sql_rows import are_equal, compare
from tenbin.quality.sql import SqlRows, query_of

FIXTURE = """
CREATE TABLE city (name TEXT, people INTEGER, share REAL);
INSERT INTO city VALUES ('Tokyo', 14, 0.1), ('Kyoto', 1, 0.3333333333), ('Osaka', 3, NULL);
"""
NAMES = "SELECT name FROM city"


def verdict(answer: str, reference: str = NAMES) -> dict[str, object]:
    return compare({"fixture": FIXTURE, "reference": reference, "answer": answer})


@pytest.mark.parametrize(
    ("answer", "reference", "equal"),
    [
        ("SELECT name AS n FROM city ORDER BY people", NAMES, True),
        ("SELECT name FROM city ORDER BY people", f"{NAMES} ORDER BY people", True),
        ("SELECT name FROM city ORDER BY people DESC", f"{NAMES} ORDER BY people", False),
        ("SELECT name FROM city LIMIT 2", NAMES, False),
        ("SELECT name FROM city UNION ALL SELECT 'Kyoto'", NAMES, False),
        ("SELECT name, people FROM city", NAMES, False),
        ("SELECT 1.0 / 3", "SELECT share FROM city WHERE name = 'Kyoto'", True),
        ("SELECT 14.0", "SELECT people FROM city WHERE name = 'Tokyo'", True),
        ("SELECT 12345679", "SELECT 12345678", False),
        ("SELECT 12345679.0", "SELECT 12345678", True),
        ("SELECT NULL", "SELECT 0", False),
        ("SELECT name FROM nowhere", NAMES, False),
        ("not SQL", NAMES, False),
        ("SELECT name FROM city WHERE 0", "SELECT name FROM city WHERE 1 = 2", True),
    ],
)
def test_rows_decide(answer: str, reference: str, equal: bool) -> None:
    assert verdict(answer, reference) == {"equal": equal}


@pytest.mark.parametrize(
    "answer",
    [
        "DROP TABLE city",
        "DELETE FROM city RETURNING name",
        "ATTACH '/tmp/x.db' AS x",
        "PRAGMA writable_schema = 1",
        "SELECT load_extension('x')",
        "SELECT name FROM city; DROP TABLE city",
        "SELECT name, length(hex(zeroblob(900000000))) FROM city",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "SELECT name FROM pragma_table_info('city')",
    ],
)
def test_what_does_more_than_read_or_never_ends_has_failed(answer: str) -> None:
    assert verdict(answer) == {"equal": False}


def test_what_is_not_the_answers_fault_leaves_the_quality_open(tmp_path: Path) -> None:
    fixture = tmp_path / "fixture.sql"
    fixture.write_text(FIXTURE)
    metric = SqlRows(fixture)
    assert metric.score("", "```sql\nSELECT name FROM city;\n```", NAMES) == 1.0
    assert metric.score("", NAMES, None) is None
    assert metric.score("", "", f"{NAMES} WHERE people < 0") == 0.0  # no query, where no row is wanted
    with pytest.raises(DataError, match="the reference fails: it is no query"):
        metric.score("", "", " ")
    with pytest.raises(DataError, match="the reference fails: no such table: nowhere"):
        metric.score("", NAMES, "SELECT * FROM nowhere")
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT i FROM n"
    assert "more than 10000 rows" in str(verdict(NAMES, many)["fault"])
    fixture.write_text("CREATE TABLE city (")
    with pytest.raises(ConfigError, match="the fixture fails"):
        SqlRows(fixture)
    with pytest.raises(ConfigError, match="cannot be read"):
        SqlRows(tmp_path / "none.sql")


TIES = "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (2, 'z'), (3, 'w');"


@pytest.mark.parametrize(
    ("reference", "said", "equal"),
    [
        ("select b from t order\n by a", "xyzw", True),
        ("select b from t order by a", "xzyw", True),
        ("select b from t order by a", "yxzw", False),
        ("select b from t order by a, b", "xzyw", False),
        ("select b from (select * from t order by b)", "wzyx", True),
        ("select b, 'order by' from t", "wzyx", True),
        ("select b from t -- order by a", "wzyx", True),
        (
            "select b from t where a > (select min(a) - 1 from t order by 1) order by t.a asc, a % 2 limit 9;",
            "xzyw",
            True,
        ),
        ("select b from t order by a limit 3", "xzy", True),
        ("with u as (select b, a as c from t) select u.b from u order by -c desc", "xzyw", True),
        ("select b from t where a < 2 union all select b from t where a > 1 order by b", "xzyw", False),
        ("select distinct b from t order by a", "xzyw", False),
    ],
)
def test_order_counts_where_the_reference_gives_one_and_ties_are_in_any(reference: str, said: str, equal: bool) -> None:
    """A right query that breaks a tie otherwise graded 0; the last two have no place for the column they sort by."""
    answer = " UNION ALL ".join(f"SELECT '{letter}'" for letter in said)
    if "'order by'" in reference:
        answer = answer.replace(" UNION", ", 'order by' UNION") + ", 'order by'"
    assert compare({"fixture": TIES, "reference": reference, "answer": answer}) == {"equal": equal}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ([(1234564,), (1234561,)], [(1234561,), (1234564,)]),  # alike in six digits, apart by more than a millionth
        ([(1000002, "a"), (1000001, "b")], [(1000001, "b"), (1000002, "a")]),  # apart by less
        ([(2.4999995, "b"), (2.4999994, "a")], [(2.4999996, "a"), (2.4999996, "b")]),
        ([(2.0000050001, "a"), (2.0000049999, "b")], [(2.0000049999, "a"), (2.0000050001, "b")]),  # a rounding between
        ([(b"x",), (None,), ("x",), (9e999,), (1,)], [(1.0,), (9e999,), (None,), ("x",), (b"x",)]),
        ([], []),
    ],
)
def test_rows_in_any_order_find_their_like_whatever_their_digits(said: list[object], wanted: list[object]) -> None:
    assert are_equal(said, wanted, [len(wanted)])  # type: ignore[arg-type]
    assert are_equal(wanted, said, [len(wanted)])  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(10**6, 10**6 + 99) | st.floats(-1e9, 1e9) | st.none())), st.randoms())
def test_rows_are_equal_to_themselves_in_any_order(rows: list[tuple[object]], draw: object) -> None:
    mixed = rows.copy()
    draw.shuffle(mixed)  # type: ignore[attr-defined]
    assert are_equal(mixed, rows, [len(rows)])


@given(st.lists(st.tuples(st.none() | st.integers(-99, 99) | st.text(max_size=3), st.floats(-9, 9))), st.randoms())
def test_the_same_rows_in_any_order_are_equal(rows: list[tuple[object, float]], draw: object) -> None:
    mixed = [(text, number * (1 + 1e-9)) for text, number in rows]
    draw.shuffle(mixed)  # type: ignore[attr-defined]
    assert are_equal(mixed, rows, [len(rows)])
    assert not are_equal([*mixed, (None, 0.0)], rows, [len(rows)])


@pytest.mark.parametrize(
    ("answer", "query"),
    [
        ("First:\n```sql\nSELECT 1\n```\nbetter:\n```sql\nSELECT 2\n```", "SELECT 2"),
        ("You may use: SELECT 1", "SELECT 1"),
        ("with a as (select 1) select * from a", "with a as (select 1) select * from a"),
        ("no idea", "no idea"),
        ("```postgresql\nSELECT 1\n```\nThat is it.", "SELECT 1"),
        ("```sql\r\nSELECT 1\r\n```\r\nThat is it.", "SELECT 1"),
        ("```sql\nSELECT 1\n```\nTo make it fast:\n```sql\nCREATE INDEX i ON t (a)\n```", "SELECT 1"),
        ("Use `SELECT a FROM t` for that.", "SELECT a FROM t"),
        ("Use ``SELECT `a` FROM t`` for that.", "SELECT `a` FROM t"),
        ("SELECT a\n\nFROM t\n\nThis gives all.", "SELECT a\n\nFROM t"),
        ("With these values one can select it:\n\nSELECT 'a;b';\n\nIt gives one row; that is all.", "SELECT 'a;b';"),
        ("select 1; drop table t", "select 1; drop table t"),
    ],
)
def test_which_query_of_an_answer_counts(answer: str, query: str) -> None:
    assert query_of(answer) == query
