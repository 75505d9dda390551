"""Tables that stay readable on a phone: there every row becomes a small card, and cells carry their own heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenbin.report.markup import Markup, el, join


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading and whether it holds figures (right-aligned)."""

    heading: str
    figures: bool = True


def cell(main: str, note: str = "") -> Markup:
    """A cell's content with a small second line, such as a figure's interval."""
    return join(el("span", main, class_="v"), el("span", note, class_="n")) if note else el("span", main, class_="v")


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, caption: str, marked: frozenset[int] = frozenset()
) -> Markup:
    """A table whose first column heads its rows; the rows in `marked` stand out."""
    head = el("tr", *(_head(column) for column in columns), role="row")
    body = [_row(columns, row, index in marked) for index, row in enumerate(rows)]
    return el(
        "table",
        el("caption", caption, class_="unseen"),
        el("thead", head, role="rowgroup"),
        el("tbody", *body, role="rowgroup"),
        role="table",
    )


def _head(column: Column) -> Markup:
    return el("th", column.heading, scope="col", role="columnheader", class_="f" if column.figures else None)


def _row(columns: Sequence[Column], row: Sequence[str], marked: bool) -> Markup:
    first = el("th", row[0], scope="row", role="rowheader")
    rest = [
        el("td", content, role="cell", data_label=column.heading, class_="f" if column.figures else None)
        for column, content in zip(columns[1:], row[1:], strict=True)
    ]
    return el("tr", first, *rest, role="row", class_="marked" if marked else None)
