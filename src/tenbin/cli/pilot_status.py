"""`tenbin pilot status NAME...`: what was bought and found, at what pace, and what to do next."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tenbin.cli.flags import FILE, root_option
from tenbin.cli.output import emit_json, json_option, say, words_of
from tenbin.cli.progress import TerminalProgress
from tenbin.cli.whole_file import check_writable
from tenbin.errors import UsageError


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@root_option
@click.option("--html", "page", type=FILE, metavar="FILE.html", help="Write the page here too.")
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language.")
@json_option
def status(names: tuple[str, ...], root: Path, page: Path | None, lang: str, as_json: bool) -> None:
    """Say what a pilot found so far, and what to do next.

    What was bought, spent and failed; the saving with its interval; what the next stage may add; after how many queries
    everything has paid for itself; and one sentence: finish the stage, buy the next, stop and use one model, or put the
    router live. Nothing is written but the page. Several names are compared side by side.

    \b
    tenbin pilot status support
    tenbin pilot status support --html status.html --lang ja
    tenbin pilot status support legal
    """  # fmt: skip
    from tenbin.pilot.document import status_document  # noqa: PLC0415 (numpy only when a pilot is looked at)
    from tenbin.pilot.folder import PilotFolder  # noqa: PLC0415
    from tenbin.pilot.status import pilot_status  # noqa: PLC0415

    if page is not None and len(names) > 1:
        raise UsageError("a page shows one pilot", fix="leave --html out, or name one pilot")
    check_writable(page)
    with TerminalProgress(quiet=as_json) as progress:
        found = [
            pilot_status(PilotFolder(root / name), environ=os.environ, progress=progress)
            for name in dict.fromkeys(names)
        ]
    if page is not None:
        from tenbin.pilot.page import write_page  # noqa: PLC0415

        write_page(found[0], page, root=root, lang=lang)
    if as_json:
        emit_json({"pilots": [status_document(one, lang, root) for one in found]})
        return
    from tenbin.cli.pilot_status_text import compared_text, status_text  # noqa: PLC0415

    say(status_text(found[0], lang, root) if len(found) == 1 else compared_text(found, lang))
    if page is not None:
        say()
        say(f"{words_of(lang)('written.report')} {page}")
