"""Reads a page as a browser would: elements with their attributes, their nesting, and the text between them."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "input", "link", "meta", "img"})


class Page(HTMLParser):
    """`elements` in order of appearance, `texts` by the element they stand in; AssertionError where nesting breaks."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.document = document
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(document)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {tag}: {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self) -> str:
        """What a reader sees: no scripts, no styles."""
        return " ".join(data for tag, data in self.texts if tag not in ("script", "style"))

    def source(self, tag: str) -> list[str]:
        """The raw content of every element of that name (script, style)."""
        return [data for name, data in self.texts if name == tag]
