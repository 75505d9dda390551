"""Everything a request is served with, frozen: a reload builds a new one, and running requests keep theirs."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tenbin.config import (
    GatewaySettings,
    Profile,
    StoreSettings,
    load_document,
    read_allowed,
    read_candidates,
    read_gateway,
    read_profiles,
    read_store,
)
from tenbin.config.document import Document
from tenbin.config.gateway import AUTO
from tenbin.errors import ConfigError, DecisionError, NetworkError, PriceError
from tenbin.gateway.proof import Proof, no_looser, prove
from tenbin.gateway.tighten import Terms
from tenbin.prices import PriceBook, Rates
from tenbin.reasons import Reason
from tenbin.router.crossfit import DialCurve
from tenbin.router.dearness import DearCurve, dear_curve
from tenbin.router.dials import Dial, spelt_out, turn
from tenbin.router.pacer import PaceCurve
from tenbin.router.router import Router
from tenbin.router.weighing import Ask, weigh
from tenbin.types import Candidate, Query, TradeOff, Usage
from tenbin.upstream.destination import Destination, destinations

WARM_UP = Query("", "Which of these is heavier? 1. a pound of feathers 2. a pound of gold. どちらが重いですか？")


@dataclass(frozen=True, slots=True, eq=False)
class ServedProfile:
    """A profile ready to serve: its router, its terms with the dial turned, and where each candidate is reached.

    `destinations` and `barred` are in the order of the router's models; `barred` says why a candidate is never asked
    here. `safe_default` and `reference` are indices, `reference_quality` is its mean in training. `versions` are the
    router's, which hashes a whole manifest to name them, `dialects` those of the candidates that may be asked. `proof`
    is that of a certified profile, `pace_curve` what each mu costs where a budget is kept, `dear_curve` how often each
    finds a training prompt dear, `thrifty` all candidates, those first who cost least on the training prompts today.
    """

    profile: Profile
    router: Router
    terms: Terms
    destinations: tuple[Destination | None, ...]
    barred: tuple[str | None, ...]
    safe_default: int
    reference: int
    reference_quality: float
    versions: Mapping[str, str]
    dialects: frozenset[str]
    dear_curve: DearCurve
    thrifty: tuple[int, ...]
    proof: Proof | None = None
    pace_curve: PaceCurve | None = None

    @property
    def alone(self) -> str | None:
        """Why the reference serves alone, though the dial would choose; None where it does not."""
        return None if self.proof is None else self.proof.alone

    @property
    def has_stranger_budget(self) -> bool:
        """Whether strangers have one, and so a rule of their own; what is proved was proved by the dial alone."""
        return self.proof is None


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One state of configuration, routers and prices.

    `day` is the day (UTC) whose prices hold.
    """

    settings: GatewaySettings
    store: StoreSettings
    destinations: Mapping[str, Destination]
    profiles: Mapping[str, ServedProfile]
    default_profile: str | None
    rates: Mapping[str, Rates]
    price_version: str
    day: date

    def bill_usd(self, candidate: str, usage: Usage) -> float | None:
        """Dollars of one answer, None where the candidate has no price."""
        rates = self.rates.get(candidate)
        return None if rates is None else rates.bill_usd(0, usage)

    def state(self) -> dict[str, Any]:
        """What the admin port shows of it."""
        return {
            "prices": self.price_version,
            "day": self.day.isoformat(),
            "default_profile": self.default_profile,
            "profiles": {
                name: {
                    "mu": served.terms.trade_off.mu,
                    "versions": served.versions,
                    "safe_default": served.router.models[served.safe_default],
                    "reference": served.router.models[served.reference],
                    "certificate": None if served.proof is None else served.proof.state(),
                    "barred": {m: bar for m, bar in zip(served.router.models, served.barred, strict=True) if bar},
                }
                for name, served in self.profiles.items()
            },
        }


def build_snapshot(config: Path, environ: Mapping[str, str]) -> Snapshot:
    """The snapshot of a configuration file as it and the files it names stand now.

    Raises ConfigError, ArtifactError, PriceError, PluginError, DecisionError (a dial that nothing reaches).
    """
    document = load_document(config, environ)
    settings = read_gateway(document)
    reached = destinations(document)
    if not reached:
        # An emptied file is a document, too, and taken up in passing it would turn every client away.
        fix = "add [candidates.NAME] with provider or base_url, and api_key_env"
        raise ConfigError("has no candidates: nobody would answer", where=document.name, fix=fix)
    profiles = _profiles(document, settings)
    day = datetime.now(UTC).date()
    book = None if settings.prices is None else PriceBook.load(settings.prices)
    routers = _routers(document, settings, profiles, book, day)
    served = {name: _served(document, settings, p, routers, reached) for name, p in profiles.items()}
    books = [book] if book is not None else [router.prices for router in routers.values()]
    return Snapshot(
        settings=settings,
        store=read_store(document),
        destinations=reached,
        profiles=served,
        default_profile=_default(settings, served),
        rates=_rates(reached, books, day),
        price_version="+".join(sorted({book.version[:12] for book in books})),
        day=day,
    )


def _profiles(document: Document, settings: GatewaySettings) -> dict[str, Profile]:
    """The profiles of the document; where it has none and the gateway has a router, one with the default promise."""
    profiles = read_profiles(document)
    if not profiles and settings.router is not None:
        return {AUTO: Profile(AUTO)}
    return profiles


def _default(settings: GatewaySettings, served: Mapping[str, ServedProfile]) -> str | None:
    """The profile behind `tenbin/auto`: the one named, the one of that name, or the only one."""
    if settings.default_profile is not None:
        return settings.default_profile
    if AUTO in served:
        return AUTO
    return next(iter(served)) if len(served) == 1 else None


def _folder(document: Document, settings: GatewaySettings, profile: Profile) -> Path:
    folder = profile.router or settings.router
    if folder is None:
        fix = "set router under [gateway], or under the profile"
        raise ConfigError(f"profiles.{profile.name} has no router", where=document.name, fix=fix)
    return folder


def _routers(
    document: Document,
    settings: GatewaySettings,
    profiles: Mapping[str, Profile],
    book: PriceBook | None,
    day: date,
) -> dict[Path, Router]:
    called_as: dict[str, Candidate] = read_candidates(document)
    deadlines_ms: dict[Path, float] = {}
    for profile in profiles.values():
        folder = _folder(document, settings, profile)
        deadlines_ms[folder] = max(profile.decision_deadline_ms, deadlines_ms.get(folder, 0.0))
    routers = {
        folder: Router.load(
            folder,
            book,
            at=day,
            allow_plugins=read_allowed(document),
            called_as=called_as,
            embed_within_s=deadlines_ms[folder] / 1000.0,  # later than that nobody waits for the vector
        )
        for folder in sorted(deadlines_ms)
    }
    for router in routers.values():
        # The first decision of all builds tables; no request shall wait for them.
        try:
            weigh(router, [Ask(WARM_UP, TradeOff(0.0), (None,) * len(router.models))])
        except NetworkError as error:  # the safe default answers until the embeddings endpoint does
            logging.getLogger("tenbin.gateway").warning("deciding fails: %s", error)
    return routers


def _served(
    document: Document,
    settings: GatewaySettings,
    profile: Profile,
    routers: Mapping[Path, Router],
    reached: Mapping[str, Destination],
) -> ServedProfile:
    router = routers[_folder(document, settings, profile)]
    where = f"{document.name}: profiles.{profile.name}"
    barred = tuple(_bar(profile, name, reached.get(name)) for name in router.models)
    if None not in barred:
        raise _nobody(profile, router, where)
    open_to = [name for name, bar in zip(router.models, barred, strict=True) if bar is None]
    dial = Dial(
        profile.mu, profile.min_quality, profile.max_cost_usd, profile.best, profile.w, profile.caution, profile.minimax
    )
    curve = router.dial_curve(dial, allow=open_to)
    proof = None
    if profile.certified:
        _check_reference(router, barred, where)
        proof = prove(profile, router, dial, open_to)
    try:
        terms = _terms(profile, router, dial, curve, open_to, proof)
    except DecisionError as refusal:  # which of the profiles it was, nobody could tell else
        raise DecisionError(refusal.what, where=where, fix=refusal.fix) from refusal
    return ServedProfile(
        profile=profile,
        router=router,
        terms=terms,
        destinations=tuple(reached.get(name) for name in router.models),
        barred=barred,
        safe_default=_safe_default(profile, router, barred, where),
        reference=router.reference,
        reference_quality=curve.reference_quality,
        versions=router.versions(),
        dialects=frozenset(d.dialect for name in open_to if (d := reached.get(name)) is not None),
        dear_curve=dear_curve(router, dial.at(0.0), allow=open_to),
        thrifty=_thrifty(router),
        proof=proof,
        pace_curve=None if profile.max_cost_usd is None and profile.day_budget_usd is None else PaceCurve.of(curve),
    )


def _nobody(profile: Profile, router: Router, where: str) -> ConfigError:
    """Why a profile has no candidate: none that its lists leave is the router's, or none of those can be called."""
    left = [m for m in router.models if m not in profile.deny and (profile.allow is None or m in profile.allow)]
    if not left:
        fix = f"the router knows {', '.join(router.models)}: allow one of them"
        return ConfigError("allow and deny leave none of the router's candidates", where=where, fix=fix)
    fix = f"add [candidates.NAME] with a base_url for {', '.join(left[:3])}"
    return ConfigError("none of the router's candidates can be called", where=where, fix=fix)


def _check_reference(router: Router, barred: tuple[str | None, ...], where: str) -> None:
    """Refuse a certificate against a reference that cannot serve: it is what serves where nothing is proved."""
    reference = router.manifest.reference
    if (bar := barred[router.models.index(reference)]) is not None:
        raise ConfigError(
            f'certified against its reference "{reference}", but it is barred: {bar}',
            where=where,
            fix="let the profile reach it, or fit again with another --reference",
        )


def _terms(
    profile: Profile, router: Router, dial: Dial, curve: DialCurve, open_to: list[str], proof: Proof | None
) -> Terms:
    """The terms of a profile; its curve is drawn once, so that a request turns its own dial in microseconds."""
    own = partial(turn, curve=curve)
    if proof is not None:
        proved = proof.trade_off
        return Terms(router.models, frozenset(open_to), dial, proved, no_looser(own, proved), profile.group)
    dial = spelt_out(dial, curve)
    return Terms(router.models, frozenset(open_to), dial, turn(dial, curve), own, profile.group)


def _bar(profile: Profile, name: str, destination: Destination | None) -> str | None:
    if name in profile.deny or (profile.allow is not None and name not in profile.allow):
        return Reason("not_in_profile", profile=profile.name)
    if destination is None:
        return "stands in no [candidates.NAME] of the configuration"
    if destination.is_judge:
        return "only judges"
    return "is an embedding model" if destination.is_embedding else None


def _thrifty(router: Router) -> tuple[int, ...]:
    """The candidates from the cheapest to the dearest, by their mean on the training prompts at these prices."""
    mean_usd = router.cost_usd(router.crossfit.estimates).mean(axis=0).tolist()
    models = router.models
    known = [math.inf if math.isnan(usd) else usd for usd in mean_usd]
    return tuple(sorted(range(len(models)), key=lambda m: (known[m], models[m])))


def _safe_default(profile: Profile, router: Router, barred: tuple[str | None, ...], where: str) -> int:
    """The candidate that answers when deciding fails: the one named, the reference, or the first that may."""
    if profile.safe_default is None:
        reference = router.reference
        return reference if barred[reference] is None else barred.index(None)
    if profile.safe_default not in router.models:
        fix = f"name one of {', '.join(router.models)}"
        raise ConfigError(f'safe_default "{profile.safe_default}" is not in the router', where=where, fix=fix)
    index = router.models.index(profile.safe_default)
    if barred[index] is not None:
        raise ConfigError(
            f'safe_default "{profile.safe_default}" {barred[index]}',
            where=where,
            fix="give it a base_url, or name another",
        )
    return index


def _rates(reached: Mapping[str, Destination], books: list[PriceBook], day: date) -> dict[str, Rates]:
    """The rates of each candidate that a book has a price for."""
    found: dict[str, Rates] = {}
    for name in reached:
        for book in books:
            try:
                found.setdefault(name, book.rates([name], day))
            except PriceError:
                continue
    return found
