"""Strangers at the gateway: the reference inside the budget of their key, then the cheapest."""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random
from string import ascii_lowercase
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.gateway.stranger_budgets import KIND, StrangerBudgets, Usage, usages_of
from tenbin.store.keys import create_key
from tenbin.store.marks import Marks
from tenbin.store.period import DAY_S
from tenbin.store.place import Place
from tenbin.testing import Answer
from tenbin.types import Usage as Tokens
from tests.gateway.running import EASY, Running, Upstreams, eventually, fitted

EASY_NEW = "hello there, please say something nice about zebras"
ODD = "次の積分を計算してください。"
USUAL = Answer(text="yes", usage=Tokens(20, 100))
EXTRA_USD = (20 * 9.9 + 100 * 39.6) / 1e6
"""What such an answer of `good` costs more than one of `cheap`."""
KEY = "key_a"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def made(
    folder: Path, worker: int = 0, workers: int = 1, wall: Clock | None = None, place: Place | None = None
) -> StrangerBudgets:
    found = StrangerBudgets(Marks(folder, KIND), place or Place(folder, worker), workers, wall=wall or Clock())
    served: Any = SimpleNamespace(profile=SimpleNamespace(stranger_day_budget_usd=1.0))
    found.watch({"auto": served})
    found.adopt(found.share(is_first=True), is_first=True)
    return found


def look(budgets: StrangerBudgets) -> None:
    budgets.adopt(budgets.share())


def taken(budgets: StrangerBudgets, usd: float = 0.01, key: str = KEY) -> float:
    """How many dollars can be taken now, `usd` at a time."""
    total = 0.0
    while budgets.take("auto", key, usd):
        total += usd
    return total


def test_the_bucket_runs_dry_and_refills_as_the_day_goes(tmp_path: Path) -> None:
    clock = Clock()
    budgets = made(tmp_path, wall=clock)
    assert taken(budgets) == pytest.approx(1.0, abs=0.011)
    assert not budgets.take("auto", KEY, 0.01)
    assert budgets.take("auto", KEY, 0.0)  # a reference that costs nothing more needs no budget
    clock.now += DAY_S / 2
    look(budgets)
    assert taken(budgets) == pytest.approx(1.0 - math.exp(-0.5), abs=0.011)
    clock.now += 30 * DAY_S
    look(budgets)
    assert taken(budgets) == pytest.approx(1.0, abs=0.011)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(0.0, 0.4), st.floats(0.0, 2.0)), max_size=12))
def test_in_t_days_never_more_than_the_budget_times_one_plus_t(tmp_path_factory: pytest.TempPathFactory, steps) -> None:
    clock = Clock()
    budgets = made(tmp_path_factory.mktemp("store"), wall=clock)
    days = total = 0.0
    for usd, pause in steps:
        total += usd if budgets.take("auto", KEY, usd) else 0.0
        assert total <= 1.0 + days + 1e-9
        days += pause
        clock.now += pause * DAY_S
        look(budgets)


def test_keys_and_profiles_do_not_share(tmp_path: Path) -> None:
    budgets = made(tmp_path)
    taken(budgets)
    assert budgets.take("auto", "key_b", 0.5)
    assert budgets.take("auto", None, 0.5)
    assert not budgets.take("auto", KEY, 0.5)
    assert budgets.take("auto", "key_c", 0.3, share=0.5)
    assert not budgets.take("auto", "key_c", 0.3, share=0.5)
    assert budgets.take("auto", "key_c", 0.3)
    assert not budgets.take("a profile that is not watched", KEY, 0.5)


def test_workers_share_one_bucket_and_never_exceed_it(tmp_path: Path) -> None:
    three = [made(tmp_path, worker, 3) for worker in range(3)]
    total = sum(taken(one) for one in three[:2])
    assert total == pytest.approx(2 / 3, abs=0.03)  # equal parts, before they have heard of each other
    for turn in range(40):
        look(three[turn % 3])
        total += taken(three[0]) + taken(three[1])
        assert total <= 1.0 + 1e-9
    assert total == pytest.approx(1.0, abs=0.05)  # the idle one has given its part away


def test_of_a_worker_that_is_gone_only_what_it_used_counts(tmp_path: Path) -> None:
    former = made(tmp_path, 1, 2)
    assert former.take("auto", KEY, 0.3)
    look(former)
    left = made(tmp_path)
    look(left)
    assert taken(left) == pytest.approx(0.7, abs=0.011)


def test_a_restart_goes_on_with_what_was_used_and_what_it_cost_in_truth(tmp_path: Path) -> None:
    first = made(tmp_path)
    assert first.take("auto", KEY, 0.4)
    first.correct("auto", KEY, 0.3)  # the answer was dearer than expected
    first.share()
    again = made(tmp_path)
    assert not again.take("auto", KEY, 0.4)
    again.correct("auto", KEY, -0.2)
    assert again.take("auto", KEY, 0.4)


def test_gateways_on_one_store_share_a_bucket(tmp_path: Path) -> None:
    places = [Place(tmp_path, 0) for _ in range(2)]
    gateways = []
    for place in places:
        place.take()
        gateways.append(made(tmp_path, place=place))
    assert [place.number for place in places] == [0, 1]
    look(gateways[0])
    look(gateways[1])
    total = taken(gateways[0]) + taken(gateways[1])
    for _ in range(3):
        for gateway in gateways:
            look(gateway)
            total += taken(gateway)
    assert total == pytest.approx(1.0, abs=0.05)
    places[0].leave()
    assert places[1].taken() == {1}
    again = Place(tmp_path, 0)
    again.take()
    assert again.number == 0
    assert taken(made(tmp_path, place=again)) == 0.0
    places[1].leave()
    again.leave()


def test_what_has_faded_is_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    budgets = made(tmp_path, wall=clock)
    assert budgets.take("auto", KEY, 0.5)
    look(budgets)
    assert Marks(tmp_path, KIND).all()["auto@0"] == {"keys": {KEY: [0.5, 1.0, clock.now]}}
    clock.now += 60 * DAY_S
    look(budgets)
    assert Marks(tmp_path, KIND).all()["auto@0"] == {"keys": {}}
    assert budgets._own == {}


DAMAGED = ("", "[1]", '{"keys": 3}', '{"keys": {"key_a": ["x", 0, 0]}}', '{"keys": {"key_a": [NaN, 0, 0]}}')


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_mark_counts_as_nothing_used(tmp_path: Path, text: str) -> None:
    (tmp_path / KIND).mkdir()
    (tmp_path / KIND / "auto@0.json").write_text(text)
    assert taken(made(tmp_path)) == pytest.approx(1.0, abs=0.011)


def test_fading_is_the_same_for_sums_and_for_parts() -> None:
    rng = np.random.default_rng(0)
    parts = [Usage(usd, 2.0 * usd, at) for usd, at in zip(rng.random(5), np.sort(rng.random(5)) * DAY_S, strict=True)]
    whole = Usage(0.0, 0.0, 0.0)
    for part in parts:
        whole = whole.plus(part.used_usd, part.at)
    later = 2 * DAY_S
    assert whole.at_time(later).used_usd == pytest.approx(sum(part.at_time(later).used_usd for part in parts))
    assert usages_of({"keys": {"a": [1.5, 1.7, 2.0]}}) == {"a": Usage(1.5, 1.7, 2.0)}


def budget(answers: float) -> str:
    """A budget for so many answers of the reference."""
    return f"stranger_day_budget_usd = {answers * EXTRA_USD}"


def started(folder: Path, ups: Upstreams, *profile: str, gateway: str = 'keys = "open"') -> Running:
    for fake in ups.fakes.values():
        fake.script = USUAL
    return Running(folder, ups, profile="\n".join(("mu = 0.3", *profile)), gateway=gateway)


def test_strangers_go_to_the_reference_until_the_budget_is_used_up_and_then_to_the_cheapest(tmp_path: Path) -> None:
    with (
        Upstreams("cheap", "good") as ups,
        started(tmp_path, ups, budget(2.5)) as gateway,
    ):
        answers = [gateway.chat(f"{ODD}{i}") for i in range(4)]
        assert [a.headers["x-tenbin-model"] for a in answers] == ["good", "good", "cheap", "cheap"]
        assert answers[1].headers["x-tenbin-reason"] == "to the reference: the text is unlike the training prompts"
        assert "the stranger budget is used up" in answers[2].headers["x-tenbin-reason"]
        assert gateway.chat(f"{EASY} 7").headers["x-tenbin-reason"] == "least expected loss"
        metrics = gateway.request("GET", "/metrics", admin=True).body.decode()
        assert 'tenbin_strangers_total{profile="auto",sent_to="reference"} 2.0' in metrics
        assert 'tenbin_strangers_total{profile="auto",sent_to="cheapest"} 2.0' in metrics
        assert 'tenbin_decisions_total{candidate="cheap",profile="auto",reason="beyond_stranger_budget"} 2.0' in metrics
        gateway.calls()
        shown = gateway.get(f"/v1/decisions/{answers[2].headers['x-tenbin-decision-id']}").json
        assert [c["model"] for c in shown["candidates"]] == ["cheap", "good"]
        assert shown["candidates"][1]["reason"].startswith("higher expected cost (+$0.00")
        shown = gateway.get(f"/v1/decisions/{answers[0].headers['x-tenbin-decision-id']}").json
        assert shown["candidates"][1]["reason"] == "not the reference, which answers strangers"


def test_a_new_subject_goes_to_the_reference_for_half_the_budget_and_then_where_the_dial_says(tmp_path: Path) -> None:
    draw = Random(0)  # noqa: S311 (made prompts, no secret)

    def with_a_name(i: int) -> str:
        """Every fourth prompt ends with a name of its own: so much is nothing new."""
        return str(i) if i % 4 else f"{i} for {''.join(draw.choices(ascii_lowercase, k=7))}"

    fitted(["cheap", "good"], ending=with_a_name).save(tmp_path / "router")
    with (
        Upstreams("cheap", "good") as ups,
        started(tmp_path, ups, budget(4.9)) as gateway,
    ):
        answers = [gateway.chat(f"{EASY_NEW} {i}").headers for i in range(20)]
        models = [answer["x-tenbin-model"] for answer in answers]
        first = models.index("good")
        assert 3 < first < 15
        assert models == ["cheap"] * first + ["good"] * 2 + ["cheap"] * (18 - first)
        sentence = "to the reference: these prompts are about something that the training prompts lacked"
        assert answers[first]["x-tenbin-reason"] == sentence
        assert {answer["x-tenbin-reason"] for answer in answers[first + 2 :]} == {"least expected loss"}
        assert gateway.chat(ODD).headers["x-tenbin-model"] == "good"  # the other half is left to strangers
        metrics = gateway.request("GET", "/metrics", admin=True).body.decode()
        assert 'tenbin_decisions_total{candidate="good",profile="auto",reason="new_subject"} 2.0' in metrics
        assert 'tenbin_strangers_total{profile="auto",sent_to="sheltered"} 2.0' in metrics
        assert 'tenbin_flagged_keys{profile="auto",sign="new_subject"} 1.0' in metrics
        assert list(gateway.request("GET", "/state", admin=True).json["flagged_keys"]["auto"]["new_subject"]) == [""]
        assert gateway.gateway.services.keys.dear._keys["auto", ""].seen == 18, "what the dial has decided, no other"


def test_an_answer_dearer_than_expected_uses_up_what_it_cost(tmp_path: Path) -> None:
    with (
        Upstreams("cheap", "good") as ups,
        started(tmp_path, ups, budget(5)) as gateway,
    ):
        ups["good"].script = Answer(text="yes " * 10, usage=Tokens(20, 2_000))
        found = [gateway.chat(f"{ODD}{i}").headers["x-tenbin-model"] for i in range(3)]
        assert found == ["good", "cheap", "cheap"]


def test_a_reference_that_fails_is_not_paid_for(tmp_path: Path) -> None:
    with (
        Upstreams("cheap", "good") as ups,
        started(tmp_path, ups, budget(1.5)) as gateway,
    ):
        ups["good"].script = Answer(status=500)
        assert {gateway.chat(f"{ODD}{i}").headers["x-tenbin-model"] for i in range(3)} == {"cheap"}
        ups["good"].script = USUAL
        assert gateway.chat(f"{ODD} 4").headers["x-tenbin-model"] == "good"


def test_refused_requests_give_no_budget_back_that_others_used(tmp_path: Path) -> None:
    with (
        Upstreams("cheap", "good") as ups,
        started(tmp_path, ups, budget(2.5)) as gateway,
    ):
        strangers = gateway.gateway.services.strangers
        assert gateway.chat(f"{ODD}0").headers["x-tenbin-model"] == "good"
        (used,) = (usage.used_usd for usage in strangers._own.values())
        for fake in ups.fakes.values():
            fake.script = Answer(status=400)
        for i in range(5):
            gateway.chat(f"{ODD}{i}")
        (after,) = (usage.used_usd for usage in strangers._own.values())
        assert 0.9 * used < after <= used  # a day gives it back by and by; the five would have taken all of it


def test_two_keys_have_two_budgets_and_a_restart_gives_back_none(tmp_path: Path) -> None:
    secrets = [create_key(tmp_path / "store", name)[0] for name in ("one", "other")]
    profile = budget(1.5)

    def asked(gateway: Running, secret: str) -> list[str]:
        headers = {"authorization": f"Bearer {secret}"}
        return [gateway.chat(f"{ODD}{i}", headers=headers).headers["x-tenbin-model"] for i in range(2)]

    with Upstreams("cheap", "good") as ups:
        with started(tmp_path, ups, profile, gateway="") as gateway:
            eventually(lambda: len(gateway.gateway.services.ring) == 2, "the keys were read")
            assert [asked(gateway, secret) for secret in secrets] == [["good", "cheap"]] * 2
        marks = Marks(tmp_path / "store", KIND).all()["auto@0"]
        assert len(marks["keys"]) == 2
        assert "tb-" not in json.dumps(marks)
        with started(tmp_path, ups, profile, gateway="") as gateway:
            eventually(lambda: len(gateway.gateway.services.ring) == 2, "the keys were read")
            assert asked(gateway, secrets[0]) == ["cheap", "cheap"]


@pytest.mark.parametrize(("dial", "model"), [("mu = 0.0", "good"), ("mu = 1.0", "cheap")])
def test_a_dial_that_sees_one_side_only_needs_no_budget(tmp_path: Path, dial: str, model: str) -> None:
    profile = f"{dial}\nstranger_day_budget_usd = 0"
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, profile=profile) as gateway:
        answer = gateway.chat(ODD)
        assert answer.headers["x-tenbin-model"] == model
        assert "budget" not in answer.headers["x-tenbin-reason"]


def test_a_request_that_bars_the_reference_or_its_price_is_served_as_it_asks(tmp_path: Path) -> None:
    with Upstreams("cheap", "good") as ups, started(tmp_path, ups) as gateway:
        for terms in ({"deny": ["good"]}, {"max_cost_usd": 0.001}):
            answer = gateway.chat(ODD, tenbin=terms)
            assert answer.headers["x-tenbin-model"] == "cheap"
        assert gateway.chat(ODD).headers["x-tenbin-model"] == "good"
