"""What is true of the gateway at the moment of a scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

BreakerState = Literal["closed", "half_open", "open"]

BREAKER_LEVELS: Mapping[str, int] = {"closed": 0, "half_open": 1, "open": 2}


@dataclass(frozen=True, slots=True)
class Readings:
    """Levels read when somebody looks: `breakers` by candidate, `retreated` by profile, the rest of this worker.

    `certified` says of each certified profile whether a setting is proved (else its reference serves alone),
    `paced_mu` of each profile with a budget which mu keeps it, `flagged_keys` of each profile and sign how many are.

    `queued_rows` wait for the ledger's journal, `spooled_rows` stand in it and are not yet in the database,
    `lost_rows` have been lost since the start.
    """

    in_flight: int = 0
    queued_rows: int = 0
    spooled_rows: int = 0
    lost_rows: int = 0
    breakers: Mapping[str, BreakerState] = field(default_factory=dict)
    retreated: Mapping[str, bool] = field(default_factory=dict)
    certified: Mapping[str, bool] = field(default_factory=dict)
    paced_mu: Mapping[str, float] = field(default_factory=dict)
    flagged_keys: Mapping[tuple[str, str], int] = field(default_factory=dict)


Read = Callable[[], Readings]


def reading_metrics(readings: Readings) -> Iterator[Metric]:
    """The readings as metric families."""
    yield GaugeMetricFamily("tenbin_in_flight_requests", "Requests being served.", value=readings.in_flight)
    yield GaugeMetricFamily(
        "tenbin_queued_rows", "Ledger rows that wait to be made durable.", value=readings.queued_rows
    )
    yield GaugeMetricFamily(
        "tenbin_spooled_rows", "Durable ledger rows that the database does not hold yet.", value=readings.spooled_rows
    )
    yield CounterMetricFamily("tenbin_lost_rows", "Ledger rows lost since the start.", value=readings.lost_rows)
    breakers = GaugeMetricFamily(
        "tenbin_breaker_state", "Circuit breaker: 0 closed, 1 half-open, 2 open.", labels=["candidate"]
    )
    for candidate, state in readings.breakers.items():
        breakers.add_metric([candidate], BREAKER_LEVELS[state])
    yield breakers
    retreats = GaugeMetricFamily(
        "tenbin_retreated",
        "1 while a profile has retreated, its SLA being missed.",
        labels=["profile"],
    )
    for profile, is_retreated in readings.retreated.items():
        retreats.add_metric([profile], float(is_retreated))
    yield retreats
    proofs = GaugeMetricFamily(
        "tenbin_certified",
        "1 while a setting of a certified profile is proved, 0 while its reference serves alone.",
        labels=["profile"],
    )
    for profile, is_proved in readings.certified.items():
        proofs.add_metric([profile], float(is_proved))
    yield proofs
    paced = GaugeMetricFamily("tenbin_paced_mu", "The mu that keeps a profile's budget now.", labels=["profile"])
    for profile, mu in readings.paced_mu.items():
        paced.add_metric([profile], mu)
    yield paced
    flagged = GaugeMetricFamily(
        "tenbin_flagged_keys",
        "Keys in whose requests something is seen more often than traffic like the training prompts allows.",
        labels=["profile", "sign"],
    )
    for (profile, sign), keys in readings.flagged_keys.items():
        flagged.add_metric([profile, sign], keys)
    yield flagged
