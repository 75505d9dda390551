"""A long conversation: how long it takes to decide one of 200,000 tokens, and how long others wait meanwhile.

    python -m bench.long [--times 20] [--tokens 200000] [--json]

Each conversation is new and goes to POST /v1/decision, which decides and calls nobody; the time is that of the whole
request, reading some 800 kB of JSON included. A second connection asks GET /health all the while: its longest wait is
what the event loop was blocked for, at most.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from bench.prompts import CHARACTERS_PER_TOKEN, texts
from bench.targets import start_mock
from bench.tenbin_gateway import AUTO_MODEL, start_tenbin

LIMIT_MS = 30.0
TIMES, TOKENS = 20, 200_000
POOL, TURN_CHARACTERS = 500, 4_000
PAUSE_S = 0.001


def conversation(tokens: int, pool: list[str], rng: random.Random) -> bytes:
    """A request whose turns, of about 1,000 tokens each, sum up to `tokens`."""
    turns, characters = [], 0
    while characters < tokens * CHARACTERS_PER_TOKEN:
        text = ""
        while len(text) < TURN_CHARACTERS:
            text += f" {rng.choice(pool)}"
        turns.append({"role": "assistant" if len(turns) % 2 else "user", "content": text})
        characters += len(text)
    turns.append({"role": "user", "content": f"And now? ({rng.randrange(10**9)})"})
    return json.dumps({"model": AUTO_MODEL, "messages": turns}).encode()


class Bystander:
    """Asks for the health of the server all the while and keeps how long it waited."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.waited_ms: list[float] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.stop.wait(PAUSE_S):
            began = time.perf_counter()
            self.connection.request("GET", "/health")
            self.connection.getresponse().read()
            self.waited_ms.append(1000 * (time.perf_counter() - began))

    def __enter__(self) -> Bystander:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()
        self.connection.close()


def decided_ms(port: int, key: str, body: bytes) -> float:
    """Milliseconds of one decision; ends the run where it is refused."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    began = time.perf_counter()
    connection.request("POST", "/v1/decision", body, headers)
    reply = connection.getresponse()
    answer = reply.read()
    taken = 1000 * (time.perf_counter() - began)
    connection.close()
    if reply.status != 200:
        sys.exit(f"the decision was refused with {reply.status}: {answer[:300].decode(errors='replace')}")
    return taken


def measured(port: int, key: str, times: int, tokens: int) -> tuple[list[float], list[float]]:
    """Milliseconds of so many decisions, after two that warm up, and those that others waited meanwhile."""
    rng = random.Random(5)  # noqa: S311 (a seed for a load, not a secret)
    pool = texts(POOL, rng)
    bodies = [conversation(tokens, pool, rng) for _ in range(times + 2)]
    for body in bodies[:2]:
        decided_ms(port, key, body)
    with Bystander(port) as bystander:
        taken = [decided_ms(port, key, body) for body in bodies[2:]]
    return taken, bystander.waited_ms


def main() -> int:
    """Decide, print, end with 1 where the median is over the limit."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--times", type=int, default=TIMES)
    made.add_argument("--tokens", type=int, default=TOKENS)
    made.add_argument("--json", action="store_true")
    given = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="tenbin-bench-") as folder, ExitStack() as stack:
        mock = start_mock(Path(folder))
        stack.callback(mock.stop)
        gateway = start_tenbin(Path(folder), mock)
        stack.callback(gateway.served.stop)
        taken, waited = measured(gateway.served.port, gateway.key, given.times, given.tokens)
    median = statistics.median(taken)
    holds = median <= LIMIT_MS
    if given.json:
        print(json.dumps({"decided_ms": taken, "waited_ms": waited, "median_ms": median, "holds": holds}))
    else:
        print(f"{given.tokens:,} tokens decided in {median:.1f} ms (median of {given.times}; longest {max(taken):.1f})")
        print(f"others waited {statistics.median(waited):.2f} ms (median), {max(waited):.1f} ms (longest)")
        print("holds" if holds else f"MISSED: at most {LIMIT_MS:g} ms")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
