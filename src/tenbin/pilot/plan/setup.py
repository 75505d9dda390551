"""What `tenbin.toml` says about a pilot: who is asked, how it is graded, at what prices, inside which promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tenbin.config import (
    Document,
    Endpoint,
    Profile,
    load_document,
    read_candidates,
    read_endpoints,
    read_gateway,
    read_profiles,
)
from tenbin.errors import ConfigError, PriceError, did_you_mean
from tenbin.pilot.settings import PilotSettings
from tenbin.prices import PriceBook
from tenbin.quality.grader import Grader
from tenbin.quality.open_grader import open_grader
from tenbin.reasons import counted
from tenbin.types import Candidate
from tenbin.upstream.client import UpstreamClient

DEFAULT_PROMISE = 0.97


@dataclass(frozen=True, slots=True)
class PilotSetup:
    """One profile with the candidates that it may route to, in the order of the document, and their prices."""

    document: Document
    config: Path
    profile: Profile
    candidates: tuple[Candidate, ...]
    endpoints: Mapping[str, Endpoint]
    prices: PriceBook
    prices_path: Path
    grader: Grader

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates' names."""
        return tuple(candidate.name for candidate in self.candidates)

    @property
    def promise(self) -> float:
        """The share of the reference's quality that the profile promises, 0.97 where it promises none."""
        promised = self.profile.min_quality or self.profile.sla.min_quality
        return promised or DEFAULT_PROMISE


def read_setup(
    config: Path,
    environ: Mapping[str, str],
    *,
    profile: str | None = None,
    prices: Path | None = None,
    only: tuple[str, ...] | None = None,
) -> PilotSetup:
    """The setup of a configuration; `only` are the candidates of a pilot that was planned already.

    Raises ConfigError (no such profile, no metric, fewer than two candidates, one that is gone), PriceError (no price
    book, a candidate without a price) and what `open_grader` raises.
    """
    document = load_document(config, environ)
    chosen = _profile(document, profile)
    if chosen.metric is None:
        fix = f'add metric = "..." to [profiles.{chosen.name}]: docs/reference/quality.md lists the metrics'
        raise ConfigError(
            f"the profile {chosen.name} does not say how its answers are graded", where=str(config), fix=fix
        )
    candidates = _candidates(document, chosen, only, config)
    endpoints = read_endpoints(document)
    place = prices or read_gateway(document).prices
    if place is None:
        fix = 'give --prices FILE, or write prices = "prices.toml" in [gateway]'
        raise PriceError("names no price book", where=str(config), fix=fix)
    book = PriceBook.load(place)
    names = tuple(candidate.name for candidate in candidates)
    book.rates(names)
    grader = open_grader(
        document,
        chosen.metric,
        prices=book,
        client=UpstreamClient(environ),  # a judge is asked for its bound, and called by nobody here
        candidates=names,
        environ=environ,
        threshold=chosen.threshold,
    )
    return PilotSetup(document, config, chosen, candidates, endpoints, book, place, grader)


def setup_of(settings: PilotSettings, environ: Mapping[str, str]) -> PilotSetup:
    """The setup of a pilot that was planned already (raises as `read_setup`)."""
    place = None if settings.prices is None else Path(settings.prices)
    return read_setup(Path(settings.config), environ, profile=settings.profile, prices=place, only=settings.candidates)


def _profile(document: Document, asked: str | None) -> Profile:
    profiles = read_profiles(document)
    name = asked or read_gateway(document).default_profile or (next(iter(profiles)) if len(profiles) == 1 else None)
    if name is None:
        fix = (
            f"name one with --profile: {', '.join(profiles)}" if profiles else 'write [profiles.NAME] with metric = ""'
        )
        raise ConfigError("does not say which profile is meant", where=document.name, fix=fix)
    if name not in profiles:
        fix = did_you_mean(name, profiles) or f"profiles: {', '.join(profiles) or 'none'}"
        raise ConfigError(f'there is no profile "{name}"', where=document.name, fix=fix)
    return profiles[name]


def _candidates(
    document: Document, profile: Profile, only: tuple[str, ...] | None, config: Path
) -> tuple[Candidate, ...]:
    known, endpoints = read_candidates(document), read_endpoints(document)
    if only is not None:
        gone = next((name for name in only if name not in known), None)
        if gone is not None:
            fix = "put it back, or plan another pilot without it"
            raise ConfigError(f'has no candidate "{gone}" any more, which this pilot asks', where=str(config), fix=fix)
        return tuple(known[name] for name in only)
    routable = [name for name in known if not (endpoints[name].is_embedding or endpoints[name].is_judge)]
    allowed = [n for n in routable if n not in profile.deny and (profile.allow is None or n in profile.allow)]
    if len(allowed) < 2:
        what = f"the profile {profile.name} may route to {counted(len(allowed), 'candidate')}"
        raise ConfigError(what, where=str(config), fix="a pilot compares two or more: add [candidates.NAME] tables")
    return tuple(known[name] for name in allowed)
