"""Other people's words in a note: on one line, bounded, without what would move a terminal's cursor."""

from __future__ import annotations

MAX_NOTE_CHARACTERS = 300


def shown(text: str) -> str:
    """The text with white space as single blanks, nothing unprintable, and at most 300 characters.

    >>> shown("a\\n\\x1b[31mb")
    'a [31mb'
    """
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return line if len(line) <= MAX_NOTE_CHARACTERS else f"{line[: MAX_NOTE_CHARACTERS - 1]}…"
