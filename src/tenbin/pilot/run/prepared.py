"""A pilot made ready to run: everything that can be wrong before a dollar is spent is found here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tenbin.config.document import Document, load_document
from tenbin.errors import ConfigError, DataError, UsageError, did_you_mean
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.pair import Pair
from tenbin.pilot.prices import needed_book
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.settings import PilotSettings
from tenbin.prices.book import PriceBook
from tenbin.prices.rates import Rates
from tenbin.upstream.destination import Destination, destinations


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run works with: the plan without the candidates that are left out, everybody's address and price."""

    folder: PilotFolder
    settings: PilotSettings
    document: Document
    prompts: Mapping[str, PilotPrompt]
    pairs: tuple[Pair, ...]
    destinations: Mapping[str, Destination]
    prices: PriceBook
    rates: Rates
    budget_usd: float


def prepare(
    folder: PilotFolder,
    environ: Mapping[str, str],
    *,
    budget_usd: float | None = None,
    without: Collection[str] = (),
    asks: bool = True,
) -> Prepared:
    """Read a pilot's folder, its configuration and its prices; nothing is called.

    `budget_usd` takes the place of the settings' budget, `without` leaves candidates out; keys are needed only where
    somebody will be asked (`asks`). Raises DataError (no such pilot, a damaged file), ConfigError (a candidate that is
    not configured, a key that is not set), PriceError (a candidate without a price), UsageError (`without` names
    nobody, or everybody).
    """
    settings = folder.read_settings()
    folder.check_places(settings)
    prompts = {prompt.query_id: prompt for prompt in folder.read_prompts()}
    planned = folder.read_plan()
    lost = next((pair for pair in planned if pair.query_id not in prompts), None)
    if lost is not None:
        what = f'holds a pair of the prompt "{lost.query_id}", which {folder.prompts.name} does not have'
        raise DataError(what, where=str(folder.plan), fix="plan the pilot anew, or take both files from one copy")
    models = _models(settings, planned, without)
    document = load_document(Path(settings.config), environ)
    called = _called(document, models, settings)
    if asks:
        _check_keys(called, environ)
    prices = needed_book(settings, document)
    return Prepared(
        folder=folder,
        settings=settings,
        document=document,
        prompts=prompts,
        pairs=tuple(pair for pair in planned if pair.model in called),
        destinations=called,
        prices=prices,
        rates=prices.rates(list(called)),
        budget_usd=settings.budget_usd if budget_usd is None else budget_usd,
    )


def _models(settings: PilotSettings, planned: Collection[Pair], without: Collection[str]) -> list[str]:
    """The candidates of the plan that are not left out, in the order of the settings."""
    asked = {pair.model for pair in planned}
    models = [*settings.candidates, *sorted(asked - set(settings.candidates))]
    for name in without:
        if name not in models:
            fix = did_you_mean(name, models) or f"candidates: {', '.join(models)}"
            raise UsageError(f'--without "{name}": the pilot has no such candidate', fix=fix)
    kept = [model for model in models if model in asked and model not in without]
    if asked and not kept:
        raise UsageError("--without leaves no candidate to ask", fix="name fewer")
    return kept


def _called(document: Document, models: Collection[str], settings: PilotSettings) -> dict[str, Destination]:
    known = destinations(document)
    missing = [model for model in models if model not in known]
    if missing:
        named = ", ".join(f'"{model}"' for model in missing)
        near = did_you_mean(missing[0], known)
        fix = f"{near or 'add it there.'} Or run --without {missing[0]}"
        raise ConfigError(f"has no candidate {named}, which the pilot is to ask", where=settings.config, fix=fix)
    return {model: known[model] for model in models}


def _check_keys(called: Mapping[str, Destination], environ: Mapping[str, str]) -> None:
    """Say of all missing keys in one sentence that they are missing."""
    keyless = {
        name: destination.api_key_env
        for name, destination in called.items()
        if destination.api_key_env is not None and not environ.get(destination.api_key_env, "").strip()
    }
    if not keyless:
        return
    variables = " and ".join(dict.fromkeys(f"{variable}" for variable in keyless.values()))
    named = ", ".join(f'"{name}"' for name in keyless)
    flags = " ".join(f"--without {name}" for name in keyless)
    others = f", or go on {flags}" if len(keyless) < len(called) else ""
    is_are = "is" if len(set(keyless.values())) == 1 else "are"
    raise ConfigError(f"{variables} {is_are} not set: no key to ask {named} with", fix=f"export it{others}")
