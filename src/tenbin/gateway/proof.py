"""A certified profile at the prices of the moment: the setting that is proved, or why its reference serves alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenbin.certify.certificate import Certificate
from tenbin.certify.certify import certify
from tenbin.config import Profile
from tenbin.errors import ArtifactError, EvaluationError
from tenbin.router.dials import Dial
from tenbin.router.router import Router
from tenbin.types import TradeOff


@dataclass(frozen=True, slots=True)
class Proof:
    """What could be proved for a profile; `alone` says why the reference serves alone (None: a setting is proved)."""

    certificate: Certificate | None
    alone: str | None

    @property
    def trade_off(self) -> TradeOff:
        """The setting that is proved; the best quality where none is."""
        return TradeOff(0.0) if self.certificate is None else self.certificate.trade_off

    def state(self) -> dict[str, Any]:
        """What the admin port shows of it."""
        found = self.certificate
        if found is None or self.alone is not None:
            return {"alone": self.alone}
        return {
            "min_quality": found.min_quality,
            "mu": found.trade_off.mu,
            "saving": found.saving.value,
            "n_pairs": found.n_pairs,
            "versions": dict(found.versions),
        }


def prove(profile: Profile, router: Router, dial: Dial, open_to: Sequence[str]) -> Proof:
    """The proof of a certified profile, whose candidates are `open_to`, the reference among them.

    A calibration that is missing, void or too small proves nothing: that is no error, the reference then serves.
    """
    try:
        found = certify(
            router, dial.min_quality or 1.0, trade_off=dial.at(0.0), allow=tuple(open_to), group=profile.group
        )
    except (ArtifactError, EvaluationError) as error:
        return Proof(None, str(error))
    if found.finding == "no_choice":
        return Proof(found, "no setting is expected to cost less")
    if not found.step:
        return Proof(found, f"no setting could be proved to keep {found.min_quality:g} of its quality")
    return Proof(found, None)


def no_looser(turn: Callable[[Dial], TradeOff], proved: TradeOff) -> Callable[[Dial], TradeOff]:
    """The same for requests that ask for more quality: what is proved for less of it is the most they may be given."""

    def turned(dial: Dial) -> TradeOff:
        found = turn(dial)
        return replace(found, mu=min(found.mu, proved.mu))

    return turned
