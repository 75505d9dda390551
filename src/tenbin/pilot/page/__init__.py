"""The status of a pilot as one self-contained HTML file, in the style of the report."""

from __future__ import annotations

from tenbin.pilot.page.page import render_page, write_page

__all__ = ["render_page", "write_page"]
