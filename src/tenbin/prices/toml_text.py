"""The text of a price book: TOML to entries and back.

[[models."NAME".prices]]        one of several, by date        [models."NAME"]        one undated entry
since = 2026-01-31                                             input_usd_per_mtok = 0.15
input_usd_per_mtok = 0.15                                      output_usd_per_mtok = 0.6
output_usd_per_mtok = 0.6
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from tenbin.errors import PriceError, did_you_mean
from tenbin.types import Price

KEYS = ("since", *(f.name for f in fields(Price) if f.name != "since"))


def read_entries(text: str, name: str) -> dict[str, list[Price]]:
    """The entries by model of a TOML text called `name`; values are checked for their presence, not their range."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise PriceError(f"is not TOML: {error}", where=name, fix="correct that line") from None
    _known(document, ("models",), name)
    models = _table(document.get("models", {}), "models", name)
    return {model: _entries(model, table, name) for model, table in models.items()}


def write_entries(entries: Mapping[str, Sequence[Price]]) -> str:
    """The TOML text of entries by model; the short form where a model has one undated entry."""
    return "\n".join(_write(model, history) for model, history in entries.items())


def _known(table: Mapping[str, Any], keys: Iterable[str], where: str) -> None:
    for key in table:
        if key not in keys:
            fix = did_you_mean(key, keys) or f"known here: {', '.join(keys)}"
            raise PriceError(f'unknown key "{key}"', where=where, fix=fix)


def _table(value: Any, what: str, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PriceError(f"{what} is not a table", where=where, fix='write [models."NAME"]')
    return value


def _entries(model: str, value: Any, name: str) -> list[Price]:
    """The entries of one `[models."NAME"]` table, in the long or the short form."""
    table = _table(value, f"models.{_quoted(model)}", name)
    where = f"{name}, model {_quoted(model)}"
    nested = next((key for key, inner in table.items() if isinstance(inner, dict)), None)
    if nested is not None and nested != "prices":
        fix = f"a name with a dot needs quotes: [models.{_quoted(f'{model}.{nested}')}]"
        raise PriceError(f'unknown table "{nested}"', where=where, fix=fix)
    if "prices" not in table:
        if "since" in table:
            fix = f"write [[models.{_quoted(model)}.prices]] above this entry, in two brackets"
            raise PriceError("has a since, and this form has one price for all time", where=where, fix=fix)
        return [_entry(table, where)]
    _known(table, ["prices"], where)
    if not isinstance(table["prices"], list):
        fix = f"write [[models.{_quoted(model)}.prices]], in two brackets"
        raise PriceError("prices is not a list", where=where, fix=fix)
    return [_entry(_table(entry, "an entry of prices", where), where) for entry in table["prices"]]


def _entry(table: Mapping[str, Any], where: str) -> Price:
    _known(table, KEYS, where)
    for key in ("input_usd_per_mtok", "output_usd_per_mtok"):
        if key not in table:
            raise PriceError(f"{key} is missing", where=where, fix=f"add {key} = dollars per million tokens")
    return Price(**table)


def _write(model: str, history: Sequence[Price]) -> str:
    short_form = len(history) == 1 and history[0].since is None
    title = f"[models.{_quoted(model)}]" if short_form else f"[[models.{_quoted(model)}.prices]]"
    return "".join("\n".join([title, *_lines(price)]) + "\n" for price in history)


def _lines(price: Price) -> Iterable[str]:
    for key in KEYS:
        value = getattr(price, key)
        if value is None or (key == "request_usd" and value == 0):
            continue
        yield f"{key} = {_quoted(value) if isinstance(value, str) else value}"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes, and DEL, which TOML refuses in the raw."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
