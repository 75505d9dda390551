"""What a model's name tells of the request it takes: providers refuse fields that only other generations know.

Sources: Anthropic's migration guides to Claude 4.6, 4.7, 5 and 5.5, its pages on adaptive thinking, effort, structured
outputs and mid-conversation system messages; OpenAI's reasoning guide. A Claude of unknown generation counts as the
newest, any other name behind the Anthropic dialect as a lenient look-alike.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d)(?!\d))?")
_OPENAI_REASONING = re.compile(r"(?:^|/)(?:o\d|gpt-(?:[5-9]|1\d)(?!.*chat)|gpt-oss)")
_OPENAI_PLAIN = re.compile(r"(?:^|/)(?:gpt-3|gpt-4|chatgpt)")
_OPENAI = re.compile(r"(?:^|/)(?:o\d|gpt-|chatgpt)")
_NEWEST = (99, 0)


@dataclass(frozen=True, slots=True)
class AnthropicRules:
    """What an Anthropic model takes.

    `thinking`: how it is asked to think ("adaptive": by effort, "budget": by tokens, None: not at all); `no_thinking`:
    how it is told not to (None: it cannot be). `samples`: whether temperature and top_p are accepted; `samples_both`:
    together. `forces_tools`: whether a tool can be forced; `takes_system_turns`: whether system messages may stand
    among the turns. `prefills`: whether a closing assistant turn is continued. `is_structured`: whether
    output_config.format is known. `max_tokens`: what to ask for when nobody says.
    """

    thinking: Literal["adaptive", "budget"] | None
    no_thinking: Literal["disabled", "between_tools"] | None
    efforts: tuple[str, ...]
    samples: bool
    samples_both: bool
    forces_tools: bool
    takes_system_turns: bool
    prefills: bool
    is_structured: bool
    max_tokens: int


def is_claude(model: str) -> bool:
    """Whether a model is one of Anthropic's own, with or without a provider in front."""
    return "claude" in model.lower()


def anthropic_rules(model: str | None) -> AnthropicRules:
    """The rules of an Anthropic model by its name, with or without a provider in front."""
    name = (model or "").lower()
    if model is not None and not is_claude(model):
        return AnthropicRules("budget", "disabled", (), True, True, True, False, True, True, 8192)
    found = _CLAUDE.search(name)
    version = (int(found[1]), int(found[2] or 0)) if found else _NEWEST
    is_adaptive = version >= (4, 6)
    is_thinker = "fable" in name or "mythos" in name
    is_always_free = (version >= (5, 5) and "opus" in name) or (version >= (5, 1) and is_thinker)
    efforts = ("low", "medium", "high", "xhigh", "max") if version >= (4, 7) else ("low", "medium", "high")
    return AnthropicRules(
        thinking="adaptive" if is_adaptive else "budget" if version >= (3, 7) else None,
        no_thinking=_no_thinking(name, version, is_thinker),
        efforts=efforts if is_adaptive or (version == (4, 5) and "opus" in name) else (),
        samples=version < (4, 7),
        samples_both=version < (4, 1),
        forces_tools=model is None or not is_always_free,
        takes_system_turns=model is not None and version >= (4, 8),
        prefills=version < (4, 6),
        is_structured=version >= (4, 5) or (version == (4, 1) and "opus" in name),
        max_tokens=32_000 if version >= (3, 7) else 8192 if version >= (3, 5) else 4096,
    )


def _no_thinking(name: str, version: tuple[int, int], is_thinker: bool) -> Literal["disabled", "between_tools"] | None:
    if is_thinker or (version >= (5, 5) and "opus" in name):
        return None
    return "between_tools" if version >= (5, 5) and "sonnet" in name else "disabled"


@dataclass(frozen=True, slots=True)
class OpenAIRules:
    """What a model behind the OpenAI dialect takes.

    `takes_effort`: whether reasoning_effort is accepted; `samples`: whether temperature and top_p are;
    `max_tokens_field`: the name of the output cap.
    """

    takes_effort: bool
    samples: bool
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"]


@functools.lru_cache(maxsize=1024)
def openai_rules(model: str | None) -> OpenAIRules:
    """The rules of a model behind the OpenAI dialect by its name, with or without a provider in front."""
    name = (model or "").lower()
    is_openai = model is None or bool(_OPENAI.search(name))
    return OpenAIRules(
        takes_effort=not _OPENAI_PLAIN.search(name),
        samples=not _OPENAI_REASONING.search(name) or "gpt-oss" in name,
        max_tokens_field="max_completion_tokens" if is_openai and "gpt-oss" not in name else "max_tokens",
    )
