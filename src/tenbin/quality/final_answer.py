"""Where an answer itself says what its result is: boxed, behind `####`, or behind "the answer is" in many languages."""

from __future__ import annotations

import re
from collections import deque

MAX_RESULT_CHARACTERS = 300
MARKS_READ = 20
"""Of so many at most, from the last on, one has to hold a result."""
_MARK = re.compile(
    r"\\boxed\s*\{|\\fbox\s*\{|####|(?<!to )\banswer\b[^.\n:=]{0,60}?(?:\bis\b|:|=)"
    r"|\b(?:respuesta|resposta|risposta|réponse|antwort|lösung)\b[^.\n:=]{0,60}?(?:\b(?:es|é|è|est|ist|lautet)\b|:|=)"
    r"|(?:答え|答|解答|回答|正解)\s*(?:は|:|=)|(?:答案|选项|選項)\s*(?:是|为|為|:|=)|(?:정답|답)\s*(?:은|:|=)"
    r"|^[#*_ \t]{0,8}final answer[*_ \t]{0,8}$",
    re.IGNORECASE | re.MULTILINE,
)
_LEAD = re.compile(r"[\s*_:=、,]*(?:(?<=\n)- )?")
"""What stands between a mark and its result; on a line of its own that may be the point of a list."""
_END = re.compile(r"\n|。|\.(?=\s|$)")


def final_answer(text: str) -> str | None:
    """The result that a plain text marks as such, the last where it marks several; None where it marks none.

    >>> final_answer("2 + 2 is 4, so the answer is **4**. Good luck."), final_answer("答えはCです。"), final_answer("4")
    ('4**', 'Cです', None)
    """
    for mark in reversed(deque(_MARK.finditer(text), maxlen=MARKS_READ)):
        stated = _boxed(text, mark.end()) if mark[0].endswith("{") else _to_end(text, mark.end())
        if stated:
            return stated
    return None


def _boxed(text: str, start: int) -> str | None:
    depth = 1
    for at in range(start, min(len(text), start + MAX_RESULT_CHARACTERS)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[start:at].strip()
    return None


def _to_end(text: str, start: int) -> str | None:
    """From a mark to the end of its sentence or line; what stands on the next line where the mark ends its own."""
    lead = _LEAD.match(text, start)
    begin = start if lead is None else lead.end()
    end = _END.search(text, begin, begin + MAX_RESULT_CHARACTERS)
    return text[begin : end.start() if end else begin + MAX_RESULT_CHARACTERS].strip() or None
