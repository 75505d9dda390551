"""Which conversation a request goes on with, who answered it last, and what of it lies in that prompt cache.

A conversation has no name in either dialect: every turn sends the earlier ones again. Its fingerprint is a rolling hash
over the messages in a canonical form that outlives how clients write the same thing again: the order of keys, a text as
one part, fields that are null or empty, cache marks that move along, thinking that is left out of later turns, a line
of Claude Code's that is new each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import msgspec

from tenbin.types import Message
from tenbin.upstream.translate.attribution import without_attribution

MAX_EARLIER = 32
"""One turn adds an answer and a question, or the results of some tools; who adds more than this starts afresh."""
PROMPT_CACHE_S = 300.0
"""Anthropic keeps a prompt for 5 minutes after its last use, OpenAI for 5 to 10: the shorter, so that no saving is
expected that may be gone."""
MIN_CACHED_TOKENS = 1024
"""Neither provider caches a shorter prompt."""
REMEMBERED_S = 3600.0
"""An hour is the longest that providers keep a prompt on request; later a switch loses nothing here."""

_DIGEST_BYTES = 12
_MAX_DEPTH = 64
_TEXT_TYPES = ("text", "input_text", "output_text")
_UNSAID_TYPES = ("thinking", "redacted_thinking", "reasoning")
_NOTHING: Sequence[object] = (None, "", [], {})
_MESSAGE_FIELDS = ("name", "tool_call_id", "tool_calls", "function_call")
_UNSAID_FIELDS = frozenset({"cache_control"})


class Fingerprints(msgspec.Struct, frozen=True):
    """`own` names the conversation up to and with this request, `earlier` its beginnings, newest first."""

    own: str
    earlier: tuple[str, ...]


def fingerprints(messages: Sequence[Message], *, scope: str = "") -> Fingerprints:
    """The fingerprints of a request's messages (decoded JSON), in linear time.

    `scope` keeps apart what must not meet (the key and the profile). The `own` of a request is among the `earlier` of
    the next turn of that conversation. Whatever is no message is hashed as it is: nothing raises.
    """
    pieces: list[bytes] = []
    _text(pieces, b"scope", scope)
    hasher = blake2b(b"".join(pieces), digest_size=_DIGEST_BYTES)
    keep_from = len(messages) - 1 - MAX_EARLIER
    found = []
    for i, message in enumerate(messages):
        pieces.clear()
        _message(pieces, message)
        hasher.update(b"".join(pieces))
        if i >= keep_from:
            found.append(hasher.copy().hexdigest())
    own = found.pop() if found else hasher.hexdigest()
    return Fingerprints(own, tuple(reversed(found)))


def _message(pieces: list[bytes], message: Any) -> None:
    if not isinstance(message, dict):
        _value(pieces, message, 0)
        return
    _text(pieces, b"role", str(message.get("role")))
    _content(pieces, message.get("content"), 0)
    for field in _MESSAGE_FIELDS:
        if value := message.get(field):
            _text(pieces, b"field", field)
            _value(pieces, value, 0)


def _content(pieces: list[bytes], content: Any, depth: int) -> None:
    """A text, or its parts: one text part is the text; no content at all, an empty text and an empty list are one."""
    if isinstance(content, str):
        if said := without_attribution(content):
            _text(pieces, b"text", said)
    elif isinstance(content, list) and depth < _MAX_DEPTH:
        for part in content:
            _part(pieces, part, depth + 1)
    elif content is not None:
        _value(pieces, content, depth)


def _part(pieces: list[bytes], part: Any, depth: int) -> None:
    if not isinstance(part, dict):
        _content(pieces, part, depth)
        return
    kind, text = part.get("type"), part.get("text")
    if kind in _UNSAID_TYPES:
        return
    if kind in _TEXT_TYPES and isinstance(text, str):
        _content(pieces, text, depth)
    elif kind == "tool_result":
        _text(pieces, b"result", str(part.get("tool_use_id")))
        _content(pieces, part.get("content"), depth)
    else:
        _value(pieces, part, depth)


def _value(pieces: list[bytes], value: Any, depth: int) -> None:
    """Any JSON: keys sorted, nothing that is null or empty, whole numbers alike however written."""
    if isinstance(value, str):
        _text(pieces, b"string", value)
    elif depth >= _MAX_DEPTH and isinstance(value, dict | list):
        pieces.append(b"\ndeep")
    elif isinstance(value, dict):
        pieces.append(b"\n{")
        for key in sorted(value):
            inner = value[key]
            if inner not in _NOTHING and key not in _UNSAID_FIELDS:
                _text(pieces, b"key", key)
                _value(pieces, inner, depth + 1)
        pieces.append(b"\n}")
    elif isinstance(value, list):
        pieces.append(b"\n[")
        for inner in value:
            _value(pieces, inner, depth + 1)
        pieces.append(b"\n]")
    else:
        whole = isinstance(value, float) and value.is_integer()
        _text(pieces, b"other", repr(int(value) if whole else value))


def _text(pieces: list[bytes], kind: bytes, text: str) -> None:
    """The length stands before the text, so that no two sequences of texts run together alike."""
    raw = text.encode("utf-8", "surrogatepass")
    pieces.append(b"\n%b %d " % (kind, len(raw)))
    pieces.append(raw)


class Session(msgspec.Struct, frozen=True):
    """The turn of a conversation that was answered last: by whom, how long its prompt was, when (monotonic seconds).

    The request had `length` messages. Of those before `own_from` the candidate was shown no state: other models had
    answered until then.
    """

    candidate: str
    prompt_tokens: int
    at: float
    own_from: int = 0
    length: int = 0

    def wrote_last(self, messages: Sequence[Message]) -> bool:
        """Whether the answer to that turn is the last one in this history; another worker may have had turns since."""
        is_answer = [str(message.get("role")) == "assistant" for message in messages[self.length :]]
        return sum(now and not before for before, now in pairwise([False, *is_answer])) <= 1


class Sessions:
    """The latest turn of each conversation, at most `limit` of them: the longest unused is forgotten first."""

    def __init__(self, limit: int = 32_768) -> None:
        self._limit = limit
        self._turns: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._turns)

    def remember(self, prints: Fingerprints, session: Session) -> None:
        """After an answer: who gave it, to a prompt of how many tokens as billed."""
        self._turns[prints.own] = session
        self._turns.move_to_end(prints.own)
        if len(self._turns) > self._limit:
            self._turns.popitem(last=False)

    def has_answered(self, prints: Fingerprints) -> bool:
        """Whether this very turn was answered before: then it is asked again."""
        return prints.own in self._turns

    def find(self, prints: Fingerprints, now: float) -> Session | None:
        """The latest turn that this request goes on with or repeats, None where none is known or all are too old."""
        return self._latest((prints.own, *prints.earlier), now)

    def before(self, prints: Fingerprints, now: float) -> Session | None:
        """The latest turn whose answer may stand in this request: not one that it repeats."""
        return self._latest(prints.earlier, now)

    def _latest(self, fingerprints: Sequence[str], now: float) -> Session | None:
        for fingerprint in fingerprints:
            session = self._turns.get(fingerprint)
            if session is None:
                continue
            if 0.0 <= now - session.at < REMEMBERED_S:
                self._turns.move_to_end(fingerprint)
                return session
            del self._turns[fingerprint]
        return None


def cached_tokens(session: Session, now: float) -> int:
    """How many tokens of the next prompt lie in the prompt cache of `session.candidate`; 0 where it has run out."""
    if not 0.0 <= now - session.at < PROMPT_CACHE_S or session.prompt_tokens < MIN_CACHED_TOKENS:
        return 0
    return session.prompt_tokens
