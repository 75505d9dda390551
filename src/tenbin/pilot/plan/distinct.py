"""Which prompts a pilot works with: each once, with how often it stood there, and no more than it can use."""

from __future__ import annotations

import hashlib
import heapq
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from tenbin.features import routing_text
from tenbin.outcomes.identity import prompt_key
from tenbin.pilot.prompt import PilotPrompt

MOST_PROMPTS = 20_000
"""More prompts than any pilot buys answers for; beyond it a uniform sample is kept, so that memory is bounded."""
_DIGITS = re.compile(r"\d+")
_BETWEEN_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Distinct:
    """The prompts kept, in the order of the file, how many were read, and whether there were more different ones."""

    prompts: tuple[PilotPrompt, ...]
    n_read: int
    is_sample: bool


def distinct(prompts: Iterable[PilotPrompt], *, seed: int, most: int = MOST_PROMPTS) -> Distinct:
    """Merge prompts that are equal but for case, width and white space; the first one's id and reference stay.

    Of more than `most` different ones a uniform sample is kept: those of the smallest keyed hashes. A prompt of it
    was in it whenever it came by, so its count is exact.
    """
    kept: dict[str, PilotPrompt] = {}
    heap: list[tuple[int, str]] = []
    is_sample = False
    n_read = 0
    for prompt in prompts:
        n_read += 1
        key = prompt_key(prompt.query())
        if key in kept:
            kept[key] = replace(kept[key], count=kept[key].count + prompt.count)
            continue
        kept[key] = prompt
        heapq.heappush(heap, (-_rank(key, seed), key))
        if len(kept) > most:
            _, out = heapq.heappop(heap)
            del kept[out]
            is_sample = True
    return Distinct(tuple(kept.values()), n_read, is_sample)


def near_key(prompt: PilotPrompt) -> str:
    """Equal for prompts that differ in nothing but numbers, punctuation, case and white space: near-duplicates."""
    said = routing_text(prompt.asked)
    words = _BETWEEN_WORDS.sub(" ", _DIGITS.sub("0", unicodedata.normalize("NFKC", said).casefold()))
    return words.strip() or said


def _rank(key: str, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest(), "big")
