"""The public names are pinned here: changing one is a decision, recorded in this list and in the changelog."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import tenbin

SOURCE = Path(__file__).resolve().parent.parent / "src" / "tenbin"
PUBLIC = (
    "Candidate",
    "Decision",
    "FitSettings",
    "Outcome",
    "Panel",
    "PriceBook",
    "Query",
    "Router",
    "TenbinError",
    "TradeOff",
    "__version__",
    "evaluate_router",
    "fit",
    "read_outcomes",
)


def test_the_public_names_are_these() -> None:
    assert tuple(sorted(tenbin.__all__)) == PUBLIC
    assert tuple(dir(tenbin)) == PUBLIC


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_a_public_name_is_there_and_documented(name: str) -> None:
    noun = getattr(tenbin, name)
    assert noun.__module__.startswith("tenbin.")
    documentation = inspect.getdoc(noun)
    assert documentation
    assert not documentation.startswith(f"{name}("), "a generated docstring says nothing"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Routre'"):
        tenbin.Routre  # noqa: B018


def test_the_version_is_that_of_the_installed_package() -> None:
    from importlib.metadata import version

    assert tenbin.__version__ == version("tenbin")


def bare(path: Path) -> Iterator[str]:
    """The public functions and classes of a module that have no docstring, and the module if it has none."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        is_noun = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if is_noun and not node.name.startswith("_") and ast.get_docstring(node) is None:
            yield f"{path.relative_to(SOURCE.parent)}:{node.lineno} {node.name}"
    if tree.body and ast.get_docstring(tree) is None:
        yield f"{path.relative_to(SOURCE.parent)}:1 the module"


def test_every_public_function_and_class_has_a_docstring() -> None:
    modules = sorted(SOURCE.rglob("*.py"))
    assert modules
    assert [name for path in modules for name in bare(path)] == []
