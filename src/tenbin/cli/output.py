"""What commands print: one JSON document, or text with aligned tables; colour only where it is wanted."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import math
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from datetime import date
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

import click

if TYPE_CHECKING:
    from tenbin.report.catalogue import Catalogue

SCHEMA_VERSION = 1
"""Raised when a field of a `--json` document changes its meaning or goes away."""

TEXTS = "tenbin.cli.texts"
"""Where the words of the commands lie, by language."""

OUR_STYLES = re.compile(r"(\x1b\[(?:0|1|2|3[1-3])m)")
"""The codes of `strong`, `faint`, `good` and `caution`, and of failures: colours, weights and their end."""
KEPT = "\n\t\u200c\u200d"
"""Line break, tab, and the joiners that scripts and emoji need."""

NAME_WIDTH = 40
"""What names of prompts and models are cut to in the tables of a pilot."""
GAP = "  "
"""Between the columns of a table."""
LEAST_TEXT = 24
"""The least columns that text is squeezed into."""
WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff01-\uff60"
"""Characters between which a line may be broken without a space: Chinese, Japanese, full-width forms."""
OPENING, CLOSING = "「『（［｛〈《", "、。，．・：；？！ー」』）］｝〉》〜ぁぃぅぇぉっゃゅょァィゥェォッャュョ%"
PIECES = re.compile(f"[{OPENING}]*(?:[{WIDE}]|[^\\s{WIDE}]+)[{CLOSING}]* *| +")
"""What a line is not broken within: a word, or a wide character with the marks that may not begin or end a line."""

STDOUT = "tenbin.cli.stdout"
"""Under which the context of a command keeps the stream of its results."""

Command = TypeVar("Command", bound=Callable[..., Any])


def words_of(lang: str) -> Catalogue:
    """The words of the commands in a language."""
    from tenbin.report.catalogue import load_catalogue  # noqa: PLC0415 (only for commands that speak)

    return load_catalogue(lang, TEXTS)


def json_option(command: Command) -> Command:
    """The flag `--json` (parameter `as_json`), the same on every command that prints results.

    While such a command runs, whatever else prints (a plug-in, a model that loads) goes to stderr: stdout holds the
    results alone.
    """

    @functools.wraps(command)
    def apart(*arguments: Any, **options: Any) -> Any:
        click.get_current_context().meta[STDOUT] = sys.stdout
        with contextlib.redirect_stdout(sys.stderr):
            return command(*arguments, **options)

    flag = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
    return cast(Command, flag(apart))


def results() -> TextIO:
    """The stream of a command's results: stdout as it was when the command began."""
    context = click.get_current_context(silent=True)
    kept: TextIO | None = context.meta.get(STDOUT) if context else None
    return kept or sys.stdout


def emit_json(fields: Mapping[str, Any]) -> None:
    """Print one JSON document on stdout: `schema_version`, then the fields; NaN and infinities become null."""
    document = {"schema_version": SCHEMA_VERSION, **fields}
    click.echo(json.dumps(plain(document), ensure_ascii=False, allow_nan=False, indent=2), file=results())


def plain(value: Any) -> Any:
    """The value as JSON knows it: arrays as lists, dataclasses as objects, dates as text, NaN as null."""
    match value:
        case None | str() | bool() | int():
            found: Any = value
        case float():
            found = value if math.isfinite(value) else None
        case Mapping():
            found = {str(key): plain(item) for key, item in value.items()}
        case set() | frozenset():
            found = sorted(plain(item) for item in value)
        case Sequence():
            found = [plain(item) for item in value]
        case date():
            found = value.isoformat()
        case PathLike():
            found = fspath(value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            found = {field.name: plain(getattr(value, field.name)) for field in fields_of(value)}
        case _ if hasattr(value, "tolist"):  # NumPy arrays and scalars, without importing NumPy here
            found = plain(value.tolist())
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a JSON document")
    return found


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, left: Collection[int] = (0,), indent: int = 0
) -> str:
    """A text table: the columns numbered in `left` flush left, the others flush right, by width on a terminal.

    Cells may hold colour codes and wide (Japanese) characters; line breaks in a cell become spaces. Columns that the
    terminal has no room for follow below, beside the first column again.
    """
    lines = [[one_cell(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(text_width(line[column]) for line in lines) for column in range(len(headers))]
    terminal = terminal_width()
    room = sum(widths) + len(GAP) * len(widths) if terminal is None else terminal - indent
    parts = []
    for columns in _parts(widths, room):
        taken = sum(widths[k] + len(GAP) for k in columns[:-1])
        last = columns[-1]
        if last in left and len(columns) > 1 and taken + widths[last] > room:
            widths[last] = max(room - taken, LEAST_TEXT)
        drawn = [line for cells in lines for line in _row([cells[k] for k in columns], columns, widths, left)]
        ruled = [drawn[0], GAP.join("─" * widths[k] for k in columns), *drawn[1:]]
        parts.append("\n".join(" " * indent + line for line in ruled))
    return "\n\n".join(parts)


def _parts(widths: Sequence[int], room: int) -> list[list[int]]:
    """The columns of each part of a table, the first in every one: as few parts as fit, and as even as they come."""
    parts = _filled(widths, room)
    if len(parts) == 1:
        return parts
    evener = (_filled(widths, narrower) for narrower in range(room - 1, 0, -1))
    return [parts, *itertools.takewhile(lambda found: len(found) == len(parts), evener)][-1]


def _filled(widths: Sequence[int], room: int) -> list[list[int]]:
    """The columns in parts of at most `room`, each as full as it may be; one beside the first always fits."""
    parts = [[0]]
    for column in range(1, len(widths)):
        taken = sum(widths[k] + len(GAP) for k in parts[-1])
        if len(parts[-1]) > 1 and taken + widths[column] > room:
            parts.append([0])
        parts[-1].append(column)
    return parts


def _row(cells: Sequence[str], columns: Sequence[int], widths: Sequence[int], left: Collection[int]) -> list[str]:
    """One row, on several lines where its last cell is wider than its column."""
    *firsts, last = cells
    pieces = broken(last, widths[columns[-1]]) if text_width(last) > widths[columns[-1]] else [last]
    rows = [[*firsts, pieces[0]], *([*("" for _ in firsts), piece] for piece in pieces[1:])]
    return [
        GAP.join(pad(cell, widths[k], right=k not in left) for k, cell in zip(columns, row, strict=True)).rstrip()
        for row in rows
    ]


def terminal_width() -> int | None:
    """The columns of the terminal that results go to; None where they go elsewhere."""
    return shutil.get_terminal_size().columns if results().isatty() else None


def prose(text: str, *, hang: int = 0) -> str:
    """Sentences in lines that fit the terminal, all but the first of a paragraph `hang` columns in."""
    width = terminal_width()
    if width is None:
        return text
    return "\n".join(("\n" + " " * hang).join(broken(line, width - hang)) for line in text.split("\n"))


def broken(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns, broken between words and between wide characters."""
    lines, used = [""], 0
    for piece in PIECES.findall(text):
        size = text_width(piece)
        if lines[-1] and used + text_width(piece.rstrip(" ")) > width:
            lines[-1] = lines[-1].rstrip(" ")
            lines.append("")
            used = 0
        lines[-1] += piece
        used += size
    return lines


def one_cell(text: str) -> str:
    """The text on one line."""
    return " ".join(harmless(text).split())


def harmless(text: str) -> str:
    """The text without what a name or a prompt could use on a terminal: control and direction characters.

    Line breaks, tabs, joiners and the colours of this module stay.
    """
    if text.isprintable():
        return text
    parts = OUR_STYLES.split(text)
    parts[::2] = ["".join("\N{REPLACEMENT CHARACTER}" if _is_harmful(c) else c for c in part) for part in parts[::2]]
    return "".join(parts)


def _is_harmful(char: str) -> bool:
    return char not in KEPT and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def text_width(text: str) -> int:
    """Columns that the text takes on a terminal: 2 for wide characters, 0 for combining ones and colour codes."""
    return sum(char_width(char) for char in click.unstyle(text))


def char_width(char: str) -> int:
    """Columns that a character takes on a terminal."""
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text filled with spaces to `width` terminal columns."""
    space = " " * (width - text_width(text))
    return space + text if right else text + space


def clip(text: str, width: int) -> str:
    """The text on one line, cut to `width` terminal columns with an ellipsis."""
    flat = one_cell(text)
    if text_width(flat) <= width:
        return flat
    kept, used = [], 1
    for char in flat:
        used += char_width(char)
        if used > width:
            break
        kept.append(char)
    return "".join(kept) + "…"


def say(text: str = "", *, err: bool = False) -> None:
    """Print a line of text; colour codes are dropped where the stream is no terminal or NO_COLOR is set."""
    click.echo(harmless(text), file=None if err else results(), err=err)


def strong(text: str) -> str:
    """Bold: what to look at first."""
    return click.style(text, bold=True)


def faint(text: str) -> str:
    """Dim: what may be passed over."""
    return click.style(text, dim=True)


def good(text: str) -> str:
    """Bold green: a choice, a success."""
    return click.style(text, fg="green", bold=True)


def caution(text: str) -> str:
    """Bold yellow: a warning."""
    return click.style(text, fg="yellow", bold=True)


def usd(value: float | None) -> str:
    """Dollars with three significant digits, and never in powers of ten: `$0.0000373`, `$1.20`, `$1,234`."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "$0"
    size = abs(value)
    decimals = 0 if size >= 1000 else 2 if size >= 1 else min(12, 2 - math.floor(math.log10(size)))
    return f"{'-' if value < 0 else ''}${size:,.{decimals}f}"


def number(value: float | None, decimals: int = 3) -> str:
    """A number with fixed decimals, a dash where it is not known."""
    return "–" if value is None or not math.isfinite(value) else f"{value:z,.{decimals}f}"


def percent(value: float | None, decimals: int = 1) -> str:
    """A share in per cent, a dash where it is not known."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:z.{decimals}f}%"
