"""`tenbin prices`, as a person calls it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

Tenbin = Callable[..., Result]
SCHEMAS = Path(__file__).parents[2] / "docs/reference/json"
BOOK = """
[[models."gpt-4o".prices]]
since = 2024-05-13
input_usd_per_mtok = 5
output_usd_per_mtok = 15
[[models."gpt-4o".prices]]
since = 2024-08-06
input_usd_per_mtok = 2.5
output_usd_per_mtok = 10
cached_input_usd_per_mtok = 1.25
[models."mistralai/large"]
input_usd_per_mtok = 2
output_usd_per_mtok = 6
source = "the vendor's page"
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "prices.toml"
    path.write_text(BOOK, encoding="utf-8")
    return path


def document(name: str, run: Result) -> dict[str, Any]:
    """The run's JSON document, held against its schema."""
    found: dict[str, Any] = json.loads(run.stdout)
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def test_show_prints_the_prices_of_a_day(tenbin: Tenbin, book: Path) -> None:
    text = tenbin("prices", "show", book, "--at", "2024-06-01").stdout
    assert text.splitlines()[2].split() == ["gpt-4o", "2024-05-13", "5", "15"]
    assert "source: the vendor's page" in text
    assert "cached input" not in text
    assert "cached input" in tenbin("prices", "show", book).stdout


def test_show_history_lists_every_entry(tenbin: Tenbin, book: Path) -> None:
    rows = document("prices-show", tenbin("prices", "show", book, "--history", "--json"))["prices"]
    assert [(row["model"], row["since"]) for row in rows] == [
        ("gpt-4o", "2024-05-13"),
        ("gpt-4o", "2024-08-06"),
        ("mistralai/large", None),
    ]


def test_diff_names_what_changed(tenbin: Tenbin, book: Path, tmp_path: Path) -> None:
    after = tmp_path / "after.toml"
    after.write_text(BOOK.replace("2.5", "25").replace("mistralai/large", "new"), encoding="utf-8")
    lines = [line.split() for line in tenbin("prices", "diff", book, after).stdout.splitlines()[2:]]
    assert lines == [
        ["gpt-4o", "input", "2.5", "25", "x10"],
        ["mistralai/large", "is", "gone", "2", "/", "6", "–"],
        ["new", "is", "new", "–", "2", "/", "6"],
    ]
    changes = document("prices-diff", tenbin("prices", "diff", book, after, "--json"))["changes"]
    assert [change["model"] for change in changes] == ["gpt-4o", "mistralai/large", "new"]
    assert tenbin("prices", "diff", book, after, "--at", "2024-06-01", "--json").exit_code == 0
    assert tenbin("prices", "diff", book, book).stdout == "no price differs\n"


def test_diff_tells_of_a_price_that_begins_later(tenbin: Tenbin, book: Path, tmp_path: Path) -> None:
    after = tmp_path / "after.toml"
    dearer = BOOK[: BOOK.index('[models."mistral')].replace("2024-08-06", "2999-01-01").replace("2.5", "9")
    after.write_text(BOOK + dearer[dearer.rindex("[[models") :], encoding="utf-8")
    said = tenbin("prices", "diff", book, after).stdout
    assert said == "no price differs\nfrom 2999-01-01 on other prices differ: add --at 2999-01-01\n"
    said = tenbin("prices", "diff", book, after, "--at", "2999-01-01").stdout
    assert "on other prices differ" not in said
    assert said.splitlines()[-1].split() == ["gpt-4o", "input", "2.5", "9", "x3.6"]


def test_check_fails_only_where_a_model_cannot_be_priced(tenbin: Tenbin, book: Path) -> None:
    fine = tenbin("prices", "check", book, "--at", "2024-09-01")
    assert (fine.exit_code, fine.stdout.startswith("in order: 2 models")) == (0, True)
    run = tenbin("prices", "check", book, "--model", "large", "--model", "gpt-4o", "--json")
    assert run.exit_code == 4
    assert '1 model has no price; add [models."large"]' in run.stderr
    findings = document("prices-check", run)["findings"]
    assert findings[0] == {
        "model": "large",
        "what": 'has no price; did you mean "mistralai/large"?',
        "is_error": True,
    }


def test_check_takes_the_models_of_a_router(tenbin: Tenbin, made: Path, book: Path) -> None:
    assert tenbin("prices", "check", made / "router").exit_code == 0
    assert tenbin("prices", "check", made / "prices.toml", "--router", made / "router").exit_code == 0
    run = tenbin("prices", "check", book, "--router", made / "router")
    assert run.exit_code == 4
    assert "3 models have no price" in run.stderr
    assert tenbin("prices", "show", made / "router").exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["show", "none.toml"], 4, "none.toml: cannot be read"),
        (["import", "openai/gpt-4o"], 2, '"openai/gpt-4o" is not NAME=PROVIDER/MODEL'),
        (["import", "a=x/y", "a=x/z"], 2, 'the name "a" is given twice'),
        (
            ["show", "none.toml", "--at", "tomorrow"],
            2,
            'invalid value for "--at": "tomorrow" is no day, as 2026-01-31 is one',
        ),
        (["shwo"], 2, 'did you mean "show"?'),
    ],
)
def test_a_wrong_call_gets_one_sentence(tenbin: Tenbin, words: list[str], code: int, sentence: str) -> None:
    run = tenbin("prices", *words)
    assert run.exit_code == code
    assert sentence in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.extra
@pytest.mark.skipif(importlib.util.find_spec("genai_prices") is None, reason="genai-prices is not installed")
def test_import_writes_a_book_that_checks_out(tenbin: Tenbin, tmp_path: Path) -> None:
    out = tmp_path / "prices.toml"
    words = ["prices", "import", "big=openai/gpt-4o", "small=openai/gpt-4o-mini", "--out", out]
    found = document("prices-import", tenbin(*words, "--json"))
    assert [row["model"] for row in found["prices"]] == ["big", "small"]
    assert tenbin("prices", "check", out, "--model", "big", "--model", "small").exit_code == 0
    again = tenbin(*words)
    assert again.exit_code == 2
    assert "prices.toml: exists; name a new file" in again.stderr
    told = tenbin("prices", "import", "big=openai/gpt-4o", "--out", tmp_path / "my prices.toml").stdout
    assert f"next: tenbin prices check '{tmp_path / 'my prices.toml'}'" in told
    printed = tenbin("prices", "import", "big=openai/gpt-4o", "small=openai/gpt-4o-mini")
    assert printed.stdout == out.read_text(encoding="utf-8")
