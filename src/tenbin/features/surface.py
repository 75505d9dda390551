"""What can be seen of a query without understanding it: a fixed vector of smooth counts and shares.

Nothing here names a script or a language: lengths are in estimated tokens of an English twin, marks and request words
count in English and Japanese alike, commas and apostrophes do not count. Counts enter as logarithms, shares as
x / (x + tokens): no thresholds that a typing error crosses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from tenbin.features.characters import Kind, codes_of, kinds_of
from tenbin.features.marks import CHARACTERS, MARKS
from tenbin.features.normal_text import normal_lines
from tenbin.features.routing_text import Conversation
from tenbin.features.token_count import count_tokens
from tenbin.types import Float32s, Floats

_UNSPACED_WEIGHT = 0.65
"""Japanese takes about 1.5 times the tokens of what it says in English; here both shall be as long as they mean."""

_COUNTS = ("log_questions", "log_quotes", "log_numbers", "log_digits_per_number", "log_options", "log_option_tokens")
_WHOLE = (
    "log_tokens", "log_lines", "log_tokens_per_line", "symbols_share", "option_digits_share", "log_user_turns",
    "log_system_characters", "log_tool_messages", "log_media_parts", "rest_share", "digits_share",
)  # fmt: skip
SURFACE_NAMES: tuple[str, ...] = (*_WHOLE, *CHARACTERS, *_COUNTS, *MARKS)
"""What each column of `surface_features` is."""

_LABEL = r"([a-z]|[0-9]{1,2}|[アイウエオカキクケコ])"
_OPTION_LABEL = re.compile(rf"[(\[]{_LABEL}[)\]]|(?:^|[\s,、。:;?]){_LABEL}[).:、](?![0-9])", re.MULTILINE)
_ASKED_IN_JAPANESE = re.compile(r"(?<![静確豊愚ずば])か(?=[。」』)]|\s*$)", re.MULTILINE)
"""か at the end of a sentence, which Japanese writes where English has a question mark."""
_LABEL_ORDERS = (
    tuple("abcdefghijklmnopqrstuvwxyz"),
    tuple(str(i) for i in range(1, 31)),
    tuple("アイウエオカキクケコ"),
)


def _options(text: str) -> tuple[int, int]:
    """How many labelled options follow one another (A. B. C., (1) (2), ア．イ．), and where the first one starts."""
    found = [(match.group(1) or match.group(2), match.start()) for match in _OPTION_LABEL.finditer(text)]
    best, start = 0, len(text)
    for order in _LABEL_ORDERS:
        count, first = 0, len(text)
        for label, position in found:
            if label == order[0]:
                count, first = 1, position
            elif count and count < len(order) and label == order[count]:
                count += 1
            if count > max(best, 1):
                best, start = count, first
    return best, start


def _marks(text: str) -> Iterator[float]:
    padded = f" {text} "
    for words in MARKS.values():
        yield float(sum(map(padded.count, words.split("|"))))


def _share(part: Floats, tokens: Floats) -> Floats:
    """part / (part + tokens), 0 for an empty text."""
    share: Floats = part / np.maximum(part + tokens, 1e-9)
    return share


def _kind_counts(texts: Sequence[str]) -> dict[str, Floats]:
    codes, owners = codes_of(texts)
    n = len(texts)

    def per_text(mask: np.ndarray) -> Floats:
        return np.bincount(owners[mask], minlength=n).astype(np.float64)

    kinds = kinds_of(codes)
    digit = kinds == Kind.DIGIT
    number = digit.copy()
    number[1:] &= ~digit[:-1] | (owners[1:] != owners[:-1])
    counts = {name: per_text(np.isin(codes, [ord(c) for c in wanted])) for name, wanted in CHARACTERS.items()}
    counts["digits_share"] = per_text(digit)
    counts["numbers"] = per_text(number)
    counts["symbols"] = per_text(kinds == Kind.SYMBOL)
    counts["questions"] = per_text((codes == ord("?")) | (codes == ord("؟")))
    counts["quotes"] = per_text(codes == ord('"'))
    return counts


def _block(conversations: Sequence[Conversation]) -> Float32s:
    texts = [normal_lines(conversation.text) for conversation in conversations]
    options = [_options(text) for text in texts]
    n = len(texts)
    endings = [text[start:] for text, (_, start) in zip(texts, options, strict=True)]
    option_digits = _kind_counts(endings)["digits_share"]
    tokens = count_tokens(texts + endings, unspaced_weight=_UNSPACED_WEIGHT)
    tokens, option_tokens = tokens[:n], tokens[n:]
    counts = _kind_counts(texts)
    asked = np.array([float(len(_ASKED_IN_JAPANESE.findall(text))) for text in texts])
    lines = np.array([text.count("\n") + 1.0 for text in texts])
    labels = np.array([float(count) for count, _ in options])
    columns = {
        "log_tokens": np.log1p(tokens),
        "log_lines": np.log(lines),
        "log_tokens_per_line": np.log1p(tokens / lines),
        "symbols_share": _share(counts["symbols"], tokens),
        "option_digits_share": _share(option_digits, option_tokens),
        "log_user_turns": np.log1p([float(c.user_turns) for c in conversations]),
        "log_system_characters": np.log1p([float(c.system_characters) for c in conversations]),
        "log_tool_messages": np.log1p([float(c.tool_messages) for c in conversations]),
        "log_media_parts": np.log1p([float(c.media_parts) for c in conversations]),
        "rest_share": np.array([len(c.rest) / max(len(c.rest) + len(c.last_user), 1) for c in conversations]),
        "log_questions": np.log1p(counts["questions"] + asked),
        "log_quotes": np.log1p(counts["quotes"]),
        "log_numbers": np.log1p(counts["numbers"]),
        "log_digits_per_number": np.log1p(counts["digits_share"] / np.maximum(counts["numbers"], 1)),
        "log_options": np.log1p(labels),
        "log_option_tokens": np.log1p(option_tokens / np.maximum(labels, 1)),
    }
    columns |= {name: _share(counts[name], tokens) for name in (*CHARACTERS, "digits_share")}
    marks = np.array([list(_marks(text)) for text in texts]).reshape(n, len(MARKS))
    columns |= {name: np.log1p(marks[:, i]) for i, name in enumerate(MARKS)}
    return np.stack([columns[name] for name in SURFACE_NAMES], axis=1).astype(np.float32)


_BLOCK_TEXTS = 256


def surface_features(conversations: Sequence[Conversation]) -> Float32s:
    """Surface features of whole queries, float32 [n, len(SURFACE_NAMES)]; a row never depends on the other queries.

    All values are finite, logarithms or shares: a small change of the text changes them little, and case, width,
    quotes and spaces change nothing.
    """
    blocks = [_block(conversations[i : i + _BLOCK_TEXTS]) for i in range(0, len(conversations), _BLOCK_TEXTS)]
    return np.concatenate(blocks) if blocks else np.zeros((0, len(SURFACE_NAMES)), np.float32)


__all__ = ["SURFACE_NAMES", "surface_features"]
