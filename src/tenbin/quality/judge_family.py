"""Whose model it is: a judge may not grade its own family, whose answers it likes for being its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from tenbin.upstream.destination import Destination

_MAKERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (maker, re.compile(rf"(?<![a-z])(?:{names})"))
    for maker, names in (
        ("openai", r"gpt|chatgpt|o\d(?![a-z\d])|codex|davinci"),
        ("anthropic", r"claude"),
        ("google", r"gemini|gemma|palm"),
        ("deepseek", r"deepseek"),
        ("mistral", r"mistral|mixtral|ministral|codestral|magistral|pixtral|devstral"),
        ("alibaba", r"qwen|qwq"),
        ("xai", r"grok"),
        ("meta", r"llama|muse"),
        ("nvidia", r"nemotron"),
        ("cohere", r"command|aya"),
        ("microsoft", r"phi-?\d|mai-"),
        ("amazon", r"nova-|titan-"),
        ("moonshot", r"kimi|moonshot"),
        ("zhipu", r"glm"),
        ("ibm", r"granite"),
        ("ai21", r"jamba"),
        ("minimax", r"minimax"),
    )
)
"""How the models of each maker are called, wherever they are hosted."""
_HOSTS: Collection[str] = frozenset(
    {"azure", "bedrock", "vertex", "openrouter", "together", "fireworks", "groq", "replicate", "huggingface"}
    | {"ollama", "vllm", "local"}
)
"""Providers that serve other makers' models: that two models are served by one says nothing about them."""


def family_of(destination: Destination) -> str:
    """The maker by the model's name; else the provider, if it is no host of others' models; else the model itself."""
    model = destination.model.lower()
    for maker, names in _MAKERS:
        if names.search(model):
            return maker
    provider = (destination.candidate.provider or "").lower()
    return provider if provider and provider not in _HOSTS else model


def relatives(judge: Destination, names: Collection[str], known: Mapping[str, Destination]) -> frozenset[str]:
    """Those of the candidates `names` that are of the judge's family; the judge itself is one of them."""
    own = family_of(judge)
    return frozenset(name for name in names if name in known and family_of(known[name]) == own)
