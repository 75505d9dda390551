"""The tables of the ledger."""

from __future__ import annotations

from tenbin.store.database import Schema

# A call is one row, made by its intent and completed by its settlement; `billed_usd` is what it counts for in sums:
# its reserve until it is settled. `writer` is the life of the worker that made it (not its name, which comes back).
# `spending` is the same money added up by day, kept by triggers, hence always in step: budgets are asked for it too
# often to add up a million calls each time.
# Texts stand apart, so that sums do not read them and deleting them leaves the row.
FIRST = """
CREATE TABLE calls (
  request_id TEXT NOT NULL, call_no INTEGER NOT NULL, writer TEXT NOT NULL, at REAL, worker TEXT, key_id TEXT,
  profile TEXT, endpoint TEXT, asked_model TEXT, candidate TEXT, decision_id TEXT, reserve_usd REAL,
  conversation TEXT, user TEXT, status TEXT, settled_at REAL, http_status INTEGER,
  input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER, cache_write_tokens INTEGER,
  reasoning_tokens INTEGER, cost_usd REAL, baseline_usd REAL, price_version TEXT, latency_s REAL, first_token_s REAL,
  fallbacks INTEGER, response_id TEXT, failure TEXT, texts TEXT,
  billed_usd REAL GENERATED ALWAYS AS (CASE WHEN cost_usd IS NOT NULL THEN cost_usd
    WHEN status = 'failed' THEN 0.0 ELSE coalesce(reserve_usd, 0.0) END) VIRTUAL,
  PRIMARY KEY (request_id, call_no))

CREATE INDEX calls_by_key ON calls (key_id, at)

CREATE INDEX calls_by_time ON calls (at)

CREATE INDEX calls_by_decision ON calls (decision_id) WHERE decision_id IS NOT NULL

CREATE INDEX calls_by_conversation ON calls (conversation, at) WHERE conversation IS NOT NULL

CREATE INDEX calls_by_response ON calls (response_id) WHERE response_id IS NOT NULL

CREATE INDEX calls_by_user ON calls (user) WHERE user IS NOT NULL

CREATE INDEX calls_open ON calls (writer) WHERE status IS NULL

CREATE TABLE spending (
  key_id TEXT NOT NULL, day INTEGER NOT NULL, writer TEXT NOT NULL, usd REAL NOT NULL,
  PRIMARY KEY (key_id, day, writer)) WITHOUT ROWID

CREATE TRIGGER calls_begun AFTER INSERT ON calls WHEN new.key_id IS NOT NULL AND new.at IS NOT NULL BEGIN
  INSERT INTO spending VALUES (new.key_id, CAST(new.at / 86400 AS INTEGER), new.writer, new.billed_usd)
    ON CONFLICT (key_id, day, writer) DO UPDATE SET usd = usd + excluded.usd;
END

CREATE TRIGGER calls_changed AFTER UPDATE OF status, cost_usd, reserve_usd, key_id, at ON calls
WHEN (old.billed_usd, old.key_id, old.at) IS NOT (new.billed_usd, new.key_id, new.at) BEGIN
  UPDATE spending SET usd = usd - old.billed_usd
    WHERE key_id = old.key_id AND day = CAST(old.at / 86400 AS INTEGER) AND writer = old.writer;
  INSERT INTO spending
    SELECT new.key_id, CAST(new.at / 86400 AS INTEGER), new.writer, new.billed_usd
    WHERE new.key_id IS NOT NULL AND new.at IS NOT NULL
    ON CONFLICT (key_id, day, writer) DO UPDATE SET usd = usd + excluded.usd;
END

CREATE TABLE texts (
  request_id TEXT NOT NULL, call_no INTEGER NOT NULL, prompt BLOB, answer BLOB, PRIMARY KEY (request_id, call_no))

CREATE TABLE decisions (
  decision_id TEXT PRIMARY KEY, at REAL NOT NULL, key_id TEXT, profile TEXT, model TEXT, document BLOB NOT NULL)

CREATE TABLE feedback (
  decision_id TEXT NOT NULL, at REAL NOT NULL, key_id TEXT, quality REAL NOT NULL, source TEXT NOT NULL)

CREATE INDEX feedback_by_decision ON feedback (decision_id)

CREATE TABLE journals (segment TEXT PRIMARY KEY, offset INTEGER NOT NULL)

CREATE TABLE leases (
  key_id TEXT NOT NULL, period TEXT NOT NULL, writer TEXT NOT NULL, granted_usd REAL NOT NULL,
  PRIMARY KEY (key_id, period, writer)) WITHOUT ROWID

CREATE TABLE erasures (user_hash TEXT PRIMARY KEY, at REAL NOT NULL)

CREATE TABLE audit (at REAL NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, texts INTEGER, calls INTEGER)
"""

# An index over random names is written all over: a page for every call, which was half of all that went to the disk.
# Conversations are looked for by people, who can wait, and by `turns.py`, which keeps an index of the latest ones in
# memory; only /v1/responses asks who gave a response.
SECOND = """
DROP INDEX calls_by_conversation

DROP INDEX calls_by_response

CREATE INDEX calls_by_response ON calls (response_id) WHERE endpoint = 'responses'
"""

# Whoever goes on with a conversation at another worker must know it (`turns.py`).
THIRD = """
ALTER TABLE calls ADD COLUMN strips_before INTEGER
"""

# A request is named as its decision, and the primary key begins with that name.
FOURTH = """
DROP INDEX calls_by_decision
"""

# SQLite moves the beginnings of rows between pages, and leaves what it has moved standing in the space that is free
# there: `secure_delete` writes over the row alone. So nothing that was said may stand at the beginning of a row: before
# it lies room for a whole page, and all behind that is in pages of the row's own, which are written over as it goes.
FIFTH = """
ALTER TABLE texts RENAME TO texts_before

CREATE TABLE texts (
  request_id TEXT NOT NULL, call_no INTEGER NOT NULL, room BLOB NOT NULL DEFAULT (zeroblob(4096)),
  prompt BLOB, answer BLOB, PRIMARY KEY (request_id, call_no))

INSERT INTO texts (request_id, call_no, prompt, answer)
  SELECT request_id, call_no, prompt, answer FROM texts_before ORDER BY rowid

DROP TABLE texts_before
"""

LEDGER = Schema((FIRST, SECOND, THIRD, FOURTH, FIFTH), "WAL")
