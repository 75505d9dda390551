"""The blocks of an answer that stand between fences, as models write code, queries and JSON."""

from __future__ import annotations

import re
from collections.abc import Collection

_BLOCK = re.compile(
    r"^(?P<indent>[ \t]*)(?P<fence>`{3,20}|~{3,20})[ \t]*(?P<language>[\w+#.-]*)[^\n]*\n"
    r"(?P<text>.*?)(?:^[ \t]*(?P=fence)[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)


def fenced(answer: str, languages: Collection[str]) -> list[str]:
    """The blocks tagged with one of the languages, else the untagged ones; a fence never closed lasts to the end.

    Lines end in `\\n` alone, and where a fence is indented, as in a list, its block is moved out by as much.

    >>> fenced("Here:\\n```python\\nx = 1\\n```\\nor\\n```\\ny\\n```", {"python"})
    ['x = 1\\n']
    """
    found = _BLOCK.finditer(answer.replace("\r\n", "\n"))
    blocks = [(block["language"].lower(), _moved_out(block["text"], len(block["indent"]))) for block in found]
    return [text for language, text in blocks if language in languages] or [text for tag, text in blocks if not tag]


def _moved_out(text: str, by: int) -> str:
    """The lines without so many blanks in front, or as many as they have."""
    return re.sub(rf"^[ \t]{{1,{by}}}", "", text, flags=re.MULTILINE) if by else text
