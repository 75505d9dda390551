"""How hard a model is to think: OpenAI's reasoning_effort, Anthropic's effort and thinking budgets.

Sources: Anthropic's pages on adaptive thinking, extended thinking and effort; OpenAI's reasoning guide. The budgets are
ours: neither provider states which budget an effort stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenbin.upstream.translate.body import Json, mapping, string
from tenbin.upstream.translate.model_rules import AnthropicRules
from tenbin.upstream.translate.provider_state import is_mid_tool_loop

_BUDGETS: Mapping[str, int] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16_384,
    "xhigh": 24_576,
    "max": 31_999,
}
_MIN_BUDGET = 1024
_FORCED = ("any", "tool")
_TAKEN_EVERYWHERE: Mapping[str, str] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
_LOW_UP_TO = 4096
_MEDIUM_UP_TO = 12_288


def set_thinking(out: Json, effort: Any, rules: AnthropicRules, *, has_cap: bool) -> None:
    """Ask an Anthropic request `out` for the thinking that a reasoning_effort stands for.

    `has_cap`: whether the caller named max_tokens; otherwise there is room above the answer for the budget.
    """
    effort = string(effort, "reasoning_effort") or None
    if effort is None or rules.thinking is None:
        return
    if off := no_thinking(effort, rules):
        out["thinking"] = off
        return
    is_forced = out.get("tool_choice", {}).get("type") in _FORCED
    if rules.thinking == "adaptive":
        out.setdefault("output_config", {})["effort"] = claude_effort(effort, rules)
        if not is_forced and effort != "none":
            out["thinking"] = {"type": "adaptive"}
        return
    if effort == "none" or is_forced or is_mid_tool_loop(out["messages"]):
        return
    if not has_cap and out["max_tokens"] < 2 * _BUDGETS["max"]:
        budget = min(_BUDGETS.get(effort, 8192), out["max_tokens"] // 2)
    else:
        budget = min(_BUDGETS.get(effort, 8192), out["max_tokens"] - _MIN_BUDGET)
    if budget >= _MIN_BUDGET and not _is_prefilled(out):
        out["thinking"] = {"type": "enabled", "budget_tokens": budget}


def no_thinking(effort: str, rules: AnthropicRules) -> Json | None:
    """How a model that thinks by itself is told not to, where the effort says so; None otherwise."""
    is_off = effort == "none" and rules.thinking == "adaptive" and rules.no_thinking
    return {"type": rules.no_thinking} if is_off else None


def claude_effort(effort: str, rules: AnthropicRules) -> str | None:
    """The effort as a Claude model takes it, None where it refuses a request for any; it is no word to think."""
    if not rules.efforts:
        return None
    level = "low" if effort in {"none", "minimal"} else effort
    return level if level in rules.efforts else rules.efforts[-1] if level in _BUDGETS else "medium"


def _is_prefilled(out: Json) -> bool:
    return bool(out["messages"]) and out["messages"][-1]["role"] == "assistant"


def effort_of(body: Json) -> str | None:
    """The reasoning_effort that an Anthropic request's thinking stands for; None where none is asked for."""
    thinking = mapping(body.get("thinking"), "thinking")
    if thinking.get("type") == "disabled":
        return None
    said = mapping(body.get("output_config"), "output_config").get("effort")
    if said is not None:
        return _TAKEN_EVERYWHERE.get(string(said, "output_config.effort"), "medium")
    if not thinking:
        return None
    budget = thinking.get("budget_tokens")
    if not isinstance(budget, int):
        return "high" if thinking.get("type") == "adaptive" else "medium"
    return "low" if budget <= _LOW_UP_TO else "medium" if budget <= _MEDIUM_UP_TO else "high"
