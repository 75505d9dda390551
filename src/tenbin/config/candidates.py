"""The section `[candidates.NAME]`: the models that may be called, what they can do, and where they are reached."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from tenbin.config.document import Document, path_of
from tenbin.errors import ConfigError, did_you_mean
from tenbin.types import Candidate

CAPABILITIES = ("json_schema", "reasoning", "tools", "vision")
"""What a query may require of a candidate (`Query.requirements`)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a candidate is reached, and the name of the environment variable that holds its key (never the key)."""

    base_url: str | None = None
    api_key_env: str | None = None


def read_candidates(document: Document) -> dict[str, Candidate]:
    """The candidates by name; `model` defaults to the name. ConfigError for a capability that does not exist."""
    candidates = {}
    for name, table in document.named["candidates"].items():
        path = path_of("candidates", name)
        for capability in table.get("capabilities", ()):
            if capability not in CAPABILITIES:
                fix = did_you_mean(capability, CAPABILITIES) or f"known: {', '.join(CAPABILITIES)}"
                raise ConfigError(f'{path}.capabilities: unknown "{capability}"', where=document.name, fix=fix)
        candidates[name] = Candidate(
            name=name,
            provider=table.get("provider"),
            model=table.get("model", name),
            reasoning_effort=table.get("reasoning_effort"),
            max_output_tokens=table.get("max_output_tokens"),
            context_window_tokens=table.get("context_window_tokens"),
            capabilities=frozenset(table["capabilities"]) if "capabilities" in table else None,
        )
    return candidates


def read_endpoints(document: Document) -> dict[str, Endpoint]:
    """The endpoints by candidate; ConfigError for an address or a variable name that is none."""
    endpoints = {}
    for name, table in document.named["candidates"].items():
        path = path_of("candidates", name)
        if "base_url" in table:
            _check_url(table["base_url"], f"{path}.base_url", document.name)
        if "api_key_env" in table:
            _check_variable(table["api_key_env"], f"{path}.api_key_env", document.name)
        endpoints[name] = Endpoint(table.get("base_url"), table.get("api_key_env"))
    return endpoints


def _check_url(url: str, key: str, where: str) -> None:
    """Refuse what is no plain http(s) address; the value is not repeated, for it may hold a password."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine:
        raise ConfigError(f"{key} is not an address", where=where, fix='write it as "https://host/v1"')
    if parts.username is not None or parts.query or parts.fragment:
        fix = "give the bare address, and the key by api_key_env"
        raise ConfigError(f"{key} holds a user, a query or a fragment", where=where, fix=fix)


def _check_variable(variable: str, key: str, where: str) -> None:
    """Refuse what is no name of a variable, without repeating it: most likely it is the key itself."""
    if re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", variable) is None:
        fix = 'name the environment variable that holds the key, in capitals, as "OPENAI_API_KEY"'
        raise ConfigError(f"{key} is not the name of an environment variable", where=where, fix=fix)
