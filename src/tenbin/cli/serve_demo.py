"""`tenbin serve --demo`: a whole gateway on the demo router, with three fake upstreams in place of its models."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tenbin import __version__
from tenbin.cli.cache_folder import cache_folder
from tenbin.cli.demo import outcome_files
from tenbin.cli.output import faint, say, strong
from tenbin.errors import TenbinError

if TYPE_CHECKING:
    from tenbin.router.router import Router
    from tenbin.testing import Answer, FakeUpstream, UpstreamRequest

DRAIN_S = 5.0
PLAIN = "Janet has 3 apples and buys 5 more. How many apples does she have?"
HARD = "Write a Python function that finds the longest palindromic substring in linear time."


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a made-up model speaks."""

    first_token_s: float
    tokens_per_s: float


PACES = (Pace(0.6, 60.0), Pace(0.3, 120.0), Pace(0.1, 400.0))
"""Of the dearest model, the next, and all others: made up, as everything else that the upstreams say."""


def serve_demo(port: int | None) -> None:
    """Serve the demo until Ctrl-C; everything but the fitted router, which is cached, lies in a temporary folder.

    Raises MissingExtraError where the router is not cached and its outcomes are not installed, UsageError where the
    port is taken.
    """
    from tenbin.cli.serve import run_gateway  # noqa: PLC0415 (it imports us when asked for the demo)

    with TemporaryDirectory(prefix="tenbin-demo-") as place:
        folder = Path(place)
        router, where = demo_router(folder)
        with fake_upstreams(router) as upstreams:
            config = folder / "tenbin.toml"
            config.write_text(config_text(where, upstreams, port), encoding="utf-8")
            run_gateway(config, without_settings(os.environ), 1, words=demo_text, drain_s=DRAIN_S)


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that override a config: they are meant for another one."""
    from tenbin.config.document import PREFIX  # noqa: PLC0415

    return {name: value for name, value in environ.items() if not (name.startswith(PREFIX) and "__" in name)}


def demo_router(folder: Path) -> tuple[Router, Path]:
    """The router of the ParetoBandit outcomes and its folder: the cached one of this version, else fitted now."""
    from tenbin.router.router import Router  # noqa: PLC0415

    cache = cache_folder(os.environ)
    kept = (cache or folder).absolute() / f"demo-router-{__version__}"
    with contextlib.suppress(TenbinError):  # not there yet, or damaged: fitting again mends both
        return Router.load(kept), kept
    router = fit_router()
    try:
        router.save(kept)
    except TenbinError:  # a cache that cannot be written costs the next start three seconds, not this one
        kept = folder / kept.name
        router.save(kept)
    return router, kept


def fit_router() -> Router:
    """The demo's router, fitted without the parts that only a report needs."""
    source, _ = outcome_files()
    from tenbin.cli.progress import TerminalProgress  # noqa: PLC0415 (the table reader only where nothing is cached)
    from tenbin.outcomes import read_outcomes  # noqa: PLC0415
    from tenbin.router.fit import FitSettings, fit  # noqa: PLC0415

    say(faint("fitting the demo's router, this once"), err=True)
    with TerminalProgress() as progress:
        panel = read_outcomes(source, progress=progress)
        router = fit(panel, settings=FitSettings(embedder="base", learning_curve=False), progress=progress)
        progress.finish()
    return router


@contextlib.contextmanager
def fake_upstreams(router: Router) -> Iterator[Mapping[str, FakeUpstream]]:
    """One fake upstream per model of the router, the dearer the slower."""
    from tenbin.testing import FakeUpstream  # noqa: PLC0415

    dearest_first = sorted(router.models, key=lambda model: (-router.prices.price(model).request_usd, model))
    with contextlib.ExitStack() as stack:
        upstreams = {}
        for rank, model in enumerate(dearest_first):
            pace = PACES[min(rank, len(PACES) - 1)]
            upstream = FakeUpstream(
                made_up(model),
                models=(model,),
                first_token_s=pace.first_token_s,
                tokens_per_s=pace.tokens_per_s,
                keep=0,
            )
            upstreams[model] = stack.enter_context(upstream)
        yield upstreams


def made_up(model: str) -> Callable[[UpstreamRequest], Answer | None]:
    """What a fake upstream says in place of a model: that it is none; a form or a tool that was asked for is kept."""
    from tenbin.testing import Answer  # noqa: PLC0415

    text = (
        f"This answer is made up: no model was asked. Tenbin routed your request to {model}, and a fake upstream of "
        "'tenbin serve --demo' speaks in its place. The decision is real, the words are not."
    )

    def script(request: UpstreamRequest) -> Answer | None:
        body = request.json
        is_plain = isinstance(body, dict) and not {"tools", "functions", "response_format", "text"} & body.keys()
        return Answer(text=text) if is_plain and request.method == "POST" else None

    return script


def config_text(router: Path, upstreams: Mapping[str, FakeUpstream], port: int | None) -> str:
    """The demo's tenbin.toml: open to this machine, with one profile that saves and one that does not."""
    from tenbin.config.document import path_of  # noqa: PLC0415

    listens = "" if port is None else f"port = {port}\n"
    tables = [
        f"[gateway]\nrouter = {json.dumps(str(router))}\n{listens}",
        'keys = "open"\nadmin_port = 0\nlog_level = "warning"\n',
        "[profiles.auto]\nmin_quality = 0.97\n",
        "[profiles.best]\nbest = true\n",
        *(f'[{path_of("candidates", model)}]\nbase_url = "{fake.base_url}"\n' for model, fake in upstreams.items()),
    ]
    return "\n".join(tables)


def demo_text(url: str) -> str:
    """What runs, and three commands to try."""
    from tenbin.cli.serve import curl  # noqa: PLC0415

    return "\n".join(
        [
            f"{strong('tenbin: ready at ' + url)}",
            "Three fake upstreams stand in for three models; the router was fitted on real outcomes of the real ones.",
            "\nAsk, and see the decision in the x-tenbin headers:",
            f"  {curl(url, 'tenbin/auto', question=PLAIN, flags='-i')}",
            "\nStream, at the best quality instead of 97 % of it:",
            f"  {curl(url, 'tenbin/best', question=HARD, flags='-N', stream=True)}",
            "\nSee every model's estimates without asking one:",
            f"  {curl(url, 'tenbin/auto', question=HARD, path='/v1/decision')}",
            faint("\nCtrl-C ends it."),
        ]
    )
