from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tenbin import errors
from tenbin.blas import THREAD_VARIABLES
from tenbin.cli.commands import COMMANDS, Tenbin, cli
from tenbin.cli.failure import EXIT_BUG, one_line
from tenbin.cli.lazy import Group
from tenbin.errors import EXIT_INTERRUPTED


def tenbin(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    command = [sys.executable, "-m", "tenbin", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_and_version_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    code = (
        "import sys, time; from tenbin.cli.commands import cli\n"
        f"try: cli.main({list(arguments)!r})\nexcept SystemExit as leave: assert leave.code == 0\n"
        "assert time.process_time() < 0.3, time.process_time()\n"
        "heavy = {'numpy', 'duckdb', 'tenbin.cli.fit', 'tenbin.cli.route'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [("serve", "--demo"), ("pilot", "status", "pilot")])
def test_where_files_cannot_be_locked_it_says_where_to_run(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    windows = (
        "import signal, sys; del signal.SIGHUP; sys.modules['fcntl'] = sys.modules['resource'] = None\n"
        f"sys.argv[1:] = {list(arguments)!r}; from tenbin.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", windows], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.endswith("tenbin: this command needs Linux or macOS; on Windows, run it inside WSL\n")


def test_module_and_console_script_are_one() -> None:
    done = tenbin("--version")
    assert re.fullmatch(r"tenbin \d+\.\d+\.\S+\n", done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_summary_is_that_of_its_command(name: str) -> None:
    command = COMMANDS[name].load()
    assert command.name == name
    assert command.get_short_help_str(limit=200) == COMMANDS[name].summary


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["fti"], '"fit"'),
        (["evalute"], '"evaluate"'),
        (["--versoin"], '"--version"'),
        (["route", "--swep", "3"], '"--sweep"'),
    ],
)
def test_a_wrong_word_gets_the_nearest_one(arguments: list[str], near: str) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == errors.UsageError.exit_code
    assert near in result.stderr
    assert result.stderr.startswith("tenbin: ")
    assert result.stderr.count("\n") == 1


def test_a_word_like_no_command_gets_the_help() -> None:
    result = CliRunner().invoke(cli, ["zzzz"])
    assert "no such command \"zzzz\"; see 'tenbin --help'" in result.stderr


def test_nothing_given_shows_the_help_and_fails() -> None:
    result = CliRunner().invoke(cli, [])
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


def failing(error: BaseException) -> Tenbin:
    group = Tenbin(name="tenbin", lazy={})

    @click.command()
    def fail() -> None:
        raise error

    group.get_command = lambda *_: fail  # type: ignore[method-assign]
    return group


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (
            errors.DataError("no column 'prompt'", where="a.csv", fix="rename it"),
            3,
            "a.csv: no column 'prompt'; rename it",
        ),
        (KeyboardInterrupt(), EXIT_INTERRUPTED, "stopped by Ctrl-C; nothing was left half-written"),
        (PermissionError(13, "Permission denied", "x.csv"), 1, "x.csv: permission denied"),
        (MemoryError(), 1, "the memory of this machine ran out; give fewer rows or more memory"),
    ],
)
def test_a_failure_is_one_sentence(error: BaseException, code: int, sentence: str) -> None:
    result = CliRunner().invoke(failing(error), ["fail"])
    assert (result.exit_code, result.stderr) == (code, f"tenbin: {sentence}\n")


def test_a_bug_asks_for_a_report_and_shows_its_trace_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENBIN_TRACEBACK", raising=False)
    result = CliRunner().invoke(failing(ZeroDivisionError("by\nzero")), ["fail"])
    assert result.exit_code == EXIT_BUG
    assert "TENBIN_TRACEBACK=1" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.count("\n") == 1
    monkeypatch.setenv("TENBIN_TRACEBACK", "1")
    assert "Traceback" in CliRunner().invoke(failing(ZeroDivisionError()), ["fail"]).stderr


def test_a_hostile_message_cannot_drive_the_terminal() -> None:
    assert one_line("a\x1b[2Jb\nc") == "a\N{REPLACEMENT CHARACTER}[2Jb c"


def first_words(error: type[errors.TenbinError]) -> str:
    """The first sentence of its docstring, up to a colon, as a row of the table begins."""
    said = re.split(r"[.:]", error.__doc__ or "", maxsplit=1)[0]
    return said[:1].lower() + said[1:]


def test_exit_codes_are_one_per_class() -> None:
    classes = [errors.TenbinError, *errors.TenbinError.__subclasses__()]
    codes = [error.exit_code for error in classes]
    assert len(set(codes)) == len(codes)
    page = (Path(__file__).parents[2] / "docs/reference/exit-codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `?([\w ]+)`? \| (.*) \|$", page, flags=re.MULTILINE)
    table = {code: (name, meaning) for code, name, meaning in rows}
    for error in classes:
        name, meaning = table[str(error.exit_code)]
        assert name == error.__name__
        assert error is errors.TenbinError or meaning.startswith(first_words(error)), name
    assert {"0", "70", "130", "141", "143"} <= set(table)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_and_the_script_completes(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert "_TENBIN_COMPLETE" in result.output
    done = tenbin(
        _TENBIN_COMPLETE=f"{shell}_complete", COMP_WORDS="tenbin ev", COMP_CWORD="1" if shell != "fish" else "ev"
    )
    assert "evaluate" in done.stdout


def test_a_reader_that_leaves_is_no_error() -> None:
    code = "import sys; from tenbin.cli.commands import cli; cli.main(['--help'])"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_sigterm_leaves_with_one_sentence() -> None:
    code = (
        "import click, os, signal, sys; from tenbin.cli import commands, main\n"
        "@click.command()\ndef slow(): os.kill(os.getpid(), signal.SIGTERM); signal.pause()\n"
        "commands.cli.get_command = lambda ctx, name: slow\nsys.argv = ['tenbin', 'slow']; main.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr == "tenbin: stopped by SIGTERM; nothing was left half-written\n"


def test_two_sigterms_leave_nothing_half_written(tmp_path: Path) -> None:
    """`timeout` sends one to the process and one to its group: the second one stopped the clearing away."""
    code = (
        "import click, os, pathlib, signal, sys; from tenbin.cli import commands, main, whole_file\n"
        "def stop(): os.kill(os.getpid(), signal.SIGTERM)\n"
        "unlink = os.unlink\n"
        "def stopped(*args, **more): stop(); unlink(*args, **more)\n"
        "os.unlink = stopped\n"
        "@click.command()\ndef slow():\n"
        "    with whole_file.whole_file(pathlib.Path('out')): stop(); signal.pause()\n"
        "commands.cli.get_command = lambda ctx, name: slow\nsys.argv = ['tenbin', 'slow']; main.main()"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (143, "tenbin: stopped by SIGTERM; nothing was left half-written\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "code", "name"), [("SIGINT", 130, "Ctrl-C"), ("SIGTERM", 143, "SIGTERM")])
def test_who_stops_it_while_outcomes_are_read_gets_one_sentence(number: str, code: int, name: str) -> None:
    """The signal comes by a clock of the processor's time, which the query spends."""
    program = (
        "import signal, sys; from tenbin.cli import commands, main; from tenbin.outcomes.load import database\n"
        "import click\n@click.command()\ndef slow():\n"
        f"    signal.signal(signal.SIGVTALRM, signal.getsignal(signal.{number}))\n"
        "    with database() as con:\n"
        "        signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)\n"
        "        con.execute(sys.stdin.read())\n"
        "commands.cli.get_command = lambda ctx, name: slow\nsys.argv = ['tenbin', 'slow']; main.main()"
    )
    run, long = [sys.executable, "-c", program], "CREATE TABLE t AS SELECT sqrt(a) FROM range(300000000) t(a)"
    done = subprocess.run(run, input=long, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (code, f"tenbin: stopped by {name}; nothing was left half-written\n")


@pytest.mark.parametrize(("number", "code", "name"), [("SIGINT", 130, "Ctrl-C"), ("SIGTERM", 143, "SIGTERM")])
def test_who_stops_it_while_click_loads_gets_one_sentence(number: str, code: int, name: str) -> None:
    program = (
        "import os, signal, sys\nclass Stops:\n    def find_spec(self, name, *_):\n"
        f"        if name == 'click': os.kill(os.getpid(), signal.{number})\n"
        "sys.meta_path.insert(0, Stops()); from tenbin.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    sentence = f"tenbin: stopped by {name}; nothing was left half-written\n"
    assert (done.returncode, done.stdout, done.stderr) == (code, "", sentence)


def test_every_group_is_of_ours() -> None:
    groups = [command for command in (lazy.load() for lazy in COMMANDS.values()) if isinstance(command, click.Group)]
    assert all(isinstance(group, Group) for group in groups)


def test_colour_only_where_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" in CliRunner().invoke(cli, ["fti"], color=True).stderr
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in CliRunner().invoke(cli, ["fti"], color=True).stderr


@pytest.mark.parametrize(("given", "held"), [(None, "1"), ("3", "3")])
def test_a_fit_does_not_depend_on_how_many_cores_there_are(given: str | None, held: str) -> None:
    """Numpy must not be loaded before the threads are bounded; what the user set stays."""
    environ = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    environ |= {} if given is None else {"OMP_NUM_THREADS": given}
    script = (
        "import os, sys; from tenbin.cli.commands import cli; early = 'numpy' in sys.modules; cli.run(['--version']); "
        "print(early, os.environ['OMP_NUM_THREADS'])"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"False {held}"
