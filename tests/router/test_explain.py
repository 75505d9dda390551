"""What is said of every loser speaks of what the dial weighs, and of nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.reasons import Reason
from tenbin.risk import Anchors, cautious_quality, losses
from tenbin.router.explain import headline, views
from tenbin.types import Estimates, TradeOff

MODELS = ("good", "fair", "fast")
QUALITY, COST = np.array([[0.900, 0.849, 0.5]]), np.array([[0.02, 0.001, 0.0006]])
SECONDS, GAP = np.array([[4.0, 3.0, 1.0]]), np.array([[0.0, 0.02, 0.1]])
ANCHORS = Anchors("good", 0.02, 4.0)


def reasons(trade_off: TradeOff) -> dict[str, str]:
    estimates = Estimates(QUALITY, GAP, GAP, COST * 0.0, COST * 0.0, SECONDS)
    loss = losses(cautious_quality(estimates, trade_off), COST, SECONDS, trade_off, ANCHORS)
    chosen = int(np.argmin(loss[0]))
    rows = views(MODELS, estimates, COST, loss, (None, None, None), chosen, trade_off)
    return {view.model: view.reason for view in rows}


def test_mu_0_speaks_of_quality_only() -> None:
    assert reasons(TradeOff(0.0)) == {
        "good": "chosen",
        "fair": "lower expected quality (-0.051)",
        "fast": "lower expected quality (-0.400)",
    }


def test_mu_0_with_caution_speaks_of_the_quality_that_was_compared() -> None:
    assert reasons(TradeOff(0.0, caution=1.0))["fair"] == "lower cautious quality (-0.071)"


@pytest.mark.parametrize(
    ("doubt", "less"), [(TradeOff(0.01, caution=1.0), "-0.500"), (TradeOff(0.01, minimax=True), "-0.564")]
)
def test_a_doubted_quality_is_told_as_one_beside_dollars_too(doubt: TradeOff, less: str) -> None:
    """The qualities that are shown, .900 and .500, lie less far apart."""
    assert reasons(doubt)["fast"] == f"saving $0.019 does not make up for {less} cautious quality"
    assert (
        told(-0.1, 0.001, 5.0, TradeOff(0.5, caution=1.0)) == "cautiously no better (-0.100) and no cheaper (+$0.001)"
    )


def test_mu_1_speaks_of_cost_only() -> None:
    assert reasons(TradeOff(1.0)) == {
        "fast": "chosen",
        "fair": "higher expected cost (+$0.0004)",
        "good": "higher expected cost (+$0.019)",
    }


def test_mu_1_speaks_of_time_where_time_is_weighed() -> None:
    assert reasons(TradeOff(1.0, w=1.0))["good"] == "slower (+3 s)"
    assert reasons(TradeOff(1.0, w=0.5))["good"] == "cost (+$0.019) and time (+3 s) weigh more together"


def told(gain: float, extra_usd: float, longer_s: float, trade_off: TradeOff) -> str:
    """What is said of a model that is by so much better, dearer and slower than a chosen one of 0.8, $0.01 and 10 s."""
    quality, cost = np.array([[0.8, 0.8 + gain]]), np.array([[0.01, 0.01 + extra_usd]])
    seconds = np.array([[10.0, 10.0 + longer_s]])
    zero = np.zeros((1, 2))
    estimates = Estimates(quality, zero, zero, zero, zero, seconds)
    loss = losses(quality, cost, seconds, trade_off, Anchors("chosen", 0.01, 10.0))
    assert loss[0, 1] > loss[0, 0], "the figures must make it lose"
    return views(("chosen", "loser"), estimates, cost, loss, (None, None), 0, trade_off)[1].reason


@pytest.mark.parametrize(
    ("gain", "extra", "longer", "w", "said"),
    [
        # At mu 0.5 a tenth of quality is worth a tenth of $0.01; with w it is weighed against seconds as well.
        (0.1, 0.0005, 30.0, 0.5, "+0.100 quality does not pay for +$0.0005 and +30 s"),
        (0.1, -0.005, 30.0, 0.5, "+0.100 quality and saving $0.005 do not pay for +30 s"),
        (-0.5, 0.001, -2.0, 0.5, "saving 2 s does not make up for -0.500 quality and +$0.001"),
        (-0.5, -0.001, -2.0, 0.5, "saving $0.001 and 2 s does not make up for -0.500 quality"),
        (-0.1, 0.001, 5.0, 0.5, "no better (-0.100), no cheaper (+$0.001) and no faster (+5 s)"),
        (0.1, -0.005, 5.0, 1.0, "+0.100 quality does not pay for +5 s"),
        (0.0, -0.005, 5.0, 1.0, "no better (+0.000) and no faster (+5 s)"),
        (0.0, 0.0000368, 0.0, 0.0, "no better (+0.000) and no cheaper (+$0.000037)"),
        (0.1, 1234.5, 0.0, 0.0, "+0.100 quality does not pay for +$1,234.50"),
        (0.1, 0.005, 30.0, 0.0, "+0.100 quality does not pay for +$0.005"),
    ],
)
def test_seconds_are_named_where_they_are_weighed(
    gain: float, extra: float, longer: float, w: float, said: str
) -> None:
    assert told(gain, extra, longer, TradeOff(0.5, w=w)) == said


@pytest.mark.parametrize(
    ("w", "said"),
    [
        (0.0, "品質は上回らず（-0.100）、安くもない（+$0.001）"),
        (0.5, "品質は上回らず（-0.100）、安くもない（+$0.001）し、速くもない（+5 s）"),
    ],
)
def test_what_offers_nothing_is_told_as_a_sentence_in_japanese_too(w: float, said: str) -> None:
    """Its parts were joined like nouns."""
    reason = told(-0.1, 0.001, 5.0, TradeOff(0.5, w=w))
    assert isinstance(reason, Reason)
    assert reason.said("ja") == said


def test_between_them_both_are_named() -> None:
    said = reasons(TradeOff(0.3))
    assert said["fast"] == "saving $0.0004 does not make up for -0.349 quality"
    assert said["good"] == "+0.051 quality does not pay for +$0.019"


@pytest.mark.parametrize(
    ("trade_off", "said"),
    [
        (TradeOff(0.0), "best expected quality"),
        (TradeOff(0.0, w=0.5), "best expected quality"),
        (TradeOff(1.0), "least expected cost"),
        (TradeOff(1.0, w=0.5), "least expected loss"),
        (TradeOff(0.5), "least expected loss"),
    ],
)
def test_the_headline_names_what_was_least(trade_off: TradeOff, said: str) -> None:
    guessed = Reason("guessed_group")
    assert headline(trade_off, (None, None), False, None) == said
    assert headline(trade_off, (None, None), False, guessed) == f"{said}, {guessed}"
    assert headline(trade_off, (None, "denied"), False, guessed) == "only eligible candidate"
