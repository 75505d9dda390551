"""The sections that `tenbin.toml` may have, their keys, and what each key holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tenbin.config.values import Kind


@dataclass(frozen=True, slots=True)
class Section:
    """The keys of one section and what they hold.

    `named` where it is a set of tables, `[section.NAME]`; `tables` then are those that may stand inside each of them,
    `[section.NAME.table]`.
    """

    keys: Mapping[str, Kind]
    named: bool = False
    tables: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict)


METRIC_KINDS = (
    "exact",
    "normalised",
    "numeric",
    "choice",
    "contains",
    "regex",
    "json_schema",
    "sql",
    "code",
    "judge",
    "pairwise",
    "mixture",
    "plugin",
)
"""What a metric may be; which keys belong to which kind stands in `config.metrics`."""

SECTIONS: Mapping[str, Section] = {
    "candidates": Section(
        {
            "provider": "text",
            "model": "text",
            "reasoning_effort": "text",
            "max_output_tokens": "count",
            "context_window_tokens": "count",
            "capabilities": "texts",
            "base_url": "url",
            "api_key_env": "variable",
            "dialect": ("openai", "anthropic"),
            "responses": "flag",
            "embeddings": "flag",
            "judge": "flag",
            "max_concurrency": "count",
            "requests_per_minute": "count",
            "tokens_per_minute": "count",
        },
        named=True,
    ),
    "profiles": Section(
        {
            "router": "text",
            "mu": "share",
            "min_quality": "ratio",
            "certified": "flag",
            "max_cost_usd": "dollars",
            "best": "flag",
            "day_budget_usd": "dollars",
            "stranger_day_budget_usd": "number",
            "w": "share",
            "caution": "number",
            "minimax": "flag",
            "allow": "texts",
            "deny": "texts",
            "group": "text",
            "safe_default": "text",
            "store_prompts": "flag",
            "retention_days": "count",
            "decision_deadline_ms": "milliseconds",
            "metric": "text",
            "threshold": "share",
        },
        named=True,
        tables={
            "sla": {
                "deadline_s": "seconds",
                "first_token_s": "seconds",
                "min_quality": "ratio",
                "availability": "share",
                "max_spend_usd": "dollars",
            }
        },
    ),
    "metrics": Section(
        {
            "kind": METRIC_KINDS,
            "threshold": "share",
            "tolerance": "number",
            "absolute_tolerance": "number",
            "choices": "texts",
            "texts": "texts",
            "any": "flag",
            "forbidden": "texts",
            "whole_words": "flag",
            "pattern": "text",
            "forbid": "flag",
            "schema": "text",
            "fixture": "text",
            "tests": "text",
            "partial": "flag",
            "memory_mb": "count",
            "timeout_s": "seconds",
            "judge": "text",
            "rubric": "text",
            "scale": "count",
            "temperature": "number",
            "max_output_tokens": "count",
            "max_answer_characters": "count",
            "own_family": "flag",
            "weights": "weights",
            "vetoes": "texts",
            "plugin": "text",
            "settings": "settings",
        },
        named=True,
    ),
    "gateway": Section(
        {
            "host": "host",
            "port": "port",
            "admin_host": "host",
            "admin_port": "port",
            "admin_key_env": "variable",
            "router": "text",
            "prices": "text",
            "default_profile": "text",
            "keys": ("required", "open"),
            "max_body_mb": "count",
            "max_concurrency": "count",
            "log_level": ("debug", "info", "warning", "error"),
        }
    ),
    "store": Section({"path": "text", "keep_days": "count"}),
    "plugins": Section({"allow": "texts"}),
}
"""A new section is a row here and a file that reads it."""
