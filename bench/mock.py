"""The upstream that every target calls: Tenbin's FakeUpstream in a process of its own, without memory of requests.

    python -m bench.mock --port 9100

Every answer says the twenty words of `WORDS`. Where the prompt has the mark `PACED_MARK` (in its text, for some
gateways drop other members), a stream takes 50 ms to its first frame and sends the next ones 5 ms apart; any other is
answered at once.
"""

from __future__ import annotations

import argparse
import threading

from tenbin.testing import Answer, FakeUpstream, UpstreamRequest

WORDS = tuple(f"w{k:02d}" for k in range(20))
PACED_MARK = "[paced]"
FIRST_TOKEN_S, GAP_S = 0.05, 0.005
AT_ONCE = Answer(text=" ".join(WORDS))
PACED = Answer(text=" ".join(WORDS), first_chunk_s=FIRST_TOKEN_S, chunk_gap_s=GAP_S)


def spoken(request: UpstreamRequest) -> Answer:
    """The same words for everybody; paced for who asks so."""
    return PACED if PACED_MARK.encode() in request.body else AT_ONCE


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    with FakeUpstream(spoken, keep=0, port=parser.parse_args().port):
        threading.Event().wait()


if __name__ == "__main__":
    main()
