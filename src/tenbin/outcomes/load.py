"""From layouts to one Panel: rows stream through DuckDB, are checked there, and come back as arrays."""

# SQL is put together from our own words and quoted names (`identifier`, `literal`); no value of a user is in it.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from tenbin.errors import DataError
from tenbin.outcomes.columns import NUMBERS
from tenbin.outcomes.digest import content_hash
from tenbin.outcomes.faults import MARK, no_text, not_a_number, out_of_place, refusal
from tenbin.outcomes.layout import Layout
from tenbin.outcomes.texts import texts
from tenbin.types import Floats, Panel, Progress, Query

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMITS = ("512MB", "2GB", "8GB")
"""What DuckDB may take: the first is enough for 100,000 prompts x 14 models; where it is not, because prompts are
hundreds of kilobytes long, reading starts again with the next."""
INTERRUPTED = "Query interrupted"
"""What DuckDB says, in place of the exception that it swallows, where a signal's handler raises during a query."""
MAX_CELLS = 50_000_000
"""Queries x models: seven arrays of 8 bytes a cell are 2.8 GB."""
NOISE = "label_noise_sd"

FILE_STEP = 1 << 40
"""A row's position is file number * FILE_STEP + record number: one integer, ordered as the files are."""


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own, bounded in memory, that loads no extension and spills to a folder removed afterwards.

    Whatever stops a query from outside is raised as KeyboardInterrupt.
    """
    import tempfile  # noqa: PLC0415

    import duckdb  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="tenbin-") as folder:
        con = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMITS[0],
                "temp_directory": folder,
                "threads": 2,
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )
        try:
            con.execute("SET enable_progress_bar = false")
            yield con
        except RuntimeError as error:
            if str(error) == INTERRUPTED:
                raise KeyboardInterrupt from error
            raise
        finally:
            con.close()


def load(con: duckdb.DuckDBPyConnection, layouts: Sequence[Layout], progress: Progress | None) -> Panel:
    """Read, check and join the sources of one table (DataError naming file, line and column of the first fault)."""
    import duckdb  # noqa: PLC0415

    for limit in MEMORY_LIMITS:
        try:
            con.execute(f"SET memory_limit = '{limit}'")
            return _load(con, layouts, progress)
        except duckdb.OutOfMemoryException:
            continue
        except duckdb.Error as error:
            raise layouts[0].source.explain() from error
    raise DataError(
        f"needs more than {MEMORY_LIMITS[-1]} of memory to be read",
        where=str(layouts[0].source.path),
        fix="leave out what is not needed, or shorten the prompts",
    )


def _load(con: duckdb.DuckDBPyConnection, layouts: Sequence[Layout], progress: Progress | None) -> Panel:
    numbers = ", ".join(f"{name} DOUBLE" for name in NUMBERS)
    for table in ("cells", "queries", "models", "renamed"):
        con.execute(f"DROP TABLE IF EXISTS {table}")
    con.execute(
        "CREATE TABLE cells (pos BIGINT, query_id VARCHAR, text_hash UBIGINT, grp VARCHAR, split VARCHAR,"
        f" model VARCHAR, {numbers}, fault VARCHAR)"
    )
    for index, layout in enumerate(layouts):
        _tell(progress, 0.05 + 0.5 * index / len(layouts))
        _insert(con, index, layout)
    _refuse_faults(con, layouts)
    if layouts[0].wide:
        _number_repeats(con)
    _join_queries(con, layouts)
    _tell(progress, 0.6)
    models = [str(row[0]) for row in con.execute("SELECT DISTINCT model FROM cells ORDER BY model").fetchall()]
    arrays = _arrays(con, layouts, models)
    _tell(progress, 0.75)
    queries, split = _queries(con, layouts)
    noise: Floats | None = arrays[NOISE]
    if noise is not None and np.isnan(noise).all():
        noise = None
    # Without the column a table has the hash that it had before there was one.
    ordered = [arrays[name] for name in NUMBERS if name != NOISE or noise is not None]
    panel = Panel(
        queries=tuple(queries),
        models=tuple(models),
        quality=arrays["quality"],
        input_tokens=arrays["input_tokens"],
        output_tokens=arrays["output_tokens"],
        cost_usd=arrays["cost_usd"],
        latency_s=arrays["latency_s"],
        label_propensity=arrays["label_propensity"],
        split=split,
        data_hash=content_hash(queries, models, split, ordered),
        label_noise_sd=noise,
    )
    _tell(progress, 1.0)
    return panel


def _tell(progress: Progress | None, done: float) -> None:
    if progress is not None:
        progress("reading outcomes", done)


def _insert(con: duckdb.DuckDBPyConnection, index: int, layout: Layout) -> None:
    import duckdb  # noqa: PLC0415

    structs = [
        "{"
        + ", ".join(
            [f"'model': {cell.model}"]
            + [f"'{name}': {number.value}" for name, number in cell.numbers.items()]
            + [f"'bad': {not_a_number(cell)}"]
        )
        + "}"
        for cell in layout.cells
    ]
    cells = f"unnest([{', '.join(structs)}])" if len(structs) > 1 else structs[0]
    # The mark keeps the two apart: text that moves from one to the other is another text.
    said = f"concat({layout.messages}, {MARK}, {layout.prompt})"
    query_id = layout.query_id or f"concat('q-', left(sha256({said}), 20))"
    rows = (
        f"SELECT {index * FILE_STEP} + record AS pos, {query_id} AS query_id, hash({said}) AS text_hash,"
        f" nullif({layout.group}, '') AS grp, nullif({layout.split}, '') AS split, {no_text(layout)} AS mute,"
        f" {cells} AS cell"
        f" FROM ({layout.source.scan(layout.scanned)})"
    )
    picked = ", ".join(f"cell.{name} AS {name}" for name in ("model", *NUMBERS, "bad"))
    flat = f"SELECT pos, query_id, text_hash, grp, split, mute, {picked} FROM ({rows})"
    try:
        con.execute(f"INSERT INTO cells SELECT * EXCLUDE (bad, mute), coalesce(bad, {out_of_place()}) FROM ({flat})")
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise layout.source.explain() from error


def _refuse_faults(con: duckdb.DuckDBPyConnection, layouts: Sequence[Layout]) -> None:
    total, labelled = _row(con, "SELECT count(*), count(quality) FROM cells")
    where = str(layouts[0].source.path if len(layouts) == 1 else layouts[0].source.path.parent)
    if not total:
        raise DataError("has no rows", where=where, fix="give a table with one row per query and model")
    bad = con.execute(
        "SELECT pos, model, fault, count(DISTINCT pos) OVER () - 1 FROM cells WHERE fault IS NOT NULL"
        " ORDER BY pos, model LIMIT 1"
    ).fetchone()
    if bad is not None:
        layout, record = _origin(layouts, bad[0])
        raise refusal(layout, record, bad[1], bad[2], bad[3])
    if not labelled:
        column = layouts[0].shown("quality", None)
        raise DataError(
            f"no row has a quality: the column {column} is empty or NaN everywhere",
            where=where,
            fix="score some answers first, or name the column that has the scores with --map quality=THEIR_COLUMN",
        )


def _number_repeats(con: duckdb.DuckDBPyConnection) -> None:
    # Public sets ask a prompt twice, or use an id twice. Each row is a query of its own there: the second becomes
    # "id#2", counted in order of content, so that the order of rows decides nothing.
    told = ", ".join(("model", *NUMBERS))
    con.execute(
        "CREATE TABLE renamed AS SELECT pos, concat(query_id, '#', nth) AS new_id FROM (SELECT pos, query_id,"
        " row_number() OVER (PARTITION BY query_id ORDER BY text_hash, told, split, pos) AS nth FROM (SELECT pos,"
        f" query_id, min(text_hash) AS text_hash, min(split) AS split, string_agg(concat_ws(',', {told}), ';' ORDER BY"
        " model) AS told FROM cells WHERE query_id IN (SELECT query_id FROM cells GROUP BY query_id, model HAVING"
        " count(*) > 1) GROUP BY pos, query_id)) WHERE nth > 1"
    )
    con.execute("UPDATE cells SET query_id = renamed.new_id FROM renamed WHERE cells.pos = renamed.pos")


def _join_queries(con: duckdb.DuckDBPyConnection, layouts: Sequence[Layout]) -> None:
    con.execute(
        "CREATE TABLE queries AS SELECT row_number() OVER (ORDER BY query_id) - 1 AS qi, * FROM (SELECT query_id,"
        " min(pos) AS pos, min(text_hash) AS text_lo, max(text_hash) AS text_hi, min(grp) AS grp, max(grp) AS grp_hi,"
        " min(split) AS split, max(split) AS split_hi FROM cells GROUP BY query_id)"
    )
    for column, low, high, shown in (
        ("text_hash", "text_lo", "text_hi", "prompt"),
        ("grp", "grp", "grp_hi", "group"),
        ("split", "split", "split_hi", "split"),
    ):
        _refuse_contradiction(con, layouts, column, f"{low} <> {high}", shown)
    if not layouts[0].wide:
        _refuse_number_twice(con, layouts)
    if _row(con, "SELECT count(split) FROM queries")[0]:
        bare = con.execute("SELECT pos FROM queries WHERE split IS NULL ORDER BY pos LIMIT 1").fetchone()
        if bare is not None:
            layout, record = _origin(layouts, bare[0])
            where = layout.source.place(record, layout.shown("split", None))
            raise DataError("is empty", where=where, fix="give every query a split, or leave the column out")


def _refuse_number_twice(con: duckdb.DuckDBPyConnection, layouts: Sequence[Layout]) -> None:
    # A column of whole numbers with a gap is written as 1.0, 2.0: beside 1, 2 each query would be two, half labelled.
    bad = con.execute(
        "SELECT one.query_id, one.pos, other.pos FROM queries one JOIN queries other"
        " ON other.query_id = concat(one.query_id, '.0') AND other.text_lo = one.text_lo"
        " WHERE regexp_matches(one.query_id, '^-?[0-9]+$') ORDER BY one.pos LIMIT 1"
    ).fetchone()
    if bad is None:
        return
    (first_layout, first), (layout, record) = (_origin(layouts, pos) for pos in sorted(bad[1:]))
    raise DataError(
        f'the query of one text is "{bad[0]}" and "{bad[0]}.0"; the other stands in {first_layout.source.place(first)}',
        where=layout.source.place(record, layout.shown("query_id", None)),
        fix="write query_id as whole numbers, or as text, everywhere",
    )


def _refuse_contradiction(
    con: duckdb.DuckDBPyConnection, layouts: Sequence[Layout], column: str, differs: str, shown: str
) -> None:
    bad = con.execute(f"SELECT query_id FROM queries WHERE {differs} ORDER BY pos LIMIT 1").fetchone()
    if bad is None:
        return
    rows = con.execute(
        f"SELECT min(pos) FROM cells WHERE query_id = ? GROUP BY {column} ORDER BY min(pos) LIMIT 2",
        [bad[0]],
    ).fetchall()
    (first_layout, first), (layout, record) = _origin(layouts, rows[0][0]), _origin(layouts, rows[1][0])
    raise DataError(
        f"query {_short(bad[0])} has another {shown} than in {first_layout.source.place(first)}",
        where=layout.source.place(record, layout.shown(shown, None)),
        fix="give different queries different ids, and one query the same in all its rows",
    )


def _arrays(con: duckdb.DuckDBPyConnection, layouts: Sequence[Layout], models: Sequence[str]) -> dict[str, Floats]:
    n, n_models = _row(con, "SELECT count(*) FROM queries")[0], len(models)
    if n * n_models > MAX_CELLS:
        raise DataError(
            f"{n:,} queries x {n_models:,} models are more than {MAX_CELLS:,} cells",
            where=str(layouts[0].source.path),
            fix="check that query_id and model are the columns you mean, or give fewer queries",
        )
    con.execute(
        "CREATE TABLE models AS SELECT row_number() OVER (ORDER BY model) - 1 AS mi, model FROM "
        "(SELECT DISTINCT model FROM cells)"
    )
    values = ", ".join(f"coalesce({name}, 'nan'::DOUBLE) AS {name}" for name in NUMBERS)
    table = con.execute(
        f"SELECT qi * {n_models} + mi AS at, {values} FROM cells"
        " JOIN queries USING (query_id) JOIN models USING (model)"
    ).fetchnumpy()
    at = np.asarray(table["at"], dtype=np.int64)
    times = np.bincount(at, minlength=n * n_models)
    if times.max() > 1:
        _refuse_duplicate(con, layouts, times, models)
    arrays = {}
    for name in NUMBERS:
        filled = np.full(n * n_models, np.nan)
        filled[at] = table.pop(name)
        arrays[name] = filled.reshape(n, n_models)
    arrays["label_propensity"][np.isnan(arrays["label_propensity"])] = 1.0
    return arrays


def _refuse_duplicate(
    con: duckdb.DuckDBPyConnection,
    layouts: Sequence[Layout],
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
    models: Sequence[str],
) -> None:
    cell = int(np.argmax(times > 1))
    query_id = _row(con, f"SELECT query_id FROM queries WHERE qi = {cell // len(models)}")[0]
    model = models[cell % len(models)]
    rows = con.execute(
        "SELECT pos FROM cells WHERE query_id = ? AND model = ? ORDER BY pos LIMIT 2", [query_id, model]
    ).fetchall()
    (first_layout, first), (layout, record) = _origin(layouts, rows[0][0]), _origin(layouts, rows[1][0])
    repeats = int((times > 1).sum()) - 1
    raise DataError(
        f"query {_short(query_id)} and model {_short(model)} stand in {first_layout.source.place(first)} too"
        + (f" ({repeats:,} more pairs repeat)" if repeats else ""),
        where=layout.source.place(record),
        fix="keep one row per query and model (average repeated answers first)"
        if layout.query_id
        else "keep one row per prompt and model, or add a query_id column where a prompt was asked twice",
    )


def _queries(con: duckdb.DuckDBPyConnection, layouts: Sequence[Layout]) -> tuple[list[Query], tuple[str, ...] | None]:
    rows = con.execute("SELECT query_id, grp, split, pos FROM queries ORDER BY qi").fetchall()
    queries: list[Query] = [Query("")] * len(rows)
    by_position = sorted((row[3], qi) for qi, row in enumerate(rows))
    for index, layout in enumerate(layouts):
        at = {pos % FILE_STEP: qi for pos, qi in by_position if pos // FILE_STEP == index}
        for record, prompt, messages in texts(con, layout, list(at)):
            qi = at[record]
            queries[qi] = Query(query_id=rows[qi][0], prompt=prompt, messages=messages, group=rows[qi][1])
    split = None if rows[0][2] is None else tuple(str(row[2]) for row in rows)
    return queries, split


def _origin(layouts: Sequence[Layout], pos: int) -> tuple[Layout, int]:
    return layouts[pos // FILE_STEP], pos % FILE_STEP


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    row = con.execute(sql).fetchone()
    return row if row is not None else (0, 0)


def _short(name: object) -> str:
    text = str(name)
    return f'"{text[:60]}..."' if len(text) > 60 else f'"{text}"'
