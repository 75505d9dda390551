"""A metric from somebody else's package, as far as `[plugins] allow` lets it in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tenbin.errors import PluginError
from tenbin.plugins import list_plugins, load_plugin
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
    made = load_plugin("metric", name, allow)
    plugin = next(p for p in list_plugins(allow) if p.door == "metric" and p.name == name and p.is_allowed)
    where = f'metric "{name}" of the package "{plugin.package}"'
    identity = f"{name}-{digest({'package': plugin.package, 'version': plugin.version, **settings})}"
    if not settings and _is_score(made):
        return FunctionMetric(name, made), identity
    try:
        metric: Any = made(**settings)
    except (Exception, SystemExit) as error:  # whatever other people's code raises ends here, in a sentence
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise PluginError(f"cannot be made ({detail})", where=where, fix="check its settings") from error
    if not callable(getattr(metric, "score", None)):
        fix = "run tenbin.testing.check_metric on it"
        raise PluginError("what its entry point makes has no method score", where=where, fix=fix)
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
