from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tenbin.telemetry.metrics import Metrics, status_class
from tenbin.telemetry.readings import Readings
from tenbin.telemetry.series import MAX_CHILDREN, OVERFLOW, Count, Counts, Spread, Spreads
from tenbin.types import Usage

WHO = {"profile": "auto", "candidate": "small"}


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = metrics.exposition()[0].decode()
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return samples(metrics).get((name, frozenset(labels.items())))


def answered(metrics: Metrics, status: int = 200, **changed: float | None) -> None:
    times = {"seconds": 1.5, "first_token_s": 0.3, "own_s": 0.002, **changed}
    metrics.answered(endpoint="chat", **WHO, status=status, **times)  # type: ignore[arg-type]


def test_an_answer_is_counted_and_timed() -> None:
    metrics = Metrics()
    answered(metrics)
    answered(metrics, 503, first_token_s=None)
    answered(metrics, 499)
    assert value(metrics, "tenbin_requests_total", endpoint="chat", status="2xx", **WHO) == 1
    assert value(metrics, "tenbin_requests_total", endpoint="chat", status="5xx", **WHO) == 1
    assert value(metrics, "tenbin_requests_total", endpoint="chat", status="cancelled", **WHO) == 1
    assert value(metrics, "tenbin_request_duration_seconds_count", endpoint="chat", **WHO) == 3
    assert value(metrics, "tenbin_first_token_seconds_count", endpoint="chat", **WHO) == 2
    assert value(metrics, "tenbin_added_latency_seconds_bucket", endpoint="chat", le="0.002") == 3


def test_the_kinds_of_tokens_add_up_to_what_is_billed() -> None:
    metrics = Metrics()
    usage = Usage(input_tokens=100, output_tokens=50, cached_tokens=20, cache_write_tokens=30, reasoning_tokens=10)
    metrics.billed(**WHO, usage=usage, booked_usd=0.5, is_known=True, baseline_usd=2.0)
    metrics.billed(**WHO, usage=None, booked_usd=0.25, is_known=False, baseline_usd=None)
    kinds = {k: value(metrics, "tenbin_tokens_total", kind=k, **WHO) for k in ("input", "cached_input", "cache_write")}
    assert kinds == {"input": 50, "cached_input": 20, "cache_write": 30}
    assert value(metrics, "tenbin_tokens_total", kind="output", **WHO) == 40
    assert value(metrics, "tenbin_tokens_total", kind="reasoning", **WHO) == 10
    assert value(metrics, "tenbin_cost_dollars_total", **WHO) == 0.75
    assert value(metrics, "tenbin_baseline_cost_dollars_total", **WHO) == 2.0
    assert value(metrics, "tenbin_unpriced_answers_total", **WHO) == 1


def test_expected_and_observed_are_summed_over_the_same_answers() -> None:
    metrics = Metrics()
    for expected, observed in ((40.0, 50.0), (math.nan, 60.0), (None, 60.0), (40.0, None)):
        metrics.compared(
            **WHO, expected_output_tokens=expected, output_tokens=observed, expected_cost_usd=None, cost_usd=0.1
        )
    metrics.rated_answer(**WHO, expected_quality=0.75, quality=1.0)
    metrics.rated_answer(**WHO, expected_quality=None, quality=1.0)
    assert value(metrics, "tenbin_predicted_output_tokens_total", **WHO) == 40
    assert value(metrics, "tenbin_observed_output_tokens_total", **WHO) == 50
    assert value(metrics, "tenbin_observed_cost_dollars_total", **WHO) == 0
    assert value(metrics, "tenbin_predicted_quality_total", **WHO) == 0.75
    assert value(metrics, "tenbin_observed_quality_total", **WHO) == 1.0
    assert value(metrics, "tenbin_rated_answers_total", **WHO) == 1


def test_the_other_events_are_counted() -> None:
    metrics = Metrics()
    metrics.decided(**WHO, reason="least_loss", seconds=0.0004)
    metrics.decided(**WHO, reason="safe_default", seconds=0.03, late=True)
    metrics.fell_back(**WHO, failure="rate_limited")
    metrics.refused("chat", "invalid_json")
    metrics.reloaded("ok")
    metrics.reloaded("refused")
    assert value(metrics, "tenbin_decisions_total", reason="least_loss", **WHO) == 1
    assert value(metrics, "tenbin_late_decisions_total", profile="auto") == 1
    assert value(metrics, "tenbin_decision_duration_seconds_count", profile="auto") == 2
    assert value(metrics, "tenbin_fallbacks_total", failure="rate_limited", **WHO) == 1
    assert value(metrics, "tenbin_refusals_total", endpoint="chat", code="invalid_json") == 1
    assert value(metrics, "tenbin_reloads_total", outcome="refused") == 1


def test_what_alarms_look_at_begins_at_0() -> None:
    metrics = Metrics()
    metrics.serves("auto")
    assert value(metrics, "tenbin_key_flags_total", profile="auto", sign="dear") == 0
    assert value(metrics, "tenbin_late_decisions_total", profile="auto") == 0
    assert value(metrics, "tenbin_strangers_total", profile="auto", sent_to="cheapest") == 0
    assert value(metrics, "tenbin_reloads_total", outcome="refused") == 0


def test_levels_are_read_when_somebody_looks() -> None:
    levels = [
        Readings(),
        Readings(
            3,
            4,
            5,
            6,
            {"small": "open", "large": "closed"},
            {"auto": True},
            paced_mu={"auto": 0.4},
            flagged_keys={("auto", "dear"): 2},
        ),
    ]
    metrics = Metrics(lambda: levels[-1])
    found = {name: number for (name, _), number in samples(metrics).items()}
    assert [found[f"tenbin_{n}"] for n in ("in_flight_requests", "queued_rows", "spooled_rows")] == [3, 4, 5]
    assert found["tenbin_lost_rows_total"] == 6
    assert value(metrics, "tenbin_breaker_state", candidate="small") == 2
    assert value(metrics, "tenbin_retreated", profile="auto") == 1
    assert value(metrics, "tenbin_paced_mu", profile="auto") == 0.4
    assert value(metrics, "tenbin_flagged_keys", profile="auto", sign="dear") == 2
    levels.append(Readings(in_flight=7))
    assert value(metrics, "tenbin_in_flight_requests") == 7


def test_every_family_has_our_prefix_a_help_text_and_its_unit() -> None:
    families = list(Metrics().collect())
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert re.fullmatch(r"tenbin_[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        assert "_usd" not in family.name


def test_two_workers_of_one_process_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    answered(one)
    assert value(other, "tenbin_requests_total", endpoint="chat", status="2xx", **WHO) is None


def test_the_format_is_the_one_asked_for() -> None:
    body, content_type = Metrics().exposition("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


@pytest.mark.parametrize(("status", "name"), [(200, "2xx"), (404, "4xx"), (499, "cancelled"), (0, "5xx"), (999, "5xx")])
def test_a_status_has_a_class(status: int, name: str) -> None:
    assert status_class(status) == name


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True)))
def test_a_sum_never_falls_and_never_spoils(amounts: list[float]) -> None:
    count, spread = Count(), Spread((0.1, 1.0))
    for amount in amounts:
        before = count.total
        count.add(amount)
        spread.observe(amount)
        assert count.total >= before
    assert sum(spread.counts) == sum(1 for amount in amounts if 0 <= amount < math.inf)


@given(st.lists(st.floats(0, 100), min_size=1))
def test_a_bucket_holds_what_is_at_or_below_its_bound(amounts: list[float]) -> None:
    family = Spreads("a_seconds", "A.", (), (0.5, 2.0))
    for amount in amounts:
        family.at().observe(amount)
    buckets = {s.labels["le"]: s.value for s in family.metric().samples if s.name == "a_seconds_bucket"}
    assert buckets["0.5"] == sum(a <= 0.5 for a in amounts)
    assert buckets["2.0"] == sum(a <= 2.0 for a in amounts)
    assert buckets["+Inf"] == len(amounts)


def test_a_family_never_grows_without_bound() -> None:
    family = Counts("a", "A.", ("name",))
    for n in range(MAX_CHILDREN + 100):
        family.at(str(n)).add()
    assert len(family.found) == MAX_CHILDREN + 1
    assert family.at(OVERFLOW).total == 100


def test_nothing_grows_with_names_that_should_not_have_come_here(monkeypatch: pytest.MonkeyPatch) -> None:
    bound, names = 20, 50
    for module in ("metrics", "series"):
        monkeypatch.setattr(f"tenbin.telemetry.{module}.MAX_CHILDREN", bound)
    metrics = Metrics()
    for n in range(names):
        metrics.answered(
            endpoint="chat", profile="auto", candidate=str(n), status=200, seconds=1.0, first_token_s=None, own_s=0.0
        )
        metrics.billed(profile="auto", candidate=str(n), usage=None, booked_usd=0.5, is_known=True, baseline_usd=None)
        metrics.rated_answer(profile="auto", candidate=str(n), expected_quality=1.0, quality=1.0)
    found = samples(metrics)
    assert sum(number for (name, _), number in found.items() if name == "tenbin_requests_total") == names
    assert len([name for name, _ in found if name == "tenbin_cost_dollars_total"]) == bound + 1


def test_the_page_lists_every_family_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/telemetry.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(tenbin_\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$", page, flags=re.MULTILINE)
    told = {name: (kind, re.findall(r"\w+", labels), text) for name, kind, labels, text in rows}
    there = {
        family.name + ("_total" if family.type == "counter" else ""): (
            family.type,
            list(getattr(family, "_labelnames", ())),
            family.documentation,
        )
        for family in Metrics().collect()
    }
    assert told == there
