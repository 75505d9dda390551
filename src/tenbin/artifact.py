"""A router on disk: a folder of one manifest, plain arrays, prices and a card, written beside and renamed.

manifest.json   what the router is and the SHA-256 of every array file
NAME.npz        arrays without pickled objects, one file per part
prices.toml     the price book of the fit; outside the artifact's hash, replaceable
card.md         the same for people
calibration.npz what certificates rest on; outside the hash, but made for this very artifact, which it names
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.errors import ArtifactError
from tenbin.replacement import replacement
from tenbin.types import Candidate

FORMAT = 4
MANIFEST = "manifest.json"
PRICES = "prices.toml"
CARD = "card.md"
CALIBRATION = "calibration.npz"
COST_BASES = ("tokens", "dollars")
JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str | None": (str, NoneType),
    "int | None": (int, NoneType),
    "float | None": (int, float, NoneType),
    "Mapping[str, str]": (dict,),
}
"""What a field of a manifest may be in JSON, by its annotation; nested ones are checked apart."""
MADE_FOR = "artifact_hash"
"""The array of the calibration that names the artifact whose estimates it holds."""

Parts = Mapping[str, Mapping[str, NDArray[Any]]]
"""Arrays by part and name: `parts["quality"]["coef"]` is stored as `coef` in `quality.npz`."""


@dataclass(frozen=True, slots=True)
class Change:
    """A candidate more or less since the fit: `kind` is "added" or "retired", `reference` the one in force after it.

    Of an added one: how many labels of which data told of it, the gain in AIQ-log that they promise and how certain
    it is, and whether a person insisted (`forced`) where that was not enough.
    """

    kind: str
    model: str
    version: str
    reference: str
    n_labels: int = 0
    data_hash: str = ""
    gain: float | None = None
    certainty: float | None = None
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a router is: everything that a reader or a loader must know before touching the arrays.

    `cost_basis` is "tokens" (tokens are predicted, prices applied when deciding) or "dollars" (recorded dollars are
    predicted, price changes scale them). `c_ref_usd` and `t_ref_s` are the anchors stored at fit; `t_ref_s` is None
    where no times were recorded. `embedder_reason` says in words why this embedder was taken. `hashes` holds the
    SHA-256 of each array file, `changes` what became of the candidates since the fit.
    """

    version: str
    data_hash: str
    seed: int
    candidates: tuple[Candidate, ...]
    embedder: str
    embedder_name: str
    embedder_reason: str
    predictor: str
    reference: str
    c_ref_usd: float
    t_ref_s: float | None
    cost_basis: str
    uses_groups: bool
    n_train: int
    n_labels: int
    label_cost_usd: float
    hashes: Mapping[str, str]
    format: int = FORMAT
    changes: tuple[Change, ...] = ()

    def dumps(self) -> str:
        """The manifest as JSON text with sorted keys; without changes it has no such key."""
        said = asdict(self)
        if not self.changes:
            del said["changes"]
        return json.dumps(said, indent=1, sort_keys=True, default=sorted, ensure_ascii=False) + "\n"

    @property
    def artifact_hash(self) -> str:
        """SHA-256 of the manifest, hence of every array; prices and card do not count."""
        return hashlib.sha256(self.dumps().encode()).hexdigest()

    @property
    def models(self) -> tuple[str, ...]:
        """The candidates' names, in the order of every array's second axis."""
        return tuple(candidate.name for candidate in self.candidates)

    @property
    def rows_of_fit(self) -> float:
        """How many labels each candidate of the fit had, whoever came or went since."""
        added = [change.n_labels for change in self.changes if change.kind == "added"]
        n_retired = len(self.changes) - len(added)
        return (self.n_labels - sum(added)) / (len(self.candidates) - len(added) + n_retired)


def write_artifact(
    folder: Path,
    manifest: Manifest,
    parts: Parts,
    prices: str,
    card: str,
    calibration: Mapping[str, NDArray[Any]] | None = None,
) -> Manifest:
    """Write a router to `folder` (replaced as a whole if it is one already) and return the manifest with its hashes.

    Nothing is half-written: the files are made in a folder beside and renamed. Raises ArtifactError where `folder`
    exists and is not a router, or cannot be written.
    """
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise ArtifactError("exists and is not a router", where=str(folder), fix="name a new folder")
    blobs = {f"{part}.npz": _pack(arrays) for part, arrays in sorted(parts.items())}
    hashes = {name: hashlib.sha256(blob).hexdigest() for name, blob in blobs.items()}
    manifest = Manifest(**{**{f.name: getattr(manifest, f.name) for f in fields(manifest)}, "hashes": hashes})
    texts = {MANIFEST: manifest.dumps(), PRICES: prices, CARD: card}
    if calibration is not None:
        blobs[CALIBRATION] = _calibration_blob(manifest, calibration)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for name, blob in {**blobs, **{k: t.encode() for k, t in texts.items()}}.items():
                (beside / name).write_bytes(blob)
            beside.chmod(0o755)
            _swap(beside, folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise ArtifactError(f"cannot be written ({error.strerror})", where=str(folder), fix="check the path") from error
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a router folder; ArtifactError where it is missing, damaged or of another format."""
    path = folder / MANIFEST
    try:
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArtifactError(
            "is not a router (no manifest.json)", where=str(folder), fix="make one: tenbin fit"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"cannot be read ({error})", where=str(path), fix="fit the router again") from error
    found = raw.get("format") if isinstance(raw, dict) else None
    if isinstance(found, int) and found > FORMAT:
        fix = "upgrade tenbin, or fit the router again with this version"
        raise ArtifactError(f"has format {found}, this tenbin reads {FORMAT}", where=str(folder), fix=fix)
    if isinstance(found, int) and found < FORMAT:
        what = f"has format {found} of an older tenbin, this one reads {FORMAT}"
        raise ArtifactError(what, where=str(folder), fix="fit the router again")
    try:
        return _manifest_of(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(f"is damaged ({error!r})", where=str(path), fix="fit the router again") from error


def read_part(folder: Path, manifest: Manifest, part: str) -> dict[str, NDArray[Any]]:
    """The arrays of one part, checked against the manifest's hash (ArtifactError on any difference)."""
    name = f"{part}.npz"
    path = folder / name
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise ArtifactError("is missing or unreadable", where=str(path), fix="fit the router again") from error
    if hashlib.sha256(blob).hexdigest() != manifest.hashes.get(name):
        raise ArtifactError("is damaged: its hash is not the manifest's", where=str(path), fix="fit the router again")
    try:
        return _unpack(blob)
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"is damaged ({error})", where=str(path), fix="fit the router again") from error


def write_calibration(folder: Path, manifest: Manifest, calibration: Mapping[str, NDArray[Any]]) -> None:
    """Put a calibration beside the artifact that made its estimates.

    ArtifactError where it cannot be written, or another artifact has taken that one's place meanwhile.
    """
    path = folder / CALIBRATION
    if read_manifest(folder).artifact_hash != manifest.artifact_hash:
        raise ArtifactError("was replaced meanwhile, so its calibration stays", where=str(folder), fix="certify again")
    try:
        with replacement(path) as beside:
            beside.write_bytes(_calibration_blob(manifest, calibration))
    except OSError as error:
        raise ArtifactError(f"cannot be written ({error.strerror})", where=str(path), fix="check the path") from error


def read_calibration(folder: Path, manifest: Manifest) -> dict[str, NDArray[Any]] | None:
    """The arrays of the calibration beside an artifact, None where there is none.

    Raises ArtifactError where it is damaged, or was made for another artifact: another fit, other candidates.
    """
    path = folder / CALIBRATION
    again = "calibrate again: tenbin certify ROUTER OUTCOMES"
    try:
        arrays = _unpack(path.read_bytes())
        made_for = str(arrays.pop(MADE_FOR))
    except FileNotFoundError:
        return None
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"is damaged ({error})", where=str(path), fix=again) from error
    if made_for != manifest.artifact_hash:
        raise ArtifactError("was made for another fit or other candidates, so it is void", where=str(path), fix=again)
    return arrays


def _calibration_blob(manifest: Manifest, calibration: Mapping[str, NDArray[Any]]) -> bytes:
    return _pack({**calibration, MADE_FOR: np.array(manifest.artifact_hash)})


def _manifest_of(raw: dict[str, Any]) -> Manifest:
    known = {f.name for f in fields(Manifest)}
    if unknown := sorted(set(raw) - known):
        raise ValueError(f"unknown key {unknown[0]}")
    raw = {"changes": (), **raw}
    _check_types(raw, Manifest)
    candidates = tuple(_candidate_of(entry) for entry in raw["candidates"])
    if len({c.name for c in candidates}) < len(candidates):
        raise ValueError("a candidate stands twice")
    if raw["cost_basis"] not in COST_BASES:
        raise ValueError(f"cost_basis is {raw['cost_basis']!r}")
    for name in ("c_ref_usd", "t_ref_s"):  # NaN or a negative anchor would turn every decision without a word
        if raw[name] is not None and raw[name] <= 0.0:
            raise ValueError(f"{name} is {raw[name]!r}")
    if raw["reference"] not in {c.name for c in candidates}:
        raise ValueError(f"reference {raw['reference']!r} is no candidate")
    changes = tuple(Change(**entry) for entry in raw["changes"])
    return Manifest(**{**raw, "candidates": candidates, "changes": changes})


def _candidate_of(raw: dict[str, Any]) -> Candidate:
    _check_types(raw, Candidate)
    capabilities = raw.get("capabilities")
    return Candidate(**{**raw, "capabilities": None if capabilities is None else frozenset(capabilities)})


def _check_types(raw: Mapping[str, Any], kind: type[Manifest] | type[Candidate]) -> None:
    """Every value is of the type of its field, every number finite (KeyError, TypeError, ValueError)."""
    for field in fields(kind):
        wanted, value = JSON_TYPES.get(str(field.type)), raw[field.name]
        if wanted is not None and type(value) not in wanted:
            raise TypeError(f"{field.name} is {value!r:.40}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{field.name} is {value!r}")


def _pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """One .npz as bytes; equal arrays give equal bytes (names sorted, fixed zip dates)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(arrays[name], order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return buffer.getvalue()


def _unpack(blob: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of one .npz as `_pack` makes it; ValueError, OSError or BadZipFile where it is none."""
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        members = archive.infolist()
    # Nothing is packed here: what would unpack to more than the file has is none of ours, and could fill all memory.
    if any(m.compress_type != zipfile.ZIP_STORED for m in members) or sum(m.file_size for m in members) > len(blob):
        raise ValueError("its arrays are compressed")
    try:
        with np.load(io.BytesIO(blob), allow_pickle=False) as loaded:
            return {key: loaded[key] for key in loaded.files}
    except MemoryError as error:
        raise ValueError("an array claims to be larger than its file") from error


def _swap(beside: Path, folder: Path) -> None:
    """Put the finished folder in place; an old router is moved aside first, and back where the new one cannot come."""
    if not folder.exists():
        os.replace(beside, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    aside = old / "router"
    try:
        os.replace(folder, aside)
        os.replace(beside, folder)
    finally:
        if aside.exists() and not folder.exists():
            os.replace(aside, folder)
        shutil.rmtree(old, ignore_errors=True)
