"""`tenbin.toml` as a checked document: only known sections and keys, each of its type, the environment on top.

A variable `TENBIN_SECTION__KEY` (for a section of named tables `TENBIN_SECTION__NAME__KEY`) overrides the file. In
it a name is written in capitals with `_` for whatever is no letter or digit: `gpt-4.1` is `GPT_4_1`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenbin.config.values import Kind, check, from_environment
from tenbin.errors import ConfigError, did_you_mean

PREFIX = "TENBIN_"


@dataclass(frozen=True, slots=True)
class Section:
    """The keys of one section and what they hold; `named` where it is a set of tables, `[section.NAME]`."""

    keys: Mapping[str, Kind]
    named: bool = False


SECTIONS: Mapping[str, Section] = {
    "candidates": Section(
        {
            "provider": "text",
            "model": "text",
            "reasoning_effort": "text",
            "max_output_tokens": "count",
            "context_window_tokens": "count",
            "capabilities": "texts",
            "base_url": "text",
            "api_key_env": "text",
        },
        named=True,
    ),
    "plugins": Section({"allow": "texts"}),
}
"""Every section that `tenbin.toml` may have; a new one is a row here and a file that reads it."""


@dataclass(frozen=True, slots=True)
class Document:
    """A checked `tenbin.toml`: `plain["plugins"]["allow"]`, `named["candidates"]["gpt-4o"]["model"]`.

    Every known section is there, empty where the file has none. `name` is what errors call the document.
    """

    plain: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    named: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    name: str = "tenbin.toml"


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
            plain[title] = _checked(table, section, title, name)
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and "__" in variable:
            _override(plain, named, variable, environ[variable])
    return Document(plain, named, name)


def path_of(section: str, name: str) -> str:
    """How a named table is written in TOML: `candidates.mine`, `candidates."gpt-4.1"`."""
    return f"{section}.{name}" if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'{section}."{name}"'


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=str(path), fix="check the path") from None
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
            raise ConfigError(f'unknown {what} "{key}"', where=where, fix=fix)


def _inner(value: Any, title: str, name: str, where: str) -> dict[str, Any]:
    """One table of a section of named tables, checked."""
    section, path = SECTIONS[title], path_of(title, name)
    table = _table(value, path, where)
    nested = next((key for key, inner in table.items() if isinstance(inner, dict) and key not in section.keys), None)
    if nested is not None:
        fix = f"a name with a dot needs quotes: [{path_of(title, f'{name}.{nested}')}]"
        raise ConfigError(f'unknown table "{nested}" in {path}', where=where, fix=fix)
    return _checked(table, section, path, where)


def _checked(table: Mapping[str, Any], section: Section, path: str, where: str) -> dict[str, Any]:
    _known(table, section.keys, f"key in {path}:", where)
    return {key: check(value, section.keys[key], f"{path}.{key}", where) for key, value in table.items()}


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
    _known([key], section.keys, f"key in {title}:", where)
    if section.named:
        name = _named("__".join(names), title, named[title], where)
        target, path = named[title][name], path_of(title, name)
    elif names:
        raise ConfigError(
            f"{title} has no tables inside", where=where, fix=f"write {PREFIX}{title.upper()}__{key.upper()}"
        )
    else:
        target, path = plain[title], title
    kind = section.keys[key]
    target[key] = check(from_environment(raw, kind), kind, f"{path}.{key}", where)


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
