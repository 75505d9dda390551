"""Whether something happens in a stream of queries more often than traffic like the training prompts allows.

What no single query shows, such as a crafted text ("confounder gadgets", arXiv 2501.01818) or a subject that training
lacked, the share can. A bet that it exceeds the limit p multiplies its wealth by 1 + s (D / p - 1) at every query,
D = 1 where it happened, else 0; where D is 1 with a chance of at most p, whatever was before, the wealth does not grow
in expectation. So that what begins after a good year is seen as soon as what begins at once, a new unit is put on
before every query (the Shiryaev-Roberts e-detector of Shin, Ramdas and Rinaldo, arXiv 2203.03532): the sum less the
number of queries is a supermartingale, so it takes at least QUERIES queries on average until the sum reaches QUERIES
where the share is at the limit, and far more below it. Several stakes s side by side share one threshold by their mean.

A flag ends as it came: the same bets, now that the share is below the limit, must reach QUERIES. No I/O, no clock.
"""

from __future__ import annotations

QUERIES = 10_000
"""A stream whose share is at the limit is flagged at most once in so many queries, on average."""
STAKES = (0.05, 0.2, 0.5)
"""Shares of the wealth: small ones for what is little above the limit or varies much, large ones for what is far."""
LATEST = 100
"""The share that people are told is that of about so many of the latest queries."""
_SMALL, _MIDDLE, _LARGE = STAKES
_GOAL = QUERIES * len(STAKES)


class Excess:
    """What is known of one stream, a few numbers; changed in place, for every query does.

    `share` is how often it happened among the latest `seen`, older ones fading.
    """

    __slots__ = ("_large", "_middle", "_small", "is_flagged", "seen", "share")

    def __init__(self) -> None:
        self.is_flagged = False
        self.share = 0.0
        self.seen = 0
        self._small = self._middle = self._large = 0.0

    def met(self, happened: bool, limit: float) -> bool:
        """Learn of one more query; True where it begins or ends a flag.

        `limit` is the largest share that is expected of such queries, above 0; from 1 on nothing is learnt.
        """
        if self.seen < LATEST:
            self.seen += 1
        self.share += (happened - self.share) / self.seen
        if limit >= 1.0:
            return False
        # What is bet on, that it happens or (flagged) that it does not, has a chance of at most `limit` or 1 - `limit`.
        if self.is_flagged:
            gain = -1.0 if happened else limit / (1.0 - limit)
        else:
            gain = (1.0 - limit) / limit if happened else -1.0
        small = self._small = (self._small + 1.0) * (1.0 + _SMALL * gain)
        middle = self._middle = (self._middle + 1.0) * (1.0 + _MIDDLE * gain)
        large = self._large = (self._large + 1.0) * (1.0 + _LARGE * gain)
        if small + middle + large < _GOAL:
            return False
        self.is_flagged = not self.is_flagged
        self._small = self._middle = self._large = 0.0
        return True
