"""Secrets taken out of whatever is about to be written: known values, what looks like a key, headers that hold one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any
from urllib.parse import quote, quote_plus

from tenbin.config.values import SECRET
from tenbin.upstream.answer_headers import MIN_SECRET_CHARACTERS, REDACTED
from tenbin.upstream.destination import Destination

LEFT_OUT = "[left out]"
MIN_UNCONFIGURED_CHARACTERS = 12
"""The same as `MIN_SECRET_CHARACTERS` for variables that the configuration does not name as keys."""
SECRET_ENDINGS = ("KEY", "TOKEN", "SECRET", "PASSWORD")
MIN_PATTERN_CHARACTERS = 8
"""Nothing shorter can look like a key or a header."""
MAX_DEPTH = 8

SECRET_HEADERS = frozenset(
    {
        "api-key",
        "api_key",
        "authorization",
        "cookie",
        "password",
        "proxy-authorization",
        "secret",
        "set-cookie",
        "x-api-key",
        "x-goog-api-key",
    }
)
TEXT_FIELDS = frozenset(
    {"answer", "body", "choices", "completion", "content", "input", "messages", "output", "prompt", "request_body"}
)
"""Fields that may hold what a person asked or was answered; of them only numbers are written."""

# A letter before it makes `sk-` the end of a word (`task-…`), unless that letter is the n of an escaped line break.
_START = r"(?:(?<![A-Za-z])|(?<=\\[nrt]))"
_OWN_KEY = r"tb-[A-Za-z0-9_\-]{16,}"
_HEADER = (
    rf"(?i:(?P<name>\b(?:{'|'.join(sorted(SECRET_HEADERS))})['\"]?\s*[:=,]\s*))"
    r"(?:b?'[^']*'|b?\"[^\"]*\"|[^\n]+)"
)
_RUN = re.compile(r"[A-Za-z0-9_\-]{10}")
"""What every key but a bearer token has; cheap to look for, so that plain lines are not searched further."""
_ENDLESS_RUN = re.compile(r"[\w\-]{512,}+")
"""No word and no key is so long, and a search for keys in it would take its length squared."""
_HEADER_PATTERN = re.compile(_HEADER)
_KEY_PATTERN = re.compile(rf"{_START}(?:{_OWN_KEY}|{SECRET.pattern}|(?i:bearer\s+\S+))", re.DOTALL)


class Redactor:
    """Takes secrets out of texts and nested values; `secrets` are the values of the configured key variables.

    What looks like a provider's key or like one of ours goes too, known or not, and so does the value behind the name
    of a secret header. Where in doubt more is taken out: the rest of a line behind an unquoted header, all that
    follows a signed token.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: tuple[str, ...] = ()
        self.learn(secrets)

    @classmethod
    def of(cls, environ: Mapping[str, str], destinations: Mapping[str, Destination] | None = None) -> Redactor:
        """The redactor of a process: the keys of its destinations, and every variable called a key, token or secret."""
        redactor = cls(value for name, value in environ.items() if _is_secret(name, value))
        redactor.learn_keys(environ, destinations or {})
        return redactor

    def learn(self, secrets: Iterable[str]) -> None:
        """Take these values out, too, from now on."""
        forms = {*self._forms, *(form for secret in secrets for form in written_forms(secret.strip()))}
        # The longest first: the whole of a secret goes, though another be a part of it.
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def learn_keys(self, environ: Mapping[str, str], destinations: Mapping[str, Destination]) -> None:
        """Take out the keys of these destinations, too: a reload may name other variables."""
        self.learn(environ.get(d.api_key_env, "") for d in destinations.values() if d.api_key_env is not None)

    def text(self, text: str) -> str:
        """The text without secrets, and without unbroken runs that are too long for words."""
        text = self._without_known(text)
        if len(text) < MIN_PATTERN_CHARACTERS:
            return text
        lower = text.lower()
        if any(name in lower for name in SECRET_HEADERS):
            text = _HEADER_PATTERN.sub(rf"\g<name>{REDACTED}", text)
        if "bearer" in lower or _RUN.search(text) is not None:
            text = _KEY_PATTERN.sub(REDACTED, _ENDLESS_RUN.sub(LEFT_OUT, text))
        return text

    def _without_known(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, REDACTED)
        return text

    def value(self, value: Any, depth: int = 0) -> Any:
        """The value as JSON knows it, without secrets and without texts of users; whatever is no JSON becomes text."""
        if depth > MAX_DEPTH:
            return LEFT_OUT
        if isinstance(value, Mapping):
            return {self.text(_said(key)): self._field(_said(key), item, depth) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            if len(value) == 2 and isinstance(value, tuple) and _said(value[0]).lower() in SECRET_HEADERS:
                return [self.text(_said(value[0])), REDACTED]
            return [self.value(item, depth + 1) for item in value]
        return self._plain(value)

    def field(self, name: str, value: Any) -> Any:
        """The value of a named field: nothing of it where the name says that it is a secret or a user's text."""
        return self._field(name, value, 0)

    def _plain(self, value: Any) -> Any:
        if value is None or isinstance(value, bool) or (isinstance(value, float) and not isfinite(value)):
            return None if isinstance(value, float) else value
        if isinstance(value, int | float):
            shown = repr(value)
            safe = self._without_known(shown)
            return value if safe == shown else safe
        return self.text(_said(value))

    def _field(self, name: str, value: Any, depth: int) -> Any:
        plain = name.lower().replace("_", "-")
        if plain in SECRET_HEADERS or name.lower() in SECRET_HEADERS:
            return REDACTED
        if name.lower() in TEXT_FIELDS and not isinstance(value, int | float | None):
            return LEFT_OUT
        return self.value(value, depth + 1)


def _is_secret(name: str, value: str) -> bool:
    """Whether a variable's name says that it guards something, and its value could."""
    return name.upper().endswith(SECRET_ENDINGS) and len(value.strip()) >= MIN_UNCONFIGURED_CHARACTERS


def written_forms(secret: str) -> set[str]:
    """The secret as it is, and as JSON, Python and URLs write it; nothing for one that is too short to be one."""
    if len(secret) < MIN_SECRET_CHARACTERS:
        return set()
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    raw = secret.encode("utf-8", "surrogateescape")
    forms |= {repr(raw)[2:-1], quote(raw), quote(raw, safe=""), quote_plus(raw), ascii(secret)[1:-1]}
    return forms


def _said(value: Any) -> str:
    """The value as text, whatever its own str() does."""
    try:
        return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes | bytearray) else str(value)
    except Exception:  # a log line must not fail on what it describes
        return f"<{type(value).__name__}>"
