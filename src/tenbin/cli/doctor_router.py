"""Whether the routers load and decide, and whether every candidate has a price of today."""

from __future__ import annotations

import time
from collections.abc import Mapping, Set
from pathlib import Path

from tenbin.artifact import PRICES, read_manifest
from tenbin.cli.doctor_finding import Finding
from tenbin.cli.doctor_setup import Setup
from tenbin.errors import ConfigError, PriceError, TenbinError, near_or_known
from tenbin.gateway.snapshot import ServedProfile, build_snapshot
from tenbin.prices import PriceBook
from tenbin.types import Query

TEST_PROMPT = "Summarise in one sentence why the sky is blue."


def check_routers(setup: Setup, environ: Mapping[str, str]) -> list[Finding]:
    """Load what the gateway would load, and decide one prompt per profile; nothing is sent anywhere."""
    try:
        snapshot = build_snapshot(setup.config, environ)
    except TenbinError as error:
        return [Finding.of_error("router", error)]
    if not snapshot.profiles:
        return [Finding("router", str(setup.config), "fail", "no_profiles", {}, "add_profile", ConfigError)]
    found = [_decided(name, served) for name, served in snapshot.profiles.items()]
    return found + _misnamed(setup, {model for served in snapshot.profiles.values() for model in served.router.models})


def _misnamed(setup: Setup, known: Set[str]) -> list[Finding]:
    """Models of routers that no candidate is called by, where candidates bear names that no router knows.

    Either alone is a choice: a model that is not served any longer, one that is only called by its name.
    """
    nowhere = sorted(known - set(setup.destinations))
    answering = (name for name, there in setup.destinations.items() if not there.is_embedding and not there.is_judge)
    spare = sorted(set(answering) - known)
    if not nowhere or not spare:
        return []
    values = {"model": nowhere[0], "spare": spare[0]}
    return [Finding("router", ", ".join(nowhere), "warn", "misnamed", values, "name_alike")]


def _decided(name: str, served: ServedProfile) -> Finding:
    router, query = served.router, Query("doctor", TEST_PROMPT)
    allow = [model for model, bar in zip(router.models, served.barred, strict=True) if bar is None]
    try:
        router.decide(query, served.terms.trade_off, allow=allow)  # the first one also warms up
        started = time.perf_counter()
        decision = router.decide(query, served.terms.trade_off, allow=allow)
    except TenbinError as error:
        return Finding.of_error("router", error, name)
    if served.alone is not None:
        return Finding("router", name, "warn", "serves_alone", {"why": served.alone}, "prove_it")
    took_ms = 1000 * (time.perf_counter() - started)
    deadline_ms = served.profile.decision_deadline_ms
    values = {"model": decision.model, "ms": f"{took_ms:.1f}", "deadline": f"{deadline_ms:g}"}
    if took_ms > deadline_ms:
        return Finding("router", name, "warn", "decision_slow", values, "raise_deadline")
    group = served.profile.group
    if group is not None and router.groups and group not in router.groups:  # legal: the group is then guessed
        values = {"group": group, "near": near_or_known(group, router.groups) or ""}
        return Finding("router", name, "warn", "unknown_group", values, "name_group")
    return Finding("router", name, "ok", "decided", values)


def check_prices(setup: Setup) -> list[Finding]:
    """Whether every candidate has a price on this day, and what is odd about the prices."""
    folders = {p.router or setup.settings.router for p in setup.profiles.values()} or {setup.settings.router}
    folders.discard(None)
    found: list[Finding] = []
    books: list[PriceBook] = []
    used = set(setup.destinations)
    try:
        routers = {folder: set(read_manifest(folder).models) for folder in folders if folder is not None}
        for models in routers.values():
            used |= models & set(setup.destinations)
        books = [PriceBook.load(path) for path in _books(setup, routers)]
    except TenbinError as error:
        return [Finding.of_error("prices", error)]
    priced = {model for book in books for model in book.on()}
    embedding = {name for name, there in setup.destinations.items() if there.is_embedding}
    for model in sorted(used - priced):
        found.append(Finding("prices", model, "fail", "unpriced", {"model": model}, "add_price", PriceError))
    for book in books:
        mine = used & set(book.entries)
        odd = [
            oddity for oddity in book.check(mine, unanswering=embedding) if oddity.model in mine and not oddity.is_error
        ]
        found += [Finding("prices", o.model, "warn", "price_odd", {"what": o.what}, "check_price") for o in odd]
        undated = sum(all(price.since is None for price in book.entries[model]) for model in mine)
        if undated:
            values = {"n": str(undated)}
            found.append(Finding("prices", book.name, "warn", "price_undated", values, "date_price"))
    if found:
        return found
    names = ", ".join(book.name for book in books)
    return [Finding("prices", names, "ok", "prices_ok", {"n": str(len(used))})]


def _books(setup: Setup, routers: Mapping[Path, set[str]]) -> list[Path]:
    """The price books that the gateway would bill with."""
    return [setup.settings.prices] if setup.settings.prices is not None else [f / PRICES for f in sorted(routers)]
