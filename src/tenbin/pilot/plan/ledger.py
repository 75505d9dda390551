"""The prompts that a gateway was asked, where the profile stores them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tenbin.errors import DataError
from tenbin.pilot.prompt import PilotPrompt
from tenbin.reasons import counted
from tenbin.store.call import Call
from tenbin.store.reader import Reader
from tenbin.types import Message


def read_ledger(store: Path, profile: str) -> Iterator[PilotPrompt]:
    """The prompts of a profile's requests, oldest first; the id is the request's.

    Requests whose text is not kept, or that are no conversation, are passed over; DataError saying why where that
    leaves none, StoreError where the ledger does not answer.
    """
    reader = Reader(store)
    lacking: Counter[str] = Counter()
    found = 0
    try:
        for call in reader.requests(profile=profile, with_text=True):
            if call.call_no:  # a failover calls several candidates with the same request
                continue
            messages = _messages_of(call)
            if messages is None:
                lacking[call.text_missing or "it is no conversation"] += 1
                continue
            found += 1
            yield PilotPrompt(call.request_id, messages=messages)
    finally:
        reader.close()
    if not found:
        raise _none_kept(store, profile, lacking)


def _messages_of(call: Call) -> tuple[Message, ...] | None:
    """The conversation of a request's body in either dialect, None where there is none."""
    if call.prompt is None:
        return None
    try:
        body = json.loads(call.prompt)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    turns = body.get("messages", body.get("input"))
    if isinstance(turns, str):
        turns = [{"role": "user", "content": turns}]
    if not isinstance(turns, list) or not all(isinstance(turn, dict) and "role" in turn for turn in turns) or not turns:
        return None
    system = body.get("system", body.get("instructions"))
    head: list[dict[str, Any]] = [] if not system else [{"role": "system", "content": system}]
    return tuple(head + turns)


def _none_kept(store: Path, profile: str, lacking: Counter[str]) -> DataError:
    if not lacking:
        fix = "name the profile with --profile, or give a file of prompts"
        return DataError(f'holds no request of the profile "{profile}"', where=str(store), fix=fix)
    why, count = lacking.most_common(1)[0]
    fix = f"set store_prompts = true in [profiles.{profile}] and wait for traffic, or give a file of prompts"
    return DataError(
        f"holds no prompt of its {counted(sum(lacking.values()), 'request')}: {why} ({count:,} of them)",
        where=str(store),
        fix=fix,
    )
