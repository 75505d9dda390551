"""Reading the ledger: decisions, conversations, filters, and why a prompt is not there."""

import asyncio

import pytest

from tenbin.errors import StoreError
from tenbin.store.reader import Reader, StoredDecision
from tenbin.store.records import Feedback
from tests.store.made import decided, intent, running, settled


@pytest.fixture
def write(tmp_path):
    async def run(rows):
        async with running(tmp_path) as ledger:
            for row in rows:
                ledger.post(row)
            assert await ledger.flush()
            return ledger.lost_rows

    return lambda *rows: asyncio.run(run(rows))


def test_a_folder_without_a_store_is_said_to_be_one(tmp_path):
    with pytest.raises(StoreError, match="no store here yet"):
        Reader(tmp_path).decision("d")
    assert not list(tmp_path.iterdir())


def test_a_decision_comes_back_byte_for_byte(tmp_path, write):
    document = '{"a": 1.0, "ü": "\\u0000"}'.encode()
    write(decided("d1", at=5.0, document=document), decided("d2", document=b""))
    found = Reader(tmp_path).decision("d1")
    assert (found.document, found.at, found.key_id) == (document, 5.0, "key_1")
    assert Reader(tmp_path).decision("d3") is None


def test_a_call_without_a_profile_tells_its_decision(tmp_path, write):
    own = intent("d1", decision_id="d1", profile=None, candidate="big", at=5.0)
    write(own, settled("d1"), intent("d2", decision_id="d2", at=6.0), settled("d3"))
    reader = Reader(tmp_path)
    assert reader.decision("d1") == StoredDecision("d1", 5.0, "key_1", "", "big", None)
    assert reader.decision("d2") is None
    assert reader.decision("d3") is None
    assert [call.request_id for call in reader.requests(decision_id="d2")] == ["d2"]


def test_filters_leave_what_they_name_in_order_of_time(tmp_path, write):
    write(
        *(intent(f"r{i}", at=float(i), profile="ab"[i % 2], user=f"u{i % 3}", call_no=i % 2) for i in (3, 1, 2, 0, 4)),
        settled("r4", status="failed"),
    )
    reader = Reader(tmp_path)

    def found(**filters):
        return [call.request_id for call in reader.requests(**filters)]

    assert found() == ["r0", "r1", "r2", "r3", "r4"]
    assert found(since=1.0, until=3.0) == ["r1", "r2"]
    assert found(profile="b") == ["r1", "r3"]
    assert found(profile="a", user="u0") == ["r0"]
    assert found(status="failed") == ["r4"]
    assert found(key_id="'; DROP TABLE calls; --") == []
    assert reader.spent("key_1", 1.0, 3.0) == 0.5


def test_a_long_ledger_is_walked_page_by_page(tmp_path, write, monkeypatch):
    monkeypatch.setattr("tenbin.store.reader.PAGE_ROWS", 7)
    # Many at one moment: pages must not end between them and forget the rest.
    write(*(intent(f"r{i:03}", at=float(i // 20)) for i in range(100)))
    found = [call.request_id for call in Reader(tmp_path).requests()]
    assert sorted(found) == [f"r{i:03}" for i in range(100)]


def test_prompts_come_where_they_were_stored_and_else_the_reason(tmp_path, write):
    write(intent("r1", at=1.0, prompt=b'{"p": 1}'), settled("r1", answer=b"\xff"), intent("r2", at=2.0))
    with_text = list(Reader(tmp_path).requests(with_text=True))
    assert [(call.prompt, call.answer) for call in with_text] == [(b'{"p": 1}', b"\xff"), (None, None)]
    assert with_text[0].text_missing is None
    assert "did not store prompts" in with_text[1].text_missing
    assert next(call.text_missing for call in Reader(tmp_path).requests()) == "it was not asked for"


def test_a_row_that_does_not_fit_leaves_the_others_in(tmp_path, write):
    from tenbin.types import Usage

    lost = write(
        intent("r1"),
        settled("r1", usage=Usage(1 << 63, 1)),
        intent("r2"),
        settled("r2", usage=Usage(1 << 70, 1)),
        intent("r3", user="\ud800"),
        intent("r4"),
        settled("r4"),
    )
    assert lost == 3
    assert {call.request_id: call.status for call in Reader(tmp_path).requests()} == {
        "r1": "unknown",
        "r2": "unknown",
        "r4": "ok",
    }


def test_a_days_spend_is_not_added_up_anew_each_time(tmp_path, write):
    now = [10_000.0]
    write(*(intent(f"r{i}", at=float(i)) for i in range(3_000)), intent("other", at=5.0, profile="other"))
    reader = Reader(tmp_path, wall=lambda: now[0])
    assert reader.spent_in("auto", 0.0) == 750.0
    steps = []
    reader._link.set_progress_handler(lambda: steps.append(1) and None, 100)
    write(intent("late", at=9_900.0), settled("r7", cost_usd=100.0))
    assert reader.spent_in("auto", 0.0) == 750.25  # a call that ran for hours is seen by and by
    assert len(steps) < 10
    now[0] += 601.0
    assert reader.spent_in("auto", 0.0) == 850.0
    assert len(steps) > 10
    assert reader.spent_in("auto", 9_000.0) == 0.25
    assert reader.spent_in("other", 0.0) == 0.25


def test_the_latest_calls_and_one_decisions_verdicts_are_found_without_a_walk_through_all(tmp_path, write):
    """Of a year's calls the last hour took a look at every one."""
    rows = [row for i in range(2_000) for row in (intent(f"r{i}", at=float(i)), Feedback(f"r{i}", float(i), None, 0.5))]
    write(*rows)
    reader, steps = Reader(tmp_path), []
    assert reader.newest_call() == 2_000
    reader._link.set_progress_handler(lambda: steps.append(100), 100)
    assert [call.request_id for call in reader.requests(since=1_998.0)] == ["r1998", "r1999"]
    assert [verdict.at for verdict in reader.feedback("r7")] == [7.0]
    assert sum(steps) < 2_000
    assert len(list(reader.feedback())) == 2_000
    reader.close()
