"""Which candidates do not answer any more, as far as the journal tells: nobody need wait for their pairs."""

from __future__ import annotations

from collections.abc import Iterable

from tenbin.pilot.records import STOPPED, Bought, Failed, Record
from tenbin.pilot.run.gate import FAILURES_IN_A_ROW, FATAL


def down_candidates(records: Iterable[Record]) -> frozenset[str]:
    """The candidates whose last calls all failed: one for its key or its name, or as many in a row as a run bears.

    A run asks them again whenever it is started; an answer brings them back. Calls that we cut off ourselves
    say nothing.
    """
    in_a_row: dict[str, int] = {}
    for record in records:
        if isinstance(record, Bought):
            in_a_row[record.model] = 0
        elif (
            isinstance(record, Failed) and record.purpose == "answer" and not record.is_final and record.kind != STOPPED
        ):
            fatal = FAILURES_IN_A_ROW if record.kind in FATAL else 1
            in_a_row[record.model] = in_a_row.get(record.model, 0) + fatal
    return frozenset(model for model, failures in in_a_row.items() if failures >= FAILURES_IN_A_ROW)
