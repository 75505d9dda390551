"""`tenbin erase`: take what a user said out of the ledger."""

from __future__ import annotations

from pathlib import Path

import click

from tenbin.cli.output import emit_json, json_option, say, words_of
from tenbin.cli.store_place import place, place_options
from tenbin.errors import StoreError, UsageError


@click.command()
@click.argument("user", metavar="USER")
@place_options
@json_option
def erase(user: str, config: Path | None, store: Path | None, lang: str, as_json: bool) -> None:
    """Delete every prompt and answer of a user from the ledger.

    USER is the name that clients gave: `user`, in Anthropic's dialect `metadata.user_id`. The name goes as well; tokens
    and dollars of the calls stay in the sums. A running gateway goes on meanwhile. What may still hold copies is named,
    and the exit code is not 0: run the same again.
    """
    from tenbin.store.retention import delete_user  # noqa: PLC0415 (the store only when called)

    if not user:
        raise UsageError("a user has a name", fix="give the one that clients sent as `user`")
    folder, _ = place(config, store)
    erased = delete_user(folder, user)
    if as_json:
        emit_json({"texts": erased.texts, "calls": erased.calls, "pending": erased.pending})
    else:
        key = "erase.done" if erased.calls or erased.texts else "erase.nothing"
        say(words_of(lang)(key, user=user, texts=str(erased.texts), calls=str(erased.calls)))
    if erased.pending:
        fix = "run the same again; what is .damaged no worker reads again: look at it and remove it"
        raise StoreError(f"these may still hold copies: {', '.join(erased.pending)}", where=str(folder), fix=fix)
