"""What a key of `tenbin.toml` may hold, and how the same is written in an environment variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from tenbin.errors import ConfigError

Kind = Literal["text", "count", "texts"]
"""A text, a whole number above zero, or a list of texts."""

DESCRIPTIONS: Mapping[Kind, str] = {
    "text": "a text in quotes",
    "count": "a whole number above 0",
    "texts": 'a list of texts, as ["a", "b"]',
}
SECRET = re.compile(
    r"(sk|pk|rk|gsk|xai|pplx|hf|ghp|github_pat|fw|nvapi|tgp)[-_][A-Za-z0-9_\-]{16,}|AIza[\w\-]{20,}|A[KS]IA[A-Z0-9]{16}"
    r"|Bearer\s+\S{8,}|eyJ[\w\-]{10,}\.[\w\-]{10,}\..*",
    re.DOTALL,
)
"""How keys of the known providers begin; cloud access keys; bearer tokens."""


def check(value: Any, kind: Kind, key: str, where: str) -> Any:
    """The value if it is of its kind; ConfigError naming the key otherwise. A secret is refused and never repeated."""
    texts = value if isinstance(value, list) else [value]
    if any(isinstance(text, str) and SECRET.fullmatch(text.strip()) for text in texts):
        raise ConfigError(
            f"{key} looks like a secret key",
            where=where,
            fix="take it out, renew it if others saw this file, and name an environment variable in api_key_env",
        )
    if not _is(value, kind):
        raise ConfigError(f"{key} = {_shown(value)} is not {DESCRIPTIONS[kind]}", where=where, fix=f"correct {key}")
    return tuple(value) if kind == "texts" else value


def from_environment(raw: str, kind: Kind) -> Any:
    """The value that a variable's text stands for: digits for a count, names with commas between for a list.

    Text that is no number is handed back as it is, for `check` to refuse.
    """
    if kind == "count":
        return int(raw) if re.fullmatch(r"[0-9]{1,18}", raw.strip()) else raw
    if kind == "texts":
        return [part.strip() for part in raw.split(",") if part.strip()]
    return raw


def _is(value: Any, kind: Kind) -> bool:
    if kind == "count":
        return isinstance(value, int) and not isinstance(value, bool) and value > 0
    if kind == "texts":
        return isinstance(value, list) and all(_is(text, "text") for text in value)
    return isinstance(value, str) and bool(value.strip())


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
