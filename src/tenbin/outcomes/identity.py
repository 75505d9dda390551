"""Who a query is: the key that tells whether it was seen in training, and the fold that keeps its near-duplicates."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping

from tenbin.types import Query

KEY_HEX = 24
HASH = "sha256:"
FOLD_CHARS = 200
HIDDEN = re.compile(rf"{HASH}[0-9a-f]{{{KEY_HEX}}}")


def normalised(text: str) -> str:
    """The text without what a copy changes by accident: NFKC, case folded, white space collapsed to one blank."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def prompt_key(query: Query) -> str:
    """The first 24 hex digits of the SHA-256 of the normalised query: equal for what a person calls the same prompt."""
    return hashlib.sha256(normalised(whole_text(query)).encode("utf-8", "surrogatepass")).hexdigest()[:KEY_HEX]


def hidden_prompt(query: Query) -> str:
    """What stands in a table in place of a prompt that is not to be read: its key, by which copies find each other."""
    return f"{HASH}{prompt_key(query)}"


def is_hidden(query: Query) -> bool:
    """Whether the prompt is what `hidden_prompt` made of one: it says nothing of the query."""
    return HIDDEN.fullmatch(query.prompt) is not None


def fold_of(query: Query, n_folds: int) -> int:
    """The fold, 0 to n_folds - 1, of a query: by the first 200 normalised characters, so near-duplicates share one.

    It depends on nothing but the query: not on the other rows, their order, or a seed.
    """
    # Normalising may shrink a text many times over (white space), so more than 200 characters are looked at; the bound
    # keeps a 1 MB prompt cheap.
    start = normalised(whole_text(query)[: 20 * FOLD_CHARS])[:FOLD_CHARS]
    digest = hashlib.sha256(start.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % n_folds


def whole_text(query: Query) -> str:
    """The prompt, or the turns of a conversation as `role: content`, one below the other.

    One user message of text is the prompt that it holds, as it is to the router: fitted on the one, a router has seen
    the other.
    """
    if query.messages is None:
        return query.prompt
    if len(query.messages) == 1 and not query.prompt and query.messages[0].get("role") == "user":
        text = _plain_text(query.messages[0].get("content"))
        if text is not None:
            return text
    turns = [f"{message.get('role', '')}: {_content_text(message.get('content'))}" for message in query.messages]
    return "\n".join([*turns, query.prompt] if query.prompt else turns)


def _plain_text(content: object) -> str | None:
    """The text of a content that is nothing but text, else None."""
    parts = content if isinstance(content, list | tuple) and content else [content]
    texts = [part.get("text") if isinstance(part, Mapping) and part.get("type") == "text" else part for part in parts]
    said = [text for text in texts if isinstance(text, str)]
    return "\n".join(said) if len(said) == len(texts) else None


def _content_text(content: object) -> str:
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
