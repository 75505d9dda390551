"""The section `[profiles.NAME]`: named business uses, each with its dial, its candidates and what it promises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenbin.config.document import Document, path_of
from tenbin.config.metrics import metric_settings
from tenbin.config.values import quoted
from tenbin.errors import ConfigError, did_you_mean

PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Clients write it as the model `tenbin/NAME`, and it stands in headers and metrics."""
DIALS = ("mu", "min_quality", "max_cost_usd", "best")
DECISION_DEADLINE_MS = 30.0
STRANGER_DAY_BUDGET_USD = 1.0
"""So that by default crafted prompts cost a key little, while one prompt in some hundred goes to a dear reference."""


@dataclass(frozen=True, slots=True)
class Sla:
    """What a profile promises; None means that nothing is promised of that.

    `deadline_s` and `first_token_s` are seconds from the request's arrival, `min_quality` a share of the reference's
    mean quality as observed, `availability` the share of requests answered, `max_spend_usd` dollars per day.
    """

    deadline_s: float | None = None
    first_token_s: float | None = None
    min_quality: float | None = None
    availability: float | None = None
    max_spend_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A named business use: its router, its dial, its candidates, its SLA, and what is kept of its requests.

    At most one of `mu`, `min_quality`, `max_cost_usd` and `best` is given; none means the router's default promise.
    `day_budget_usd` are the dollars of a day that the dial is turned to keep (the SLA's `max_spend_usd` ends routing).
    `stranger_day_budget_usd` are the dollars a day that a key's prompts unlike the training prompts may cost at the
    reference, over the cheapest candidate. `certified` asks that `min_quality` be proved. `router` None means the
    gateway's, `allow` None all candidates, `safe_default` None the router's reference.
    `retention_days` None, where prompts are stored, means until they are deleted. `metric` names how the business
    measures an answer; with a `threshold` quality is whether the answer reaches it.
    """

    name: str
    router: Path | None = None
    mu: float | None = None
    min_quality: float | None = None
    certified: bool = False
    max_cost_usd: float | None = None
    best: bool = False
    day_budget_usd: float | None = None
    stranger_day_budget_usd: float = STRANGER_DAY_BUDGET_USD
    w: float = 0.0
    caution: float = 0.0
    minimax: bool = False
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    group: str | None = None
    safe_default: str | None = None
    store_prompts: bool = False
    retention_days: int | None = None
    decision_deadline_ms: float = DECISION_DEADLINE_MS
    sla: Sla = field(default_factory=Sla)
    metric: str | None = None
    threshold: float | None = None


def read_profiles(document: Document) -> dict[str, Profile]:
    """The profiles by name.

    Raises ConfigError for two dials in one profile, candidates that the document does not have (where it has any),
    lists that leave none or bar the safe default, and a retention of prompts that are not stored.
    """
    return {name: _profile(document, name, table) for name, table in document.named["profiles"].items()}


def _profile(document: Document, name: str, table: Mapping[str, Any]) -> Profile:
    path = path_of("profiles", name)
    if PROFILE_NAME.fullmatch(name) is None:
        fix = "use letters, digits, dots, underscores and dashes, at most 64"
        raise ConfigError(f"{path}: clients could not write this name", where=document.name, fix=fix)
    _check_dials(document, path, table)
    _check_names(document, path, table)
    if "retention_days" in table and not table.get("store_prompts", False):
        fix = "set store_prompts = true, or take retention_days out"
        raise ConfigError(f"{path}.retention_days: prompts are not stored", where=document.name, fix=fix)
    plain = {key: value for key, value in table.items() if key not in ("router", "sla")}
    if "threshold" in table and "metric" not in table:
        fix = 'add metric = "NAME", the metric whose score is to reach it'
        raise ConfigError(f"{path}.threshold: there is no metric", where=document.name, fix=fix)
    if "metric" in table:
        metric_settings(document, table["metric"], asked_by=f"{path}.metric")
    router = document.path(table["router"]) if "router" in table else None
    return Profile(name=name, router=router, sla=_sla(document, path, table), **plain)


def _sla(document: Document, path: str, table: Mapping[str, Any]) -> Sla:
    sla = Sla(**table.get("sla", {}))
    if sla.first_token_s is not None and sla.deadline_s is not None and sla.first_token_s > sla.deadline_s:
        fix = f"at most {sla.deadline_s:g}, the deadline of the whole answer"
        raise ConfigError(f"{path}.sla.first_token_s = {sla.first_token_s:g} is late", where=document.name, fix=fix)
    return sla


def _check_dials(document: Document, path: str, table: Mapping[str, Any]) -> None:
    """Refuse two dials; `best = false` asks for nothing."""
    given = [f"{path}.{dial}" for dial in DIALS if dial in table and table[dial] is not False]
    if len(given) > 1:
        raise ConfigError(
            f"{' and '.join(given)} are {len(given)} dials for one thing", where=document.name, fix="give one of them"
        )
    if table.get("certified", False) and not table.get("min_quality", 2.0) <= 1.0:
        what = "what is certified is a min_quality of at most 1, which the reference itself keeps"
        raise ConfigError(f"{path}.certified: {what}", where=document.name, fix="set e.g. min_quality = 0.97")
    if table.get("certified", False) and "day_budget_usd" in table:
        what = "a dial that is turned to keep a budget proves nothing"
        raise ConfigError(f"{path}.certified: {what}", where=document.name, fix="take day_budget_usd or certified out")
    if table.get("certified", False) and "stranger_day_budget_usd" in table:
        what = "what is proved leaves prompts unlike the training prompts to the dial"
        fix = "take stranger_day_budget_usd or certified out"
        raise ConfigError(f"{path}.certified: {what}", where=document.name, fix=fix)


def _check_names(document: Document, path: str, table: Mapping[str, Any]) -> None:
    """Refuse candidates that do not exist, and lists that contradict themselves or the safe default."""
    allow, deny, default = table.get("allow"), table.get("deny", ()), table.get("safe_default")
    if allow == ():
        raise ConfigError(f"{path}.allow is empty", where=document.name, fix="leave it out to allow every candidate")
    known = document.named["candidates"]
    for key, names in (("allow", allow or ()), ("deny", deny), ("safe_default", (default,) if default else ())):
        for name in names:
            _check_candidate(document, f"{path}.{key}", name, known)
    routable = [name for name, candidate in known.items() if _is_routable(candidate)]
    if known and all(name in deny or (allow and name not in allow) for name in routable):
        raise ConfigError(
            f"{path}: allow and deny leave no candidate", where=document.name, fix="allow one that is not denied"
        )
    if default is not None and (default in deny or (allow and default not in allow)):
        fix = "allow it, or name another safe default"
        raise ConfigError(f'{path}.safe_default: "{default}" is not allowed here', where=document.name, fix=fix)


def _check_candidate(document: Document, key: str, name: str, known: Mapping[str, Mapping[str, Any]]) -> None:
    if known and name not in known:
        fix = did_you_mean(name, known) or f"candidates: {', '.join(known)}"
        raise ConfigError(f"{key}: there is no candidate {quoted(name)}", where=document.name, fix=fix)
    if known and key.endswith(".safe_default") and not _is_routable(known[name]):
        what = "is an embedding model" if known[name].get("embeddings", False) else "only judges"
        fix = "name a candidate that answers"
        raise ConfigError(f'{key}: "{name}" {what}', where=document.name, fix=fix)


def _is_routable(candidate: Mapping[str, Any]) -> bool:
    return not candidate.get("embeddings", False) and not candidate.get("judge", False)
