"""Embedders with other people's weights: the real ones where installed, stand-ins for what is too large to install."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tenbin.features.onnx_folder import OnnxEmbedder
from tenbin.features.sentence import SentenceEmbedder
from tenbin.features.unit_vectors import unit_vectors
from tenbin.features.usem3 import Usem3Embedder
from tenbin.features.weights_hash import weights_hash
from tenbin.features.wordllama import WordLlamaEmbedder
from tenbin.testing import check_embedder


@pytest.mark.extra
@pytest.mark.parametrize("kind", [WordLlamaEmbedder, Usem3Embedder])
def test_packaged_weights_work_with_the_network_off(kind: type[WordLlamaEmbedder | Usem3Embedder]) -> None:
    embedder = kind()
    check_embedder(embedder, tolerance=0.0)
    assert embedder.name == kind().name
    near, far = (
        embedder.embed(["the cat sleeps", "a sleeping cat", "quarterly tax report"])[1:]
        @ embedder.embed(["the cat sleeps"])[0]
    )
    assert near > far + 0.2


@pytest.mark.extra
def test_the_multilingual_one_knows_twins() -> None:
    vectors = Usem3Embedder().embed(
        ["Why is the sky blue?", "空はなぜ青いのですか？", "この請求書を要約してください。"]
    )
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


class FakeSentenceTransformer:
    """Stands in for a model: what it is given shows in the vector."""

    def __init__(self, folder: str, device: str, local_files_only: bool) -> None:
        assert Path(folder).is_dir()
        assert device == "cpu"
        assert local_files_only

    def get_sentence_embedding_dimension(self) -> int:
        return 3

    def encode(self, texts: list[str], batch_size: int, **_: Any) -> Any:
        assert batch_size == 1
        return np.array([[len(text), len(set(text)), 1.0] for text in texts])


class Renamed(FakeSentenceTransformer):
    """The same in version 6, where the older name warns."""

    get_embedding_dimension = FakeSentenceTransformer.get_sentence_embedding_dimension

    def get_sentence_embedding_dimension(self) -> int:
        raise FutureWarning("has been renamed")


def offer(monkeypatch: pytest.MonkeyPatch, **packages: ModuleType) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name in packages else find(name))
    for name, module in packages.items():
        monkeypatch.setitem(sys.modules, name, module)


def module(name: str, **content: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(content)
    return made


@pytest.mark.parametrize("model", [FakeSentenceTransformer, Renamed])
def test_a_sentence_model_keeps_to_the_door(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: type[FakeSentenceTransformer]
) -> None:
    stand_in = module("sentence_transformers", SentenceTransformer=model)
    offer(monkeypatch, sentence_transformers=stand_in)
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    embedder = SentenceEmbedder(tmp_path)
    check_embedder(embedder)
    before = embedder.name
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    assert SentenceEmbedder(tmp_path).name != before


class FakeTokenizer:
    """One token per character, padding off."""

    limit = 10**6

    @classmethod
    def from_file(cls, _: str) -> FakeTokenizer:
        return cls()

    def no_padding(self) -> None:
        return

    def enable_truncation(self, limit: int) -> None:
        self.limit = limit

    def encode(self, text: str) -> SimpleNamespace:
        return SimpleNamespace(ids=[ord(c) % 50 + 1 for c in text][: self.limit])


class FakeSession:
    """Gives one vector per token, and has no port for token types."""

    def __init__(self, file: str, options: Any, providers: list[str]) -> None:
        assert options.intra_op_num_threads == 1
        assert providers == ["CPUExecutionProvider"]
        assert Path(file).is_file()

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="input_ids"), SimpleNamespace(name="attention_mask")]

    def run(self, _: None, given: dict[str, Any]) -> list[Any]:
        assert set(given) == {"input_ids", "attention_mask"}
        ids = given["input_ids"][0].astype(np.float32)
        return [np.stack([ids, ids * ids, np.ones_like(ids)], axis=1)[None]]


def test_an_onnx_folder_keeps_to_the_door(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runtime = module("onnxruntime", InferenceSession=FakeSession, SessionOptions=SimpleNamespace)
    offer(monkeypatch, onnxruntime=runtime, tokenizers=module("tokenizers", Tokenizer=FakeTokenizer))
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"graph")
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    embedder = OnnxEmbedder(tmp_path)
    check_embedder(embedder)
    assert embedder.dim == 3
    assert OnnxEmbedder(tmp_path, max_tokens=64).name != embedder.name
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"graph with weights in: model.onnx_data.")
    names = set()
    for weights in (b"some", b"other"):
        (tmp_path / "onnx" / "model.onnx_data").write_bytes(weights)
        (tmp_path / "onnx" / "notes.md").write_bytes(weights)
        names |= {OnnxEmbedder(tmp_path).name, OnnxEmbedder(tmp_path).name}
    assert len(names) == 2
    ids = np.array([ord(c) % 50 + 1 for c in "abc"], np.float64)
    mean = np.array([ids.mean(), (ids * ids).mean(), 1.0])
    assert np.allclose(embedder.embed(["abc"])[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_the_hash_follows_names_and_contents_of_the_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"x")
    two.write_bytes(b"y")
    both = weights_hash([one, two])
    assert weights_hash([two, one]) == both != weights_hash([one])
    two.write_bytes(b"z")
    assert weights_hash([one, two]) != both
    (tmp_path / "1_Pooling").mkdir()
    configs = [tmp_path / "config.json", tmp_path / "1_Pooling" / "config.json"]
    for i, config in enumerate(configs):
        config.write_text(f"{i}")
    assert weights_hash(configs) == weights_hash(configs[::-1])


def test_unit_vectors_are_unit_or_zero() -> None:
    raw = np.array([[3.0, 4.0], [0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0], [1e30, 0.0]])
    assert unit_vectors(raw).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0], [0, 0], [0, 0], [1, 0]]
    assert unit_vectors(raw).dtype == np.float32
