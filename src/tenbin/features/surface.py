"""What can be seen of a query without understanding it: a fixed vector of smooth counts and shares.

Nothing here names a script or a language: lengths are in estimated tokens of an English twin, marks and request words
count in English and Japanese alike, commas and apostrophes do not count. Counts enter as logarithms, shares as
x / (x + tokens): no thresholds that a typing error crosses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from tenbin.features.characters import Kind, blocks, join
from tenbin.features.marks import CHARACTERS, MARKS, count_marks
from tenbin.features.normal_text import normal_lines
from tenbin.features.routing_text import Conversation
from tenbin.features.token_count import event_weights, pair_counts, tokens_of
from tenbin.types import Float32s, Floats, Ints

_UNSPACED_WEIGHT = 0.65
"""Japanese takes about 1.5 times the tokens of what it says in English; here both shall be as long as they mean."""

MOST_READ = 100_000
"""Characters of a text that are read whole; of a longer one, windows all over it, and counts are scaled up.

Tokens as they are billed are always counted in the whole text. On 800,000 characters of prose, code, JSON and Japanese
in random turn, the logarithm of a count moved by .04 in the median and .7 at the 95th percentile (words that stand in
few places), a share by .001; predictors cut what is out of the ordinary anyway.
"""
_WINDOWS, _WINDOW = 100, 800

_COUNTS = ("log_questions", "log_quotes", "log_numbers", "log_digits_per_number", "log_options", "log_option_tokens")
_WHOLE = (
    "log_tokens", "log_lines", "log_tokens_per_line", "symbols_share", "option_digits_share", "log_user_turns",
    "log_system_characters", "log_tool_messages", "log_media_parts", "rest_share", "digits_share",
)  # fmt: skip
SURFACE_NAMES: tuple[str, ...] = (*_WHOLE, *CHARACTERS, *_COUNTS, *MARKS)
"""What each column of `surface_features` is."""
_READ = (
    "user_turns", "system_characters", "tool_messages", "media_parts", "rest_share", "lines", "questions", "quotes",
    "options", *CHARACTERS,
)  # fmt: skip
"""What `_read` gives for each text."""
_LOGGED = (
    "questions", "quotes", "options", "user_turns", "system_characters", "tool_messages", "media_parts",
)  # fmt: skip

_SCALED = ("lines", "questions", "quotes", *CHARACTERS)
"""Counts among them that grow with the text."""

_LABEL = r"([a-z]|[0-9]{1,2}|[アイウエオカキクケコ])"
_OPTION_LABEL = re.compile(rf"[(\[\s,、。:;?](?:(?<=[(\[]){_LABEL}[)\]]|(?<![(\[]){_LABEL}[).:、](?![0-9]))")
"""A label in brackets, or after a separator and before a sign; the first sign alone says where to look, for speed."""
_ASKED_IN_JAPANESE = re.compile(r"(?<![静確豊愚ずば])か(?=[。」』)]|\s*$)", re.MULTILINE)
"""か at the end of a sentence, which Japanese writes where English has a question mark."""
_LABEL_ORDERS = (
    tuple("abcdefghijklmnopqrstuvwxyz"),
    tuple(str(i) for i in range(1, 31)),
    tuple("アイウエオカキクケコ"),
)


def _part_read(text: str) -> str:
    """What is read of a text: all, or windows at even distances, head and tail among them."""
    if len(text) <= MOST_READ:
        return text
    starts = ((len(text) - _WINDOW) * i // (_WINDOWS - 1) for i in range(_WINDOWS))
    return "\n".join(text[start : start + _WINDOW] for start in starts)


def _options(text: str) -> tuple[int, int]:
    """How many labelled options follow one another (A. B. C., (1) (2), ア．イ．), and where the first one starts."""
    # Before the text stands a line break, so that a label may be its first sign, too.
    found = [(match[1] or match[2], max(match.start() - 1, 0)) for match in _OPTION_LABEL.finditer(f"\n{text}")]
    best, start = 0, len(text)
    for order in _LABEL_ORDERS if len(found) > 1 else ():
        count, first = 0, len(text)
        for label, position in found:
            if label == order[0]:
                count, first = 1, position
            elif count and count < len(order) and label == order[count]:
                count += 1
            if count > max(best, 1):
                best, start = count, first
    return best, start


def _read(text: str, conversation: Conversation, options: int) -> tuple[float, ...]:
    """What `_READ` names, by counting signs in the text."""
    asked = 0 if text.isascii() else len(_ASKED_IN_JAPANESE.findall(text)) + text.count("؟")
    rest, last = len(conversation.rest), len(conversation.last_user)
    return (
        conversation.user_turns,
        conversation.system_characters,
        conversation.tool_messages,
        conversation.media_parts,
        rest / max(rest + last, 1),
        text.count("\n") + 1.0,
        text.count("?") + asked,
        text.count('"'),
        options,
        *(sum(map(text.count, wanted)) for wanted in CHARACTERS.values()),
    )


def _share(part: Floats, tokens: Floats) -> Floats:
    """part / (part + tokens), 0 for an empty text."""
    share: Floats = part / np.maximum(part + tokens, 1e-9)
    return share


def _token_weights(n: int) -> Floats:
    """Of n texts and n endings, whose length is meant, and of n texts as they are billed, [3n, events]."""
    meant, billed = event_weights(_UNSPACED_WEIGHT), event_weights(1.0)
    return np.repeat([meant, meant, billed], n, axis=0)


def _block(conversations: Sequence[Conversation]) -> tuple[Float32s, Floats]:
    parts = [_part_read(conversation.text) for conversation in conversations]
    scale = np.array([len(c.text) / max(len(part), 1) or 1.0 for c, part in zip(conversations, parts, strict=True)])
    texts = [normal_lines(part) for part in parts]
    options = [_options(text) for text in texts]
    rows = [_read(*each) for each in zip(texts, conversations, (count for count, _ in options), strict=True)]
    read = dict(zip(_READ, np.array(rows, dtype=np.float64).T, strict=True))
    read |= {name: scale * read[name] for name in _SCALED}
    endings = [text[start:] for text, (_, start) in zip(texts, options, strict=True)]
    joined = join(texts + endings + [conversation.text for conversation in conversations])
    every_pair = pair_counts(joined)
    tokens, option_tokens, text_tokens = np.split(tokens_of(joined, every_pair, _token_weights(len(texts))), 3)
    tokens, option_tokens = scale * tokens, scale * option_tokens
    pairs, ending_pairs, _ = np.split(every_pair, 3)
    digits, symbols = scale * _of_kind(pairs, Kind.DIGIT), scale * _of_kind(pairs, Kind.SYMBOL)
    numbers = digits - scale * pairs[:, Kind.DIGIT * 16 + Kind.DIGIT]
    logs = {
        "log_tokens": tokens,
        "log_tokens_per_line": tokens / read["lines"],
        "log_numbers": numbers,
        "log_digits_per_number": digits / np.maximum(numbers, 1),
        "log_option_tokens": option_tokens / np.maximum(read["options"], 1),
    }
    logs |= {f"log_{name}": read[name] for name in _LOGGED}
    logs |= dict(zip(MARKS, scale * count_marks(joined, len(texts)).T, strict=True))
    shares = {"symbols_share": symbols, "digits_share": digits} | {name: read[name] for name in CHARACTERS}
    columns = dict(zip(logs, np.log1p(np.array(list(logs.values()))), strict=True))
    columns |= dict(zip(shares, _share(np.array(list(shares.values())), tokens), strict=True))
    columns["option_digits_share"] = _share(scale * _of_kind(ending_pairs, Kind.DIGIT), option_tokens)
    columns["rest_share"], columns["log_lines"] = read["rest_share"], np.log(read["lines"])
    return np.stack([columns[name] for name in SURFACE_NAMES], axis=1).astype(np.float32), text_tokens


def _of_kind(pairs: Ints, kind: Kind) -> Floats:
    """How many characters of a kind each text has, [n]."""
    count: Floats = pairs[:, kind :: len(Kind)].sum(axis=1).astype(np.float64)
    return count


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
