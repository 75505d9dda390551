"""The cache of vectors: same vectors, fewer calls, several processes, never in the way."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from tenbin.features.cache import CachedEmbedder
from tenbin.testing import check_embedder
from tenbin.types import Float32s


class Counting:
    """An embedder that remembers what it was asked."""

    def __init__(self, name: str = "counting-4", dim: int = 4) -> None:
        self.name = name
        self.dim = dim
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Float32s:
        self.asked += texts
        digests = (hashlib.sha256(f"{self.name}{text}".encode("utf-8", "surrogatepass")).digest() for text in texts)
        rows = [np.frombuffer(digest[: self.dim], np.uint8) for digest in digests]
        raw = np.array(rows, np.float64).reshape(len(texts), self.dim) - 127.5
        vectors: Float32s = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
        return vectors


def entries(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM vectors").fetchone()[0])


def test_it_keeps_to_the_door_of_embedders(tmp_path: Path) -> None:
    check_embedder(CachedEmbedder(Counting(), tmp_path / "v.sqlite3"), tolerance=0.0)


def test_each_text_is_computed_once(tmp_path: Path) -> None:
    """But for some at the first look, which tell whether the embedder is still the same."""
    inner = Counting()
    first = CachedEmbedder(inner, tmp_path / "new" / "v.sqlite3").embed(["a", "b", "a", "日本"])
    assert inner.asked == ["a", "b", "日本"]
    cached = CachedEmbedder(inner, tmp_path / "new" / "v.sqlite3")
    again = cached.embed(["日本", "c", "a"])
    assert inner.asked == ["a", "b", "日本", *["日本", "a"], "c"]
    cached.embed(["a", "b", "c"])
    assert len(inner.asked) == 6
    assert np.array_equal(again[[0, 2]], first[[3, 0]])
    assert np.array_equal(first, Counting().embed(["a", "b", "a", "日本"]))


def test_an_embedder_that_was_changed_under_its_name_is_computed_anew(tmp_path: Path) -> None:
    """Whoever writes an embedder changes it and fits again: the vectors of before it gave the same router."""
    path, texts = tmp_path / "v.sqlite3", [str(i) for i in range(100)]
    CachedEmbedder(Counting(), path).embed(texts)
    CachedEmbedder(Counting("other"), path).embed(texts)
    changed = Counting("changed")
    changed_vectors = changed.embed(texts)
    changed.asked.clear()
    changed.name = "counting-4"
    changed.embed = lambda asked: changed_vectors[[int(text) for text in asked]]  # type: ignore[method-assign]
    assert np.array_equal(CachedEmbedder(changed, path).embed(texts[:50]), changed_vectors[:50])
    assert entries(path) == 150
    assert np.array_equal(CachedEmbedder(changed, path).embed(texts), changed_vectors)


def test_a_server_that_rounds_otherwise_is_the_same(tmp_path: Path) -> None:
    path, texts, inner = tmp_path / "v.sqlite3", [str(i) for i in range(20)], Counting()
    kept = CachedEmbedder(inner, path).embed(texts)
    rounding = Counting()
    rounding.embed = lambda asked: inner.embed(asked) + np.float32(1e-3)  # type: ignore[method-assign]
    assert np.array_equal(CachedEmbedder(rounding, path).embed(texts), kept)


def test_embedders_do_not_share_vectors(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite3"
    CachedEmbedder(Counting("one"), path).embed(["a"])
    other = Counting("two")
    assert np.array_equal(CachedEmbedder(other, path).embed(["a"]), Counting("two").embed(["a"]))
    assert other.asked == ["a"]


def test_the_texts_themselves_are_not_kept(tmp_path: Path) -> None:
    CachedEmbedder(Counting(), tmp_path / "v.sqlite3").embed(["a very private question"])
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"private" not in kept


def test_it_stays_bounded_and_the_oldest_go_first(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite3"
    inner = Counting()
    cached = CachedEmbedder(inner, path, max_vectors=5)
    texts = [str(i) for i in range(12)]
    vectors = np.concatenate([cached.embed(texts[:8]), cached.embed(texts[8:10]), cached.embed(texts[10:])])
    assert np.array_equal(vectors, Counting().embed(texts))
    assert entries(path) == 5
    cached.embed(["11"])  # the first that is known is computed again, to try it
    inner.asked.clear()
    cached.embed(["11", "9", "8", "7", "0"])
    assert inner.asked == ["0"]
    assert entries(path) == 5


@pytest.mark.parametrize("content", [b"this is no database" * 100, b""])
def test_a_file_that_is_no_cache_is_passed_over(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "v.sqlite3"
    path.write_bytes(content)
    assert np.array_equal(CachedEmbedder(Counting(), path).embed(["a", "b"]), Counting().embed(["a", "b"]))


def test_a_place_that_cannot_be_written_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    cached = CachedEmbedder(Counting(), tmp_path / "file" / "v.sqlite3")
    assert np.array_equal(cached.embed(["a"]), Counting().embed(["a"]))


@pytest.mark.parametrize("damaged", [b"\0", np.full(4, np.nan, "<f4").tobytes()])
def test_a_damaged_vector_is_computed_again(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "v.sqlite3"
    cached = CachedEmbedder(Counting(), path)
    good = cached.embed(["a"])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE vectors SET vector = ?", [damaged])
    connection.close()
    assert np.array_equal(cached.embed(["a"]), good)
    assert np.array_equal(cached.embed(["a"]), good)


def test_many_texts_at_once(tmp_path: Path) -> None:
    texts = [str(i % 1300) for i in range(3000)]
    inner = Counting()
    cached = CachedEmbedder(inner, tmp_path / "v.sqlite3")
    assert np.array_equal(cached.embed(texts), Counting().embed(texts))
    assert len(inner.asked) == 1300
    assert np.array_equal(cached.embed(texts), Counting().embed(texts))
    assert len(inner.asked) == 1308


def work(job: tuple[str, int]) -> bool:
    path, seed = job
    texts = [str((seed * 7 + i) % 90) for i in range(120)]
    found = CachedEmbedder(Counting(), path, max_vectors=50).embed(texts)
    return bool(np.array_equal(found, Counting().embed(texts)))


def test_threads_and_processes_may_share_it(tmp_path: Path) -> None:
    jobs = [(str(tmp_path / "v.sqlite3"), seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, jobs))
    children = [get_context("spawn").Process(target=work, args=(job,)) for job in jobs[:2]]
    for child in children:
        child.start()
    assert all(map(work, jobs))
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert 0 < entries(tmp_path / "v.sqlite3") <= 50
