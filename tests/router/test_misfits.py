"""Arrays not made for each other: the library, told only where they begin, would read and write beyond them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from tenbin.artifact import PRICES, read_manifest, write_artifact
from tenbin.compiled.library import library_fault
from tenbin.errors import ArtifactError
from tenbin.features.hashed import HashedEmbedder
from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tenbin.router.parts import Parts
from tenbin.router.router import Router
from tenbin.router.scales import Dials, Scales
from tenbin.router.weighing import Ask, weigh
from tenbin.types import Estimates, Query, TradeOff
from tests.router.made import make_panel

Damage = Callable[[np.ndarray], np.ndarray]
QUERIES = [Query("a", "which theorem? a. one b. two", group="mixed"), Query("b", "greet 東京")]
DAMAGES: dict[str, Damage] = {
    "empty": lambda array: array[:0],
    "cut": lambda array: array[:-1],
    "longer": lambda array: np.concatenate([array, array, array[:1]]),
    "narrow": lambda array: array.reshape(len(array), -1)[:, :-1],
}
READ = {
    "encoder": ("idf", "scale", "projection"),
    "quality": ("landmarks.points", "landmarks.centre", "landmarks.scale", "map.knots", "map.levels"),
    "estimator": (
        "gap_correlation",
        "novelty.usual",
        "novelty.constants",
        "novelty.tail.scores",
        "novelty.tail.chances",
    ),
    "input_tokens": ("rate",),
    "output_tokens": ("scale", "range"),
    "latency": ("scale", "stack.factors.means"),
}
SIGNS = ("unknown.scores", "unknown.chances", "deviation.scores", "deviation.chances")
ARRAYS = [(part, name) for part, names in READ.items() for name in names]
ARRAYS += [("estimator", f"familiarity.likeness.{name}") for name in SIGNS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, prices: PriceBook) -> Path:
    """A router with every head, and with groups."""
    if (fault := library_fault()) is not None:
        pytest.skip(f"there is no compiled code: {fault}")
    panel = make_panel(60, latency=True)
    panel = replace(
        panel, queries=tuple(replace(q, group="mixed" if i % 3 else "of its own") for i, q in enumerate(panel.queries))
    )
    made = tmp_path_factory.mktemp("routers") / "whole"
    fit(panel, prices, FitSettings(embedder="base", groups=True, learning_curve=False)).save(made)
    return made


def damaged(folder: Path, part: str, name: str, damage: Damage) -> Path:
    """A copy with one array otherwise, and with the hashes of what it holds, as whoever means harm would write it."""
    manifest = read_manifest(folder)
    parts = {own: dict(arrays) for own, arrays in Parts(manifest, folder, {}).all().items()}
    parts[part][name] = damage(parts[part][name])
    if part == "encoder":
        manifest = replace(manifest, embedder_name=HashedEmbedder.load(parts[part]).name)
    made = folder.with_name("damaged")
    shutil.rmtree(made, ignore_errors=True)
    write_artifact(made, manifest, parts, (folder / PRICES).read_text(encoding="utf-8"), "")
    return made


def use(router: Router) -> None:
    """All that the library does for a router, for a few queries and for many."""
    router.estimate(router.features(QUERIES))
    for asked in (QUERIES[:1], QUERIES * 20):
        weigh(router, [Ask(query, TradeOff(0.5), (None,) * len(router.models)) for query in asked])


def test_what_fits_is_used(folder: Path) -> None:
    router = Router.load(damaged(folder, "quality", "map.knots", np.copy))
    assert router.glance is not None
    use(router)


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize(("part", "name"), ARRAYS)
def test_what_does_not_is_refused(folder: Path, part: str, name: str, how: str) -> None:
    with pytest.raises(ArtifactError, match="do not fit together"):
        use(Router.load(damaged(folder, part, name, DAMAGES[how])))


@pytest.mark.parametrize("how", ["empty", "cut", "longer"])
def test_groups_with_more_or_fewer_means_than_names_are_refused(folder: Path, how: str) -> None:
    with pytest.raises(ArtifactError, match="do not fit together"):
        use(Router.load(damaged(folder, "input_tokens", "offset.group_means", DAMAGES[how])))


@pytest.mark.parametrize("reference", [-1, 3, 10**6])
def test_a_reference_that_is_no_candidate_is_refused(folder: Path, reference: int) -> None:
    with pytest.raises(ArtifactError, match="do not fit together"):
        Router.load(damaged(folder, "estimator", "reference", lambda _: np.array(reference)))


def test_figures_of_more_or_fewer_candidates_or_requests_are_not_weighed(folder: Path) -> None:
    router, dials = Router.load(folder), [Dials(0.5, 0.0, 0.0, False, np.inf, 1)] * 2
    estimates = router.estimate(router.features(QUERIES))
    names = [each.name for each in fields(estimates) if getattr(estimates, each.name) is not None]

    def cut(*where: slice) -> Estimates:
        return replace(
            estimates, **{name: getattr(estimates, name)[where[: getattr(estimates, name).ndim]] for name in names}
        )

    scales = Scales.opened(router.pricing.rates, np.full(3, np.inf), router.anchors, router.rank)
    assert scales is not None
    assert scales(estimates, dials, np.zeros((2, 3))).order.shape == (2, 3)
    fewer = cut(slice(None), slice(2)), cut(slice(1), slice(None))
    for figures, cached in (*((each, None) for each in fewer), (estimates, np.zeros((2, 2))), (estimates, np.zeros(3))):
        with pytest.raises(ArtifactError, match="do not fit together"):
            scales(figures, dials, cached)


def test_features_of_another_width_or_number_are_refused(folder: Path) -> None:
    router = Router.load(folder)
    whole = router.features(QUERIES)
    for other in (
        replace(whole, vectors=whole.vectors[:, :-1]),
        replace(whole, vectors=whole.vectors[:1]),
        replace(whole, surface=np.hstack([whole.surface] * 2)),
        replace(whole, groups=whole.groups * 9),
    ):
        with pytest.raises(ArtifactError, match="do not fit together"):
            router.estimate(other)


def test_features_may_lie_in_memory_as_they_like(folder: Path) -> None:
    """An embedder may give columns in one piece, or the same row for all."""
    router = Router.load(folder)
    whole = router.features([QUERIES[0]] * 2)
    expected = router.estimate(whole).quality
    for vectors in (np.asfortranarray(whole.vectors), np.broadcast_to(whole.vectors[:1], whole.vectors.shape)):
        assert not vectors.flags.c_contiguous
        np.testing.assert_array_equal(router.estimate(replace(whole, vectors=vectors)).quality, expected)
