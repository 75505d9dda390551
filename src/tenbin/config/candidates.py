"""The section `[candidates.NAME]`: the models that may be called, what they can do, and where they are reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tenbin.config.document import Document, path_of
from tenbin.errors import ConfigError, did_you_mean
from tenbin.types import Candidate

CAPABILITIES = ("json_schema", "reasoning", "tools", "vision")
"""What a query may require of a candidate (`Query.requirements`)."""
PROFILES_PREFIX = "tenbin/"
"""What begins so names a profile in requests."""

Dialect = Literal["openai", "anthropic"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a candidate is reached, and the name of the environment variable that holds its key (never the key).

    `dialect` is how it is spoken to, `speaks_responses` whether it answers /v1/responses too; an embedding model and
    one that only judges are never routed to. `max_concurrency` None: as many calls at once as there are requests. The
    rates per minute are what the provider allows, tokens of both ways together; None: not known.
    """

    base_url: str | None = None
    api_key_env: str | None = None
    dialect: Dialect = "openai"
    speaks_responses: bool = False
    is_embedding: bool = False
    max_concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    is_judge: bool = False


def read_candidates(document: Document) -> dict[str, Candidate]:
    """The candidates by name; `model` defaults to the name.

    ConfigError for a capability that does not exist, and for a name that no client could call it by.
    """
    candidates = {}
    for name, table in document.named["candidates"].items():
        path = path_of("candidates", name)
        if not name.isprintable() or name != name.strip() or not name or name.startswith(PROFILES_PREFIX):
            fix = f'use printable characters, no blanks around them, not "{PROFILES_PREFIX}" before them'
            raise ConfigError(f"{path}: clients could not call it by this name", where=document.name, fix=fix)
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
    """The endpoints by candidate; one of the provider "anthropic" speaks that dialect unless the table says other."""
    endpoints = {}
    for name, table in document.named["candidates"].items():
        usual: Dialect = "anthropic" if table.get("provider", "").lower() == "anthropic" else "openai"
        endpoints[name] = Endpoint(
            base_url=table.get("base_url"),
            api_key_env=table.get("api_key_env"),
            dialect=table.get("dialect", usual),
            speaks_responses=table.get("responses", False),
            is_embedding=table.get("embeddings", False),
            max_concurrency=table.get("max_concurrency"),
            requests_per_minute=table.get("requests_per_minute"),
            tokens_per_minute=table.get("tokens_per_minute"),
            is_judge=table.get("judge", False),
        )
    return endpoints
