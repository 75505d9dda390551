"""What a failure looks like from outside: one sentence on stderr, and an exit code of its class."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback

import click

from tenbin.cli.stopped import Terminated, stopped
from tenbin.errors import TenbinError, UsageError, did_you_mean

EXIT_BUG = 70
"""An exception nobody foresaw: a bug in Tenbin (EX_SOFTWARE of sysexits.h)."""
EXIT_BROKEN_PIPE = 141
"""The reader of our output went away, as `head` does (128 + SIGPIPE)."""


def explain(error: BaseException) -> tuple[str | None, int]:
    """The sentence to print (None: say nothing) and the exit code."""
    match error:
        case TenbinError():
            found = str(error), error.exit_code
        case click.Abort() | KeyboardInterrupt() | Terminated():
            found = stopped(error)
        case click.ClickException():
            found = click_sentence(error), UsageError.exit_code
        case OSError(errno=errno.EPIPE):
            return None, EXIT_BROKEN_PIPE
        case OSError(strerror=str(reason)) if reason:
            where = f"{error.filename}: " if error.filename else ""
            found = f"{where}{reason[0].lower()}{reason[1:]}", TenbinError.exit_code
        case ModuleNotFoundError(name="fcntl" | "resource"):
            found = "this command needs Linux or macOS; on Windows, run it inside WSL", TenbinError.exit_code
        case MemoryError():
            found = "the memory of this machine ran out; give fewer rows or more memory", TenbinError.exit_code
        case _:
            found = bug_sentence(error), EXIT_BUG
    return found


def click_sentence(error: click.ClickException) -> str:
    """Click's complaint in our form: one sentence, the nearest flags, where to read on."""
    if isinstance(error, click.NoSuchOption):
        near = did_you_mean(error.option_name, error.possibilities or ())
        message = f'no such option "{error.option_name}"' + (f" ({near})" if near else "")
    else:
        message = " ".join(error.format_message().split()).rstrip(".")
        message = re.sub(r"'([^']*)'", r'"\1"', message)  # as everywhere: names in ", commands in '
        message = re.sub(r"^([A-Z])(?=[a-z])", lambda first: first[1].lower(), message)
    context = getattr(error, "ctx", None)
    return f"{message}; see '{context.command_path} --help'" if context is not None else message


def bug_sentence(error: BaseException) -> str:
    """What to say of an exception that nobody foresaw."""
    detail = " ".join(str(error).split())
    name = type(error).__name__
    return (
        f"this is a bug in Tenbin ({name}{': ' + detail[:200] if detail else ''}); please report it with what "
        "TENBIN_TRACEBACK=1 prints when you run the same command again"
    )


def report(error: BaseException) -> int:
    """Print the sentence for this failure and return the exit code; TENBIN_TRACEBACK=1 shows the trace as well."""
    sentence, code = explain(error)
    if os.environ.get("TENBIN_TRACEBACK", "") not in ("", "0") and sentence is not None:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    if code == EXIT_BROKEN_PIPE:
        # Python flushes stdout once more at exit; give it somewhere to go, or it complains about the pipe itself.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if sentence is not None:
        click.echo(click.style("tenbin: ", fg="red", bold=True) + one_line(sentence), err=True, color=colour())
    return code


def colour() -> bool | None:
    """False where the user or the terminal wants none (NO_COLOR, TERM=dumb), None to let the stream decide."""
    unwanted = os.environ.get("NO_COLOR", "") != "" or os.environ.get("TERM") == "dumb"
    return False if unwanted else None


def one_line(text: str) -> str:
    """The text without line breaks and without control characters, which a hostile file could use on a terminal."""
    flat = " ".join(text.split())
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in flat)
