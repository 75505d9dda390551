"""What an answer would have cost of the reference, had it answered the conversation all along.

The estimate knows of no prompt cache but the reference's own. A conversation that another candidate serves would lie
in that of the reference all the same; held against a prompt at its full price, each turn of a long one would look like
a saving that nobody makes.
"""

from __future__ import annotations

from collections.abc import Callable

from tenbin.types import Usage


def baseline_usd(
    expected_usd: float, bill_usd: Callable[[Usage], float | None], sent: Usage, turn_tokens: int
) -> float:
    """`expected_usd` of the reference with a prompt cache as warm as that of who answered, at `bill_usd`'s rates.

    `sent` is what was billed of who answered; `turn_tokens` the prompt of the turn before where another than the
    reference answered that, which counts even where who answered has no cache, or tells of none.
    """
    cached = min(max(sent.cached_tokens, turn_tokens), sent.input_tokens)
    written = min(sent.cache_write_tokens, sent.input_tokens - cached)
    if not cached and not written:
        return expected_usd
    cold = bill_usd(Usage(sent.input_tokens, 0))
    warm = bill_usd(Usage(sent.input_tokens, 0, cached_tokens=cached, cache_write_tokens=written))
    if cold is None or warm is None:
        return expected_usd
    return max(expected_usd + warm - cold, warm)
