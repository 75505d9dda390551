"""The input lines of `tenbin route --batch`: one JSON object each, checked, named by file:line:column when wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tenbin.errors import DataError
from tenbin.outcomes.bytescan import MAX_LINE_BYTES
from tenbin.outcomes.query_line import QueryLine
from tenbin.types import Query


def read_queries(stream: BinaryIO, name: str) -> Iterator[Query]:
    """The queries of a JSONL stream in order; a missing `query_id` is the line number, blank lines are passed over.

    Raises DataError at the first bad line, `where` being file:line:column (columns count characters from 1). Holds
    the ids seen so far, and one line.
    """
    seen: dict[str, int] = {}
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if line.isspace():
            continue
        query = QueryLine(line, name, number).query()
        first = seen.setdefault(query.query_id, number)
        if first != number:
            raise DataError(
                f'query_id "{query.query_id}" was already given in line {first}',
                where=f"{name}:{number}:1",
                fix="give every line its own id (a line without one takes its number)",
            )
        yield query
