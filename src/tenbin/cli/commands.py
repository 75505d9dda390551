"""The commands by name, what every one of them shares, and how failures leave the process."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import click

from tenbin import __version__
from tenbin.blas import one_thread
from tenbin.cli.failure import colour, report
from tenbin.cli.lazy import LazyCommand, LazyGroup
from tenbin.cli.stopped import Terminated

COMMANDS: Mapping[str, LazyCommand] = {
    "demo": LazyCommand("tenbin.cli.demo:demo", "Fit, prove and route on real outcomes, in one minute."),
    "pilot": LazyCommand("tenbin.cli.pilot:pilot", "Buy outcomes of your own prompts, inside a budget."),
    "fit": LazyCommand("tenbin.cli.fit:fit", "Learn a router from measured outcomes."),
    "evaluate": LazyCommand("tenbin.cli.evaluate:evaluate", "Say with intervals whether routing pays."),
    "certify": LazyCommand("tenbin.cli.certify:certify", "Certify a share of the reference's quality."),
    "route": LazyCommand("tenbin.cli.route:route", "Choose the model for one prompt or a file of them."),
    "router": LazyCommand("tenbin.cli.router:router", "List, show, compare and change fitted routers."),
    "report": LazyCommand("tenbin.cli.report:report", "Write the HTML report of a saved evaluation."),
    "prices": LazyCommand("tenbin.cli.prices:prices", "Show, compare, check and import price books."),
    "init": LazyCommand("tenbin.cli.init:init", "Write a commented tenbin.toml to start from."),
    "serve": LazyCommand("tenbin.cli.serve:serve", "Serve routers behind an OpenAI-compatible endpoint."),
    "keys": LazyCommand("tenbin.cli.keys:keys", "Make, list and revoke the keys of the gateway's clients."),
    "erase": LazyCommand("tenbin.cli.erase:erase", "Delete every prompt and answer of a user from the ledger."),
    "doctor": LazyCommand("tenbin.cli.doctor:doctor", "Check whether a gateway would serve, and say what to do."),
    "plugins": LazyCommand("tenbin.cli.plugins:plugins", "List the embedders, predictors and metrics at hand."),
    "data": LazyCommand("tenbin.cli.data:data", "Fetch public tables of outcomes."),
    "completion": LazyCommand("tenbin.cli.completion:completion", "Print the completion script of your shell."),
}
COMPLETION_VARIABLE = "_TENBIN_COMPLETE"


class Tenbin(LazyGroup):
    """The top command: every failure ends in one sentence on stderr and the exit code of its class."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 (click's signature: CliRunner passes it)
        complete_var: str | None = None,  # noqa: ARG002
        standalone_mode: bool = True,  # noqa: ARG002
        windows_expand_args: bool = True,  # noqa: ARG002
        **extra: Any,
    ) -> NoReturn:
        sys.exit(self.run(list(sys.argv[1:] if args is None else args), **extra))

    def run(self, args: list[str], **extra: Any) -> int:
        """Run the command of these arguments and return the exit code."""
        one_thread()  # the commands import numpy later
        try:
            extra.setdefault("color", colour())
            with self.make_context("tenbin", args, **extra) as ctx:
                self.invoke(ctx)
                sys.stdout.flush()
        except click.exceptions.Exit as leave:
            return leave.exit_code
        except (Exception, KeyboardInterrupt, Terminated) as error:
            return report(error)
        return 0


@click.group(
    cls=Tenbin,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with 'tenbin demo'. Every command explains itself: 'tenbin COMMAND --help'.",
)
@click.version_option(version=__version__, message="tenbin %(version)s")
def cli() -> None:
    """Send every query to the cheapest model that is good enough, and prove it on your own data."""


def start() -> int:
    """Do what this process was called for and return the exit code."""
    instruction = os.environ.get(COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete  # noqa: PLC0415 (only when a shell asks)

        return shell_complete(cli, {}, "tenbin", COMPLETION_VARIABLE, instruction)
    for stream in (sys.stdout, sys.stderr):
        # A terminal whose encoding lacks a character shows an escape instead of failing in the middle of a table.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    return cli.run(sys.argv[1:])
