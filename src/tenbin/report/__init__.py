"""The report: one self-contained HTML file from an evaluation, for people who decide."""

from __future__ import annotations

from tenbin.report.examples import Example
from tenbin.report.page import render_report, write_report

__all__ = ["Example", "render_report", "write_report"]
