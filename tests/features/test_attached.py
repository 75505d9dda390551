from __future__ import annotations

import base64
from typing import Any

import pytest

from tenbin.features.attached import MOST_DEPTH, NOTHING, PARTS_SEEN, PICTURES_READ, Attached, attached_to
from tenbin.features.document import UNSEEN_PAGES
from tenbin.features.picture import UNSEEN, Picture

DATA = "iVBORw0KGgo="
SOURCE = {"type": "base64", "media_type": "image/png", "data": DATA}
IMAGE = {"type": "image", "source": SOURCE}
SIZE = len("image") + len("base64") + len("image/png") + len(DATA)
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "here"}, IMAGE]}
PDF = base64.b64encode(b"%PDF-1.4 2 0 obj <</Type /Pages /Count 7>> endobj").decode()
PDF_URL = f"data:application/pdf;base64,{PDF}"
TEXT_URL = "data:text/plain;charset=utf-8;base64," + base64.b64encode("語る text ".encode() * 500).decode()
BESIDE = {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "here"}, IMAGE]}}


def turn(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def nested(depth: int) -> dict[str, Any]:
    return IMAGE if not depth else {"type": "tool_result", "content": [nested(depth - 1)]}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("text", NOTHING),
        (None, NOTHING),
        ([{"type": "text", "text": "image_url"}, "image", 7, {}], NOTHING),
        ([IMAGE, IMAGE], Attached({UNSEEN: 2}, 0, 2 * SIZE)),
        ([RESULT], Attached({UNSEEN: 1}, 0, SIZE)),
        ([BESIDE], Attached({UNSEEN: 1}, 0, SIZE)),
        ([nested(MOST_DEPTH)], Attached({UNSEEN: 1}, 0, SIZE)),
        ([nested(MOST_DEPTH + 1)], NOTHING),
        ([{"type": "tool_result", "content": [{"type": ["image"]}, {"type": {}}]}], NOTHING),
        ([{"type": "tool_result", "content": "image"}], NOTHING),
        (
            [{"type": "image_url", "image_url": {"url": "https://x/y"}}],
            Attached({UNSEEN: 1}, 0, len("image_urlhttps://x/y")),
        ),
        (
            [{"type": "input_image", "image_url": "https://x/y"}],
            Attached({UNSEEN: 1}, 0, len("input_imagehttps://x/y")),
        ),
        ([{"type": "text"}] * PARTS_SEEN + [IMAGE], NOTHING),
    ],
)
def test_pictures(content: Any, found: Attached) -> None:
    assert attached_to([turn("hello"), turn(content)]) == found


@pytest.mark.parametrize(
    ("part", "pages"),
    [
        ({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}, 7),
        ({"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}}, UNSEEN_PAGES),
        ({"type": "document", "source": {"type": "file", "file_id": "file_1"}}, UNSEEN_PAGES),
        ({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x" * 9_000}}, 0),
        ({"type": "document", "source": "x"}, UNSEEN_PAGES),
        ({"type": "file", "file": {"filename": "x.pdf", "file_data": PDF_URL}}, 7),
        ({"type": "file", "file": {"filename": "x.pdf", "file_data": PDF}}, 7),
        ({"type": "file", "file": {"file_id": "file-1"}}, UNSEEN_PAGES),
        ({"type": "file", "file": {"filename": "x.txt", "file_data": TEXT_URL}}, 0),
        ({"type": "file", "file": None}, UNSEEN_PAGES),
        ({"type": "input_file", "filename": "x.pdf", "file_data": PDF_URL}, 7),
        ({"type": "input_file", "filename": "x.txt", "file_data": TEXT_URL}, 0),
        ({"type": "input_file", "file_url": "https://x/y.pdf"}, UNSEEN_PAGES),
    ],
)
def test_documents_count_by_their_pages_and_texts_by_what_they_say(part: dict[str, Any], pages: int) -> None:
    """They counted 0 tokens in a routed request, and their base64 as text in one of a named model."""
    found = attached_to([turn([part, {"type": "text", "text": "What is it?"}])])
    assert found.pages == pages
    assert bool(found.size) == bool(pages)


def test_sounds_count_by_their_seconds() -> None:
    """They counted 0 tokens in a routed request, and their base64 as text in one of a named model."""
    sound = {"type": "input_audio", "input_audio": {"data": "A" * 32_000, "format": "mp3"}}
    found = attached_to([turn([sound, {"type": "input_audio"}, sound])])
    assert found.sound_s == 6.0
    assert found.size == 2 * (32_000 + len("input_audio") + len("mp3")) + len("input_audio")
    assert [found.tokens(model) for model in ("gpt-audio", "gemini-2.5-pro")] == [60.0, 192.0]


def test_of_many_documents_the_first_are_looked_into() -> None:
    part = {"type": "input_file", "file_data": PDF_URL}
    assert attached_to([turn([part] * 10)]).pages == 4 * 7 + 6 * 1


def test_pictures_count_by_size_and_model_and_of_very_many_the_first_are_read() -> None:
    gif = base64.b64encode(b"GIF89a" + bytes([0, 4, 0, 4])).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:image/gif;base64,{gif}"}}
    found = attached_to([turn([part] * (PICTURES_READ + 3))])
    assert found.pictures == {Picture(1024, 1024): PICTURES_READ, UNSEEN: 3}
    two = attached_to([turn([part, part])])
    assert [two.tokens(model) for model in ("gpt-4o", "claude-opus-4-8")] == [2 * 765, 2 * 37 * 37]
