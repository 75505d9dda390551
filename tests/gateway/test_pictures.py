from __future__ import annotations

import json
from typing import Any

import pytest

from tenbin.gateway.incoming import read_anthropic
from tenbin.gateway.pictures import NONE, PARTS_SEEN, Pictures, pictures_in

DATA = "iVBORw0KGgo="
SOURCE = {"type": "base64", "media_type": "image/png", "data": DATA}
IMAGE = {"type": "image", "source": SOURCE}
SIZE = len("image") + len("base64") + len("image/png") + len(DATA)
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "here"}, IMAGE]}


def turn(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("text", NONE),
        (None, NONE),
        ([{"type": "text", "text": "image_url"}, "image", 7, {}], NONE),
        ([IMAGE, IMAGE], Pictures(2, 2 * SIZE)),
        ([RESULT], Pictures(1, SIZE)),
        ([{"type": "tool_result", "content": "image"}], NONE),
        ([{"type": "image_url", "image_url": {"url": "https://x/y"}}], Pictures(1, len("image_urlhttps://x/y"))),
        ([{"type": "input_image", "image_url": "https://x/y"}], Pictures(1, len("input_imagehttps://x/y"))),
        ([{"type": "text"}] * PARTS_SEEN + [IMAGE], NONE),
    ],
)
def test_pictures(content: Any, found: Pictures) -> None:
    assert pictures_in([turn("hello"), turn(content)]) == found


def test_a_picture_in_a_tools_result_needs_someone_who_sees() -> None:
    body = {"model": "tenbin/auto", "max_tokens": 9, "messages": [turn([RESULT])]}
    assert "vision" in read_anthropic(json.dumps(body).encode()).requirements
