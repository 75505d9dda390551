"""What a document that is no text counts as: a PDF by its pages, what cannot be looked into by its size."""

from __future__ import annotations

import binascii
import functools
import re
import zlib
from collections.abc import Iterator, Mapping

TOKENS_PER_PAGE: Mapping[str, float] = {r"gemini-[12]\b": 258.0, r"gemini": 560.0}
"""Of models, by name, that read a page as one picture.

Google, "Understand and count tokens" (ai.google.dev/gemini-api/docs/tokens); 560 is what users measured in Gemini 3.
Read on 2026-11-29.
"""
OTHERS_PER_PAGE = 3_000.0
"""All others get the text of a page and a picture of it: about the most that Anthropic states for both.

Anthropic, "PDF support" (platform.claude.com), states 1,500 to 3,000 tokens a page; users measured 2,350 for a page of
prose, 3,150 for a dense one. OpenAI, "File inputs" (developers.openai.com), gives text and picture, too, and states no
figure. Read on 2026-11-29.
"""
BYTES_PER_PAGE = 20_000
"""Of a document whose pages cannot be counted: few pages of prose have less, pictures of pages have far more."""
MOST_GUESSED_PAGES = 100
"""What a size tells at most: Anthropic takes no more for a window of 200,000 tokens."""
UNSEEN_PAGES = 10
"""Of a document that is only named, by an address or an identifier: a guess, for nothing is fetched."""
END_CHARACTERS = 512 << 10
"""So much of a long document is decoded at either end, in base64: there the page tree stands, in most."""
MOST_INFLATED = 1 << 20
PDF = "JVBER"
"""How every PDF begins in base64."""
_LINEARIZED = re.compile(rb"/Linearized\b[^>]{0,300}?/N[ \r\n]+(\d{1,6})\b")
_TREE = re.compile(rb"/Type\s*/Pages\b")
_COUNT = re.compile(rb"/Count\s+(\d{1,6})\b(?!\s+\d+\s+R)")
_OBJECTS = re.compile(rb"stream\r?\n")
_BETWEEN = re.compile(rb">>\s*<<")


@functools.lru_cache(1_024)
def tokens_per_page(model: str) -> float:
    """About the most that a page counts as for a model, by its name at the provider."""
    found = (tokens for name, tokens in TOKENS_PER_PAGE.items() if re.search(name, model, re.IGNORECASE))
    return next(found, OTHERS_PER_PAGE)


def pages_of(text: str | None, *, may_decode: bool = True) -> int:
    """How many pages a document in base64 has (None: it is only named); guessed where they cannot be counted."""
    if text is None:
        return UNSEEN_PAGES
    is_pdf = text.startswith(PDF)
    counted = pdf_pages(_decoded(text)) if is_pdf and may_decode else None
    return counted or min(max(-(-len(text) * 3 // (4 * BYTES_PER_PAGE)), 1), MOST_GUESSED_PAGES)


def pdf_pages(data: bytes) -> int | None:
    """The pages that a PDF, or its head and tail, says it has (ISO 32000, 7.7.3.2 and F.3); None where it is not seen.

    Not every node of the page tree has to be there: the root's count is the largest.
    """
    if found := _LINEARIZED.search(data[:2048]):
        return int(found[1])
    counts = [int(count[1]) for node in _tree_nodes(data) for count in _COUNT.finditer(node)]
    return max(counts, default=None)


def _tree_nodes(data: bytes) -> Iterator[bytes]:
    """The dictionaries of the page tree: objects of their own, or packed with others."""
    left = MOST_INFLATED
    for piece in data.split(b"endobj"):
        if b"/Pages" in piece and _TREE.search(piece):
            yield piece
        elif b"/ObjStm" in piece and left > 0 and (begin := _OBJECTS.search(piece)):
            try:
                inflated = zlib.decompressobj().decompress(piece[begin.end() :], left)
            except zlib.error:
                continue
            left -= len(inflated)
            yield from (node for node in _BETWEEN.split(inflated) if _TREE.search(node))


def _decoded(text: str) -> bytes:
    """The document, or the head and the tail of a long one; empty where it is no base64."""
    is_long = len(text) > 2 * END_CHARACTERS
    parts = [text[:END_CHARACTERS], text[-(-(len(text) - END_CHARACTERS) // 4) * 4 :]] if is_long else [text]
    try:
        return b"".join(map(binascii.a2b_base64, parts))
    except (binascii.Error, ValueError):
        return b""
