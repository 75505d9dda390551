"""Figures in, verdict out: every kind, and the words that go with it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.evaluate.result import OperatingPoint
from tenbin.evaluate.verdict import Evidence, Single, queries_beyond_chance, queries_to_settle, verdict_of
from tenbin.types import Figure

UNKNOWN = Figure(math.nan, math.nan, math.nan)
SURE_GAIN = Figure(0.02, 0.015, 0.025)
NO_GAIN = Figure(0.0, -0.003, 0.003)


def point(target: float, saving: Figure, *, kept: bool = True, reached: bool = True, kind: str = "min_quality"):
    return OperatingPoint(
        kind=kind,
        target=target,
        mu=0.2,
        reached=reached,
        promised_quality=0.8,
        promised_cost_usd=0.01,
        quality=Figure(0.79, 0.78, 0.8),
        cost_usd=Figure(0.005, 0.004, 0.006),
        quality_ratio=Figure(1.02, 1.01, 1.03),
        saving=saving,
        overshoot=0.0,
        kept=kept,
        shares=(1.0,),
        arena_score=50.0,
        blind_saving=Figure(0.2, 0.15, 0.25),
    )


EVIDENCE = Evidence(
    n_models=3,
    n_test=1000,
    reference="large",
    gain=SURE_GAIN,
    gain_log=SURE_GAIN,
    chance=0.005,
    at_best=Figure(1.0, 0.99, 1.01),
    chance_at_best=0.3,
    rivals=((0.8, 0.02), (0.79, 0.008)),
    single=Single("mid", Figure(0.6, 0.55, 0.65), Figure(0.995, 0.99, 1.0)),
    points=(point(0.95, Figure(0.7, 0.65, 0.75)), point(0.99, Figure(0.41, 0.35, 0.47))),
)


def test_a_sure_gain_and_a_kept_promise_say_route() -> None:
    verdict = verdict_of(EVIDENCE)
    assert (verdict.kind, verdict.model, verdict.ratio, verdict.saving.value) == ("route", None, 0.99, 0.41)
    assert not verdict.prompts_say_nothing
    assert "saves 41.0% [35.0%, 47.0%] of the cost of large" in verdict.sentences["en"][0]
    assert "without reading the prompts would save 20.0% [15.0%, 25.0%]" in verdict.sentences["en"][1]
    assert "41.0%（95%信頼区間 35.0%〜47.0%）削減" in verdict.sentences["ja"][0]


BETWEEN_MODELS = (
    "Over blind mixtures of single models the gain in mean quality is +0.0200 [+0.0150, +0.0250] (AIQ) and "
    "+0.0200 [+0.0150, +0.0250] (AIQ-log) on 1,000 unseen prompts.",
    "単独モデルを無作為に混ぜた場合に対する平均品質の差は、未学習の1,000件で"
    "AIQ +0.0200（95%信頼区間 +0.0150〜+0.0250）、AIQ-log +0.0200（95%信頼区間 +0.0150〜+0.0250）です。",
)
OPEN = Figure(1.02, 1.01, math.nan)
FINEST = replace(point(0.0, UNKNOWN, kind="mu"), quality_ratio=OPEN, blind_saving=Figure(0.2, math.nan, math.nan))
UNTOLD = Single("mid", UNKNOWN, OPEN)


@pytest.mark.parametrize(
    ("evidence", "english", "japanese"),
    [
        (
            EVIDENCE,
            [
                "Route: it saves 41.0% [35.0%, 47.0%] of the cost of large at 102.0% [101.0%, 103.0%] of its quality "
                "(99% was asked for).",
                "Mixing models without reading the prompts would save 20.0% [15.0%, 25.0%] at that quality.",
                "Just using mid would save 60.0% [55.0%, 65.0%] of the cost of large at 99.5% [99.0%, 100.0%] of its "
                "quality.",
                BETWEEN_MODELS[0],
            ],
            [
                "ルーティングは有効です。large の102.0%（95%信頼区間 101.0%〜103.0%）の品質（目標99%）で、"
                "費用を41.0%（95%信頼区間 35.0%〜47.0%）削減します。",
                "プロンプトを読まずに混ぜるだけなら、同じ品質での削減は20.0%（95%信頼区間 15.0%〜25.0%）です。",
                "mid だけを使う場合は、large の99.5%（95%信頼区間 99.0%〜100.0%）の品質で"
                "費用を60.0%（95%信頼区間 55.0%〜65.0%）削減します。",
                BETWEEN_MODELS[1],
            ],
        ),
        (
            replace(EVIDENCE, points=(FINEST,), single=UNTOLD),
            [
                "Route: it reaches 102.0% [101.0% or more] of large's quality at an unknown share of its cost.",
                "Mixing models without reading the prompts would save 20.0% at that quality.",
                "Just using mid would reach 102.0% [101.0% or more] of large's quality at an unknown share of its "
                "cost.",
                BETWEEN_MODELS[0],
            ],
            [
                "ルーティングは有効です。large の102.0%（95%信頼区間 101.0%以上）の品質を、"
                "不明な倍率の費用で達成します。",
                "プロンプトを読まずに混ぜるだけなら、同じ品質での削減は20.0%です。",
                "mid だけを使う場合は、large の102.0%（95%信頼区間 101.0%以上）の品質に、"
                "不明な倍率の費用がかかります。",
                BETWEEN_MODELS[1],
            ],
        ),
        (
            replace(EVIDENCE, n_test=29, gain=UNKNOWN, gain_log=UNKNOWN),
            [
                "Collect about 171 more prompts to test on before deciding.",
                "Only 29 unseen prompts were there to test on.",
            ],
            [
                "判断の前に、検証用のプロンプトをあと約171件集めてください。",
                "検証に使えた未学習のプロンプトは29件だけでした。",
            ],
        ),
    ],
)
def test_the_whole_of_what_is_said(evidence: Evidence, english: list[str], japanese: list[str]) -> None:
    assert verdict_of(evidence).sentences == {"en": tuple(english), "ja": tuple(japanese)}


def test_either_gain_is_enough() -> None:
    assert verdict_of(replace(EVIDENCE, gain_log=NO_GAIN)).kind == "route"
    assert verdict_of(replace(EVIDENCE, gain=NO_GAIN)).kind == "route"


def test_an_end_that_is_not_known_is_shown_as_open() -> None:
    half = replace(EVIDENCE.points[1], blind_saving=Figure(0.2, float("nan"), 0.25))
    verdict = verdict_of(replace(EVIDENCE, points=(half,)))
    assert "would save 20.0% [up to 25.0%]" in verdict.sentences["en"][1]
    assert "20.0%（95%信頼区間 最大25.0%）" in verdict.sentences["ja"][1]


def test_why_no_blind_saving_is_told_is_said() -> None:
    note = {"en": "No mixture.", "ja": "届きません。"}
    unknown = replace(EVIDENCE.points[1], blind_saving=UNKNOWN, blind_note=note)
    verdict = verdict_of(replace(EVIDENCE, points=(unknown,)))
    assert (verdict.sentences["en"][1], verdict.sentences["ja"][1]) == ("No mixture.", "届きません。")
    silent = verdict_of(replace(EVIDENCE, points=(replace(unknown, blind_note={}),)))
    assert len(silent.sentences["en"]) == len(verdict.sentences["en"]) - 1


def test_the_cheap_good_model_is_named_beside_the_router() -> None:
    verdict = verdict_of(EVIDENCE)
    assert "Just using mid would save 60.0% [55.0%, 65.0%] of the cost of large at 99.5%" in verdict.sentences["en"][2]
    assert "mid だけを使う場合は、large の99.5%" in verdict.sentences["ja"][2]


def test_a_single_model_that_is_dearer_than_the_reference_saves_no_negative_share() -> None:
    dearer = Single("best", Figure(-1.5, -1.6, -1.4), Figure(1.07, 1.02, 1.12))
    verdict = verdict_of(replace(EVIDENCE, single=dearer))
    assert "would reach 107.0% [102.0%, 112.0%] of large's quality at 2.50 times its cost" in verdict.sentences["en"][2]
    assert "2.50倍の費用" in verdict.sentences["ja"][2]


def test_a_point_that_a_single_model_matches_is_not_quoted() -> None:
    assert verdict_of(replace(EVIDENCE, rivals=((0.786, 0.005),))).kind == "single"
    assert verdict_of(replace(EVIDENCE, rivals=((0.784, 0.005),))).kind == "route"


def test_a_gain_above_zero_that_chance_reaches_says_collect_and_names_the_chance() -> None:
    sure_but_lucky = Figure(0.0282, 0.01, 0.0569)
    verdict = verdict_of(replace(EVIDENCE, n_test=100, gain=sure_but_lucky, gain_log=sure_but_lucky, chance=0.015))
    assert (verdict.kind, verdict.n_more, verdict.prompts_say_nothing) == ("collect", 100, False)
    assert verdict.sentences["en"][0] == "Collect about 100 more prompts to test on before deciding."
    assert "could still be luck" in verdict.sentences["en"][1]
    assert "1.5%" in verdict.sentences["en"][1]
    assert "偶然" in verdict.sentences["ja"][1]
    assert "1.5%" in verdict.sentences["ja"][1]
    assert not any("say nothing" in s for s in verdict.sentences["en"])


def test_a_gain_that_is_most_likely_luck_is_not_worth_collecting_for() -> None:
    verdict = verdict_of(replace(EVIDENCE, chance=0.2))
    assert (verdict.kind, verdict.n_more, verdict.prompts_say_nothing) == ("single", None, True)
    assert any("at random" in s and "20.0%" in s for s in verdict.sentences["en"])
    assert any("無作為" in s and "20.0%" in s for s in verdict.sentences["ja"])
    assert verdict_of(replace(EVIDENCE, chance=0.1)).kind == "collect"


@settings(max_examples=200)
@given(
    chance=st.floats(0.005, 1.0),
    ends=st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)).map(sorted),
    n_test=st.integers(30, 5000),
)
def test_prompts_say_nothing_just_where_no_gain_is_above_zero_or_chance_reaches_it_often(
    chance: float, ends: list[float], n_test: int
) -> None:
    gain = Figure(ends[1], ends[0], ends[2])
    verdict = verdict_of(replace(EVIDENCE, n_test=n_test, gain=gain, gain_log=gain, chance=chance))
    assert verdict.prompts_say_nothing == (gain.low <= 0.0 or chance > 0.1)
    assert (verdict.kind == "route") == (gain.low > 0.0 and chance <= 0.01)
    assert (verdict.kind == "collect") == (verdict.n_more is not None)


def test_a_broken_promise_is_not_quoted() -> None:
    broken = (EVIDENCE.points[0], replace(EVIDENCE.points[1], kept=False))
    assert verdict_of(replace(EVIDENCE, points=broken)).ratio == 0.95


def test_the_first_preferred_point_is_quoted_that_is_reached_kept_and_surely_saves() -> None:
    good = Figure(0.4, 0.3, 0.5)
    points = {target: point(target, good) for target in (0.95, 0.97, 1.0, 0.99)}
    failings: list[dict[str, Any]] = [
        {"reached": False},
        {"kept": False},
        {"saving": Figure(0.4, 0.0, 0.5)},
        {"kind": "max_cost"},
    ]
    for target, failing in zip((0.99, 1.0, 0.97, 0.95), failings, strict=True):
        verdict = verdict_of(replace(EVIDENCE, points=tuple(points.values())))
        assert (verdict.kind, verdict.ratio, verdict.quality_ratio) == ("route", target, Figure(1.02, 1.01, 1.03))
        points[target] = replace(points[target], **failing)
    assert verdict_of(replace(EVIDENCE, points=tuple(points.values()))).kind == "single"


def test_more_quality_without_a_saving_is_a_reason_to_route() -> None:
    dearer = point(0.0, Figure(-0.2, -0.3, -0.1), kind="mu")
    verdict = verdict_of(replace(EVIDENCE, points=(dearer,)))
    assert verdict.kind == "route"
    assert math.isnan(verdict.ratio)
    assert "102.0% [101.0%, 103.0%] of large's quality at 1.20 times its cost" in verdict.sentences["en"][0]
    for other in (replace(dearer, target=0.3), replace(dearer, quality_ratio=Figure(1.02, 1.0, 1.03))):
        assert verdict_of(replace(EVIDENCE, points=(other,))).kind == "single"


def test_more_quality_than_a_single_model_has_is_not_quoted_where_a_cheaper_one_has_it_too() -> None:
    finest = point(0.0, Figure(0.2, 0.1, 0.3), kind="mu")
    assert verdict_of(replace(EVIDENCE, points=(finest,))).kind == "route"
    assert verdict_of(replace(EVIDENCE, points=(finest,), rivals=((0.81, 0.004),))).kind == "single"


def test_quality_above_every_single_models_is_a_reason_to_route_where_nothing_is_gained_below_the_best_ones_cost() -> (
    None
):
    dearer = point(0.0, Figure(-4.5, -5.0, -4.0), kind="mu")
    finer = replace(
        EVIDENCE, points=(EVIDENCE.points[1], dearer), gain=NO_GAIN, gain_log=NO_GAIN, chance=1.0,
        rivals=((0.7, 0.001),), at_best=Figure(1.1, 1.05, 1.15), chance_at_best=0.005,
    )  # fmt: skip
    verdict = verdict_of(finer)
    assert (verdict.kind, verdict.prompts_say_nothing, verdict.chance) == ("route", False, 0.005)
    assert "102.0% [101.0%, 103.0%] of large's quality at 5.50 times its cost" in verdict.sentences["en"][0]
    assert any("costs more than the best single model" in s for s in verdict.sentences["en"])
    assert any("最良の単独モデルより高い費用" in s for s in verdict.sentences["ja"])
    assert verdict_of(replace(finer, chance_at_best=0.01)).kind == "route"
    assert verdict_of(replace(finer, chance_at_best=0.02)).prompts_say_nothing
    assert verdict_of(replace(finer, at_best=Figure(1.1, 0.99, 1.2))).prompts_say_nothing


def test_no_gain_says_use_the_cheap_good_model_and_that_prompts_say_nothing() -> None:
    verdict = verdict_of(replace(EVIDENCE, gain=NO_GAIN, gain_log=NO_GAIN))
    assert (verdict.kind, verdict.model, verdict.prompts_say_nothing) == ("single", "mid", True)
    assert (verdict.saving, verdict.quality_ratio) == (EVIDENCE.single.saving, EVIDENCE.single.quality_ratio)
    assert verdict.sentences["en"][:2] == (
        "Just use mid.",
        "The training prompts chose it; on these it keeps 99.5% [99.0%, 100.0%] of the quality of large, the router's "
        "reference, and saves 60.0% [55.0%, 65.0%] of its cost.",
    )
    assert "large の99.5%（95%信頼区間 99.0%〜100.0%）の品質で、費用を60.0%" in verdict.sentences["ja"][1]
    assert any("say nothing about which model to use" in s for s in verdict.sentences["en"])
    assert any("混ぜて使うより良くなりません" in s for s in verdict.sentences["ja"])  # it may be worse
    assert any("プロンプトの内容は、モデルの使い分けの手がかりになりません" in s for s in verdict.sentences["ja"])


def test_what_few_prompts_cannot_tell_is_not_called_no_better() -> None:
    wide = Figure(-0.004, -0.063, 0.053)  # of 60 prompts: 135 times as many to tell half a point from none
    few = verdict_of(replace(EVIDENCE, n_test=60, gain=wide, gain_log=wide))
    assert (few.kind, few.prompts_say_nothing) == ("single", True)
    said = "\n".join(few.sentences["en"])
    assert "say nothing about which model to use, as far as 60 of them can tell" in said
    assert "more than 20 times as many" in said
    assert "no better" not in said
    (seen,) = (said for said in few.sentences["ja"] if said.startswith("この60件で見る限り、プロンプトの内容は"))
    assert "20倍を超える件数" in seen
    settled = Figure(0.002, -0.0025, 0.0065)
    assert "no better" in "\n".join(verdict_of(replace(EVIDENCE, gain=settled, gain_log=settled)).sentences["en"])


def test_an_open_interval_says_collect_and_how_many() -> None:
    open_gain = Figure(0.01, -0.01, 0.03)
    verdict = verdict_of(replace(EVIDENCE, gain=open_gain, gain_log=open_gain))
    assert (verdict.kind, verdict.model) == ("collect", None)
    assert math.isnan(verdict.saving.value)
    assert verdict.n_more == 3000  # half-width .02 must become .01: four times the 1,000 at hand
    assert "3,000 more prompts" in verdict.sentences["en"][0]
    assert verdict.sentences["en"][1] == "So far the prompts say nothing certain about which model to use."
    assert verdict.sentences["ja"][1].endswith("今のところ確かなことは言えません。")


def test_a_single_model_to_use_that_is_dearer_than_the_reference_says_how_many_times() -> None:
    dearer = Single("best", Figure(-9.62, -10.1, -9.2), Figure(1.04, 0.98, 1.1))
    verdict = verdict_of(replace(EVIDENCE, gain=NO_GAIN, gain_log=NO_GAIN, single=dearer))
    assert verdict.sentences["en"][:2] == (
        "Just use best.",
        "The training prompts chose it; on these it reaches 104.0% [98.0%, 110.0%] of the quality of large, the "
        "router's reference, at 10.62 times its cost.",
    )
    assert "large と比べて、品質は104.0%（95%信頼区間 98.0%〜110.0%）、費用は10.62倍" in verdict.sentences["ja"][1]


def test_of_a_reference_that_was_never_right_no_share_is_told() -> None:
    right = Single("mid", Figure(0.6, 0.55, 0.65), UNKNOWN)
    said = verdict_of(replace(EVIDENCE, gain=NO_GAIN, gain_log=NO_GAIN, single=right)).sentences
    assert "it keeps an unknown share of the quality of large" in said["en"][1]
    assert "large の不明な割合の品質で" in said["ja"][1]


def test_the_reference_itself_is_not_held_against_itself() -> None:
    itself = Single("large", Figure(0.0, 0.0, 0.0), Figure(1.0, 1.0, 1.0))
    for evidence in (
        replace(EVIDENCE, gain=NO_GAIN, gain_log=NO_GAIN, single=itself),
        replace(EVIDENCE, single=itself),
    ):
        assert not any("chose it" in s or "Just using" in s for s in verdict_of(evidence).sentences["en"])


def test_under_thirty_queries_nothing_is_concluded() -> None:
    verdict = verdict_of(replace(EVIDENCE, n_test=29))
    assert (verdict.kind, verdict.n_more) == ("collect", 171)


def test_one_model_is_the_model() -> None:
    alone = Single("only", Figure(0.0, 0.0, 0.0), Figure(1.0, 1.0, 1.0))
    verdict = verdict_of(replace(EVIDENCE, n_models=1, n_test=5, reference="only", single=alone))
    assert (verdict.kind, verdict.model) == ("single", "only")
    assert verdict.sentences["en"] == ("Just use only.",)


def test_a_gain_without_a_point_to_run_at_is_no_reason_to_route() -> None:
    verdict = verdict_of(replace(EVIDENCE, points=()))
    assert (verdict.kind, verdict.prompts_say_nothing) == ("single", False)
    assert any("no promise was kept at a saving" in s for s in verdict.sentences["en"])
    assert any("約束" in s for s in verdict.sentences["ja"])


@pytest.mark.parametrize(
    ("gain", "more"),
    [
        (Figure(0.01, -0.01, 0.03), 3000),
        (Figure(0.0, -0.004, 0.004), None),  # precise enough: there is nothing
        (Figure(0.002, -0.002, 0.006), None),  # so is this, about a gain worth knowing
        (Figure(0.01, 0.01 - 0.0441, 0.01 + 0.0441), 18400),
        (Figure(0.01, 0.01 - 0.0453, 0.01 + 0.0453), None),
        (Figure(-0.05, -0.2, 0.1), None),  # 20 times the data would not settle it
        (Figure(0.0, math.nan, math.nan), 200),
    ],
)
def test_queries_to_settle(gain: Figure, more: int | None) -> None:
    assert queries_to_settle(gain, 1000) == more


@pytest.mark.parametrize(
    ("chance", "more"),
    [(0.015, 100), (0.05, 1000), (0.1, 2300), (0.25, 10900), (0.31, None), (0.5, None), (1.0, None)],
)
def test_queries_beyond_chance(chance: float, more: int | None) -> None:
    assert queries_beyond_chance(chance, 1000) == more
