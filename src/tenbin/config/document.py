"""`tenbin.toml` as a checked document: only known sections and keys, each of its type, the environment on top.

A variable `TENBIN_SECTION__KEY` (for a section of named tables `TENBIN_SECTION__NAME__KEY`, for a table in one of
those `TENBIN_SECTION__NAME__TABLE__KEY`) overrides the file. In it a name is written in capitals with `_` for whatever
is no letter or digit: `gpt-4.1` is `GPT_4_1`.
"""

from __future__ import annotations

import errno
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenbin.config.schema import SECTIONS
from tenbin.config.values import Kind, check, from_environment, quoted
from tenbin.errors import ConfigError, did_you_mean

PREFIX = "TENBIN_"


@dataclass(frozen=True, slots=True)
class Document:
    """A checked `tenbin.toml`: `plain["plugins"]["allow"]`, `named["candidates"]["gpt-4o"]["model"]`.

    Every known section is there, empty where the file has none; a table inside a named one is a mapping in it,
    `named["profiles"]["cheap"]["sla"]["deadline_s"]`. `name` is what errors call the document, `folder` where it
    stands: relative paths in it start there.
    """

    plain: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    named: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    name: str = "tenbin.toml"
    folder: Path = Path()

    def path(self, written: str) -> Path:
        """A path of the document as it stands on this machine: a relative one starts at the document's folder."""
        return self.folder / written


def load_document(path: Path | None, environ: Mapping[str, str]) -> Document:
    """The document of a file (None: an empty one) under the overrides of `environ`.

    Raises ConfigError for a file that cannot be read, an unknown section or key with the nearest known one, a value
    of a wrong type, and a value that looks like a secret.
    """
    name = "tenbin.toml" if path is None else str(path)
    raw = {} if path is None else _read(path)
    _known(raw, SECTIONS, "section", name)
    plain: dict[str, dict[str, Any]] = {}
    named: dict[str, dict[str, dict[str, Any]]] = {}
    for title, section in SECTIONS.items():
        table = _table(raw.get(title, {}), title, name)
        if section.named:
            named[title] = {key: _inner(inner, title, key, name) for key, inner in table.items()}
        else:
            plain[title] = _checked(table, section.keys, title, name)
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and "__" in variable:
            _override(plain, named, variable, environ[variable])
    return Document(plain, named, name, Path() if path is None else path.parent)


def path_of(section: str, name: str) -> str:
    """How a named table is written in TOML: `candidates.mine`, `candidates."gpt-4.1"`."""
    bare = re.fullmatch(r"[A-Za-z0-9_-]+", name) is not None
    return f"{section}.{name if bare else quoted(name)}"


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        fix = "check the path, or write one with 'tenbin init'" if error.errno == errno.ENOENT else "check the path"
        raise ConfigError(f"cannot be read ({error.strerror})", where=str(path), fix=fix) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8 text", where=str(path), fix="save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"is not TOML: {error}", where=str(path), fix="correct that line") from None


def _table(value: Any, path: str, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{path} is not a table", where=where, fix=f"write [{path}]")
    return value


def _known(keys: Iterable[str], known: Iterable[str], what: str, where: str) -> None:
    for key in keys:
        if key not in known:
            fix = did_you_mean(key, known) or f"known here: {', '.join(known)}"
            raise ConfigError(f"unknown {what} {quoted(key)}", where=where, fix=fix)


def _inner(value: Any, title: str, name: str, where: str) -> dict[str, Any]:
    """One table of a section of named tables, checked, with the tables inside it."""
    section, path = SECTIONS[title], path_of(title, name)
    table = _table(value, path, where)
    known = {*section.keys, *section.tables}
    nested = next((key for key, inner in table.items() if isinstance(inner, dict) and key not in known), None)
    if nested is not None:
        near = did_you_mean(nested, section.tables)
        fix = near or f"a name with a dot needs quotes: [{path_of(title, f'{name}.{nested}')}]"
        raise ConfigError(f"unknown table {quoted(nested)} in {path}", where=where, fix=fix)
    checked = _checked({k: v for k, v in table.items() if k not in section.tables}, section.keys, path, where)
    for inside, keys in section.tables.items():
        if inside in table:
            below = f"{path}.{inside}"
            checked[inside] = _checked(_table(table[inside], below, where), keys, below, where)
    return checked


def _checked(table: Mapping[str, Any], keys: Mapping[str, Kind], path: str, where: str) -> dict[str, Any]:
    _known(table, keys, f"key in {path}:", where)
    return {key: check(value, keys[key], f"{path}.{key}", where) for key, value in table.items()}


def _override(
    plain: Mapping[str, dict[str, Any]],
    named: Mapping[str, Mapping[str, dict[str, Any]]],
    variable: str,
    raw: str,
) -> None:
    """Put one variable over the tables of the file."""
    where = f"environment variable {variable}"
    title, *names, key = variable.removeprefix(PREFIX).lower().split("__")
    _known([title], SECTIONS, "section", where)
    section = SECTIONS[title]
    inside = names.pop() if len(names) > 1 and names[-1] in section.tables else None
    keys = section.keys if inside is None else section.tables[inside]
    _known([key], keys, f"key in {title}:" if inside is None else f"key in {inside} of {title}:", where)
    if section.named:
        target, path = _table_named("__".join(names), title, named[title], where)
        if inside is not None:
            target, path = target.setdefault(inside, {}), f"{path}.{inside}"
    elif names:
        raise ConfigError(
            f"{title} has no tables inside", where=where, fix=f"write {PREFIX}{title.upper()}__{key.upper()}"
        )
    else:
        target, path = plain[title], title
    target[key] = check(from_environment(raw, keys[key]), keys[key], f"{path}.{key}", where)


def _table_named(
    spelled: str, title: str, tables: Mapping[str, dict[str, Any]], where: str
) -> tuple[dict[str, Any], str]:
    name = _named(spelled, title, tables, where)
    return tables[name], path_of(title, name)


def _named(spelled: str, title: str, table: Iterable[str], where: str) -> str:
    names = {name: re.sub(r"[^a-z0-9]", "_", name.lower()) for name in table}
    found = [name for name, variable in names.items() if variable == spelled]
    if len(found) == 1:
        return found[0]
    if found:
        both = " and ".join(f'"{name}"' for name in found)
        raise ConfigError(f"means {both} alike", where=where, fix="set it in tenbin.toml instead")
    fix = did_you_mean(spelled, names.values()) or f"add [{title}.NAME] to tenbin.toml first"
    raise ConfigError(f'there is no "{spelled}" in {title}', where=where, fix=fix)
