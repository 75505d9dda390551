"""A metric from somebody else's package, as far as `[plugins] allow` lets it in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tenbin.errors import PluginError
from tenbin.plugins import blamed, find_plugin, load
from tenbin.protocols import QualityMetric
from tenbin.quality.identity import digest


class FunctionMetric:
    """A plain function `score(query, answer, reference)` as a metric."""

    def __init__(self, name: str, score: Callable[[str, str, str | None], float | None]) -> None:
        self.name = name
        self.score = score


def open_plugin(name: str, allow: Collection[str], settings: Mapping[str, Any]) -> tuple[QualityMetric, str]:
    """The metric of this entry-point name, made with `settings`, and its identity: package, version, settings.

    Behind the entry point stands a class, a maker, or a function of query, answer and reference. Raises PluginError
    for what is not allowed, cannot be made, or has no `score`.
    """
    plugin = find_plugin("metric", name, allow)
    made = load(plugin)
    identity = f"{name}-{digest({'package': plugin.package, 'version': plugin.version, **settings})}"
    if not settings and _is_score(made):
        return FunctionMetric(name, made), identity
    with blamed(plugin.where, "cannot be made", fix="check its settings"):
        metric: Any = made(**settings)
    if not callable(getattr(metric, "score", None)):
        fix = "run tenbin.testing.check_metric on it"
        raise PluginError("what its entry point makes has no method score", where=plugin.where, fix=fix)
    return metric, identity


def _is_score(made: Callable[..., Any]) -> bool:
    """Whether this is no class and no maker, but the very function that scores."""
    if isinstance(made, type):
        return False
    try:
        signature = inspect.signature(made)
    except (TypeError, ValueError):
        return False
    return not _binds(signature, 0) and _binds(signature, 3)


def _binds(signature: inspect.Signature, n: int) -> bool:
    try:
        signature.bind(*[""] * n)
    except TypeError:
        return False
    return True
