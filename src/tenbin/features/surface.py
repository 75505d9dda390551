"""What can be seen of a query without understanding it: a fixed vector of smooth counts and shares.

Nothing here names a script or a language: lengths are in estimated tokens of an English twin, marks and request words
count in English and Japanese alike, commas and apostrophes do not count. Counts enter as logarithms, shares as
x / (x + tokens): no thresholds that a typing error crosses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from tenbin.features.characters import blocks
from tenbin.features.normal_text import plain_text
from tenbin.features.routing_text import Conversation
from tenbin.features.surface_columns import SURFACE_NAMES
from tenbin.features.surface_counts import count_surface
from tenbin.types import Float32s, Floats

MOST_READ = 100_000
"""Characters of a text that are read whole; of a longer one, windows all over it, and counts are scaled up.

Tokens as they are billed are always counted in the whole text. On 800,000 characters of prose, code, JSON and Japanese
in random turn, 100 windows moved the logarithm of a count by .04 in the median and .6 at the 95th percentile (words
that stand in few places), a share by .0015; predictors cut what is out of the ordinary anyway.
"""
_WINDOWS, _WINDOW = 100, 800

_ASKED_IN_JAPANESE = re.compile(r"(?<![静確豊愚ずば])か(?=[。」』)]|\s*$)", re.MULTILINE)
"""か at the end of a sentence, which Japanese writes where English has a question mark."""


def _part_read(text: str) -> str:
    """What is read of a text: all, or windows at even distances, head and tail among them."""
    if len(text) <= MOST_READ:
        return text
    starts = ((len(text) - _WINDOW) * i // (_WINDOWS - 1) for i in range(_WINDOWS))
    return "\n".join(text[start : start + _WINDOW] for start in starts)


def _told(plain: str, part: str, conversation: Conversation) -> tuple[float, ...]:
    """What `surface_columns.TOLD` names: what no sign tells, or a sign only where it stands."""
    asked = 0 if plain.isascii() else plain.count("؟")
    if "か" in plain:
        asked += len(_ASKED_IN_JAPANESE.findall(plain))
    rest, last = len(conversation.rest), len(conversation.last_user)
    return (
        conversation.user_turns,
        conversation.system_characters,
        conversation.tool_messages,
        conversation.media_parts,
        asked,
        rest / max(rest + last, 1),
        len(conversation.text) / max(len(part), 1) or 1.0,
    )


def what_is_counted(conversations: Sequence[Conversation]) -> tuple[list[str], list[str], list[tuple[float, ...]]]:
    """What `count_surface` takes: what is read of each text, plain, all of it, what is told beside it."""
    wholes = [conversation.text for conversation in conversations]
    parts = [_part_read(whole) for whole in wholes]
    plain = [plain_text(part) for part in parts]
    return plain, wholes, [*map(_told, plain, parts, conversations)]


def _block(conversations: Sequence[Conversation]) -> tuple[Float32s, Floats]:
    plain, wholes, told = what_is_counted(conversations)
    return count_surface(plain, wholes, np.array(told, np.float64))


def surface_and_tokens(conversations: Sequence[Conversation]) -> tuple[Float32s, Floats]:
    """Surface features, float32 [n, len(SURFACE_NAMES)], and the `count_tokens` [n] of whole queries, in one reading.

    Features are finite, logarithms or shares: a small change of the text changes them little, and case, width, quotes
    and spaces change nothing. A row never depends on the other queries.
    """
    texts = [conversation.text for conversation in conversations]
    parts = [_block(conversations[start:stop]) for start, stop in blocks(texts)]
    if len(parts) == 1:
        return parts[0]
    empty = np.zeros((0, len(SURFACE_NAMES)), np.float32), np.zeros(0)
    surface, tokens = zip(empty, *parts, strict=True)
    return np.concatenate(surface), np.concatenate(tokens)


__all__ = ["SURFACE_NAMES", "surface_and_tokens", "what_is_counted"]
