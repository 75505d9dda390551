"""Reading the ledger, off the hot path."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenbin.errors import StoreError
from tenbin.store.call import CALL_SELECT, Call, call_of
from tenbin.store.database import open_reader, told
from tenbin.store.day_spend import DaySpend
from tenbin.store.folder import StoreFolder
from tenbin.store.records import Feedback, Status
from tenbin.store.schema import LEDGER

BUSY_S = 1.0
PAGE_ROWS = 500


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as it was written down; `document` is the JSON that `Decided` carried.

    It is None, and `profile` empty, where the request named its model itself: then there is only the call.
    """

    decision_id: str
    at: float
    key_id: str | None
    profile: str
    model: str
    document: bytes | None


@dataclass(frozen=True, slots=True)
class GivenResponse:
    """The candidate that gave a response, and the key that it gave it to."""

    candidate: str
    key_id: str | None


@dataclass(frozen=True, slots=True)
class LastCall:
    """The candidate that was called last for a request, and how that ended (None: it is under way)."""

    candidate: str
    status: Status | None


@dataclass(frozen=True, slots=True)
class Turn:
    """Who answered a turn of a conversation, to a prompt of how many tokens as billed, and when (Unix seconds).

    Until `is_settled` the tokens are not known, and the answer may be under way. `strips_before` as in `Intent`.
    """

    candidate: str
    input_tokens: int
    at: float
    strips_before: int
    is_settled: bool


class Reader:
    """Reads what has been applied; rows of the last moments are seen after `Ledger.flush`.

    Methods block: call them in a thread (any; they take turns). Errors: StoreError where the ledger does not answer.
    """

    def __init__(self, folder: Path, *, wall: Callable[[], float] = time.time) -> None:
        self.store = StoreFolder(Path(folder))
        self._wall = wall
        self._day_spend = DaySpend()
        self._lock = threading.Lock()
        self._link: sqlite3.Connection | None = None
        self._inode = 0

    def decision(self, decision_id: str) -> StoredDecision | None:
        """What was decided, None where nothing of that name is known."""
        sql = """SELECT decision_id, at, key_id, profile, model, document FROM decisions WHERE decision_id = ?1
            UNION ALL SELECT request_id, at, key_id, '', candidate, NULL FROM calls
            WHERE request_id = ?1 AND call_no = 0 AND profile IS NULL AND at IS NOT NULL"""
        rows = self._rows(sql, (decision_id,))
        return StoredDecision(*rows[0]) if rows else None

    def last_call(self, request_id: str) -> LastCall | None:
        """Who was called last for a request, as far as is known; None where nobody was."""
        sql = """SELECT candidate, status FROM calls WHERE request_id = ? AND candidate IS NOT NULL
            ORDER BY call_no DESC LIMIT 1"""
        rows = self._rows(sql, (request_id,))
        return LastCall(*rows[0]) if rows else None

    def response(self, response_id: str) -> GivenResponse | None:
        """Who gave a response of /v1/responses, and to which key."""
        sql = """SELECT candidate, key_id FROM calls WHERE endpoint = 'responses' AND response_id = ?
            ORDER BY at DESC LIMIT 1"""
        rows = self._rows(sql, (response_id,))
        return GivenResponse(*rows[0]) if rows else None

    def newest_call(self) -> int:
        """The number of the latest call, 0 where there is none. Later calls have higher ones, until all are deleted."""
        return int(self._rows("SELECT coalesce(max(rowid), 0) FROM calls", ())[0][0])

    def conversations(self, after: int, up_to: int, *, since: float, but: str) -> Iterator[tuple[int, str]]:
        """Number and conversation of the calls behind number `after`, oldest first, that were begun from `since` on.

        Left out are those of the writer `but`, and those that have failed by now.
        """
        # The plus keeps SQLite from the index over time: these are few rows at the end of the table.
        sql = """SELECT rowid, conversation FROM calls WHERE rowid > ? AND rowid <= ? AND conversation IS NOT NULL
            AND writer <> ? AND +at >= ? AND (status = 'ok' OR status IS NULL) ORDER BY rowid LIMIT ?"""
        while rows := self._rows(sql, (after, up_to, but, since, PAGE_ROWS)):
            yield from rows
            after = rows[-1][0]

    def turn(self, number: int, conversation: str) -> Turn | None:
        """The call of a number as a turn of its conversation; None where it has failed, or is gone."""
        sql = """SELECT candidate, input_tokens, coalesce(settled_at, at), strips_before, status FROM calls
            WHERE rowid = ? AND conversation = ? AND candidate IS NOT NULL AND (status = 'ok' OR status IS NULL)"""
        rows = self._rows(sql, (number, conversation))
        if not rows:
            return None
        candidate, input_tokens, at, strips_before, status = rows[0]
        return Turn(candidate, input_tokens or 0, at, strips_before or 0, is_settled=status is not None)

    def spent(self, key_id: str, since: float, until: float = float("inf")) -> float:
        """Dollars of a key's calls from `since` up to `until` in Unix seconds; open ones count at their reserve."""
        sql = "SELECT total(billed_usd) FROM calls WHERE key_id = ? AND at >= ? AND at < ?"
        return float(self._rows(sql, (key_id, since, until))[0][0])

    def spent_in(self, profile: str, since: float) -> float:
        """Dollars of a profile's calls begun from `since` (Unix seconds) on, whoever made them; see `DaySpend`."""
        return self._day_spend.usd(profile, since, self._wall(), self._sum_usd)

    def _sum_usd(self, profile: str, since: float, until: float) -> float:
        sql = "SELECT total(billed_usd) FROM calls WHERE profile = ? AND at >= ? AND at < ?"
        return float(self._rows(sql, (profile, since, until))[0][0])

    def requests(
        self,
        *,
        since: float | None = None,
        until: float | None = None,
        key_id: str | None = None,
        profile: str | None = None,
        candidate: str | None = None,
        endpoint: str | None = None,
        status: Status | None = None,
        user: str | None = None,
        conversation: str | None = None,
        decision_id: str | None = None,
        with_text: bool = False,
    ) -> Iterator[Call]:
        """The calls that all the filters given leave, oldest first; read page by page, so a long walk blocks nobody.

        `with_text` brings prompts and answers; where there is none, `Call.text_missing` says why.
        """
        filters = {
            "c.key_id = ?": key_id,
            "c.profile = ?": profile,
            "c.candidate = ?": candidate,
            "c.endpoint = ?": endpoint,
            "c.status = ?": status,
            "c.user = ?": user,
            "c.conversation = ?": conversation,
            "c.request_id = ?": decision_id,  # a request is named as its decision
            "c.at < ?": until,
        }
        given = {clause: value for clause, value in filters.items() if value is not None}
        where = " AND ".join(["(c.at, c.rowid) > (?, ?)", *given])
        sql = CALL_SELECT.replace("/*where*/", where)
        # By what comes after the last row SQLite finds its place in the index; a bound beside it is only looked at.
        last: tuple[Any, ...] = (float("-inf") if since is None else since, 0)
        while True:
            rows = self._rows(sql, (with_text, *last, *given.values(), PAGE_ROWS))
            for row in rows:
                yield call_of(row[2:])
            if len(rows) < PAGE_ROWS:
                return
            last = rows[-1][:2]

    def feedback(self, decision_id: str | None = None) -> Iterator[Feedback]:
        """The verdicts, oldest first; on one decision where it is named."""
        sql = "SELECT decision_id, at, key_id, quality, source FROM feedback /*which*/ ORDER BY at, rowid"
        if decision_id is None:
            rows = self._rows(sql, ())
        else:
            rows = self._rows(sql.replace("/*which*/", "WHERE decision_id = ?"), (decision_id,))
        for row in rows:
            yield Feedback(*row)

    def is_rated(self, decision_id: str) -> bool:
        """Whether there is any verdict on a decision."""
        return bool(self._rows("SELECT 1 FROM feedback WHERE decision_id = ? LIMIT 1", (decision_id,)))

    def close(self) -> None:
        """Close the connection; the next read opens a new one."""
        with self._lock:
            self._drop_link()

    def _rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        with self._connected() as link:
            return link.execute(sql, values).fetchall()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """The connection, opened anew where the file under it has been replaced."""
        with self._lock:
            try:
                with told(self.store.ledger):
                    if self._link is not None and self.store.ledger.stat().st_ino != self._inode:
                        self._drop_link()
                    if self._link is None:
                        self._link = open_reader(self.store.ledger, LEDGER, busy_s=BUSY_S)
                        self._inode = self.store.ledger.stat().st_ino
                    yield self._link
            except StoreError:
                self._drop_link()
                raise

    def _drop_link(self) -> None:
        self._day_spend.forget()
        if self._link is not None:
            self._link.close()
            self._link = None
