"""One prompt of a pilot."""

from __future__ import annotations

from typing import Literal

import msgspec

from tenbin.types import Message, Query

Split = Literal["train", "calibration", "test"]


class PilotPrompt(msgspec.Struct, frozen=True, omit_defaults=True):
    """A prompt as the pilot keeps it (a line of `prompts.jsonl`), exactly one of `prompt` and `messages` given.

    `count` is how often it stood in the traffic it comes from (duplicates are merged), `reference` the golden answer
    where there is one, `cluster` the patch of traffic it speaks for. `split` is drawn uniformly before anything is
    asked: rows outside "train" are never chosen by the planner.
    """

    query_id: str
    prompt: str = ""
    messages: tuple[Message, ...] | None = None
    group: str | None = None
    reference: str | None = None
    count: int = 1
    cluster: int = 0
    split: Split = "train"

    @property
    def asked(self) -> str | tuple[Message, ...]:
        """What candidates are asked: the text, or the messages of a conversation."""
        return self.prompt if self.messages is None else self.messages

    def query(self) -> Query:
        """The query that candidates are asked."""
        return Query(self.query_id, self.prompt, self.messages, self.group)
