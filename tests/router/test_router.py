"""The fitted router on a made panel with known truth: decisions, dials, prices, independence, round trip, refusals."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from tenbin.errors import ArtifactError, DataError, DecisionError, PriceError, UsageError
from tenbin.evaluate.evaluation import evaluate
from tenbin.prices import PriceBook
from tenbin.risk import mu_grid
from tenbin.router.dials import Dial
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.strangers import STRANGER
from tenbin.types import Candidate, Query, TradeOff
from tests.router.made import EASY, HARD, PRICES, make_panel

HARD_QUERY = Query("hard", " ".join((*HARD, *HARD[:4])) + " number 523417")
EASY_QUERY = Query("easy", " ".join((*EASY, *EASY[:4])) + " number 523417")
MIDDLE = TradeOff(0.1)


def test_hard_prompts_go_to_the_large_model_and_easy_ones_to_a_cheap_one(router):
    assert router.decide(HARD_QUERY, MIDDLE).model == "large"
    assert router.decide(EASY_QUERY, MIDDLE).model in {"mid", "small"}


def test_the_ends_of_the_dial(router):
    assert router.decide(HARD_QUERY, TradeOff(1.0)).model == "small"
    assert router.decide(HARD_QUERY, TradeOff(0.0)).reason == "best expected quality"


def test_estimates_find_the_truth(router):
    held_out = make_panel(400, seed=7)
    estimates = router.estimate(router.features(held_out.queries))
    hard = np.array([query.group == "hard" for query in held_out.queries])
    np.testing.assert_allclose(estimates.quality[hard].mean(axis=0), [0.9, 0.5, 0.1], atol=0.08)
    ratio = estimates.output_tokens.mean(axis=0) / held_out.output_tokens.mean(axis=0)
    np.testing.assert_allclose(ratio, 1.0, atol=0.1)


def test_every_candidate_is_explained(router):
    decision = router.decide(HARD_QUERY, MIDDLE)
    assert decision.candidates[0].reason == "chosen"
    assert {view.model for view in decision.candidates} == {"large", "mid", "small"}
    assert all(view.loss >= decision.candidates[0].loss for view in decision.candidates)
    assert "does not make up for" in decision.candidates[1].reason
    assert set(decision.versions) == {"tenbin", "artifact", "prices"}


def test_a_decision_never_depends_on_the_other_queries(router):
    queries = [replace(query, query_id=f"{i}") for i, query in enumerate(make_panel(70, seed=3).queries)]
    trade_offs = [TradeOff(float(mu)) for mu in mu_grid(9)]
    together = router.route(queries, trade_offs)
    for i in range(0, 70, 9):
        alone = router.route([queries[i]], trade_offs)
        np.testing.assert_array_equal(alone.chosen[:, 0], together.chosen[:, i])
        np.testing.assert_allclose(alone.loss[:, 0], together.loss[:, i], rtol=0, atol=1e-12)


def test_the_order_of_rows_does_not_change_the_router(prices):
    panel = make_panel(120)
    order = np.random.default_rng(5).permutation(120)
    settings = FitSettings(embedder="base", learning_curve=False)
    queries = make_panel(40, seed=9).queries
    trade_offs = [TradeOff(float(mu)) for mu in mu_grid(21)]
    one, two = (fit(p, prices, settings).route(queries, trade_offs) for p in (panel, panel.take(order)))
    np.testing.assert_array_equal(one.chosen, two.chosen)


def test_saved_and_loaded_it_decides_the_same_to_the_bit(router, tmp_path):
    router.save(tmp_path / "router")
    loaded = Router.load(tmp_path / "router")
    queries = make_panel(50, seed=4).queries
    sent = pickle.loads(pickle.dumps(loaded))  # noqa: S301 (as joblib and spawned processes do)
    one, two, three = (r.route(queries, [MIDDLE]) for r in (router, loaded, sent))
    np.testing.assert_array_equal(one.loss, two.loss)
    np.testing.assert_array_equal(one.chosen, three.chosen)
    assert sent.prices == router.prices
    assert loaded.turn(Dial(min_quality=0.97)).mu == pytest.approx(router.turn(Dial(min_quality=0.97)).mu)
    assert loaded.seen == router.seen
    assert loaded.learning_curve is not None
    assert "| large |" in loaded.card


def test_a_card_in_another_encoding_keeps_nobody_from_deciding(router, tmp_path):
    router.save(tmp_path / "router")
    (tmp_path / "router" / "card.md").write_text("# Karte für alle", encoding="latin-1")
    loaded = Router.load(tmp_path / "router")
    assert loaded.card == "# Karte f\N{REPLACEMENT CHARACTER}r alle"
    assert loaded.models == router.models


def test_the_same_fit_twice_is_the_same_artifact(prices, tmp_path):
    hashes = set()
    for name in "ab":
        made = fit(make_panel(60), prices, FitSettings(embedder="base"))
        made.save(tmp_path / name)
        hashes.add(made.manifest.artifact_hash)
    assert len(hashes) == 1


def test_a_price_times_ten_moves_decisions_and_not_the_artifact(router, tmp_path):
    router.save(tmp_path / "router")
    before = Router.load(tmp_path / "router")
    path = tmp_path / "router" / "prices.toml"
    book = PriceBook.load(path)
    path.write_text(book.scaled("large", 10.0).dumps())
    after = Router.load(tmp_path / "router")
    assert after.manifest.artifact_hash == before.manifest.artifact_hash
    assert before.decide(HARD_QUERY, MIDDLE).model == "large"
    assert after.decide(HARD_QUERY, MIDDLE).model != "large"


def test_recorded_dollars_follow_a_price_change_too(tmp_path):
    panel = make_panel(200)
    dollars = (panel.input_tokens * [10, 1, 0.1] + panel.output_tokens * [30, 3, 0.3]) / 1e6
    missing = np.full(dollars.shape, np.nan)
    made = fit(replace(panel, cost_usd=dollars, input_tokens=missing, output_tokens=missing), None, FitSettings("base"))
    assert made.manifest.cost_basis == "dollars"
    made.save(tmp_path / "router")
    book = PriceBook.load(tmp_path / "router" / "prices.toml")
    dearer = Router.load(tmp_path / "router", book.scaled("large", 10.0))
    features = made.features([HARD_QUERY])
    one, ten = made.cost_usd(made.estimate(features)), dearer.cost_usd(dearer.estimate(features))
    np.testing.assert_allclose(ten / one, [[10.0, 1.0, 1.0]])
    # The book is rounded for people, and left as it is it changes nothing.
    assert all(price.request_usd == float(f"{price.request_usd:.6g}") for (price,) in book.entries.values())
    unedited = Router.load(tmp_path / "router", book)
    np.testing.assert_array_equal(unedited.cost_usd(unedited.estimate(features)), one)
    assert book.check(made.models) == []


def test_min_quality_keeps_its_promise_on_fresh_prompts(prices):
    # 1,200 rows: one standard error of the mean that mu is chosen on is .01, so .03 is three on any processor.
    router = fit(make_panel(1200), prices, FitSettings("base", groups=False, learning_curve=False))
    trade_off = router.turn(Dial(min_quality=0.95))
    fresh = make_panel(2000, seed=11)
    chosen = router.route(fresh.queries, [trade_off]).chosen[0]
    rows = np.arange(2000)
    kept = fresh.quality[rows, chosen].mean() / fresh.quality[:, 0].mean()
    assert kept >= 0.95 - 0.03
    assert (chosen != 0).mean() > 0.3


def test_max_cost_is_kept_on_fresh_prompts(router):
    trade_off = router.turn(Dial(max_cost_usd=0.002))
    fresh = make_panel(2000, seed=12)
    chosen = router.route(fresh.queries, [trade_off]).chosen[0]
    dollars = (fresh.input_tokens * [10, 1, 0.1] + fresh.output_tokens * [30, 3, 0.3]) / 1e6
    assert dollars[np.arange(2000), chosen].mean() <= 0.002 * 1.1


def test_seconds_count_when_asked(router):
    fast = router.decide(EASY_QUERY, TradeOff(0.9, w=1.0))
    assert fast.model == "small"
    slow = next(view for view in fast.candidates if view.model == "large")
    assert slow.latency_s > fast.candidates[0].latency_s


def test_seconds_that_were_never_recorded_are_refused(prices):
    made = fit(make_panel(60), prices, FitSettings("base", learning_curve=False))
    with pytest.raises(UsageError, match="latency_s"):
        made.decide(EASY_QUERY, TradeOff(0.5, w=0.5))


def test_lists_and_capabilities(prices):
    candidates = (Candidate("small", capabilities=frozenset()), Candidate("mid", context_window_tokens=50))
    made = fit(make_panel(60), prices, FitSettings("base", candidates=candidates, learning_curve=False))
    assert made.decide(EASY_QUERY, TradeOff(1.0), deny=["small"]).model == "large"
    needy = replace(EASY_QUERY, requirements=frozenset({"tools"}))
    decision = made.decide(needy, TradeOff(1.0))
    assert {view.model: view.reason for view in decision.candidates}["small"] == "lacks tools"
    with pytest.raises(DecisionError, match="query easy"):
        made.decide(needy, TradeOff(1.0), allow=["small"])


def test_a_text_unlike_training_is_decided_by_the_means_and_says_so(router):
    decision = router.decide(Query("ja", "次の積分を計算し、途中の式もすべて示してください。"), MIDDLE)
    assert "unlike the training prompts" in decision.reason
    means = router.baselines.means["quality"]
    for view in decision.candidates:
        assert view.quality == pytest.approx(means[router.models.index(view.model)], abs=0.02)


def test_a_group_that_is_not_known_is_guessed_from_the_text_and_said(prices):
    made = fit(make_panel(400), prices, FitSettings("base", learning_curve=False))
    query = next(query for query in make_panel(20, seed=8).queries if query.group == "hard")
    known, nosuch, none = (made.decide(replace(query, group=group), MIDDLE) for group in ("hard", "nosuch", None))
    assert known.reason == "least expected loss"
    assert nosuch.reason == none.reason == "least expected loss, its group guessed from the text"
    assert [view.quality for view in none.candidates] == [view.quality for view in known.candidates]


def test_words_in_no_prompts_order_and_letters_at_random_are_strangers_and_new_prompts_are_not(router):
    odd = [" ".join(["kernel"] * 300), "qzxv jwpk ghhf xkcd vvqj", "kernel"]
    likeness = router.estimate(router.features([Query(text, text) for text in odd])).likeness
    assert (likeness <= STRANGER).all()
    usual = router.estimate(router.features(make_panel(400, seed=12).queries)).likeness
    assert (usual <= STRANGER).mean() <= 0.02


def test_a_stranger_is_less_sure_than_it_would_be_and_nearer_to_the_means(router):
    estimates = router.estimate(router.features([HARD_QUERY, Query("odd", "qzxv jwpk ghhf xkcd vvqj")]))
    assert (estimates.quality_sd[1] > estimates.quality_sd[0]).all()
    means = router.baselines.means["quality"]
    np.testing.assert_allclose(estimates.quality[1], means, atol=0.02)


def test_a_strange_text_of_a_known_group_goes_to_the_means_of_its_group(prices):
    made = fit(make_panel(400), prices, FitSettings("base", learning_curve=False))
    query = Query("ja", "次の積分を計算してください。", group="hard")
    small = {view.model: view.quality for view in made.decide(query, MIDDLE).candidates}["small"]
    assert small < 0.2


@pytest.mark.parametrize("prompt", ["", " ", "x" * 1_000_000, "\x00", "🦊" * 50, "مرحبا", "a\ud800b"])
def test_any_prompt_is_decided(router, prompt):
    assert router.decide(Query("odd", prompt), MIDDLE).model in router.models


def test_text_that_says_nothing_falls_back_to_the_means(prices):
    made = fit(make_panel(600, telling=False), prices, FitSettings("base", groups=False, learning_curve=False))
    estimates = made.estimate(made.features(make_panel(200, seed=5).queries))
    assert np.ptp(estimates.quality, axis=0).max() < 0.2


def test_messages_and_prompts_decide_alike(router):
    messages = ({"role": "user", "content": HARD_QUERY.prompt},)
    alone = router.route([HARD_QUERY, Query("m", messages=messages)], [MIDDLE])
    np.testing.assert_array_equal(alone.loss[:, 0], alone.loss[:, 1])


def test_refusals_of_fit(prices):
    panel = make_panel(60)
    with pytest.raises(DataError, match="too few"):
        fit(panel.take(np.arange(5)), prices)
    with pytest.raises(DataError, match='"mid" has no quality'):
        fit(replace(panel, quality=np.where([False, True, False], np.nan, panel.quality)), prices)
    with pytest.raises(DataError, match="give --prices"):
        fit(panel, None)
    with pytest.raises(UsageError, match="no model of the table"):
        fit(panel, prices, FitSettings(reference="huge"))
    with pytest.raises(PriceError):
        fit(panel, PriceBook.loads(PRICES.replace("models.mid", "models.midi")))


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("quality", 1.5, r'the panel: "mid" has quality 1.5 on q00003; scale it to 0..1'),
        ("label_propensity", 0.0, "has label_propensity 0 on q00003"),
        ("label_propensity", 1e-300, "has label_propensity 1e-300 on q00003"),
        ("output_tokens", -1.0, "has output_tokens -1 on q00003; give a finite number"),
        ("latency_s", np.inf, "has latency_s inf on q00003"),
        ("output_tokens", 1e300, r"has output_tokens 1e\+300 on q00003; give a finite number from 0 to 1e\+12"),
    ],
)
def test_figures_that_cannot_be_are_refused_as_in_a_file(router, prices, column, value, sentence):
    panel = make_panel(60)
    cells = getattr(panel, column).copy()
    cells[3, 1] = value
    panel = replace(panel, **{column: cells})
    for use in (lambda: fit(panel, prices), lambda: evaluate(router, panel)):
        with pytest.raises(DataError, match=sentence):
            use()


def test_recorded_dollars_do_not_hide_a_price_change_from_an_evaluation(router, tmp_path):
    """A table with both, as a pilot exports it, was decided at the new prices and counted at the old ones."""
    router.save(tmp_path / "router")
    cheaper = Router.load(tmp_path / "router", router.prices.scaled("large", 0.05))
    panel = make_panel(60, seed=9)
    dollars = router.prices.rates(panel.models).cost_usd(panel.input_tokens, panel.output_tokens)
    plain, both = (
        evaluate(cheaper, table, mus=11, resamples=20) for table in (panel, replace(panel, cost_usd=dollars))
    )
    assert [single.cost_usd for single in both.singles] == [single.cost_usd for single in plain.singles]
    assert both.verdict == plain.verdict
    assert both.data.cost_source == "tokens"
    assert [note for note in both.notes if "which count" in note and "large 0.05" in note]


def test_a_query_of_a_prompt_and_messages_is_refused_as_in_a_file(router, prices):
    panel = make_panel(60)
    both = replace(panel.queries[5], messages=({"role": "system", "content": "be brief"},))
    panel = replace(panel, queries=(*panel.queries[:5], both, *panel.queries[6:]))
    for use in (lambda: fit(panel, prices), lambda: evaluate(router, panel)):
        with pytest.raises(DataError, match="the panel: query q00005 has both prompt and messages"):
            use()


def test_no_queries_are_no_decisions(router):
    assert router.route([], [MIDDLE], stranger_budget_usd=1.0).chosen.shape == (1, 0)


def test_only_train_rows_are_learnt_from(prices):
    panel = make_panel(60)
    split = tuple("train" if i < 40 else "test" for i in range(60))
    made = fit(replace(panel, split=split), prices, FitSettings("base", learning_curve=False))
    assert made.manifest.n_train == 40
    assert len(made.seen) == 40


def test_an_artifact_of_another_embedder_is_refused(router, tmp_path):
    router.save(tmp_path / "router")
    path = tmp_path / "router" / "manifest.json"
    path.write_text(path.read_text().replace(router.manifest.embedder_name, "base-256-000000000000"))
    with pytest.raises(ArtifactError, match="was fitted with the embedder"):
        Router.load(tmp_path / "router")
