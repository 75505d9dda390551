"""Prompts for the load: sentences of the demo's real prompts mixed anew, 50 to 400 tokens each, no two alike."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator

from bench.mock import PACED_MARK
from tenbin.cli.demo import outcome_files

TOKENS = (50, 400)
CHARACTERS_PER_TOKEN = 4
MARK = b"#00000000#"
POOL = 2_000


class Bodies:
    """Chat requests as bytes: texts of a pool, each with a number of its own in front, so that none comes twice."""

    def __init__(self, model: str, *, stream: bool, paced: bool, seed: int, pool: int = POOL) -> None:
        rng = random.Random(seed)  # noqa: S311 (a seed for a load, not a secret)
        base: dict[str, object] = {"model": model, "temperature": 0.2, "max_tokens": 300}
        if stream:
            base["stream"] = True
        mark = f"{MARK.decode()} {PACED_MARK if paced else ''}"
        self.split = []
        for text in texts(pool, rng):
            turn = {"role": "user", "content": f"{mark} {text}"}
            body = json.dumps({**base, "messages": [turn]}, ensure_ascii=False).encode()
            head, _, tail = body.partition(MARK)
            self.split.append((head, tail))
        self.first = rng.randrange(10**7)

    def __iter__(self) -> Iterator[bytes]:
        number, n = self.first, len(self.split)
        while True:
            head, tail = self.split[number % n]
            yield b"%b#%08d#%b" % (head, number % 10**8, tail)
            number += 1


def texts(n: int, rng: random.Random) -> list[str]:
    """Texts whose lengths are uniform between the two bounds in tokens, at four characters a token."""
    with outcome_files()[0].open(encoding="utf-8") as lines:
        prompts = [json.loads(line)["prompt"] for line in lines]
    sentences = [part.strip() for p in prompts for part in re.split(r"(?<=[.?!])\s+|\n+", p) if part.strip()]
    made = []
    for _ in range(n):
        length, chosen = rng.uniform(*TOKENS) * CHARACTERS_PER_TOKEN, list[str]()
        while sum(map(len, chosen)) + len(chosen) < length:
            chosen.append(sentences[rng.randrange(len(sentences))])
        made.append(" ".join(chosen)[: int(length)])
    return made
