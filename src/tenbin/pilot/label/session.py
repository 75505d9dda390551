"""One person's labelling of one pilot: what is shown, what is said of it, and where that is written at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from tenbin.errors import DataError, UsageError
from tenbin.pilot.journal import Journal
from tenbin.pilot.label.sample import Shown, draw
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Labelled
from tenbin.pilot.results import Answer, Results

SCALES = (2, 3, 5)
"""How many steps from wrong to right a person may choose from."""
MOST_NOTE_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Item:
    """One answer to be labelled; the model is for the journal, never for the page."""

    shown: Shown
    prompt: PilotPrompt
    answer: str

    def view(self) -> dict[str, Any]:
        """What a person sees of it: turns of the prompt, the reference where there is one, the answer."""
        return {"turns": turns(self.prompt), "reference": self.prompt.reference, "answer": self.answer}


class Session:
    """The answers that one person labels, in order. Every label is in the journal before `label` returns."""

    def __init__(self, items: Sequence[Item], journal: Journal, labeller: str, scale: int) -> None:
        self.items = tuple(items)
        self.labeller = labeller
        self.scale = scale
        self._journal = journal
        self._given: dict[int, Labelled] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, results: Results, journal: Journal, labeller: str, *, count: int, scale: int, seed: int) -> Self:
        """The session of a pilot's results, with what `labeller` has said already (DataError: nothing to label)."""
        if scale not in SCALES:
            raise UsageError(f"a scale of {scale} is not known", fix=f"take one of {', '.join(map(str, SCALES))}")
        items = chosen(results, count, seed)
        if not items:
            raise DataError("nothing was bought yet", where="the pilot", fix="run it first: tenbin pilot run NAME")
        self = cls(items, journal, labeller, scale)
        for k, item in enumerate(items):
            if (said := results.answers[item.shown.key].labels.get(labeller)) is not None:
                self._given[k] = said
        return self

    @property
    def labelled(self) -> int:
        """How many of the items this person has labelled."""
        return len(self._given)

    def state(self) -> dict[str, Any]:
        """Which items are labelled, for the progress of the page."""
        with self._lock:
            return {"labelled": [k in self._given for k in range(len(self.items))]}

    def view(self, k: int) -> dict[str, Any]:
        """Item `k`, and what was said of it."""
        given = self._given.get(k)
        step = None if given is None else round(given.quality * (self.scale - 1))
        said = None if given is None else {"step": step, "note": given.note}
        return {"number": k, "given": said, **self.items[k].view()}

    def label(self, k: int, step: int, note: str = "") -> None:
        """Write down that answer `k` is worth `step` of 0 .. scale - 1 (IndexError, UsageError, StoreError)."""
        if not 0 <= step < self.scale:
            raise UsageError(f"{step} is no step of the scale", fix=f"give 0 to {self.scale - 1}")
        item = self.items[k]
        query_id, model, repeat = item.shown.key
        record = Labelled(
            query_id,
            model,
            time.time(),
            quality=step / (self.scale - 1),
            labeller=self.labeller,
            repeat=repeat,
            note=note.strip()[:MOST_NOTE_CHARACTERS],
            label_propensity=item.shown.propensity,
        )
        with self._lock:
            self._journal.append(record)
            self._given[k] = record


def chosen(results: Results, count: int, seed: int) -> list[Item]:
    """The answers to be shown, first answers only, in order."""
    prompts = {prompt.query_id: prompt for prompt in results.prompts}
    firsts: Mapping[tuple[str, str, int], Answer] = {
        key: answer for key, answer in results.answers.items() if key[2] == 0 and key[0] in prompts
    }
    frame = [(key, answer.quality()) for key, answer in firsts.items()]
    return [Item(shown, prompts[shown.key[0]], firsts[shown.key].bought.answer) for shown in draw(frame, count, seed)]


def turns(prompt: PilotPrompt) -> list[dict[str, str]]:
    """The prompt as turns of a conversation, each with its role and its text."""
    if prompt.messages is None:
        return [{"role": "user", "text": prompt.prompt}]
    return [{"role": str(m.get("role", "user")), "text": _text(m.get("content"))} for m in prompt.messages]


def _text(content: Any) -> str:
    """The words of a message; parts without words are named in brackets."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return f"[{type(content).__name__}]"
    return "\n".join(_part(part) for part in content)


def _part(part: Any) -> str:
    if not isinstance(part, Mapping):
        return str(part)
    text = part.get("text")
    return text if isinstance(text, str) else f"[{part.get('type', 'part')}]"
