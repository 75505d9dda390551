"""Message content, part by part: OpenAI's content parts and Anthropic's content blocks.

A part that the other dialect cannot say gives None: `untranslatable` has named it before anything is translated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tenbin.upstream.translate.body import Json

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_BEGINS: Mapping[str, str] = {
    "/9j/": "image/jpeg",
    "iVBORw0KGgo": "image/png",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
}
"""How pictures begin in base64. OpenAI looks at them; Anthropic refuses a request for a wrong label, and image/jpg."""
_DATA_URL = re.compile(r"data:([\w.+/-]+)(?:;[\w=.+-]+)*;base64,", re.ASCII)


def data_url(url: Any) -> tuple[str, str] | None:
    """The media type and the base64 text of a data URL, None for anything else."""
    found = _DATA_URL.match(url) if isinstance(url, str) else None
    return (found[1].lower(), url[found.end() :]) if found else None


def _with_cache(block: Json, part: Json) -> Json:
    if isinstance(part.get("cache_control"), dict):
        block["cache_control"] = part["cache_control"]
    return block


def text_block(text: Any) -> Json | None:
    """A text block; None for empty or blank text, which Anthropic refuses."""
    return {"type": "text", "text": text} if isinstance(text, str) and text.strip() else None


def _image_block(image: Any) -> Json | None:
    url = image.get("url") if isinstance(image, dict) else image
    data = data_url(url)
    if data:
        kind = next((kind for head, kind in _BEGINS.items() if data[1].startswith(head)), data[0])
        if kind not in IMAGE_TYPES:
            return None
        return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data[1]}}
    if isinstance(url, str) and url.startswith(("https://", "http://")):
        return {"type": "image", "source": {"type": "url", "url": url}}
    return None


def _document_block(file: Any) -> Json | None:
    data = data_url(file.get("file_data")) if isinstance(file, dict) else None
    if not data or data[0] != "application/pdf":
        return None
    block: Json = {"type": "document", "source": {"type": "base64", "media_type": data[0], "data": data[1]}}
    if isinstance(file.get("filename"), str):
        block["title"] = file["filename"]
    return block


def to_block(part: Json) -> Json | None:
    """An OpenAI content part as an Anthropic block, its cache_control kept; None for what cannot be said."""
    kind = part.get("type")
    block = None
    if kind == "text":
        block = text_block(part.get("text"))
    elif kind == "refusal":
        block = text_block(part.get("refusal"))
    elif kind == "image_url":
        block = _image_block(part.get("image_url"))
    elif kind == "file":
        block = _document_block(part.get("file"))
    return None if block is None else _with_cache(block, part)


def _image_part(source: Json) -> Json | None:
    kind = source.get("type")
    if kind == "base64":
        return {
            "type": "image_url",
            "image_url": {"url": f"data:{source.get('media_type')};base64,{source.get('data')}"},
        }
    return {"type": "image_url", "image_url": {"url": source.get("url")}} if kind == "url" else None


def _document_part(block: Json, source: Json) -> Json | None:
    kind = source.get("type")
    if kind == "text":
        title = block.get("title")
        text = str(source.get("data") or "")
        return {"type": "text", "text": f"{title}\n\n{text}" if title else text}
    if kind != "base64":
        return None
    url = f"data:{source.get('media_type')};base64,{source.get('data')}"
    return {"type": "file", "file": {"filename": block.get("title") or "document.pdf", "file_data": url}}


def to_part(block: Json) -> Json | None:
    """An Anthropic text, image or document block as an OpenAI content part; None for what cannot be said."""
    kind = block.get("type")
    if kind == "text":
        return {"type": "text", "text": block.get("text") or ""}
    source = block.get("source")
    if not isinstance(source, dict):
        return None
    if kind == "image":
        return _image_part(source)
    return _document_part(block, source) if kind == "document" else None
