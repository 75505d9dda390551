"""The rule of budgets, pure: one worker's share of a key's budget for one period.

A request is let in while spent + reserved < budget, over all workers. A worker may go up to its `fence` without
asking; beyond it asks, gives back what it does not use, and is let in if anything is left, even less than it needs:
that one request is all that can be overshot, because the whole need is then counted for everybody else.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace


class Share(msgspec.Struct, frozen=True):
    """Dollars of one worker: `used` (settled and reserved), the `fence` it stays inside, `granted` as others see it.

    `offline_fence` is how far it goes while nobody can be asked: its equal part of what was left when last asked.
    A struct: every request makes four, and a named tuple takes three times as long, a frozen dataclass ten times.
    """

    used: float = 0.0
    fence: float = 0.0
    granted: float = 0.0
    offline_fence: float = 0.0


def has_room(share: Share, usd: float) -> bool:
    """Whether a request that may cost `usd` fits without asking."""
    return share.used < share.fence and share.used + usd <= share.fence


def reserve(share: Share, usd: float) -> Share:
    """The share with a reserve taken."""
    return Share(share.used + usd, share.fence, share.granted, share.offline_fence)


def settle(share: Share, reserved_usd: float, usd: float) -> Share:
    """The share with a reserve replaced by the truth, which may be more."""
    used = share.used - reserved_usd + usd
    return Share(used if used > 0.0 else 0.0, share.fence, share.granted, share.offline_fence)


def lease(share: Share, budget: float, others: float, need: float, workers: int) -> Share | None:
    """What a worker is granted that needs `need` more dollars; None: the budget is spent.

    `others` is what counts for everybody else: the grants of workers, the bills of those without one.
    """
    left = budget - others - share.used
    if left <= 0:
        return None
    # Half of an equal part at a time, so that little lies idle with one while another is refused: a single worker, too,
    # has company while a new version takes over from an old one.
    part = left / (2 * max(workers, 2))
    fence = share.used + min(left, max(need, part))
    return replace(share, fence=fence, granted=max(fence, share.used + need), offline_fence=share.used + left / workers)


def give_back(share: Share) -> Share:
    """The share with nothing unused, and with what was spent beyond the grant counted."""
    return replace(share, fence=min(share.fence, share.used), granted=share.used)
