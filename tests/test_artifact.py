"""The artifact folder: same content same bytes, nothing half-written, every damage named."""

import hashlib
import io
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenbin.artifact import MANIFEST, PRICES, Manifest, read_manifest, read_part, write_artifact
from tenbin.errors import ArtifactError
from tenbin.types import Candidate

PARTS = {
    "quality": {"coef": np.arange(6.0).reshape(2, 3), "name": np.array("stack"), "k": np.array(3)},
    "seen": {"keys": np.array(["ab"])},
}


def manifest() -> Manifest:
    return Manifest(
        version="0.1.0",
        data_hash="d" * 64,
        seed=0,
        candidates=(Candidate("large", capabilities=frozenset({"vision", "tools"})), Candidate("small")),
        embedder="base",
        embedder_name="base-1",
        embedder_reason="The only one installed.",
        predictor="stack",
        reference="large",
        c_ref_usd=0.01,
        t_ref_s=None,
        cost_basis="tokens",
        uses_groups=True,
        n_train=2,
        n_labels=4,
        label_cost_usd=0.1,
        hashes={},
    )


def write(folder: Path, prices: str = "") -> Manifest:
    return write_artifact(folder, manifest(), PARTS, prices, "# card\n")


def test_what_is_written_is_read_back(tmp_path):
    written = write(tmp_path / "router")
    found = read_manifest(tmp_path / "router")
    assert found == written
    coef = read_part(tmp_path / "router", found, "quality")["coef"]
    np.testing.assert_array_equal(coef, PARTS["quality"]["coef"])
    assert read_part(tmp_path / "router", found, "quality")["k"].shape == ()


def test_the_hash_depends_on_arrays_and_not_on_prices(tmp_path):
    one, two = write(tmp_path / "a", "x = 1"), write(tmp_path / "b", "x = 2")
    assert one.artifact_hash == two.artifact_hash
    other = {**PARTS, "quality": {"coef": PARTS["quality"]["coef"] + 1e-12, "name": np.array("stack")}}
    assert write_artifact(tmp_path / "c", manifest(), other, "", "").artifact_hash != one.artifact_hash
    (tmp_path / "a" / PRICES).write_text("x = 3")
    assert read_manifest(tmp_path / "a").artifact_hash == one.artifact_hash


def test_a_router_is_replaced_as_a_whole_and_nothing_is_left_beside(tmp_path):
    write(tmp_path / "router", "old = 1")
    (tmp_path / "router" / "stray.npz").write_bytes(b"x")
    write(tmp_path / "router", "new = 1")
    assert (tmp_path / "router" / PRICES).read_text() == "new = 1"
    assert not (tmp_path / "router" / "stray.npz").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["router"]


def test_a_folder_of_something_else_is_not_overwritten(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("precious")
    with pytest.raises(ArtifactError, match="is not a router"):
        write(tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "precious"


def test_a_router_that_cannot_come_brings_the_old_one_back(tmp_path, monkeypatch):
    write(tmp_path / "router", "x = 1")
    replace_of, moved = os.replace, []

    def second_time_interrupted(source, target):
        moved.append(source)
        if len(moved) == 2:
            raise KeyboardInterrupt
        replace_of(source, target)

    monkeypatch.setattr("tenbin.artifact.os.replace", second_time_interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "router", "x = 2")
    assert (tmp_path / "router" / PRICES).read_text() == "x = 1"
    assert [path.name for path in tmp_path.iterdir()] == ["router"]


def test_a_failed_write_leaves_the_old_router_and_nothing_beside(tmp_path, monkeypatch):
    write(tmp_path / "router", "old = 1")

    def full(*_args: object, **_kwargs: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ArtifactError, match="No space left"):
        write(tmp_path / "router", "new = 1")
    assert (tmp_path / "router" / PRICES).read_text() == "old = 1"
    assert [p.name for p in tmp_path.iterdir()] == ["router"]


@pytest.mark.parametrize(
    ("found", "said"),
    [(99, r"format 99, this tenbin reads 4; upgrade"), (3, r"format 3 of an older tenbin, this one reads 4; fit")],
)
def test_another_format_is_refused_with_both_numbers(tmp_path, found, said):
    write(tmp_path / "router")
    path = tmp_path / "router" / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": found}))
    with pytest.raises(ArtifactError, match=said):
        read_manifest(tmp_path / "router")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', "\xff"])
def test_a_damaged_manifest_is_one_sentence(tmp_path, text):
    write(tmp_path / "router")
    (tmp_path / "router" / MANIFEST).write_bytes(text.encode("latin-1"))
    with pytest.raises(ArtifactError, match="fit the router again"):
        read_manifest(tmp_path / "router")


def test_damaged_and_missing_arrays_are_named(tmp_path):
    found = write(tmp_path / "router")
    path = tmp_path / "router" / "quality.npz"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ArtifactError, match=r"quality\.npz: is damaged"):
        read_part(tmp_path / "router", found, "quality")
    path.unlink()
    with pytest.raises(ArtifactError, match="missing"):
        read_part(tmp_path / "router", found, "quality")


def test_not_a_router(tmp_path):
    with pytest.raises(ArtifactError, match="tenbin fit"):
        read_manifest(tmp_path)


def test_arrays_of_python_objects_cannot_be_stored(tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        write_artifact(tmp_path / "r", manifest(), {"quality": {"x": np.array([{}], dtype=object)}}, "", "")


def broken(value: object, *place: str | int):
    """An edit of a manifest: this value at that place."""

    def edit(said):
        *outer, last = place
        for key in outer:
            said = said[key]
        said[last] = value

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        broken(float("nan"), "c_ref_usd"),
        broken(-0.01, "c_ref_usd"),
        broken(0, "c_ref_usd"),
        broken([0.01], "c_ref_usd"),
        broken("1", "t_ref_s"),
        broken("euros", "cost_basis"),
        broken(None, "hashes"),
        broken(None, "format"),
        broken(5, "embedder"),
        broken(True, "n_train"),
        broken("large", "candidates", 1, "name"),
        broken("8k", "candidates", 1, "context_window_tokens"),
        broken(float("nan"), "candidates", 1, "max_output_tokens"),
        lambda said: said.pop("format"),
    ],
)
def test_a_manifest_whose_values_cannot_be_is_damaged(tmp_path, edit):
    write(tmp_path / "router")
    path = tmp_path / "router" / MANIFEST
    said = json.loads(path.read_text())
    edit(said)
    path.write_text(json.dumps(said))
    with pytest.raises(ArtifactError, match="is damaged"):
        read_manifest(tmp_path / "router")


def test_a_manifest_nested_beyond_measure_is_one_sentence(tmp_path):
    write(tmp_path / "router")
    (tmp_path / "router" / MANIFEST).write_text("[" * 100_000)
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_manifest(tmp_path / "router")


def test_arrays_that_would_unpack_to_more_than_their_file_are_refused(tmp_path):
    folder = tmp_path / "router"
    write(folder)
    packed, header = folder / "quality.npz", io.BytesIO()
    np.savez_compressed(packed, coef=np.zeros(1_000_000))
    refused_after_rehash(folder, "its arrays are compressed")
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 50,)})
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("coef.npy", header.getvalue())
    refused_after_rehash(folder, "")


def refused_after_rehash(folder: Path, why: str) -> None:
    """The part is damaged though the manifest names its very hash."""
    digest = hashlib.sha256((folder / "quality.npz").read_bytes()).hexdigest()
    hashed = replace(read_manifest(folder), hashes={"quality.npz": digest})
    with pytest.raises(ArtifactError, match=f"is damaged.*{why}"):
        read_part(folder, hashed, "quality")
