from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tenbin.cli import output


def test_table_aligns_wide_characters() -> None:
    drawn = output.table(["model", "品質"], [["天秤", "0.9"], ["ab", "0.85"]]).splitlines()
    assert [output.text_width(line) for line in drawn] == [11, 11, 11, 11]
    assert drawn[2] == "天秤    0.9"


def test_table_counts_neither_colour_codes_nor_combining_marks() -> None:
    assert output.text_width(output.good("ab")) == 2
    assert output.text_width("é") == 1


def test_a_name_moves_no_cursor_sets_no_title_and_turns_no_direction(capsys: pytest.CaptureFixture[str]) -> None:
    name = "\x1b]0;owned\x07\x1b[2J\u202egpt\x9b1A\r"
    output.say(f"{name}: {output.good('fine')} 👩\u200d💻\u3000天秤\nnext")
    said = capsys.readouterr().out
    assert not set(said) & set("\x1b\x07\u202e\x9b\r")  # colours are dropped too, since this is no terminal
    assert said.endswith(": fine 👩\u200d💻\u3000天秤\nnext\n")
    drawn = output.table([name, "b"], [[output.strong("a"), "c"]])
    assert output.OUR_STYLES.sub("", drawn).isprintable() or "\n" in drawn
    assert set(output.OUR_STYLES.sub("", drawn)) <= set("\n\N{REPLACEMENT CHARACTER}─ ]0;owned[2Jgpt1Aabc")
    assert output.good("a") in output.harmless(output.good("a"))


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 30 columns."""
    monkeypatch.setattr(output, "terminal_width", lambda: 30)


@pytest.mark.usefixtures("narrow")
def test_a_table_wider_than_the_terminal_goes_on_below_beside_its_first_column() -> None:
    row = ["small", "0.5 [0.4, 0.6]", "1.0", "0.7 [0.6, 0.8]", "2.0"]
    first, second = output.table(["model", "kept", "n", "saved", "m"], [row], indent=2).split("\n\n")
    assert first.splitlines()[0] == "  model            kept    n"
    assert second.splitlines()[2] == "  small  0.7 [0.6, 0.8]  2.0"
    why = output.table(["model", "why"], [["天秤", "saving little makes up for nothing"]], left=(0, 1))
    assert why.splitlines()[2:] == ["天秤   saving little makes up", "       for nothing"]


@pytest.mark.usefixtures("narrow")
def test_prose_is_broken_where_a_reader_would() -> None:
    said = "- It saves 40.0% [35.0%, 45.0%] of its cost."
    assert output.prose(said, hang=2) == "- It saves 40.0% [35.0%,\n  45.0%] of its cost."
    for line in output.prose("費用を66.8%（95%信頼区間 64.1%〜69.5%）削減します。「はい」、そうです。").splitlines():
        assert output.text_width(line) <= 30
        assert line[0] not in output.CLOSING
        assert line[-1] not in output.OPENING


def test_what_goes_to_a_file_or_a_pipe_is_as_wide_as_it_is() -> None:
    said = "word " * 60
    assert output.prose(said) == said
    assert len(output.table(["a" * 200, "b" * 200], [["c", "d"]]).splitlines()) == 3


def test_clip_stops_at_the_width_of_the_terminal_not_of_the_text() -> None:
    assert output.clip("日本語のプロンプト", 7) == "日本語…"
    assert output.clip("two\nlines", 20) == "two lines"


@dataclass(frozen=True)
class Point:
    at: float


def test_plain_knows_what_results_hold() -> None:
    value = {"a": np.array([1.0, np.nan]), "b": np.int64(3), "c": date(2026, 1, 2), "d": Path("x"), "e": [Point(2.0)]}
    assert output.plain(value) == {"a": [1.0, None], "b": 3, "c": "2026-01-02", "d": "x", "e": [{"at": 2.0}]}


def test_plain_refuses_what_has_no_place_in_json() -> None:
    with pytest.raises(TypeError, match="object"):
        output.plain(object())


def test_emit_json_is_one_document_with_its_schema_version(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_json({"prompt": "日本", "cost_usd": float("inf")})
    text = capsys.readouterr().out
    assert "日本" in text
    assert json.loads(text) == {"schema_version": 1, "prompt": "日本", "cost_usd": None}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0000373, "$0.0000373"), (0, "$0"), (1.2, "$1.20"), (1234.5, "$1,234"), (-0.01, "-$0.0100"), (None, "–")],
)
def test_dollars_are_never_in_powers_of_ten(value: float | None, shown: str) -> None:
    assert output.usd(value) == shown
