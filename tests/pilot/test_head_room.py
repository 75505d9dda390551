"""Head room: said where second answers tell luck from skill, and not where they do not."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from tenbin.pilot.believed import believed
from tenbin.pilot.field import field_of
from tenbin.pilot.head_room import HeadRoom, head_room_of
from tenbin.pilot.records import Graded, Labelled
from tenbin.pilot.results import results_of
from tests.pilot.made import every_pair, made_prompts, made_records


def made_room(n: int, twice: int) -> HeadRoom:
    prompts = made_prompts(n)
    pairs = every_pair(prompts)
    again = [msgspec.structs.replace(pair, repeat=1) for pair in every_pair(prompts[:twice])]
    results = results_of(prompts, [*made_records(prompts, pairs), *made_records(prompts, again, seed=1)])
    field = field_of(results.panel(), "big")
    assert field is not None
    return head_room_of(results, field, seed=0)


def test_without_second_answers_it_is_not_identifiable() -> None:
    assert made_room(30, 0) == HeadRoom(None, "no_repeats", 30, 0)
    assert made_room(30, 3) == HeadRoom(None, "few", 30, 9)


def test_with_second_answers_it_is_near_what_the_made_world_has() -> None:
    room = made_room(150, 40)
    assert (room.reason, room.n_prompts, room.n_repeats) == (None, 150, 120)
    assert room.value is not None
    assert 0.02 < room.value.low < 0.08 < room.value.high < 0.17  # 0.08 by the made chances, 0.19 with luck left in


def test_incomplete_prompts_are_left_out() -> None:
    prompts = made_prompts(40)
    results = results_of(prompts, made_records(prompts, every_pair(prompts)[:-1]))
    field = field_of(results.panel(), "big")
    assert field is not None
    assert head_room_of(replace(results), field, seed=0).n_prompts == 39


def test_an_answer_that_people_alone_could_grade_is_left_out_too() -> None:
    prompts = made_prompts(40)
    again = [msgspec.structs.replace(pair, repeat=1) for pair in every_pair(prompts[:10])]
    records = [*made_records(prompts, every_pair(prompts)), *made_records(prompts, again, seed=1)]
    records.append(Graded("q0039", "big", 2e9, None, "exact-1", note="it cannot tell"))
    records += [Labelled(prompt.query_id, "big", 2e9, 1.0, "ann") for prompt in prompts]
    results = results_of(prompts, records)
    field = field_of(believed(results).panel(), "big")
    assert field is not None
    assert len(field) == 40
    room = head_room_of(results, field, seed=0)
    assert (room.reason, room.n_prompts) == (None, 39)
