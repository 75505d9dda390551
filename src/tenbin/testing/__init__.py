"""Conformance checks for anyone who writes an embedder, a predictor or a metric, and a fake upstream to call.

Tenbin's own parts pass the same checks. Each raises PluginError with one sentence that says what the door asks for and
what was seen instead. `FakeUpstream` is a model provider on loopback that answers correctly, or as wrongly as scripted.
The names are imported when first used: routers hold plug-ins to the rules of the checks, and need no fake upstream.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenbin.testing.embedder import check_embedder
    from tenbin.testing.fake.answer import Answer
    from tenbin.testing.fake.request import UpstreamRequest
    from tenbin.testing.fake.upstream import FakeUpstream
    from tenbin.testing.metric import check_metric
    from tenbin.testing.predictor import check_predictor

__all__ = ["Answer", "FakeUpstream", "UpstreamRequest", "check_embedder", "check_metric", "check_predictor"]

_HOMES = MappingProxyType(
    {
        "Answer": "tenbin.testing.fake.answer",
        "FakeUpstream": "tenbin.testing.fake.upstream",
        "UpstreamRequest": "tenbin.testing.fake.request",
        "check_embedder": "tenbin.testing.embedder",
        "check_metric": "tenbin.testing.metric",
        "check_predictor": "tenbin.testing.predictor",
    }
)


def __getattr__(name: str) -> Any:
    """The public name from the module that defines it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tenbin.testing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
