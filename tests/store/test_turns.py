"""Who answered the latest conversations elsewhere: read on in the ledger, remembered up to a number."""

import asyncio
import sqlite3
import time
from contextlib import closing

from tenbin.store.reader import Reader, Turn
from tenbin.store.turns import Turns
from tenbin.types import Usage
from tests.store.made import intent, running, settled

KEEP_S = 3600.0


def test_turns_of_others_are_found_as_they_ended_and_own_ones_are_not(tmp_path):
    async def run():
        async with running(tmp_path) as own, running(tmp_path, "w1") as other:
            own.post(intent("mine", conversation="a"), settled("mine"))
            other.post(intent("r1", conversation="b", strips_before=3), settled("r1", at=5.0, usage=Usage(700, 1)))
            other.post(intent("r2", conversation="c"), settled("r2", status="failed"))
            other.post(intent("r2", conversation="c", call_no=1, candidate="second"))
            other.post(intent("old", conversation="d", at=time.time() - KEEP_S - 1.0), settled("old"))
            assert await own.flush()
            assert await other.flush()
            turns = Turns(Reader(tmp_path), own.writer, KEEP_S)
            assert not turns.knows("b")
            assert [turns.find(name) for name in ("a", "d", "nobody's")] == [None] * 3
            assert [turns.knows(name) for name in "abcd"] == [False, True, True, False]
            assert turns.find("b") == Turn("small", 700, 5.0, strips_before=3, is_settled=True)
            turn = turns.find("c")
            assert (turn.candidate, turn.strips_before, turn.is_settled) == ("second", 0, False)
            # Read before, ended since; and what came in since.
            other.post(settled("r2", call_no=1, status="cancelled"), intent("r3", conversation="b", candidate="third"))
            assert await other.flush()
            assert turns.find("c") is None
            assert turns.find("b").candidate == "third"

    asyncio.run(run())


def test_the_latest_are_known_and_an_emptied_ledger_is_begun_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.turns.MOST", 3)

    async def run():
        async with running(tmp_path, "w1") as other:
            turns = Turns(Reader(tmp_path), "me", KEEP_S)
            for number in range(6):
                other.post(intent(f"r{number}", conversation=str(number)))
                if number % 3 == 2:
                    other.post(intent(f"s{number}", conversation="0"))
                    assert await other.flush()
                    turns.find("0")
            assert len(turns) == 3
            assert [turns.knows(name) for name in "0523"] == [True, True, False, False]
            for again in "46":  # who goes on is one of the latest
                other.post(intent(f"t{again}", conversation=again))
                assert await other.flush()
                turns.find(again)
            assert [turns.knows(name) for name in "4605"] == [True, True, True, False]
            with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as link, link:
                link.execute("DELETE FROM calls")  # whose numbers begin anew
            other.post(intent("new", conversation="9"))
            assert await other.flush()
            assert turns.find("9") is not None
            assert turns.find("0") is None
            assert [turns.knows(name) for name in "9046"] == [True, False, False, False]

    asyncio.run(run())
