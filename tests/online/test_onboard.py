from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.errors import DataError, PriceError, UsageError
from tenbin.online.ask import spread_sample
from tenbin.online.company import Company
from tenbin.online.onboard import Onboarding, add_model, suggest
from tenbin.outcomes.identity import prompt_key
from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tenbin.router.pool import without_candidate
from tenbin.router.router import Router
from tenbin.types import Candidate, Floats, Panel
from tests.router.made import make_panel

FRESH = Candidate("fresh")
PRICE = PriceBook.loads("[models.fresh]\ninput_usd_per_mtok = 0.2\noutput_usd_per_mtok = 0.6\n")
TRAIN = make_panel()


def labelled(panel: Panel, quality: Floats, **cells: Floats) -> Panel:
    """The prompts of a panel, answered by "fresh" with these qualities [n]."""
    first = {
        name: getattr(panel, name)[:, :1] for name in ("input_tokens", "output_tokens", "cost_usd", "latency_s")
    } | {"label_propensity": np.ones((len(panel), 1))}
    return replace(panel, models=("fresh",), quality=quality[:, None], **{**first, **cells})


def like_large(panel: Panel) -> Floats:
    """The very answers of the large model."""
    return panel.quality[:, 0]


def nearly_like_large(panel: Panel) -> Floats:
    """Two of the large model's right answers wrong.

    As good to the last answer, one may be expected above it, which 32 labels cannot make certain enough.
    """
    quality = like_large(panel).copy()
    quality[np.flatnonzero(quality == 1.0)[:2]] = 0.0
    return quality


def asked(router: Router, count: int = 32) -> Panel:
    return TRAIN.take(suggest(router, TRAIN.queries, count).places)


def test_one_nearly_as_good_as_the_dear_one_for_a_fiftieth_is_taken_in(router: Router) -> None:
    panel = asked(router)
    words = panel.output_tokens[:, :1].copy()
    words[0] = np.nan  # nobody told
    new = labelled(panel, nearly_like_large(panel), output_tokens=words)
    found = add_model(router, new, FRESH, PRICE, force=True)
    assert found.evidence.claim is None
    assert found.evidence.suffices
    assert not found.router.manifest.changes[0].forced, "it needed no force"
    assert found.quality == pytest.approx(TRAIN.quality[:, 0].mean(), abs=0.08)
    assert found.n_labels == found.n_known == 32
    assert found.multiples["input_tokens"] == pytest.approx(1.0, abs=0.03)
    assert found.multiples["output_tokens"] == pytest.approx(1.0, abs=0.25)
    assert np.isnan(found.multiples["latency_s"])
    paid = float(np.nansum(0.2e-6 * panel.input_tokens[:, :1] + 0.6e-6 * words))
    assert found.router.manifest.label_cost_usd == pytest.approx(router.manifest.label_cost_usd + paid)


def test_a_worse_and_dearer_one_is_not(router: Router) -> None:
    panel = asked(router)
    dear = PriceBook.loads("[models.fresh]\ninput_usd_per_mtok = 20.0\noutput_usd_per_mtok = 60.0\n")
    found = add_model(router, labelled(panel, panel.quality[:, 2]), FRESH, dear)
    assert not found.evidence.suffices
    assert not found.router.manifest.changes[0].forced
    forced = add_model(router, labelled(panel, panel.quality[:, 2]), FRESH, dear, force=True)
    assert forced.router.manifest.changes[0].forced


def test_it_errs_where_those_it_resembles_err(router: Router) -> None:
    """Labels like the small model's, which fails hard prompts: it is expected to fail those, too."""
    panel = asked(router, 64)
    found = add_model(router, labelled(panel, panel.quality[:, 2]), FRESH, PRICE)
    unseen = make_panel(100, seed=5)
    quality = found.router.estimate(found.router.features(unseen.queries)).quality[:, 3]
    hard = np.array([query.group == "hard" for query in unseen.queries])
    assert quality[~hard].mean() - quality[hard].mean() > 0.35


def test_the_others_known_answers_make_its_mean_more_certain(router: Router) -> None:
    """The same labels on prompts that the router has not seen tell less, those on half of them less than all."""
    panel = asked(router)
    found = []
    for n_known in (32, 16, 0):
        queries = tuple(replace(q, prompt=f"{q.prompt} 0") if i >= n_known else q for i, q in enumerate(panel.queries))
        found.append(add_model(router, labelled(replace(panel, queries=queries), like_large(panel)), FRESH, PRICE))
    assert [one.n_known for one in found] == [32, 16, 0]
    assert found[0].quality_sd < found[1].quality_sd < found[2].quality_sd


@pytest.mark.parametrize(("count", "level"), [(1, 1.0), (1, 0.0), (32, 1.0), (32, 0.0)])
def test_one_label_or_equal_ones_leave_doubt(router: Router, count: int, level: float) -> None:
    panel = asked(router, count)
    found = add_model(router, labelled(panel, np.full(len(panel), level)), FRESH, PRICE)
    assert found.n_labels == count
    assert found.quality_sd > 0.01
    assert np.isfinite(found.router.estimate(found.router.features(TRAIN.queries[:5])).quality).all()


def test_held_out_rows_are_not_looked_at_unless_the_router_knows_the_prompt(router: Router) -> None:
    strangers = make_panel(32, seed=44)
    split = ("train",) * 16 + ("calibration",) * 8 + ("test",) * 8
    mixed = replace(labelled(strangers, like_large(strangers)), split=split)
    assert add_model(router, mixed, FRESH, PRICE).n_labels == 16
    with pytest.raises(DataError, match="split = train"):
        add_model(router, replace(mixed, split=("test",) * 32), FRESH, PRICE)
    known = asked(router)
    assert add_model(router, replace(labelled(known, like_large(known)), split=split), FRESH, PRICE).n_labels == 32


def test_the_same_seed_gives_the_same_router_in_any_order_of_rows(router: Router) -> None:
    panel = asked(router)
    new = labelled(panel, like_large(panel))
    one = add_model(router, new, FRESH, PRICE, seed=1)
    same = add_model(router, new, FRESH, PRICE, seed=1)
    turned = add_model(router, new.take(np.arange(32)[::-1]), FRESH, PRICE, seed=1)
    assert one.evidence == same.evidence
    assert turned.evidence.gain == pytest.approx(one.evidence.gain, abs=1e-9)


def test_copies_of_a_prompt_are_one_label_and_cost_what_they_did(router: Router) -> None:
    panel = TRAIN.take(np.arange(16))
    new = labelled(panel, like_large(panel))
    once, often = (add_model(router, new.take(np.tile(np.arange(16), n)), FRESH, PRICE) for n in (1, 8))
    assert often.evidence == once.evidence
    assert (often.n_labels, often.n_known, often.quality_sd) == (16, 16, once.quality_sd)
    paid = [found.router.manifest.label_cost_usd - router.manifest.label_cost_usd for found in (once, often)]
    assert paid[1] == pytest.approx(8 * paid[0])


def test_what_cannot_be_added_is_refused(router: Router) -> None:
    panel = asked(router)
    new = labelled(panel, like_large(panel))
    nothing = np.full((32, 1), np.nan)
    for error, words, ask in (
        (UsageError, "already", (router, TRAIN, Candidate("mid"), PRICE)),
        (UsageError, "no name", (router, new, Candidate(" "), PRICE)),
        (DataError, 'did you mean "fresh"', (router, new, Candidate("frehs"), PRICE)),
        (DataError, "no quality", (router, labelled(panel, nothing[:, 0]), FRESH, PRICE)),
        (PriceError, "the router's prices: no price", (router, new, FRESH, None)),
        (PriceError, "other.toml: no price", (router, new, FRESH, PriceBook({}, "other.toml"))),
        (DataError, "tokens", (router, labelled(panel, like_large(panel), output_tokens=nothing), FRESH, PRICE)),
    ):
        with pytest.raises(error, match=words):
            add_model(*ask)


def test_a_router_of_dollars_learns_dollars() -> None:
    dollars = replace(
        TRAIN, cost_usd=TRAIN.output_tokens * np.array([3e-5, 3e-6, 3e-7]), input_tokens=np.full((300, 3), np.nan)
    )
    router = fit(dollars, None, FitSettings(embedder="base", groups=False, learning_curve=False))
    panel = dollars.take(suggest(router, dollars.queries, 32).places)
    cheap = panel.cost_usd[:, :1] / 40.0
    cheap[0] = np.nan  # nobody told
    found = add_model(router, labelled(panel, nearly_like_large(panel), cost_usd=cheap), FRESH)
    assert found.evidence.suffices
    assert found.cost_usd == pytest.approx(float(dollars.cost_usd[:, 0].mean()) / 40.0, rel=0.2)
    assert found.router.prices.entries["fresh"][0].request_usd == pytest.approx(float(np.nanmean(cheap)), rel=1e-5)
    estimates = found.router.estimate(found.router.features(TRAIN.queries[:3]))
    assert estimates.recorded_cost_usd is not None
    assert found.router.cost_usd(estimates) == pytest.approx(estimates.recorded_cost_usd)
    untold = labelled(panel, like_large(panel), cost_usd=np.full((32, 1), np.nan))
    counted = replace(untold, input_tokens=np.full((32, 1), 60.0))
    for new, prices in ((untold, None), (untold, PRICE), (counted, None)):
        with pytest.raises(DataError, match="cost"):
            add_model(router, new, FRESH, prices)
    priced = add_model(router, counted, FRESH, PRICE).router.manifest.label_cost_usd - router.manifest.label_cost_usd
    assert priced == pytest.approx(float((0.2e-6 * 60.0 + 0.6e-6 * panel.output_tokens[:, 0]).sum()))


def test_a_second_one_leans_on_the_fitted_ones_alone(router: Router) -> None:
    panel = asked(router)
    first = add_model(router, labelled(panel, like_large(panel)), FRESH, PRICE)
    again = replace(labelled(panel, like_large(panel)), models=("later",))
    price = PriceBook.loads("[models.later]\ninput_usd_per_mtok = 0.2\noutput_usd_per_mtok = 0.6\n")
    second: Onboarding = add_model(first.router, again, Candidate("later"), price)
    estimates = second.router.estimate(second.router.features(TRAIN.queries[:9]))
    assert estimates.quality[:, 4] == pytest.approx(estimates.quality[:, 3])
    assert len(suggest(first.router, make_panel(20, seed=33).queries, 8).places) == 8  # by what the text foretells
    assert without_candidate(second.router, "fresh").models == ("large", "mid", "small", "later")


def test_with_no_fitted_one_left_there_is_nothing_to_lean_on(router: Router) -> None:
    panel = asked(router)
    alone = add_model(router, labelled(panel, like_large(panel)), FRESH, PRICE).router
    for name in ("small", "mid"):
        alone = without_candidate(alone, name)
    alone = without_candidate(alone, "large", "fresh")
    assert alone.manifest.t_ref_s is None, "nobody told any seconds"
    assert alone.estimate(alone.features(TRAIN.queries[:2])).quality.shape == (2, 1)
    later = replace(labelled(panel, like_large(panel)), models=("later",))
    with pytest.raises(UsageError, match="nothing to lean on"):
        add_model(alone, later, Candidate("later"), PRICE)
    with pytest.raises(UsageError, match="nothing to lean on"):
        suggest(alone, TRAIN.queries, 8)


def test_training_prompts_are_asked_first_and_copies_once(router: Router) -> None:
    strangers = make_panel(50, seed=33).queries
    copies = tuple(replace(query, query_id=f"copy-{query.query_id}") for query in TRAIN.queries[:40])
    found = suggest(router, (*strangers, *TRAIN.queries[:40], *copies), 16)
    assert found.n_known == 40
    assert found.propensity == pytest.approx(16 / 40)
    assert ((found.places >= 50) & (found.places < 90)).all()
    factors = Company(router).factors[[router.seen_prompts.row_of()[prompt_key(q)] for q in TRAIN.queries[:40]]]
    assert found.places.tolist() == (50 + spread_sample(factors, 16, 0)).tolist(), "by what their answers showed"
    enough = suggest(router, (*strangers, *TRAIN.queries[:16]), 16)
    assert (enough.places.min(), enough.propensity) == (50, 1.0)
    assert suggest(router, TRAIN.queries[:10], 16).propensity == 1.0
    few = suggest(router, (*strangers, *TRAIN.queries[:10]), 16)
    assert few.propensity == pytest.approx(16 / 60)
    assert len(set(few.places.tolist())) == 16


@pytest.mark.parametrize(("count", "prompts"), [(0, 5), (-3, 5), (4, 0)])
def test_nothing_cannot_be_asked(router: Router, count: int, prompts: int) -> None:
    with pytest.raises(UsageError):
        suggest(router, TRAIN.queries[:prompts], count)
