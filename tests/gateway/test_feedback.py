"""Whom a verdict counts for: the candidate that gave the answer, the router that chose it, the time it was given in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tenbin.router.fit import FitSettings
from tenbin.store.keys import create_key
from tenbin.testing import Answer
from tests.gateway.running import EASY, HARD, Reply, Running, Upstreams, fitted


def rate(gateway: Running, answer: Reply, quality: float, **headers: str) -> Reply:
    verdict = {"decision_id": answer.headers["x-tenbin-decision-id"], "quality": quality}
    return gateway.post("/v1/feedback", verdict, **headers)


def figures(gateway: Running, metric: str) -> dict[str, float]:
    """The values of a metric by candidate."""
    found: dict[str, float] = {}
    for line in gateway.request("GET", "/metrics", admin=True).body.decode().splitlines():
        if line.startswith(metric + "{"):
            found[line.partition('candidate="')[2].partition('"')[0]] = float(line.rsplit(" ", 1)[1])
    return found


def expected(gateway: Running, answer: Reply) -> dict[str, Any]:
    """The qualities that a decision expected, by candidate."""
    shown = gateway.get(f"/v1/decisions/{answer.headers['x-tenbin-decision-id']}").json
    return {candidate["model"]: candidate["quality"] for candidate in shown["candidates"]}


def test_a_verdict_counts_for_who_gave_the_answer_not_for_who_was_chosen_and_failed(tmp_path: Path) -> None:
    """While a good model was away, the bad answers of those that took over stood against its own name."""
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as gateway:
        ups["good"].script = Answer.error(500)
        answer = gateway.chat(HARD)
        assert answer.headers["x-tenbin-model"] == "cheap"
        assert rate(gateway, answer, 0.25).status == 200
        assert figures(gateway, "tenbin_observed_quality_total") == {"cheap": 0.25}
        hoped = expected(gateway, answer)
        assert hoped["cheap"] < hoped["good"]
        assert figures(gateway, "tenbin_predicted_quality_total") == {"cheap": pytest.approx(hoped["cheap"])}


def test_a_verdict_on_what_nobody_answered_counts_for_nobody(tmp_path: Path) -> None:
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as gateway:
        ups["good"].script = ups["cheap"].script = Answer.error(500)
        failed = gateway.chat(HARD)
        assert failed.status == 500
        assert rate(gateway, failed, 0.0).status == 200
        assert figures(gateway, "tenbin_rated_answers_total") == {}


def test_a_verdict_on_a_decision_alone_counts_for_its_choice_and_one_on_a_named_model_for_no_profile(
    tmp_path: Path,
) -> None:
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as gateway:
        body = {"model": "tenbin/auto", "messages": [{"role": "user", "content": EASY}]}
        made = gateway.post("/v1/decision", body).json
        verdict = {"decision_id": made["decision_id"], "quality": 1.0}
        assert gateway.post("/v1/feedback", verdict).status == 200
        assert rate(gateway, gateway.chat(EASY, model="good"), 1.0).status == 200
        assert figures(gateway, "tenbin_rated_answers_total") == {made["model"]: 1.0}
        assert 'profile=""' not in gateway.request("GET", "/metrics", admin=True).body.decode()


def test_verdicts_on_another_routers_choices_do_not_end_what_this_one_promises(tmp_path: Path) -> None:
    """After a new fit was put in place, late verdicts on the old one's answers made the new one retreat."""
    profile = "mu = 0.3\n[profiles.auto.sla]\nmin_quality = 0.9"
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, profile=profile) as gateway:
        old = [gateway.chat(EASY) for _ in range(40)]
        settings = FitSettings(embedder="base", learning_curve=False, seed=1)
        before = gateway.gateway.snapshot.profiles["auto"].versions["artifact"]
        shutil.rmtree(gateway.router)
        fitted(["cheap", "good"], settings).save(gateway.router)
        assert gateway.request("POST", "/reload", admin=True).status == 200
        assert gateway.gateway.snapshot.profiles["auto"].versions["artifact"] != before
        for answer in old:
            assert rate(gateway, answer, 0.0).status == 200
        assert gateway.gateway.services.retreats.of("auto") is None
        for answer in [gateway.chat(EASY) for _ in range(40)]:
            assert rate(gateway, answer, 0.0).status == 200
        assert gateway.gateway.services.retreats.of("auto") is not None


@pytest.mark.parametrize("own", [{"allow": ["cheap"]}, {"deny": ["good"]}, {"max_cost_usd": 0.0001}])
def test_who_rules_out_the_reference_makes_no_profile_retreat(tmp_path: Path, own: dict[str, Any]) -> None:
    """One client that wanted cheap answers only, and rated them, took the routing away from everybody else."""
    profile = "mu = 0.3\n[profiles.auto.sla]\nmin_quality = 0.9"
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, profile=profile) as gateway:
        for _ in range(40):
            answer = gateway.chat(HARD, tenbin=own)
            assert answer.headers["x-tenbin-model"] == "cheap"
            assert rate(gateway, answer, 0.0).status == 200
        assert gateway.gateway.services.retreats.of("auto") is None
        assert gateway.get(f"/v1/decisions/{answer.headers['x-tenbin-decision-id']}").json["is_narrowed"]
        assert figures(gateway, "tenbin_rated_answers_total") == {
            "cheap": 40.0
        }  # what is known of it is told all the same


def test_a_profile_that_rules_out_its_reference_answers_for_what_it_chooses(tmp_path: Path) -> None:
    profile = 'mu = 0.3\ndeny = ["good"]\n[profiles.auto.sla]\nmin_quality = 0.9'
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, profile=profile) as gateway:
        for _ in range(40):
            answer = gateway.chat(HARD, tenbin={"allow": ["cheap"]})
            assert rate(gateway, answer, 0.0).status == 200
        assert gateway.gateway.services.retreats.of("auto") is not None


def test_a_key_may_send_as_many_verdicts_as_requests_and_neither_costs_the_other(tmp_path: Path) -> None:
    """Each is a row on the disk: a key of one request a minute wrote as many as it liked."""
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, gateway="") as gateway:
        secret = create_key(gateway.store, "team", requests_per_minute=1)[0]
        assert gateway.do(_known(gateway))
        bearer = {"authorization": f"Bearer {secret}"}
        answer = gateway.chat(EASY, headers=bearer)
        assert answer.status == 200
        assert [rate(gateway, answer, 0.5, **bearer).status for _ in range(2)] == [200, 429]
        assert gateway.calls()
        assert len(list(gateway.gateway.services.reader.feedback())) == 1


async def _known(gateway: Running) -> bool:
    gateway.gateway.services.ring.refresh()
    return True
