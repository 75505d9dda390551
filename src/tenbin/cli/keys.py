"""`tenbin keys create|list|revoke`: who may call the gateway, what with, and for how much."""

from __future__ import annotations

from pathlib import Path

import click

from tenbin.cli.lazy import Group
from tenbin.cli.output import emit_json, json_option, say, words_of
from tenbin.cli.store_place import place, place_options


@click.group(cls=Group)
def keys() -> None:
    """Make, list and revoke the keys of the gateway's clients."""


@keys.command()
@click.argument("name")
@click.option("--profile", "profiles", multiple=True, metavar="NAME", help="May use this profile only (repeatable).")
@click.option("--model", "models", multiple=True, metavar="NAME", help="May be served by this model only (repeatable).")
@click.option("--day-usd", type=float, metavar="USD", help="Spend at most these dollars per day (UTC).")
@click.option("--month-usd", type=float, metavar="USD", help="Spend at most these dollars per month (UTC).")
@click.option("--rpm", type=int, metavar="N", help="At most N requests per minute.")
@click.option("--concurrency", type=int, metavar="N", help="At most N requests at once.")
@place_options
@json_option
def create(
    name: str,
    profiles: tuple[str, ...],
    models: tuple[str, ...],
    day_usd: float | None,
    month_usd: float | None,
    rpm: int | None,
    concurrency: int | None,
    config: Path | None,
    store: Path | None,
    lang: str,
    as_json: bool,
) -> None:
    """Make a key and print its secret, this once.

    The secret alone goes to standard output; only its hash is stored, so nobody can show it again.
    """
    from tenbin.cli.keys_text import key_json, limits_text  # noqa: PLC0415 (the store only when called)
    from tenbin.store.keys import create_key  # noqa: PLC0415

    folder, document = place(config, store)
    secret, record = create_key(
        folder,
        name,
        profiles=profiles or None,
        models=models or None,
        day_usd=day_usd,
        month_usd=month_usd,
        requests_per_minute=rpm,
        max_concurrency=concurrency,
        known_profiles=None if document is None else document.named["profiles"] or None,
        known_models=None if document is None else document.named["candidates"] or None,
    )
    if as_json:
        emit_json({"secret": secret, "key": key_json(record)})
        return
    words = words_of(lang)
    say(words("keys.created", name=record.name, id=record.key_id, limits=limits_text(record, words)), err=True)
    say(words("keys.once"), err=True)
    say(secret)


@keys.command("list")
@place_options
@json_option
def list_(config: Path | None, store: Path | None, lang: str, as_json: bool) -> None:
    """List the keys with their limits, revoked ones too."""
    from tenbin.cli.keys_text import key_json, keys_text  # noqa: PLC0415
    from tenbin.store.keys import list_keys  # noqa: PLC0415

    found = list_keys(place(config, store)[0])
    if as_json:
        emit_json({"keys": [key_json(record) for record in found]})
    else:
        say(keys_text(found, words_of(lang)))


@keys.command()
@click.argument("key", metavar="KEY")
@place_options
@json_option
def revoke(key: str, config: Path | None, store: Path | None, lang: str, as_json: bool) -> None:
    """End a key, named by its id or its name."""
    from tenbin.cli.keys_text import key_json  # noqa: PLC0415
    from tenbin.store.keys import revoke_key  # noqa: PLC0415

    record = revoke_key(place(config, store)[0], key)
    if as_json:
        emit_json({"key": key_json(record)})
    else:
        say(words_of(lang)("keys.revoked_now", name=record.name, id=record.key_id))
