"""Where the router of a pilot goes when it goes live, and whether the gateway looks for it there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tenbin.pilot.plan.setup import PilotSetup


@dataclass(frozen=True, slots=True)
class GoingLive:
    """The folder to fit the router to; `is_served`: the configuration names it for the profile already."""

    router: Path
    is_served: bool


def going_live(name: str, setup: PilotSetup | None) -> GoingLive:
    """Where the configuration looks for the profile's router, unless one stands there that may be in service.

    Then, and where it names none or cannot be read, it is a folder named after the pilot.
    """
    own, served = Path(f"{name}-router"), None if setup is None else _served(setup)
    if served is None or served.resolve() == own.resolve():
        return GoingLive(own, is_served=served is not None)
    return GoingLive(own, is_served=False) if served.exists() else GoingLive(served, is_served=True)


def _served(setup: PilotSetup) -> Path | None:
    written = setup.document.plain["gateway"].get("router")
    return setup.profile.router or (None if written is None else setup.document.path(written))
