from __future__ import annotations

import numpy as np
import pytest

from tenbin.online.company import Company
from tenbin.online.labels import Labels, labels_of
from tenbin.online.multiples import multiple_of
from tenbin.online.newcomer import Newcomer
from tenbin.router.leanings import AMOUNTS
from tenbin.router.router import Router
from tests.online.test_labels import PRICE, made_panel
from tests.router.made import make_panel


@pytest.fixture
def company(router: Router) -> Company:
    return Company(router)


@pytest.fixture
def labels(router: Router) -> Labels:
    """Of a prompt that training lacked, of the eighth and of the first training prompt."""
    return labels_of(router, made_panel(), "fresh")


def test_a_newcomer_is_met_on_what_the_others_did_and_elsewhere_on_what_the_text_foretells(
    company: Company, labels: Labels
) -> None:
    factors = np.vstack([company.foreseen(labels.queries[:1]), company.factors[[7, 0]]])
    doubt = np.concatenate([company._abilities.spread[None], company.doubt[[7, 0]]])
    expected = Newcomer.learn(company._abilities, factors, doubt, labels.quality, labels.weight)
    found = company.meet(labels)
    assert found.centre == pytest.approx(expected.centre, rel=1e-12)
    assert found.covariance == pytest.approx(expected.covariance, rel=1e-12)


def test_it_leans_on_the_others_as_its_mean_and_loadings_say(router: Router, company: Company, labels: Labels) -> None:
    newcomer = company.meet(labels)
    leaning = company.leaning(newcomer, labels, PRICE, "fresh")
    queries = make_panel(20, seed=9).queries
    quality = router.estimate(router.features(queries)).quality
    x = np.column_stack([np.ones(20), company.foreseen(queries)])
    assert leaning.qualities(quality)[:, 0] == pytest.approx(np.clip(x @ newcomer.centre, 0.0, 1.0))
    own = np.einsum("nk,kl,nl->n", x, newcomer.covariance, x)
    assert leaning.quality_sd(quality, np.zeros(quality.shape))[:, 0] == pytest.approx(np.sqrt(own))
    assert leaning.shares.tolist() == [[1.0 / 3.0] * 3]
    foreseen = router.estimate(router.features(labels.queries)).output_tokens
    known = (router.crossfit.observed.output_tokens, router.crossfit.estimates.output_tokens)
    words = multiple_of(labels.output_tokens, labels.rows, foreseen, *known, np.full(3, 1.0 / 3.0))
    told = dict(zip(AMOUNTS, leaning.multiples[0].tolist(), strict=True))
    assert told["output_tokens"] == pytest.approx(words)
    assert np.isnan(told["latency_s"]), "it told some, the others none"
