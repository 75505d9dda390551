"""Where a candidate is called: the address, the dialect spoken there, and the variable that holds the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenbin.config.candidates import Dialect, read_candidates, read_endpoints
from tenbin.config.document import Document, path_of
from tenbin.errors import ConfigError, did_you_mean
from tenbin.types import Candidate

__all__ = ["PROVIDER_URLS", "Destination", "Dialect", "base_url", "destinations"]

PROVIDER_URLS: Mapping[str, str] = {
    "anthropic": "https://api.anthropic.com/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "fireworks": "https://api.fireworks.ai/inference/v1",
    "google": "https://generativelanguage.googleapis.com/v1beta/openai",
    "groq": "https://api.groq.com/openai/v1",
    "mistral": "https://api.mistral.ai/v1",
    "openai": "https://api.openai.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "together": "https://api.together.xyz/v1",
    "xai": "https://api.x.ai/v1",
}
"""The provider's own address, for a candidate that names none."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One candidate as it is reached: nothing in it comes from a request.

    `base_url` has no slash at its end and is followed by paths like `/chat/completions` or `/messages`.
    """

    candidate: Candidate
    dialect: Dialect
    base_url: str
    api_key_env: str | None = None
    speaks_responses: bool = False
    is_embedding: bool = False
    max_concurrency: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    is_judge: bool = False

    @property
    def model(self) -> str:
        """The model's name at the provider."""
        return self.candidate.model or self.candidate.name

    @property
    def family(self) -> str:
        """Whose state (thinking signatures, encrypted reasoning) this model reads: the provider, else the dialect."""
        return self.candidate.provider or self.dialect


def destinations(document: Document) -> dict[str, Destination]:
    """The destination of every candidate, by name; ConfigError for one without an address."""
    endpoints = read_endpoints(document)
    found = {}
    for name, candidate in read_candidates(document).items():
        endpoint = endpoints[name]
        url = endpoint.base_url or PROVIDER_URLS.get(candidate.provider or "")
        if url is None:
            fix = f'add base_url = "https://…" (known without it: provider = {", ".join(PROVIDER_URLS)})'
            if near := did_you_mean(candidate.provider or "", PROVIDER_URLS):
                fix = f"{near} Otherwise {fix}"
            raise ConfigError(f"{path_of('candidates', name)} has no base_url", where=document.name, fix=fix)
        found[name] = Destination(
            candidate=candidate,
            dialect=endpoint.dialect,
            base_url=base_url(url, endpoint.dialect),
            api_key_env=endpoint.api_key_env,
            speaks_responses=endpoint.speaks_responses,
            is_embedding=endpoint.is_embedding,
            max_concurrency=endpoint.max_concurrency,
            requests_per_minute=endpoint.requests_per_minute,
            tokens_per_minute=endpoint.tokens_per_minute,
            is_judge=endpoint.is_judge,
        )
    return found


def base_url(url: str, dialect: Dialect) -> str:
    """The address as paths are put behind it.

    Anthropic's clients are given it without `/v1` and OpenAI's with it, so for Anthropic a missing one is added.
    """
    url = url.rstrip("/")
    return f"{url}/v1" if dialect == "anthropic" and not url.endswith("/v1") else url
