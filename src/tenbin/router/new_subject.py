"""Whether a stream of queries asks about a subject that training lacked, though no single text need look odd.

Prompts of such a subject have the form of the others and bring new words more often (`novelty`): one text in six
where one in twenty of usual ones does. That says little of a text and soon much of a key: a stream in which new
texts are more frequent than the limit is of a new subject until they are rarer again (`excess`).
"""

from __future__ import annotations

import numpy as np

from tenbin.router.excess import Excess
from tenbin.types import Bools, Floats

NEW = 0.05
"""At this p-value of having no more new words than training prompts of its kind, or below it, a text is new."""
LIMIT = NEW + 0.05
"""The largest share of new texts that is expected: chance alone brings NEW, and training prompts of a rare subject, or
of one that has moved on, a little more.
"""


def is_new(novelty: Floats) -> Bools:
    """Which of n texts are new, by their p-values."""
    found: Bools = novelty <= NEW
    return found


def followed(stream: Excess, novelty: Floats) -> Bools:
    """Which of n queries [n] come when those before them had shown a new subject; `stream` learns of all of them."""
    found = np.empty(len(novelty), dtype=np.bool_)
    for i, each in enumerate(is_new(novelty).tolist()):
        found[i] = stream.is_flagged
        stream.met(each, LIMIT)
    return found
