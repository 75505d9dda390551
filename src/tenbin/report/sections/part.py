"""The shape that all parts of the page share: a heading, a sentence that says how to read it, and the matter."""

from __future__ import annotations

from tenbin.report.markup import Markup, el, join


def part(anchor: str, title: str, lead: str, *body: str) -> Markup:
    """A section that the page's contents can point to."""
    return el(
        "section",
        el("h2", title, id=f"{anchor}-title"),
        el("p", lead, class_="lead") if lead else Markup(""),
        *body,
        id=anchor,
        aria_labelledby=f"{anchor}-title",
    )


def figure(picture: str, caption: str, *more: str) -> Markup:
    """A picture with, for example, its legend, and its caption: HTML wants that first or last."""
    return el("figure", picture, *more, el("figcaption", caption) if caption else Markup(""))


def folded(summary: str, *body: str) -> Markup:
    """Matter that opens on demand (and is printed when open)."""
    return el("details", el("summary", summary), join(*body))


def fact(value: str, label: str, note: str = "", **attributes: str) -> Markup:
    """A large figure with what it is and its interval."""
    return el(
        "div",
        el("dt", label),
        el("dd", el("span", value, class_="v"), el("span", note, class_="n") if note else Markup("")),
        class_="fact",
        **attributes,
    )
