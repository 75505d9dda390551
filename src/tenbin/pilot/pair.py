"""One (prompt, candidate) pair to buy."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

Key = tuple[str, str, int]
"""(query_id, model, repeat): what makes a pair the same one."""


class Pair(msgspec.Struct, frozen=True, omit_defaults=True):
    """A label to buy (a line of `plan.jsonl`): candidate `model` answers `query_id`, and the answer is graded.

    `repeat` 1 is the second, independent answer of the same pair, for measuring noise. `label_propensity` is the
    probability with which this pair came into the plan, in (0, 1]. `expected_usd` is the mean forecast of the call
    and its grading, for people; the runner reserves by its own upper bound.

    The first pair of each prompt in a stage tells whom the lot has passed over: candidates that were not drawn for it,
    with the chance that each had (None: nobody wrote it down; who is not named had none).
    """

    query_id: str
    model: str
    repeat: int = 0
    stage: int = 0
    label_propensity: float = 1.0
    expected_usd: float = 0.0
    passed_over: Mapping[str, float] | None = None

    @property
    def key(self) -> Key:
        """The pair's identity: bought once, it is never bought again."""
        return self.query_id, self.model, self.repeat
