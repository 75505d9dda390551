"""What is attached to requests of every endpoint."""

from __future__ import annotations

import base64
import json
from typing import Any

from tenbin.gateway.incoming import read_anthropic, read_chat, read_responses

IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "here"}, IMAGE]}
PDF = base64.b64encode(b"%PDF-1.4 2 0 obj <</Type /Pages /Count 7>> endobj").decode()
PDF_URL = f"data:application/pdf;base64,{PDF}"


def turn(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_every_endpoint_counts_what_is_attached() -> None:
    file = {"type": "file", "file": {"file_data": PDF_URL}}
    document = {"type": "document", "source": {"type": "base64", "data": PDF}}
    asked = {"model": "tenbin/auto", "max_tokens": 9}
    read = [
        read_chat(json.dumps({**asked, "messages": [turn([file])]}).encode()),
        read_anthropic(json.dumps({**asked, "messages": [turn([document])]}).encode()),
        read_responses(
            json.dumps({"model": "m", "input": [turn([{"type": "input_file", "file_data": PDF_URL}])]}).encode()
        ),
    ]
    for incoming in read:
        assert incoming.attached.tokens(incoming.model) == 7 * 3_000
        assert 7 * 3_000 < incoming.sent_tokens(incoming.model) < 7 * 3_000 + 100
        assert "vision" not in incoming.requirements


def test_a_picture_in_a_tools_result_needs_someone_who_sees() -> None:
    body = {"model": "tenbin/auto", "max_tokens": 9, "messages": [turn([RESULT])]}
    assert "vision" in read_anthropic(json.dumps(body).encode()).requirements
