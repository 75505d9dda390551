"""What can be seen of a query without understanding it: a fixed vector of smooth counts and shares.

Nothing here names a script or a language: lengths are in estimated tokens of an English twin, marks and request words
count in English and Japanese alike, commas and apostrophes do not count. Counts enter as logarithms, shares as
x / (x + tokens): no thresholds that a typing error crosses.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np

from tenbin.features.characters import Kind, blocks
from tenbin.features.marks import CHARACTERS, MARKS
from tenbin.features.normal_text import normal_lines
from tenbin.features.options import find_options
from tenbin.features.routing_text import Conversation
from tenbin.features.tally import tally
from tenbin.features.token_events import event_weights, tokens_of
from tenbin.types import Float32s, Floats, Ints

_UNSPACED_WEIGHT = 0.65
"""Japanese takes about 1.5 times the tokens of what it says in English; here both shall be as long as they mean."""

MOST_READ = 100_000
"""Characters of a text that are read whole; of a longer one, windows all over it, and counts are scaled up.

Tokens as they are billed are always counted in the whole text. On 800,000 characters of prose, code, JSON and Japanese
in random turn, 100 windows moved the logarithm of a count by .04 in the median and .6 at the 95th percentile (words
that stand in few places), a share by .0015; predictors cut what is out of the ordinary anyway.
"""
_WINDOWS, _WINDOW = 100, 800
_SIGNS = tuple(wanted.encode() for wanted in CHARACTERS.values())

_COUNTS = ("log_questions", "log_quotes", "log_numbers", "log_digits_per_number", "log_options", "log_option_tokens")
_WHOLE = (
    "log_tokens", "log_lines", "log_tokens_per_line", "symbols_share", "option_digits_share", "log_user_turns",
    "log_system_characters", "log_tool_messages", "log_media_parts", "rest_share", "digits_share",
)  # fmt: skip
SURFACE_NAMES: tuple[str, ...] = (*_WHOLE, *CHARACTERS, *_COUNTS, *MARKS)
"""What each column of `surface_features` is."""
_LOGGED = (
    "options", "user_turns", "system_characters", "tool_messages", "media_parts", "questions", "quotes",
)  # fmt: skip
_READ = (*_LOGGED, "lines", *CHARACTERS, "rest_share")
"""What `_read` gives for each text."""
_FIRST_GROWING = "questions"
"""From this one on counts grow with the text, up to the rest share."""

_SHARES = ("symbols_share", "digits_share", *CHARACTERS, "option_digits_share")

_ASKED_IN_JAPANESE = re.compile(r"(?<![静確豊愚ずば])か(?=[。」』)]|\s*$)", re.MULTILINE)
"""か at the end of a sentence, which Japanese writes where English has a question mark."""


def _part_read(text: str) -> str:
    """What is read of a text: all, or windows at even distances, head and tail among them."""
    if len(text) <= MOST_READ:
        return text
    starts = ((len(text) - _WINDOW) * i // (_WINDOWS - 1) for i in range(_WINDOWS))
    return "\n".join(text[start : start + _WINDOW] for start in starts)


def _read(text: str, conversation: Conversation, options: int) -> tuple[float, ...]:
    """What `_READ` names, by counting signs in the text."""
    asked = 0 if text.isascii() else text.count("؟")
    if "か" in text:
        asked += len(_ASKED_IN_JAPANESE.findall(text))
    rest, last = len(conversation.rest), len(conversation.last_user)
    raw = text.encode("utf-8", "surrogatepass")
    return (
        options,
        conversation.user_turns,
        conversation.system_characters,
        conversation.tool_messages,
        conversation.media_parts,
        text.count("?") + asked,
        text.count('"'),
        text.count("\n") + 1.0,
        # In one pass for all of them: no other character has the byte of an ASCII sign in UTF-8.
        *[len(raw) - len(raw.translate(None, signs)) for signs in _SIGNS],
        rest / max(rest + last, 1),
    )


@functools.cache
def _event_weights() -> Floats:
    """Of texts and endings, whose length is meant, and of texts as they are billed, [3, 1, events]."""
    meant, billed = event_weights(_UNSPACED_WEIGHT), event_weights(1.0)
    return np.array([meant, meant, billed])[:, None]


@functools.cache
def _columns() -> Ints:
    """Where each of `SURFACE_NAMES` stands among what is logged, the shares, the rest share and the lines."""
    logged = ("log_tokens", "log_tokens_per_line", "log_numbers", "log_digits_per_number", "log_option_tokens")
    named = (*logged, *(f"log_{name}" for name in _LOGGED), *MARKS, *_SHARES, "rest_share", "log_lines")
    return np.array([named.index(name) for name in SURFACE_NAMES])


def _block(conversations: Sequence[Conversation]) -> tuple[Float32s, Floats]:
    n = len(conversations)
    parts = [_part_read(conversation.text) for conversation in conversations]
    texts = [normal_lines(part) for part in parts]
    options = find_options(texts)
    rows = [_read(*each) for each in zip(texts, conversations, (count for count, _ in options), strict=True)]
    read = np.array(rows, dtype=np.float64).T
    endings = [text[start:] for text, (_, start) in zip(texts, options, strict=True)]
    counted = tally(texts + endings + [conversation.text for conversation in conversations], n)
    tokens, option_tokens, text_tokens = tokens_of(counted.events.reshape(3, n, -1), _event_weights())
    kinds, numbers, marks = counted.kinds, counted.numbers[:n], counted.marks.T
    symbols, digits, option_digits = kinds[:n, Kind.SYMBOL], kinds[:n, Kind.DIGIT], kinds[n : 2 * n, Kind.DIGIT]
    if any(len(conversation.text) > MOST_READ for conversation in conversations):
        scale = np.array([len(c.text) / max(len(part), 1) or 1.0 for c, part in zip(conversations, parts, strict=True)])
        tokens, option_tokens, numbers, marks, symbols, digits, option_digits = (
            scale * count for count in (tokens, option_tokens, numbers, marks, symbols, digits, option_digits)
        )
        read[_READ.index(_FIRST_GROWING) : -1] *= scale
    lines, characters = read[len(_LOGGED)], read[len(_LOGGED) + 1 : -1]
    values = np.empty((len(SURFACE_NAMES), n))
    end = 5 + len(_LOGGED) + len(MARKS)
    logs, shares = values[:end], values[end:-2]
    logs[0], logs[1], logs[2] = tokens, tokens / lines, numbers
    logs[3], logs[4] = digits / np.maximum(numbers, 1), option_tokens / np.maximum(read[0], 1)
    logs[5 : 5 + len(_LOGGED)], logs[5 + len(_LOGGED) :] = read[: len(_LOGGED)], marks
    np.log1p(logs, out=logs)
    shares[0], shares[1], shares[2:-1], shares[-1] = symbols, digits, characters, option_digits
    wholes = np.empty_like(shares)
    wholes[:-1], wholes[-1] = tokens, option_tokens
    shares /= np.maximum(shares + wholes, 1e-9)
    values[-2], values[-1] = read[-1], np.log(lines)
    return values.T.take(_columns(), axis=1).astype(np.float32), text_tokens


def surface_and_tokens(conversations: Sequence[Conversation]) -> tuple[Float32s, Floats]:
    """`surface_features` and the `count_tokens` of the whole texts, [n], for who needs both: one reading does."""
    texts = [conversation.text for conversation in conversations]
    parts = [_block(conversations[start:stop]) for start, stop in blocks(texts)]
    if len(parts) == 1:
        return parts[0]
    empty = np.zeros((0, len(SURFACE_NAMES)), np.float32), np.zeros(0)
    surface, tokens = zip(empty, *parts, strict=True)
    return np.concatenate(surface), np.concatenate(tokens)


def surface_features(conversations: Sequence[Conversation]) -> Float32s:
    """Surface features of whole queries, float32 [n, len(SURFACE_NAMES)]; a row never depends on the other queries.

    All values are finite, logarithms or shares: a small change of the text changes them little, and case, width,
    quotes and spaces change nothing.
    """
    return surface_and_tokens(conversations)[0]


__all__ = ["SURFACE_NAMES", "surface_and_tokens", "surface_features"]
