"""What may be wrong with one row: found by SQL while the rows stream by, said in one sentence."""

from __future__ import annotations

from collections.abc import Mapping

from tenbin.config.values import quoted
from tenbin.errors import DataError
from tenbin.outcomes.columns import LEAST_PROPENSITY, MOST_AMOUNT, NUMBERS
from tenbin.outcomes.layout import Cell, Layout
from tenbin.reasons import counted
from tenbin.types import SPLITS

MARK = "chr(31)"
SHOWN_CHARS = 40
BLANKS = r"\t-\r\x1c-\x20\x85\p{Z}"
"""The characters that str.strip takes off, as DuckDB writes them in a class of its own."""
VISIBLE = f"[^{BLANKS}]"
AROUND = f"^[{BLANKS}]|[{BLANKS}]$"

RANGES: Mapping[str, str] = {
    "quality": "{c} < 0 OR {c} > 1",
    "label_propensity": f"{{c}} < {LEAST_PROPENSITY} OR {{c}} > 1",
}
"""SQL of what is out of range; every other number is an amount."""
NO_AMOUNT = f"{{c}} < 0 OR {{c}} > {MOST_AMOUNT}"


def not_a_number(cell: Cell) -> str:
    """SQL: the first numeric column of a cell that holds something else, as a fault, or null."""
    cases = [
        f"WHEN {number.raw_if_bad} IS NOT NULL THEN {_fault(ours, 'text', number.raw_if_bad)}"
        for ours, number in cell.numbers.items()
        if number.raw_if_bad != "NULL"
    ]
    return f"CASE {' '.join(cases)} END" if cases else "NULL::VARCHAR"


def no_text(layout: Layout) -> str:
    """SQL: the column that should alone hold the text of a row and does not, as a fault, or null."""
    column = "messages" if layout.prompt == "NULL" else "prompt"
    blank = [f"NOT regexp_matches(coalesce({said}, ''), '{VISIBLE}')" for said in (layout.prompt, layout.messages)]
    cases = [
        f"WHEN {layout.nested} THEN {_sign('nested')}",
        f"WHEN {' AND '.join(blank)} THEN {_sign('blank', column)}",
    ]
    if "NULL" not in (layout.prompt, layout.messages):
        # Of the two a router reads the messages: whatever only the prompt says would be lost without a word.
        cases.append(f"WHEN NOT ({' OR '.join(blank)}) THEN {_sign('both')}")
    return f"CASE {' '.join(cases)} END"


def _sign(kind: str, column: str = "prompt") -> str:
    return f"concat('{column}', {MARK}, '{kind}', {MARK})"


def out_of_place() -> str:
    """SQL over the columns of a row: the first that may not have its value, as a fault, or null."""
    cases = [
        "WHEN mute IS NOT NULL THEN mute",
        f"WHEN query_id IS NULL OR trim(query_id) = '' THEN {_fault('query_id', 'blank', 'NULL')}",
        f"WHEN NOT regexp_matches(coalesce(model, ''), '{VISIBLE}') THEN {_fault('model', 'blank', 'NULL')}",
        # Beside the same name without them it would be a second candidate, each with half of the answers.
        f"WHEN regexp_matches(model, '{AROUND}') THEN {_fault('model', 'around', 'model')}",
        f"WHEN split NOT IN {SPLITS} THEN {_fault('split', 'split', 'split')}",
    ]
    for column in NUMBERS:
        wrong = RANGES.get(column, NO_AMOUNT).format(c=column)
        cases.append(f"WHEN {wrong} THEN {_fault(column, 'range', column)}")
    return f"CASE {' '.join(cases)} END"


def _fault(column: str, kind: str, value: str) -> str:
    return f"concat('{column}', {MARK}, '{kind}', {MARK}, left(CAST({value} AS VARCHAR), {SHOWN_CHARS}))"


def refusal(layout: Layout, record: int, model: str | None, fault: str, others: int) -> DataError:
    """The sentence for the first bad row of a source; `others` more rows are bad too."""
    column, kind, value = fault.split("\x1f", 2)
    more = f" ({counted(others, 'more row has', 'more rows have')} a fault)" if others else ""
    what, fix = _sentence(column, kind, value)
    return DataError(what + more, where=layout.source.place(record, layout.shown(column, model)), fix=fix)


def _sentence(column: str, kind: str, value: str) -> tuple[str, str]:
    if kind == "text":
        return _no_number(column, value)
    if kind in _NO_TEXT:
        return _NO_TEXT[kind]
    if kind == "blank":
        return "is empty", _BLANK[column]
    if kind == "around":
        return f"{quoted(value)} has blanks around it", "take them off, in every row"
    if kind == "split":
        hint = (
            "write calibration for validation" if value.lower().startswith(("val", "dev")) else "use one of the three"
        )
        return f"{_quoted(value)} is none of train, calibration and test", hint
    return _out_of_range(column, value)


def _no_number(column: str, value: str) -> tuple[str, str]:
    if _is_number(value.strip('"')):
        return f"{_quoted(value)} is text, not a number", f"store {column} as numbers"
    return f"{_quoted(value)} is not a number", "write a plain number, or nothing where there is none"


_NO_TEXT: Mapping[str, tuple[str, str]] = {
    "nested": ("is a list or an object, not text", "give chat messages in a column messages: --map messages=COLUMN"),
    "both": (
        "stands beside messages, and a query is one of the two",
        "leave one of them out, or name the column that is meant: --map messages=COLUMN or --map prompt=COLUMN",
    ),
}
_BLANK: Mapping[str, str] = {
    "model": "name the model that answered",
    "query_id": "give every row its query",
    "prompt": "give the text that the model got, or drop the row",
    "messages": "give the messages that the model got, or drop the row",
}


def _out_of_range(column: str, value: str) -> tuple[str, str]:
    if column == "quality":
        return f"{value} is outside [0, 1]", "scale the scores to 0..1, or leave the cell empty where there is none"
    if column == "label_propensity":
        within = "outside (0, 1]" if not 0.0 < float(value) < LEAST_PROPENSITY else f"below {LEAST_PROPENSITY:g}"
        return f"{value} is {within}", "give the probability with which this row was chosen for labelling"
    if value.lstrip("-") == "inf":
        return f"{value} is not a finite number", "leave the cell empty where the number is not known"
    if not value.startswith("-"):
        return f"{value} is more than any call takes", f"give {column} of this one call, at most {MOST_AMOUNT:g}"
    return f"{value} is negative", f"{column} must be 0 or more; leave the cell empty where it is not known"


def _quoted(value: str) -> str:
    bare = value.removeprefix('"').removesuffix('"')  # a text of JSON has both, a long one only the first
    return f'"{bare}"'


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return value.isascii()  # Python reads the digits of every script; a reader of tables does not
