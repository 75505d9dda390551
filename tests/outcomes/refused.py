"""What a refusal must be: one sentence of ours, with a cure, and nothing left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tenbin.errors import DataError
from tenbin.outcomes import read_outcomes

OTHERS_WORDS = ("duckdb", "Error:", "read_csv", "read_json", "strict_mode", "Possible fixes", "CAST", "\n")


def refused(path: Path, *parts: str, mapping: dict[str, str] | None = None, format: str = "auto") -> str:
    """The sentence with which a file is refused; it holds all parts and none of the reader's own words."""
    with pytest.raises(DataError) as caught:
        read_outcomes(path, mapping, format=format)
    said = str(caught.value)
    for part in parts:
        assert part in said, said
    assert not [word for word in OTHERS_WORDS if word in said], said
    assert caught.value.fix, said
    assert not list(Path(tempfile.gettempdir()).iterdir()), "a temporary file was left behind"
    return said
