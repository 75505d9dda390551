"""How many input tokens a text will be, estimated from its characters: no tokenizer, any script.

Providers' vocabularies differ from the estimate (token_events.py) by a factor that is nearly constant per model, which
the token heads learn; billing uses the provider's own `usage`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tenbin.features.characters import blocks
from tenbin.features.kernel import load_kernel
from tenbin.features.tally import tally
from tenbin.features.token_events import event_weights, tokens_of
from tenbin.types import Floats


def count_tokens(texts: Sequence[str]) -> Floats:
    """Estimated input tokens of each text, float64 [n], 0 for an empty one; a number never depends on the other texts.

    Median error against `o200k_base` on text that was not fitted on: 4 % in English, 4 % in Japanese, 3 % in code
    (characters / 4 is 55 to 70 % off in Japanese). Linear in the length of the text.

    >>> count_tokens(["What is the capital of Japan?", "日本の首都はどこですか？"]).round().tolist()
    [7.0, 9.0]
    """
    if isinstance(texts, str):
        raise TypeError("count_tokens takes a list of texts, not one text")
    counts = [_count_block(texts[start:stop]) for start, stop in blocks(texts)]
    return np.concatenate(counts) if counts else np.zeros(0)


def count_events(texts: Sequence[str]) -> Floats:
    """What tokens are estimated of (token_events.py) in each text, [n, events]; by the kernel where there is one."""
    kernel = load_kernel()
    return tally(texts).events if kernel is None else kernel.count_events(texts)


def _count_block(texts: Sequence[str]) -> Floats:
    return tokens_of(count_events(texts), event_weights(1.0))


__all__ = ["count_events", "count_tokens"]
