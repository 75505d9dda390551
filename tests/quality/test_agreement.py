"""Judge and people side by side."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenbin.quality.agreement import agreement
from tenbin.quality.interval import t_interval
from tenbin.types import Figure, Floats


def test_on_right_and_wrong_kappa_is_cohens() -> None:
    # 20 yes-yes, 15 no-no, 5 + 10 apart: Cohen's own example has observed .7, by chance .5, kappa .4.
    judged = np.array([1.0] * 25 + [0.0] * 25)[:, None]
    human = np.array([1.0] * 20 + [0.0] * 5 + [1.0] * 10 + [0.0] * 15)[:, None]
    overall, own = agreement(judged, human, ("m",))
    assert overall.same == pytest.approx(0.7)
    assert overall.kappa.value == pytest.approx(0.4)
    assert overall.kappa.low < 0.4 < overall.kappa.high
    assert overall.bias.value == pytest.approx(-0.1)
    assert (own.model, own.n, own.kappa.value) == ("m", 50, pytest.approx(0.4))


def test_a_constant_bias_shows_in_bias_and_kappa_but_not_in_correlation() -> None:
    human = np.linspace(0.0, 0.8, 20)[:, None]
    row = agreement(human + 0.2, human, ("m",))[0]
    assert row.correlation == pytest.approx(1.0)
    assert row.bias.value == pytest.approx(0.2)
    assert row.distance == pytest.approx(0.2)
    assert 0.5 < row.kappa.value < 0.95


def test_each_model_has_its_row_and_too_few_answers_say_nothing() -> None:
    judged = np.array([[0.5, 0.5], [0.6, np.nan], [0.7, 0.7], [0.9, np.nan]])
    rows = agreement(judged, judged, ("a", "b"))
    assert [(row.model, row.n) for row in rows] == [("", 6), ("a", 4), ("b", 2)]
    assert math.isnan(rows[2].bias.value)
    assert rows[1].kappa.value == pytest.approx(1.0)


def test_grades_that_never_vary_have_no_kappa() -> None:
    row = agreement(np.ones((5, 1)), np.ones((5, 1)), ("m",))[0]
    assert math.isnan(row.kappa.value)
    assert math.isnan(row.correlation)
    assert row.same == 1.0


def concordance(f: Floats, y: Floats) -> float:
    """Lin's, which kappa with squared distances is."""
    return 2.0 * np.cov(f, y, ddof=0)[0, 1] / (f.var() + y.var() + (f.mean() - y.mean()) ** 2)


def ends(figure: Figure) -> tuple[float, float, float]:
    return figure.value, figure.low, figure.high


def test_intervals_worked_by_hand() -> None:
    rng = np.random.default_rng(4)
    y = rng.uniform(0.1, 0.9, 9)
    f, n = np.clip(y + rng.normal(0.05, 0.1, 9), 0.0, 1.0), 9
    row = agreement(f[:, None], y[:, None], ("m",))[0]
    assert ends(row.bias) == pytest.approx(ends(t_interval((f - y).mean(), (f - y).var(ddof=1) / n, n - 1.0)))
    assert row.correlation == pytest.approx(np.corrcoef(f, y)[0, 1])
    left = np.array([concordance(np.delete(f, i), np.delete(y, i)) for i in range(n)])
    kappa = t_interval(concordance(f, y), (n - 1) / n * ((left - left.mean()) ** 2).sum(), n - 1.0)
    assert ends(row.kappa) == pytest.approx((kappa.value, kappa.low, min(kappa.high, 1.0)))
    # An answer that came with half the chance counts for two, and ten such answers for fewer than ten alike.
    weight = np.where(np.arange(n) < 3, 2.0, 1.0)
    share = weight / weight.sum()
    weighed = agreement(f[:, None], y[:, None], ("m",), weight[:, None])[0]
    bias, effective = share @ (f - y), 1.0 / (share @ share)
    spread = share @ (f - y - bias) ** 2 / (effective - 1.0)
    assert ends(weighed.bias) == pytest.approx(ends(t_interval(bias, spread, effective - 1.0)))
    assert weighed.distance == pytest.approx(share @ np.abs(f - y))
    assert weighed.kappa.value == pytest.approx(
        concordance(np.repeat(f, weight.astype(int)), np.repeat(y, weight.astype(int)))
    )


def test_half_a_point_is_right_and_what_one_of_them_left_out_does_not_count() -> None:
    nan = math.nan
    judged = np.array([0.5, 0.4, 0.2, 0.5, nan, 1.0])[:, None]
    human = np.array([1.0, 0.6, 0.1, 0.5, 1.0, nan])[:, None]
    for weight in (None, np.ones_like(judged)):
        row = agreement(judged, human, ("m",), weight)[0]
        assert (row.n, row.same) == (4, 0.75)
        assert row.bias.value == pytest.approx(-0.15)
    turned = agreement(human, judged, ("m",))[0]
    assert (turned.n, turned.same, turned.bias.value) == (4, 0.75, pytest.approx(0.15))
