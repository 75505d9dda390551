"""`tenbin serve`: the gateway in the foreground, in one process or several."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tenbin.cli.flags import FILE
from tenbin.cli.open_router import CONFIG
from tenbin.cli.output import faint, say, strong
from tenbin.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from socket import socket

    from tenbin.config import Document, GatewaySettings
    from tenbin.gateway.process import MakeServed

PORT_FLAG = "--port, or port under [gateway]"
ADMIN_FLAG = "admin_port under [gateway]"
MOST_WORKERS = 64
GREETING = "Which is heavier, a pound of feathers or a pound of gold?"


@click.command()
@click.argument("config", type=FILE, required=False)
@click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    metavar="N",
    default=1,
    show_default=True,
    help="Serve in N processes.",
)
@click.option("--host", metavar="HOST", help="Listen on this address instead of the config's.")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="PORT", help="Listen on this port instead (0: any free one)."
)
@click.option("--demo", is_flag=True, help="Serve three made-up models, without a config and without a network.")
def serve(config: Path | None, workers: int, host: str | None, port: int | None, demo: bool) -> None:
    """Serve routers behind an OpenAI-compatible endpoint.

    CONFIG is tenbin.toml unless named; 'tenbin init' writes one. SIGTERM and Ctrl-C let running answers finish, SIGHUP
    takes up a changed config, as does the change itself.
    """
    if demo:
        from tenbin.cli.serve_demo import serve_demo  # noqa: PLC0415 (only the demo fits and fakes)

        if config is not None or workers != 1 or host is not None:
            raise UsageError("--demo has a config of its own", fix="give no more than --port with it")
        serve_demo(port)
        return
    run_gateway(found(config), overridden(os.environ, host, port), workers)


def found(config: Path | None) -> Path:
    """The config that was named or lies here; ConfigError where there is none."""
    path = config or Path(CONFIG)
    if not path.is_file():
        what = "there is no config" if config is None else "there is no such file"
        raise ConfigError(what, where=str(path), fix="write one with 'tenbin init', or try 'tenbin serve --demo'")
    return path


def overridden(environ: Mapping[str, str], host: str | None, port: int | None) -> dict[str, str]:
    """The environment with the flags in it, as settings: workers and reloads then see the same."""
    flags = {"TENBIN_GATEWAY__HOST": host, "TENBIN_GATEWAY__PORT": None if port is None else str(port)}
    return {**environ, **{name: value for name, value in flags.items() if value is not None}}


def run_gateway(
    config: Path,
    environ: Mapping[str, str],
    workers: int,
    *,
    make: MakeServed | None = None,
    command: Sequence[str] | None = None,
    words: Callable[[str], str] | None = None,
    drain_s: float | None = None,
) -> None:
    """Serve until a signal ends it; `words` of the address are printed when ready instead of the usual ones.

    `make` makes what this process serves, `command` starts a worker: for serving something else than the gateway.
    """
    from tenbin.config import load_document, read_gateway  # noqa: PLC0415
    from tenbin.gateway.address import bind, url_of  # noqa: PLC0415

    document = load_document(config, environ)
    settings = read_gateway(document)
    ports = [settings.admin_port + k if settings.admin_port else 0 for k in range(workers)]
    if settings.port and settings.port in ports:
        what = (
            f"gateway.port = {settings.port} is among the admin ports of {workers} workers, {ports[0]} to {ports[-1]}"
        )
        raise ConfigError(what, where=document.name, fix=f"set gateway.admin_port above {settings.port}")
    public = bind(settings.host, settings.port, flag=PORT_FLAG)
    admins = [bind(settings.admin_host, port, flag=ADMIN_FLAG) for port in ports]

    def ready() -> None:
        text = ready_text(document, settings, public, admins) if words is None else words(url_of(public))
        say(text, err=True)

    if workers == 1:
        from tenbin.gateway.process import serve_process  # noqa: PLC0415
        from tenbin.gateway.server import DRAIN_S, Sockets  # noqa: PLC0415

        sockets = Sockets(public, admins[0])
        serve_process(config, environ, sockets, ready, make=make, drain_s=DRAIN_S if drain_s is None else drain_s)
        return
    import asyncio  # noqa: PLC0415

    from tenbin.gateway.supervisor import COMMAND, Supervisor  # noqa: PLC0415

    async def supervise() -> None:
        await Supervisor(config, environ, public, admins, command or COMMAND).run(ready)

    asyncio.run(supervise())


def ready_text(document: Document, settings: GatewaySettings, public: socket, admins: Sequence[socket]) -> str:
    """Where it serves, and a first request to try."""
    from tenbin.gateway.address import url_of  # noqa: PLC0415

    admin = ", ".join(url_of(listener) for listener in admins)
    lines = [
        f"{strong('tenbin: ready at ' + url_of(public))} {faint('(admin at ' + admin + ')')}",
        f"  {curl(url_of(public), first_model(document, settings), with_key=settings.keys == 'required')}",
    ]
    if settings.keys == "required":
        lines.append(faint("  TENBIN_KEY is a key of yours: make one with 'tenbin keys create'"))
    return "\n".join(lines)


def first_model(document: Document, settings: GatewaySettings) -> str:
    """A model name that this config serves: the default profile, else the first, else a candidate."""
    profiles = list(document.named["profiles"])
    if not profiles and settings.router is None:
        return next(iter(document.named["candidates"]), "tenbin/auto")
    has_default = settings.default_profile is not None or len(profiles) < 2 or "auto" in profiles
    return "tenbin/auto" if has_default else f"tenbin/{profiles[0]}"


def curl(
    url: str,
    model: str,
    *,
    question: str = GREETING,
    path: str = "/v1/chat/completions",
    flags: str = "-s",
    stream: bool = False,
    with_key: bool = False,
) -> str:
    """A command that asks the gateway something."""
    body = {"model": model, "messages": [{"role": "user", "content": question}], **({"stream": True} if stream else {})}
    key = ' -H "authorization: Bearer $TENBIN_KEY"' if with_key else ""
    return f"curl {flags} {url}{path}{key} -H 'content-type: application/json' -d {shlex.quote(json.dumps(body))}"
