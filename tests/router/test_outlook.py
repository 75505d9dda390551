"""What is expected of candidates: the same by the compiled library, step by step or at once, and without it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest

from tenbin.compiled.library import library_fault
from tenbin.features.hashed import HashedEmbedder
from tenbin.features.lexicon import Lexicon
from tenbin.features.ngrams import SLOTS
from tenbin.features.projection import Projection
from tenbin.prices import PriceBook
from tenbin.router.estimator import FADING, Estimator
from tenbin.router.fit import FitSettings, fit
from tenbin.router.glance import Glance
from tenbin.router.new_subject import NEW
from tenbin.router.router import Router
from tenbin.types import Estimates, Features, Query
from tests.router.made import make_panel, with_names
from tests.router.test_roster import ROSTER

STRANGE = ["", "zq xv 8841 qqq", "知らない言葉ばかりの文です。", "word " * 3_000]


def estimator_of(router: Router) -> Estimator:
    if router._estimator.outlook is None:
        pytest.skip(f"there is no compiled code: {library_fault()}")
    return router._estimator


def with_groups(queries: Sequence[Query]) -> tuple[Query, ...]:
    """Three groups, of which the texts tell two; to the third, the largest, belong texts of either kind."""
    return tuple(replace(query, group="mixed" if i % 5 < 3 else query.group) for i, query in enumerate(queries))


@pytest.fixture(scope="module", params=["latency", "groups", "dollars", "names"])
def made(request: pytest.FixtureRequest, router: Router, prices: PriceBook) -> Router:
    """Routers with every head there is, with groups, with recorded dollars in place of tokens, with new words."""
    if request.param == "latency":
        return router
    panel = with_names(make_panel(150)) if request.param == "names" else make_panel(150)
    if request.param == "groups":
        panel = replace(panel, queries=with_groups(panel.queries))
    if request.param == "dollars":
        missing = panel.cost_usd
        panel = replace(panel, cost_usd=1e-5 * panel.output_tokens, input_tokens=missing, output_tokens=missing)
    settings = FitSettings(embedder="base", groups=request.param == "groups", learning_curve=False)
    return fit(panel, None if request.param == "dollars" else prices, settings)


@pytest.fixture(scope="module")
def features(made: Router) -> Features:
    queries = make_panel(40).queries
    counted = [replace(query, input_tokens=77.0 if i % 5 == 0 else None) for i, query in enumerate(queries)]
    usual = [replace(query, group=(None, "mixed", query.group, "of none")[i % 4]) for i, query in enumerate(counted)]
    read = made.features([*usual, *(Query(f"strange {i}", text) for i, text in enumerate(STRANGE))])
    read.text_tokens[1] = -1e4  # fewer tokens than one are expected of nobody
    return replace(read, novelty=np.linspace(0.0, 0.5, len(read)))


def rows_of(estimates: Estimates) -> dict[str, np.ndarray]:
    found = {each.name: getattr(estimates, each.name) for each in fields(estimates)}
    return {name: cells for name, cells in found.items() if cells is not None}


@pytest.mark.parametrize("of_strangers", [False, True])
def test_the_library_expects_what_numpy_expects(made: Router, features: Features, of_strangers: bool) -> None:
    own = estimator_of(made)
    likeness = own.estimate(features).likeness
    assert likeness is not None
    is_strange = likeness < FADING
    assert is_strange.any()
    asked = features if of_strangers else features.take(~is_strange)
    compiled, plain = rows_of(own.estimate(asked)), rows_of(own._estimate(asked))
    assert compiled.keys() == plain.keys()
    for name, cells in compiled.items():
        assert cells.shape == plain[name].shape, name
        np.testing.assert_allclose(cells, plain[name], rtol=1e-12, atol=1e-14, err_msg=name)
    is_new = compiled["novelty"] <= NEW
    assert is_new.any() == (own.novelty.floor < np.inf)
    assert not is_new.all()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_no_row_knows_of_the_others(made: Router, features: Features, n: int) -> None:
    own = estimator_of(made)
    together, apart = rows_of(own.estimate(features)), rows_of(own.estimate(features.take(range(n))))
    for name, cells in apart.items():
        assert cells.tobytes() == together[name][:n].tobytes(), name


def test_nothing_is_read_at_a_glance_of_more_n_grams_than_the_kernel_holds(made: Router) -> None:
    own, embedder = estimator_of(made), copy.copy(made._encoder.embedder)
    assert isinstance(embedder, HashedEmbedder)
    assert isinstance(Glance.opened(embedder, own), Glance)
    slots = np.arange(65_535)
    lexicon = Lexicon(slots, np.ones(len(slots), np.float32), len(slots), 0.5, np.zeros(SLOTS, np.bool_))
    directions = np.zeros((len(slots), embedder.dim), np.int8)
    embedder.projection_ = Projection(lexicon, directions, embedder.projection_.scale)
    assert Glance.opened(embedder, own) is None


def test_a_roster_is_served_at_a_glance(made: Router) -> None:
    own = replace(estimator_of(made), roster=ROSTER)
    glance = Glance.opened(made._encoder.embedder, own)
    assert glance is not None
    first, second = make_panel(2).queries
    queries = [replace(first, input_tokens=77.0), second, Query("strange", STRANGE[2])]
    at_once = rows_of(glance(queries, with_groups=made.manifest.uses_groups))
    in_steps = rows_of(own.estimate(made.features(queries)))
    assert at_once.keys() == in_steps.keys()
    for name, cells in at_once.items():
        assert cells.tobytes() == in_steps[name].tobytes(), name


def test_at_a_glance_all_is_the_same_to_the_bit(made: Router) -> None:
    estimator_of(made)
    assert isinstance(copy.copy(made.glance), Glance)
    groups = [*made.groups, None, "of no training prompt"]
    texts = [query.prompt for query in make_panel(24).queries]
    turns = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": f"A.\tTab `x`\r\n\r\n{texts[0]}"})
    queries = [
        *(Query(f"{i}", text, group=groups[i % len(groups)]) for i, text in enumerate([*texts, *STRANGE])),
        *(Query("turns", messages=turns), Query("counted", texts[1], input_tokens=77.0)),
        *(
            Query("wide", "Ｗｈａｔ’s\u3000this \u2028 か\x1c? é"),
            Query("long", "Which? A. one B. two\n" * 7_000),
        ),
        *with_names(make_panel(12)).queries,
    ]
    at_once = rows_of(made.expect(queries))
    in_steps = rows_of(made.estimate(made.features(queries)))
    assert at_once.keys() == in_steps.keys()
    for i, query in enumerate(queries):
        alone = rows_of(made.expect([query]))
        for name, cells in at_once.items():
            assert cells[i].tobytes() == in_steps[name][i].tobytes(), (name, query.query_id)
            assert cells[i].tobytes() == alone[name][0].tobytes(), (name, query.query_id)
