"""A retreat holds for every worker of a store and after a restart, until somebody says otherwise."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tenbin.errors import StoreError
from tenbin.gateway.retreat import Promise, watched
from tenbin.gateway.retreats import EXCUSES, RESUMED, Marked, Retreats, retreat_of
from tenbin.gateway.seen import SEEN
from tenbin.store.marks import Marks
from tenbin.store.period import DAY_S
from tenbin.store.place import Place


def made(folder: Path, workers: int = 1) -> Retreats:
    place = Place(folder, 0)
    place.take()  # the next one that is free
    retreats = Retreats(folder, place, workers)
    promise = Promise(min_quality=0.9, availability=0.9, max_spend_usd=10.0)
    retreats._watches = {"auto": watched(promise, workers)}
    return retreats


def looked(*all_workers: Retreats) -> None:
    """Each has marked what it saw, and has seen the others' marks."""
    for _ in range(2):
        for retreats in all_workers:
            retreats.adopt(retreats.marked())


def failing(retreats: Retreats) -> Retreats:
    for _ in range(100):
        retreats.labelled("auto", 0.0, time.time())
    return retreats


def test_another_worker_takes_the_retreat_over_and_resumes_with_it(tmp_path: Path) -> None:
    first, second = failing(made(tmp_path)), made(tmp_path)
    second.adopt(second.marked())
    assert second.of("auto") == first.of("auto") is not None
    second.resume("auto")
    first.adopt(first.marked())
    assert first.of("auto") is second.of("auto") is None


def test_marks_read_before_a_retreat_or_before_its_end_change_nothing(tmp_path: Path) -> None:
    first, second = made(tmp_path), made(tmp_path)
    before = first.marked()  # in a thread, while the loop goes on
    failing(first).adopt(before)
    assert first.of("auto") is not None
    during = first.marked()
    first.resume("auto")
    first.adopt(during)
    assert first.of("auto") is None
    looked(first, second)
    assert first.of("auto") is second.of("auto") is None


def test_a_late_verdict_on_what_was_looked_into_does_not_count(tmp_path: Path) -> None:
    """Verdicts come hours after the answers: those on the bad ones ended, within minutes, what somebody had mended."""
    retreats = failing(made(tmp_path))
    decided_at = time.time()
    retreats.resume("auto")
    for _ in range(100):
        retreats.labelled("auto", 0.0, decided_at)
    assert retreats.of("auto") is None
    assert failing(retreats).of("auto") is not None


def test_a_clock_set_back_after_a_resume_keeps_no_verdict_from_counting(tmp_path: Path) -> None:
    retreats = made(tmp_path)
    Marks(tmp_path, RESUMED).put("auto", {"at": time.time() + 3600.0})  # when the clock was an hour ahead
    retreats.adopt(retreats.marked())
    assert failing(retreats).of("auto") is not None


def test_a_clock_set_back_before_a_resume_keeps_no_worker_from_hearing_of_it(tmp_path: Path) -> None:
    first, second = made(tmp_path, 2), made(tmp_path, 2)
    first.resume("auto")
    looked(first, second)
    for _ in range(40):
        first.labelled("auto", 0.9, time.time())
    Marks(tmp_path, RESUMED).put("auto", {"at": time.time() - 3600.0})  # as another worker does then
    looked(first, second)
    for _ in range(15):
        first.labelled("auto", 0.0, time.time())
        second.labelled("auto", 0.0, time.time())
    assert first.of("auto") is None
    looked(first, second)
    first.labelled("auto", 0.0, time.time())  # the sixteenth here, with fifteen there and none from before
    assert first.of("auto") is not None
    assert first.of("auto").sentence.startswith("mean quality 0.000 over the last 31 labels")  # type: ignore[union-attr]


@pytest.mark.parametrize("is_spend", [True, False])
def test_the_log_says_who_answers_in_a_retreat(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, is_spend: bool
) -> None:
    first, second = made(tmp_path), made(tmp_path)
    if is_spend:
        first.spent_today("auto", 11.0, time.time())
    else:
        failing(first)
    second.adopt(first.marked())
    who = "its named safe default, or else its cheapest candidate" if is_spend else "its reference"
    told = [record.getMessage() for record in caplog.records]
    assert [line.partition(": ")[0] for line in told] == [
        f"profile auto {how} {who}" for how in ("retreats to", "serves")
    ]


def test_workers_together_see_what_one_alone_would(tmp_path: Path) -> None:
    alone, workers = made(tmp_path / "alone"), [made(tmp_path / "store", 3) for _ in range(3)]
    for count in range(1, 100):
        alone.labelled("auto", 0.6, time.time())
        workers[count % 3].labelled("auto", 0.6, time.time())
        looked(*workers)
        assert [worker.of("auto") is None for worker in workers] == [alone.of("auto") is None] * 3
        if (retreat := alone.of("auto")) is not None:
            break
    assert {str(worker.of("auto").sentence) for worker in workers} == {retreat.sentence}  # type: ignore[union-attr]


def test_who_resumes_empties_the_windows_of_all(tmp_path: Path) -> None:
    first, second = made(tmp_path, 2), made(tmp_path, 2)
    for _ in range(40):
        first.finished("auto", answered=False)
        second.labelled("auto", 0.9, time.time())
        second.finished("auto", answered=True)
    looked(first, second)
    assert second.of("auto") is not None
    second.labelled("auto", 0.0, time.time())
    first.finished("auto", answered=False)
    second.resume("auto")
    second.finished("auto", answered=False)  # of what came before nothing counts, seen here or there
    assert second.of("auto") is None
    looked(first, second)
    for worker in (first, second):
        worker.finished("auto", answered=False)
        assert worker.of("auto") is None
    for _ in range(15):
        first.finished("auto", answered=False)
        second.finished("auto", answered=False)
    looked(first, second)
    first.finished("auto", answered=False)
    assert "0.00% of the last 34 requests" in str(first.of("auto"))


@pytest.mark.parametrize(
    "content", [{}, {"sums": [1, "x", 2, 2]}, {"since": [0.0, 0.9, 0.8], "sums": [90, 0.0, 90, 0.0]}]
)
def test_a_damaged_mark_or_one_of_another_promise_is_not_counted(tmp_path: Path, content: dict[str, Any]) -> None:
    first, second = made(tmp_path, 2), made(tmp_path, 2)
    Marks(tmp_path, SEEN).put("auto@1", content)
    first.adopt(first.marked())
    first.labelled("auto", 0.0, time.time())
    assert first.of("auto") is second.of("auto") is None
    content |= {"since": [0.0, 0.9, 0.9], "sums": [90, 0.0, 90, 0.0]}
    Marks(tmp_path, SEEN).put("auto@1", content)
    first.adopt(first.marked())
    first.labelled("auto", 0.0, time.time())
    assert first.of("auto") is not None


def restarted(folder: Path, before: Retreats) -> Retreats:
    """The worker that comes after this one has ended."""
    before.marked()
    before._seen._place.leave()
    after = made(folder)
    after.adopt(after.marked())
    return after


def test_a_restart_goes_on_with_what_was_seen(tmp_path: Path) -> None:
    """Where few answers are rated and a gateway is restarted daily, windows never filled and nothing was noticed."""
    retreats = made(tmp_path)
    retreats.adopt(retreats.marked())
    for _ in range(3):
        for _ in range(10):
            assert retreats.of("auto") is None
            retreats.labelled("auto", 0.0, time.time())
            retreats.finished("auto", answered=True)
        retreats = restarted(tmp_path, retreats)
    assert "0.000 over the last 30 labels" in str(retreats.of("auto"))
    retreats.resume("auto")
    retreats = restarted(tmp_path, retreats)
    for _ in range(29):
        retreats.labelled("auto", 0.0, time.time())
    assert retreats.of("auto") is None  # what came before somebody said to go on is forgotten through restarts, too


def test_a_restart_forgets_what_was_seen_of_another_promise(tmp_path: Path) -> None:
    retreats = made(tmp_path)
    retreats.adopt(retreats.marked())
    for _ in range(29):
        retreats.labelled("auto", 0.0, time.time())
    retreats.marked()
    retreats._seen._place.leave()
    after = made(tmp_path)
    after._watches = {"auto": watched(Promise(min_quality=0.8), 1)}
    after.adopt(after.marked())
    after.labelled("auto", 0.0, time.time())
    assert after.of("auto") is None


def test_a_restart_stays_in_retreat(tmp_path: Path) -> None:
    sentence = failing(made(tmp_path)).of("auto")
    after = made(tmp_path)
    after.adopt(after.marked())
    assert after.of("auto") == sentence


def test_what_was_waved_through_stays_so_for_all_workers_and_after_a_restart(tmp_path: Path) -> None:
    first, second, now = made(tmp_path), made(tmp_path), time.time()
    first.spent_today("auto", 11.0, now)
    second.resume("auto")  # has not even looked yet
    first.adopt(first.marked())
    restarted = made(tmp_path)
    restarted.adopt(restarted.marked())
    for worker in (first, second, restarted):
        worker.spent_today("auto", 12.0, now)
        assert worker.of("auto") is None
        worker.spent_today("auto", 12.0, now + DAY_S)
        assert worker.of("auto") is not None


@pytest.mark.parametrize("text", ["", "[1]", '{"day": "x"}'])
def test_a_damaged_excuse_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / EXCUSES).mkdir()
    (tmp_path / EXCUSES / "auto.json").write_text(text)
    assert made(tmp_path).marked().excused == {}


def test_a_retreat_that_cannot_be_marked_holds_here(tmp_path: Path) -> None:
    (tmp_path / "retreats").write_text("in the way")
    retreats = failing(made(tmp_path))
    retreats.adopt(Marked({}, {}))
    assert retreats.of("auto") is not None


@pytest.mark.parametrize("text", ["", "[1]", '{"reason": 7, "sentence": null, "since": "x"}', "\x00"])
def test_a_damaged_mark_still_means_retreat(tmp_path: Path, text: str) -> None:
    (tmp_path / "retreats").mkdir()
    (tmp_path / "retreats" / "auto.json").write_text(text)
    retreats = made(tmp_path)
    retreats.adopt(retreats.marked())
    assert retreats.of("auto") == retreat_of({})


def test_marks_of_profiles_that_are_gone_do_nothing(tmp_path: Path) -> None:
    Marks(tmp_path).put("old", {"reason": "quality"})
    retreats = made(tmp_path)
    retreats.adopt(retreats.marked())
    assert retreats.states() == {"auto": None}


def test_marks_are_put_taken_and_listed(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "store")
    content: dict[str, Any] = {"reason": "spend", "sentence": "too much", "since": 1.5}
    assert marks.all() == {}
    marks.put("a.b-c", content)
    assert Marks(tmp_path / "store").all() == {"a.b-c": content}
    marks.take("a.b-c")
    marks.take("a.b-c")
    assert marks.all() == {}


def test_a_mark_that_is_taken_away_while_all_are_read_is_none(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    marks.put("auto", {"reason": "quality"})
    (tmp_path / "retreats" / "gone.json").symlink_to("nowhere")  # listed, and not there any more
    assert list(marks.all()) == ["auto"]


def test_threads_that_put_the_same_mark_do_not_meet(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda number: marks.put("auto", {"number": number}), range(1000)))
    assert list(marks.all()) == ["auto"]


def test_a_mark_that_cannot_be_set_says_so(tmp_path: Path) -> None:
    (tmp_path / "retreats").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be set"):
        Marks(tmp_path).put("auto", {})
