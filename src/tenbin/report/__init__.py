"""The report: one self-contained HTML file from an evaluation, for people who decide.

The public names below are imported when first used: the words of the commands lie in this room, too, and whoever only
wants those does not wait for the evaluation and its charts.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenbin.report.examples import Example
    from tenbin.report.page import render_report, write_report

__all__ = ["Example", "render_report", "write_report"]

_HOMES = MappingProxyType(
    {
        "Example": "tenbin.report.examples",
        "render_report": "tenbin.report.page",
        "write_report": "tenbin.report.page",
    }
)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
