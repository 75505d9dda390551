"""What a model thought aloud in front of its answer, as open models send it where no server takes it out."""

from __future__ import annotations

import re

_TAG = r"think|thinking|thought|reasoning|seed:think"
_BEGUN = re.compile(rf"\s*(?:<(?P<tag>{_TAG})>|\[THINK\])")
_UNBEGUN = re.compile(r"</think>|\[/THINK\]")
"""Where the template of a chat has written the beginning of the thoughts, only their end is in the answer."""


def without_thoughts(answer: str) -> str:
    """The answer behind its thoughts, nothing where it was cut off among them; tags elsewhere are left as they are.

    >>> without_thoughts("<think>7? No.</think>8"), without_thoughts("7? No.</think>8"), without_thoughts("<think>7?")
    ('8', '8', '')
    """
    begun = _BEGUN.match(answer)
    if begun is None:
        end = _UNBEGUN.search(answer)
        return answer if end is None or "<think>" in answer[: end.start()] else answer[end.end() :]
    closing = "[/THINK]" if begun["tag"] is None else f"</{begun['tag']}>"
    return answer[begun.end() :].partition(closing)[2]
