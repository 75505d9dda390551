"""Pages of PDFs as writers write them, and of what is none."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.features.document import (
    BYTES_PER_PAGE,
    END_CHARACTERS,
    MOST_GUESSED_PAGES,
    UNSEEN_PAGES,
    pages_of,
    tokens_per_page,
)

HEAD = b"%PDF-1.7\n1 0 obj\n<</Type /Catalog /Pages 2 0 R /Outlines 9 0 R>>\nendobj\n"
OUTLINES = b"9 0 obj\n<</Type /Outlines /Count 777>>\nendobj\n"
TREE = b"2 0 obj\n<</Type /Pages\n/Count 9\n/Kids [3 0 R 4 0 R]>>\nendobj\n"
BRANCHES = b"3 0 obj <</Count 5 /Kids [] /Type/Pages>> endobj 4 0 obj <</Type/Pages /Count 4>> endobj\n"
TAIL = b"trailer <</Root 1 0 R>>\n%%EOF"
NOISE = bytes(range(256)) * (2 * END_CHARACTERS // 256)


def packed(*objects: bytes) -> bytes:
    """Objects in a stream, as PDF 1.5 has them."""
    inside = zlib.compress(b"9 0 10 40 " + b" ".join(objects))
    return b"5 0 obj <</Type/ObjStm /N 2 /Filter/FlateDecode>>\nstream\r\n" + inside + b"\nendstream\nendobj\n"


def encoded(*parts: bytes) -> str:
    return base64.b64encode(b"".join(parts)).decode()


@pytest.mark.parametrize(
    ("parts", "pages"),
    [
        ((HEAD, OUTLINES, BRANCHES, TREE, TAIL), 9),
        ((HEAD, packed(b"<</Type/Outlines/Count 777>>", b"<</Type/Pages/Count 12/Kids[3 0 R]>>"), TAIL), 12),
        ((HEAD.replace(b"<<", b"<</Linearized 1 /L 900 /N 34 >> <<", 1), TREE, TAIL), 34),
        ((HEAD, TREE, NOISE, TAIL), 9),
        ((HEAD, NOISE, TREE, TAIL), 9),
    ],
)
def test_pages_are_counted(parts: tuple[bytes, ...], pages: int) -> None:
    assert pages_of(encoded(*parts)) == pages


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD, NOISE[:50_000], TAIL),
        (HEAD, b"5 0 obj <</Type/ObjStm>> stream\n", NOISE[:50_000], b"endobj", TAIL),
        (HEAD, TREE.replace(b"9", b"7 0 R"), NOISE[:50_000], TAIL),
        (b"PK\x03\x04", NOISE[:50_000]),
    ],
)
def test_what_cannot_be_counted_is_guessed_by_its_size(parts: tuple[bytes, ...]) -> None:
    assert pages_of(encoded(*parts)) == 50_000 // BYTES_PER_PAGE + 1
    assert pages_of(encoded(parts[0])) == 1


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("gemini-2.5-pro", 258), ("google/gemini-3-flash", 560), ("claude-opus-5", 3_000), ("gpt-5", 3_000), ("", 3_000)],
)
def test_a_page_counts_as_the_provider_reads_it(model: str, tokens: float) -> None:
    assert tokens_per_page(model) == tokens


def test_the_guesses_have_ends() -> None:
    assert pages_of(None) == UNSEEN_PAGES
    assert pages_of("A" * 40_000_000) == MOST_GUESSED_PAGES
    assert pages_of("") == 1
    assert pages_of(encoded(HEAD, TREE, TAIL), may_decode=False) == 1


@settings(max_examples=40)
@given(st.text(max_size=200), st.binary(max_size=200))
def test_nothing_that_comes_as_a_document_fails(text: str, data: bytes) -> None:
    for given_text in (text, "JVBER" + text, encoded(b"%PDF-", data), encoded(HEAD, packed(data)[:-20], data)):
        assert pages_of(given_text) >= 1


def test_a_stream_that_inflates_without_end_is_read_to_a_bound() -> None:
    bomb = packed(b" " * (4 << 20), b"<</Type/Pages/Count 12>>")
    assert pages_of(encoded(HEAD, bomb, TAIL)) <= 1 + len(bomb) // BYTES_PER_PAGE
