"""The gateway's reference page keeps step with the code: every route, code of a refusal and field that is dropped."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tenbin.gateway.app import DECISIONS, MODELS, ROUTES
from tenbin.upstream.translate import DROPPED

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "reference" / "endpoints.md").read_text(encoding="utf-8")
NAMES = {"openai": "chat completions", "anthropic": "messages"}


def refusals() -> Iterator[tuple[str, int]]:
    """Code and status of every refusal in the source: RequestError(status, code), and a connection's own."""
    for path in (ROOT / "src" / "tenbin").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
                "RequestError",
                "refuse",
            ):
                pair = node.args[:2]
            elif isinstance(node, ast.Tuple) and path.name == "connection.py":
                pair = node.elts[:2]
            else:
                continue
            values = [value.value for value in pair if isinstance(value, ast.Constant)]
            if len(values) == 2 and isinstance(values[0], int) and isinstance(values[1], str):
                yield values[1], values[0]


def documented() -> Iterator[tuple[str, int]]:
    for names, status in re.findall(r"^\| (`[a-z_`, ]+`) \| (\d{3}) \|", PAGE, flags=re.MULTILINE):
        yield from ((code, int(status)) for code in re.findall(r"`([a-z_]+)`", names))
    (admin,) = re.findall(r"The admin port also knows ([^;]*);", PAGE)
    for names, status in re.findall(r"((?:`[a-z_]+`(?: and )?)+) \((\d{3})\)", admin):
        yield from ((code, int(status)) for code in re.findall(r"`([a-z_]+)`", names))


def test_every_code_of_a_refusal_is_in_the_table_and_no_other() -> None:
    assert sorted(set(documented())) == sorted(set(refusals()))


def test_every_route_is_in_the_table_and_no_other() -> None:
    named = set(re.findall(r"`(?:GET|POST|HEAD) (/[a-z0-9_/]*)", PAGE.partition("## Headers")[0]))
    assert named == {*ROUTES, DECISIONS, MODELS}


def test_every_dropped_field_is_in_the_table_and_no_other() -> None:
    rows = re.findall(r"^\| (chat completions|messages) \| (.*) \| (.*) \|$", PAGE, flags=re.MULTILINE)
    assert rows == [(NAMES[source], field, why) for source in NAMES for field, why in DROPPED[source].items()]
