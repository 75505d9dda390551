"""A self-contained HTML file: our style sheet, at most one script, and a policy that lets nothing else run or load."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

from tenbin.outcomes.write import written_beside
from tenbin.report.markup import Markup, el, join


def sheet(title: str, body: str, lang: str, script: str = "", *, more_style: str = "", talks: bool = False) -> str:
    """The document around `body`; `script` is the source of the only script that may run.

    `more_style` is added to our style sheet. `talks`: the script may speak to where the page came from, and to nobody
    else.
    """
    style = resource("style.css") + (f"\n{more_style}" if more_style else "")
    head = join(
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(style, script, talks)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="generator", content="Tenbin"),
        el("title", title),
        Markup(f"<style>{style}</style>"),
    )
    running = Markup(f"<script>{script}</script>" if script else "")
    return f"<!doctype html>\n{el('html', el('head', head), el('body', body, running), lang=lang)}\n"


def write_sheet(document: str, path: Path) -> None:
    """Write a document beside `path` and rename it: never a half-written page (UsageError where it cannot be)."""
    with written_beside(path) as beside:
        beside.write_text(document, encoding="utf-8", newline="\n")


def resource(name: str) -> str:
    """A file that lies in this package."""
    return files("tenbin.report").joinpath(name).read_text(encoding="utf-8").strip()


def _policy(style: str, script: str, talks: bool) -> str:
    running = f"script-src '{_hash(script)}'; " if script else ""
    running += "connect-src 'self'; " if talks else ""
    return f"default-src 'none'; style-src '{_hash(style)}'; {running}base-uri 'none'; form-action 'none'"


def _hash(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode('utf-8')).digest()).decode('ascii')}"
