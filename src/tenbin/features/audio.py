"""What a sound counts as: its seconds, and how many tokens each provider makes of one."""

from __future__ import annotations

import binascii
import functools
import re
from collections.abc import Mapping

TOKENS_PER_SECOND: Mapping[str, float] = {r"gpt-": 10.0, r"voxtral": 12.5}
"""Of models, by name.

OpenAI, "Managing costs" (developers.openai.com/api/docs/guides/realtime-costs): a token for 100 ms of what a user says.
Scaleway, "Generative APIs FAQ", for Voxtral: a token for 80 ms. Read on 2026-11-30.
"""
OTHERS_PER_SECOND = 32.0
"""As Google states of Gemini ("Audio understanding", ai.google.dev/gemini-api/docs/audio): more than anybody else."""
BYTES_PER_SECOND = 8_000
"""Of a sound that is no plain WAV: 64 kbit/s, at which speech is often packed. Music has more: it counts as longer."""
LEAST_BYTES_PER_SECOND = 500
"""Of a WAV: less than any telephone; a head that says so is torn."""
_HEAD_CHARACTERS = 48
_RATE_AT = 28
"""Where a plain WAV says how many bytes a second of it has (RFC 2361; the chunk "fmt " comes first)."""


@functools.lru_cache(1_024)
def tokens_per_second(model: str) -> float:
    """About the most that a second counts as for a model, by its name at the provider."""
    found = (tokens for name, tokens in TOKENS_PER_SECOND.items() if re.search(name, model, re.IGNORECASE))
    return next(found, OTHERS_PER_SECOND)


def seconds_of(text: str) -> float:
    """How long a sound in base64 is: a WAV as its head says, any other guessed by its size."""
    return len(text) * 3 / 4 / (_wav_bytes_per_second(text) or BYTES_PER_SECOND)


def _wav_bytes_per_second(text: str) -> int | None:
    try:
        head = binascii.a2b_base64(text[:_HEAD_CHARACTERS])
    except ValueError:  # no base64
        return None
    if not head.startswith(b"RIFF") or head[8:16] != b"WAVEfmt ":
        return None
    found = int.from_bytes(head[_RATE_AT : _RATE_AT + 4], "little")
    return found if found >= LEAST_BYTES_PER_SECOND else None
