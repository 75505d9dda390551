"""Bringing records from a journal into the ledger, each exactly once.

How far a segment has been applied stands in the same database and is moved in the same transaction as its rows:
whoever applies, and however often it dies meanwhile, no row is lost or doubled.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec

from tenbin.store.database import transaction
from tenbin.store.frames import FrameReader, is_blank
from tenbin.store.records import Decided, Feedback, Intent, Record, Settled

BATCH_ROWS = 2048
BATCH_BYTES = 8 << 20

CALL_LIST = (
    "request_id, call_no, writer, at, worker, key_id, profile, endpoint, asked_model, candidate, decision_id, "
    "reserve_usd, conversation, user, strips_before, status, settled_at, http_status, input_tokens, output_tokens, "
    "cached_tokens, cache_write_tokens, reasoning_tokens, cost_usd, baseline_usd, price_version, latency_s, "
    "first_token_s, fallbacks, response_id, failure, texts"
)
CALL_COLUMNS = tuple(CALL_LIST.split(", "))
INTENT_END, SETTLED_END = 15, 31
# An intent and its settlement fill different columns of one row, and come in one batch or in two.
MERGE = " ON CONFLICT (request_id, call_no) DO UPDATE SET " + ", ".join(
    [f"{name} = coalesce(excluded.{name}, {name})" for name in CALL_COLUMNS[3:SETTLED_END]]
    + ["texts = coalesce(texts, excluded.texts)"]
)
INSERTS: Mapping[str, tuple[str, int, str]] = {
    "calls": ("".join(("INSERT INTO calls (", CALL_LIST, ") VALUES ")), len(CALL_COLUMNS), MERGE),
    "decisions": ("INSERT OR IGNORE INTO decisions VALUES ", 6, ""),
    "feedback": ("INSERT INTO feedback VALUES ", 5, ""),
}
# A statement takes many rows at once: every step gives the interpreter's lock away and has to win it back from the
# event loop, which costs more than the row. Few sizes, so that the statements stay prepared.
ROWS_AT_ONCE = (32, 8, 1)
# What SQLite says of values, not of its own state.
UNFIT = (OverflowError, ValueError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.DataError)
MOVE = """
INSERT INTO journals VALUES (?1, ?2) ON CONFLICT (segment) DO UPDATE SET offset = ?2 WHERE offset = ?3
"""
TEXT = """
INSERT INTO texts (request_id, call_no, prompt, answer) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (
  SELECT 1 FROM calls WHERE request_id = ?1 AND call_no = ?2 AND texts IN ('deleted', 'expired'))
ON CONFLICT (request_id, call_no) DO UPDATE SET
  prompt = coalesce(excluded.prompt, prompt), answer = coalesce(excluded.answer, answer)
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """What one batch did: rows read, those of them that fit nowhere, where it ended, whether that is the end, why it
    stopped before (`fault`).
    """

    rows: int
    unfit: int
    offset: int
    is_done: bool
    fault: str | None


def apply_batch(
    link: sqlite3.Connection, decode: msgspec.msgpack.Decoder[list[Record]], name: str, fd: int, end: int | None
) -> Progress:
    """Apply the next batch of the segment `name`, open as `fd`, up to `end` (None: as far as it goes).

    Errors: sqlite3.Error where the database does not take it; then nothing of the batch is in it.
    """
    found = link.execute("SELECT offset FROM journals WHERE segment = ?", (name,)).fetchone()
    start = int(found[0]) if found else 0
    reader = FrameReader(fd, start, end)
    rows: list[Record] = []
    fault = None
    for payload in reader:
        if not is_blank(payload):
            try:
                rows += decode.decode(payload)
            except msgspec.MsgspecError:
                fault = "damaged"
        if len(rows) >= BATCH_ROWS or reader.offset - start >= BATCH_BYTES:
            break
    else:
        fault = fault or reader.fault
    is_done = reader.offset >= reader.end or reader.fault is not None
    unfit = 0
    if reader.offset > start:
        with transaction(link):
            moved = link.execute(MOVE, (name, reader.offset, start))
            # Somebody else has applied this batch since the offset was read: then theirs counts.
            if moved.rowcount:
                unfit = insert_or_skip(link, name.partition(".")[0], rows)
    return Progress(len(rows), unfit, reader.offset, is_done, fault)


def insert_or_skip(link: sqlite3.Connection, writer: str, rows: Sequence[Record]) -> int:
    """Put records into their tables, all but those that the tables cannot hold: how many those are.

    An upstream may claim 2 ** 63 tokens: a row like that must not keep the rows behind it from the ledger.
    """
    unfit = 0
    link.execute("SAVEPOINT rows")
    try:
        insert(link, writer, rows)
    except UNFIT as error:
        link.execute("ROLLBACK TO rows")
        if len(rows) == 1:
            logging.getLogger("tenbin.store").error("a row does not fit the ledger and is left out: %s", error)
            unfit = 1
        else:
            unfit = sum(insert_or_skip(link, writer, [row]) for row in rows)
    link.execute("RELEASE rows")
    return unfit


def insert(link: sqlite3.Connection, writer: str, rows: Sequence[Record]) -> None:
    """Put records into their tables."""
    calls: dict[tuple[str, int], list[Any]] = {}
    decisions: list[tuple[Any, ...]] = []
    feedback: list[tuple[Any, ...]] = []
    texts: list[tuple[Any, ...]] = []
    for row in rows:
        if type(row) is Decided:
            decisions.append((row.decision_id, row.at, row.key_id, row.profile, row.model, row.document))
        elif type(row) is Feedback:
            feedback.append((row.decision_id, row.at, row.key_id, row.quality, row.source))
        elif type(row) is Intent:
            call = calls.setdefault((row.request_id, row.call_no), [None] * len(CALL_COLUMNS))
            call[:INTENT_END] = intent_columns(row, writer)
            if row.prompt is not None:
                texts.append((row.request_id, row.call_no, row.prompt, None))
        elif type(row) is Settled:
            call = calls.setdefault((row.request_id, row.call_no), [None] * len(CALL_COLUMNS))
            call[:3] = row.request_id, row.call_no, writer
            call[INTENT_END:SETTLED_END] = settled_columns(row)
            if row.answer is not None:
                texts.append((row.request_id, row.call_no, None, row.answer))
    for text in texts:
        calls[text[:2]][-1] = "stored"
    drop_erased(link, calls)
    insert_many(link, "decisions", decisions)
    insert_many(link, "calls", list(calls.values()))
    insert_many(link, "feedback", feedback)
    # The calls come first: they say which texts have been erased meanwhile.
    for text in texts:
        link.execute(TEXT, text)


def intent_columns(row: Intent, writer: str) -> tuple[Any, ...]:
    """The columns that an intent fills."""
    return (
        row.request_id,
        row.call_no,
        writer,
        row.at,
        row.worker,
        row.key_id,
        row.profile,
        row.endpoint,
        row.asked_model,
        row.candidate,
        row.decision_id,
        row.reserve_usd,
        row.conversation,
        row.user,
        row.strips_before,
    )


def settled_columns(row: Settled) -> tuple[Any, ...]:
    """The columns that a settlement fills."""
    usage = row.usage
    kinds: tuple[int | None, ...] = (None,) * 5
    if usage is not None:
        kinds = (
            usage.input_tokens,
            usage.output_tokens,
            usage.cached_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens,
        )
    return (
        row.status,
        row.at,
        row.http_status,
        *kinds,
        row.cost_usd,
        row.baseline_usd,
        row.price_version,
        row.latency_s,
        row.first_token_s,
        row.fallbacks,
        row.response_id,
        row.failure,
    )


def user_hash(user: str) -> str:
    """What is remembered of a user whose texts were erased."""
    return hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()


def drop_erased(link: sqlite3.Connection, calls: dict[tuple[str, int], list[Any]]) -> None:
    """Take the user off calls that were on their way here when the user's texts were erased."""
    user_at, at_at, status_at = (CALL_COLUMNS.index(name) for name in ("user", "at", "status"))
    users = {call[user_at] for call in calls.values() if call[user_at] is not None}
    if not users or link.execute("SELECT 1 FROM erasures LIMIT 1").fetchone() is None:
        return
    for user in users:
        found = link.execute("SELECT at FROM erasures WHERE user_hash = ?", (user_hash(user),)).fetchone()
        for call in calls.values():
            if found and call[user_at] == user and call[at_at] <= found[0]:
                call[user_at], call[CALL_COLUMNS.index("conversation")] = None, None
                if call[-1] is not None or call[status_at] is None:  # an open call may still bring its answer
                    call[-1] = "deleted"


def insert_many(link: sqlite3.Connection, table: str, rows: Sequence[Iterable[Any]]) -> None:
    """Insert rows by few statements of fixed sizes."""
    head, columns, tail = INSERTS[table]
    places = "(" + ", ".join("?" * columns) + ")"
    at = 0
    for size in ROWS_AT_ONCE:
        statement = head + ", ".join([places] * size) + tail
        while len(rows) - at >= size:
            link.execute(statement, list(chain.from_iterable(rows[at : at + size])))
            at += size
