"""How fast a model may be asked: calls and tokens spread evenly over the minute that its provider allows."""

from __future__ import annotations

MINUTE_S = 60.0


class Pace:
    """One call at a time passes when both rates have room; a rate of None has always room.

    Calls are spaced by 60 s / requests, and by the share of the minute that their tokens take: what was assumed when a
    call began is put right by `correct` when its usage is known. Times are those of any one clock, in seconds.
    """

    def __init__(self, requests_per_minute: int | None, tokens_per_minute: int | None) -> None:
        self.seconds_per_request = MINUTE_S / requests_per_minute if requests_per_minute else 0.0
        self.seconds_per_token = MINUTE_S / tokens_per_minute if tokens_per_minute else 0.0
        self._next_request = self._next_token = float("-inf")

    @property
    def keeps_tokens(self) -> bool:
        """Whether tokens are counted at all."""
        return self.seconds_per_token > 0.0

    def free_at(self) -> float:
        """When the next call may begin; in the past where it may at once."""
        return max(self._next_request, self._next_token)

    def begin(self, now: float, tokens: float) -> None:
        """A call of about so many tokens begins."""
        self._next_request = max(self._next_request, now) + self.seconds_per_request
        self._next_token = max(self._next_token, now) + self.seconds_per_token * tokens

    def correct(self, more_tokens: float) -> None:
        """A call took so many tokens more (or fewer, below 0) than was assumed when it began."""
        self._next_token += self.seconds_per_token * more_tokens

    def least_s(self, calls: int, tokens: float) -> float:
        """The least time that so many calls and tokens take at these rates."""
        return max(calls * self.seconds_per_request, tokens * self.seconds_per_token)
