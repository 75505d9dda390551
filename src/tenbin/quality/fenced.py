"""The blocks of an answer that stand between fences, as models write code, queries and JSON."""

from __future__ import annotations

import re
from collections.abc import Collection

_BLOCK = re.compile(
    r"^[ \t]*(?P<fence>`{3,20}|~{3,20})[ \t]*(?P<language>[\w+#.-]*)[^\n]*\n"
    r"(?P<text>.*?)(?:^[ \t]*(?P=fence)[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)


def fenced(answer: str, languages: Collection[str]) -> list[str]:
    """The blocks tagged with one of the languages, else the untagged ones; a fence never closed lasts to the end.

    >>> fenced("Here:\\n```python\\nx = 1\\n```\\nor\\n```\\ny\\n```", {"python"})
    ['x = 1\\n']
    """
    blocks = [(found["language"].lower(), found["text"]) for found in _BLOCK.finditer(answer)]
    return [text for language, text in blocks if language in languages] or [text for tag, text in blocks if not tag]
