"""Ratios are taken within a round, and every demand is judged by its own side."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.memory import slope_mb
from bench.rounds import Cell, Table
from bench.served import Served
from bench.targets import Target
from bench.thresholds import Check, checks


def target(name: str) -> Target:
    return Target(name, Served(name, 0, subprocess.Popen(["true"]), 0.0, Path("log")), "m")


def table(**rounds: list[dict[str, Any]]) -> Table:
    made = Table()
    for name, results in rounds.items():
        for result in results:
            made.add(Cell(16, "whole"), target(name), {"errors": {}, **result})
    return made


def test_a_ratio_is_that_of_the_rounds_not_of_the_means() -> None:
    made = table(tenbin=[{"rps": 50}, {"rps": 400}, {"rps": 5}], floor=[{"rps": 100}, {"rps": 1000}, {"rps": 10}])
    ratio, low, high = made.ratio("whole x16", "tenbin", "floor", "rps")
    assert (ratio, low, high) == (0.5, 0.4, 0.5)


def test_what_two_add_to_a_third() -> None:
    made = table(tenbin=[{"p": 7.0}], floor=[{"p": 3.0}], direct=[{"p": 1.0}])
    assert made.ratio("whole x16", "tenbin", "floor", "p", minus="direct") == (3.0, 3.0, 3.0)


def test_what_was_not_measured_is_not_judged() -> None:
    made = table(tenbin=[{"rps": 50, "cpu_ms": None}], floor=[{"rps": 100, "cpu_ms": 1.0}])
    assert math.isnan(made.ratio("whole x16", "tenbin", "floor", "cpu_ms")[0])
    judged = [check for check in checks(made) if check.is_measured]
    assert [check.what for check in judged] == ["requests per second, share of the floor, whole x16"]


@pytest.mark.parametrize(("value", "at_least", "holds"), [(2.0, True, True), (0.5, True, False), (0.5, False, True)])
def test_a_demand_holds_on_its_own_side(value: float, at_least: bool, holds: bool) -> None:
    check = Check("speed", value, value, value, 1.0, at_least)
    assert check.holds is holds
    assert ("holds" in check.text()) is holds


def test_errors_are_told_by_cell_and_target() -> None:
    made = table(floor=[{"rps": 1, "errors": {"status 503": 4}}])
    assert list(made.errors()) == ["whole x16, floor: 4 x status 503"]


def test_the_slope_is_of_the_second_half() -> None:
    growing_at_first = [(0, 10.0), (1000, 50.0), (2000, 60.0), (3000, 61.0), (4000, 62.0), (5000, 63.0)]
    assert slope_mb(growing_at_first) == pytest.approx(10.0)
