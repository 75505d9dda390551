"""What a key of `tenbin.toml` may hold, and how the same is written in an environment variable."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import date, time
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

from tenbin.errors import ConfigError, did_you_mean

Word = Literal[
    "text",
    "texts",
    "flag",
    "count",
    "number",
    "share",
    "ratio",
    "dollars",
    "seconds",
    "milliseconds",
    "host",
    "port",
    "url",
    "variable",
    "weights",
    "settings",
]
Kind = Word | tuple[str, ...]
"""One of the kinds that DESCRIPTIONS puts in words, or the texts to choose from."""

DESCRIPTIONS: Mapping[Word, str] = {
    "text": "a text in quotes",
    "texts": 'a list of texts, as ["a", "b"]',
    "flag": "true or false",
    "count": "a whole number above 0",
    "number": "a number, 0 or more",
    "share": "a number from 0 to 1",
    "ratio": "a share of the reference's, above 0 and at most 2",
    "dollars": "a number of dollars above 0",
    "seconds": "a number of seconds above 0",
    "milliseconds": "a number of milliseconds above 0",
    "host": 'the name or address of a machine alone, as "127.0.0.1"',
    "port": "a port from 1 to 65535, or 0 for any free one",
    "url": "an address",
    "variable": "the name of an environment variable",
    "weights": "a table of numbers above 0, as { accuracy = 0.7, style = 0.3 }",
    "settings": "a table of texts, numbers and flags",
}
TINY, MANY = 5e-324, 1e12
"""The least number above 0, and one that no number of dollars or seconds is above but by a slip of the pen."""
WHOLE_RANGES: Mapping[Word, tuple[int, int]] = {"count": (1, 10**18), "port": (0, 65535)}
RANGES: Mapping[Word, tuple[float, float]] = {
    "number": (0.0, MANY),
    "share": (0.0, 1.0),
    "ratio": (TINY, 2.0),
    "dollars": (TINY, MANY),
    "seconds": (TINY, MANY),
    "milliseconds": (TINY, MANY),
}
"""Like WHOLE_RANGES from and to, both within."""
SECRET = re.compile(
    r"(sk|pk|rk|gsk|xai|pplx|hf|ghp|github_pat|fw|nvapi|tgp|tb)[-_][A-Za-z0-9_\-]{16,}|AIza[\w\-]{20,}"
    r"|A[KS]IA[A-Z0-9]{16}|Bearer\s+\S{8,}|eyJ[\w\-]{10,}\.[\w\-]{10,}\..*",
    re.DOTALL,
)
"""How keys of the known providers and our own begin; cloud access keys; bearer tokens."""
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
ENDPOINT = re.compile(r"(/chat/completions|/messages|/responses|/embeddings)/*\Z")
WHOLE = re.compile(r"[0-9]{1,18}")
DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?|\.[0-9]{1,18}")


def check(value: Any, kind: Kind, key: str, where: str) -> Any:
    """The value if it is of its kind; ConfigError naming the key otherwise. A secret is refused and never repeated."""
    if any(isinstance(text, str) and SECRET.fullmatch(text.strip()) for text in _held(value)):
        raise ConfigError(
            f"{key} looks like a secret key",
            where=where,
            fix="take it out, renew it if others saw this file, and name an environment variable in api_key_env",
        )
    if kind == "url" and _is(value, "text"):
        _check_url(value, key, where)
    elif kind == "variable" and _is(value, "text"):
        _check_variable(value, key, where)
    elif isinstance(kind, tuple):
        _check_choice(value, kind, key, where)
    elif isinstance(value, str) and not value.strip():
        raise ConfigError(f"{key} is empty", where=where, fix=f"correct {key}, or take it out")
    elif not _is(value, kind):
        expected = DESCRIPTIONS["text" if kind in ("url", "variable") else kind]
        raise ConfigError(f"{key} = {shown(value)} is not {expected}", where=where, fix=f"correct {key}")
    if kind == "texts":
        return tuple(value)
    if kind == "weights":
        return {name: float(weight) for name, weight in value.items()}
    return float(value) if kind in RANGES else value


def from_environment(raw: str, kind: Kind) -> Any:
    """The value that a variable's text stands for: digits for a number, true or false, names with commas for a list.

    Text that is no number or flag is handed back as it is, for `check` to refuse.
    """
    bare = raw.strip()
    if kind in WHOLE_RANGES:
        return int(bare) if WHOLE.fullmatch(bare) else raw
    if kind in RANGES:
        return float(bare) if DECIMAL.fullmatch(bare) else raw
    if kind == "flag":
        return {"true": True, "false": False}.get(bare.lower(), raw)
    if kind == "texts":
        return [part.strip() for part in raw.split(",") if part.strip()]
    return raw


def _held(value: Any) -> Collection[Any]:
    """The single values in what a key holds."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else [value]


def _is(value: Any, kind: Word) -> bool:
    if kind in WHOLE_RANGES:
        least, most = WHOLE_RANGES[kind]
        return _is_whole(value) and least <= value <= most
    if kind in RANGES:
        return _is_within(value, kind)
    if kind == "flag":
        return isinstance(value, bool)
    if kind in ("weights", "settings"):
        return isinstance(value, dict) and _is_table(value, kind)
    if kind == "texts":
        return isinstance(value, list) and all(_is(text, "text") for text in value)
    return isinstance(value, str) and (_is_host(value) if kind == "host" else bool(value.strip()))


def _is_within(value: Any, kind: Word) -> bool:
    low, high = RANGES[kind]
    return (_is_whole(value) or isinstance(value, float)) and low <= value <= high


def _is_table(table: Mapping[str, Any], kind: Word) -> bool:
    if kind == "weights":
        return bool(table) and all(_is_within(weight, "dollars") for weight in table.values())
    return all(isinstance(held, str | int | float) for held in table.values())


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_host(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:  # a name then; digits and dots alone are a mistyped address
        return HOST_NAME.fullmatch(value) is not None and len(value) <= 253 and not value.replace(".", "").isdigit()
    return True


def _check_choice(value: Any, choices: tuple[str, ...], key: str, where: str) -> None:
    if value in choices:
        return
    expected = " or ".join(f'"{choice}"' for choice in choices)
    fix = did_you_mean(value, choices) if isinstance(value, str) else None
    raise ConfigError(f"{key} = {shown(value)} is not {expected}", where=where, fix=fix or f"correct {key}")


def _check_url(url: str, key: str, where: str) -> None:
    """Refuse what is no plain http(s) address; the value is not repeated, for it may hold a password."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine or " " in url or not url.isprintable():  # `urlsplit` passes over line breaks in silence
        raise ConfigError(f"{key} is not an address", where=where, fix='write it as "https://host/v1"')
    if parts.username is not None or parts.query or parts.fragment:
        fix = "give the bare address, and the key by api_key_env"
        raise ConfigError(f"{key} holds a user, a query or a fragment", where=where, fix=fix)
    if (endpoint := ENDPOINT.search(parts.path)) is not None:
        what = f"{key} is the address of one endpoint: paths like {endpoint[1]} are put behind it"
        raise ConfigError(what, where=where, fix=f"take {endpoint[1]} off its end")


def _check_variable(variable: str, key: str, where: str) -> None:
    """Refuse what is no name of a variable, without repeating it: most likely it is the key itself."""
    if VARIABLE.fullmatch(variable) is None:
        fix = 'name the environment variable that holds the key, in capitals, as "OPENAI_API_KEY"'
        raise ConfigError(f"{key} is not the name of an environment variable", where=where, fix=fix)


def quoted(text: str) -> str:
    """A text of the document as an error repeats it: in quotes, on one line."""
    return json.dumps(text, ensure_ascii=False)


def shown(value: Any) -> str:
    """A value as an error repeats it: as TOML and JSON write it, on one line, cut short; else of what kind it is."""
    if value is None or isinstance(value, bool | str | list | dict):
        text = json.dumps(value, ensure_ascii=False, default=str)
    elif isinstance(value, date | time):
        text = value.isoformat()
    else:
        text = str(value) if isinstance(value, int | float) else f"a {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:40]}…"
