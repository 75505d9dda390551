"""What the pages say is true: commands and Python run, every command and flag is documented, links lead somewhere.

A page runs in a folder of its own that holds the files of `write_files` below: `outcomes.parquet`, `.jsonl` and
`.csv`, `scores.csv`, `prices.toml`, `prompts.jsonl` and the fitted `my-router`. All of them are synthetic: made here
from a seed, no model was asked. Blocks tagged console, sh, bash or python run in the order of the page, except where
the line above is `<!-- not-run: REASON -->`; `<!-- exits: CODE -->` there says that the block ends with that code.
"""

from __future__ import annotations

import csv
import doctest
import importlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "tenbin"
TWIN = "README.ja.md"
"""Shows the same commands as README.md, which another test sees to: they run once."""
PAGES = ("README.md", TWIN, *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))
COMMANDS_PAGE = ROOT / "docs" / "reference" / "commands.md"
SHELL = frozenset({"console", "sh", "bash", "shell"})
PYTHON = frozenset({"python", "py", "pycon"})
BLOCK_LIMIT_S = 120

FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+|~~~+)(?P<info>.*)$")
MARK = re.compile(r"^\s*<!-- (?P<word>not-run|exits): (?P<rest>\S.*) -->\s*$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: the line where it starts, its language, its text, the mark on the line above it."""

    line: int
    language: str
    text: str
    mark: tuple[str, str] | None

    @property
    def runs(self) -> bool:
        return self.language in SHELL | PYTHON and not (self.mark and self.mark[0] == "not-run")

    @property
    def exit_code(self) -> int:
        return int(self.mark[1]) if self.mark and self.mark[0] == "exits" else 0


def blocks_of(text: str) -> Iterator[Block]:
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        opened = FENCE.match(lines[at])
        if opened is None:
            at += 1
            continue
        start, body = at, []
        at += 1
        while at < len(lines) and lines[at].strip() != opened["fence"]:
            body.append(lines[at].removeprefix(opened["indent"]))
            at += 1
        assert at < len(lines), f"line {start + 1}: the block is never closed"
        at += 1
        above = MARK.match(lines[start - 1]) if start else None
        language = (opened["info"].split() or [""])[0]
        yield Block(start + 1, language, "\n".join(body), (above["word"], above["rest"]) if above else None)


def script_of(block: Block) -> str:
    """The commands of a block: of a console the lines after `$ ` and their continuations, of a script all."""
    if block.language != "console":
        return block.text
    commands: list[str] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
        elif commands and commands[-1].endswith("\\"):
            commands.append(line.removeprefix("> "))
    return "\n".join(commands)


MODELS: Mapping[str, tuple[float, float, float]] = {
    "small": (0.1, 0.4, 0.3),
    "medium": (0.5, 2.0, 0.8),
    "large": (3.0, 15.0, 2.0),
}
TOPICS: Mapping[str, str] = {
    "code": "Write a function that returns the {0} largest of {1} numbers.",
    "maths": "A train runs {0} km in {1} minutes; prove how fast it is.",
    "chat": "Suggest {0} names for a cat that is {1} months old.",
}


def synthetic_rows(prompts: int) -> list[dict[str, Any]]:
    """Outcomes of three made-up models on made-up prompts: the dear are better at code and maths, alike at chat."""
    draw = random.Random(20260101)  # noqa: S311 (a seed for a fixture, not a secret)
    rows = []
    for number in range(prompts):
        topic = draw.choice(sorted(TOPICS))
        prompt = TOPICS[topic].format(draw.randrange(2, 99), draw.randrange(100, 9999))
        for model, (_, _, skill) in MODELS.items():
            chance = 0.9 if topic == "chat" else 0.3 + 0.3 * skill
            row = {"query_id": f"q{number}", "prompt": prompt, "group": topic, "model": model}
            row["quality"] = float(draw.random() < chance)
            row["input_tokens"], row["output_tokens"] = (
                len(prompt) // 4,
                int(100 * (1 + skill) * draw.lognormvariate(0, 0.5)),
            )
            row["latency_s"] = round(0.01 * row["output_tokens"] * (1 + skill), 3)
            row["split"] = "test" if number % 3 == 0 else "train"
            rows.append(row)
    return rows


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_files(folder: Path) -> None:
    """The synthetic files that every page finds in its folder."""
    import duckdb

    rows = synthetic_rows(300)
    (folder / "outcomes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    write_csv(folder / "outcomes.csv", rows)
    scores = [{("score" if key == "quality" else key): value for key, value in row.items()} for row in rows]
    write_csv(folder / "scores.csv", scores)
    with duckdb.connect() as connection:
        table, target = folder / "outcomes.jsonl", folder / "outcomes.parquet"
        connection.execute(f"copy (from read_json('{table}')) to '{target}' (format parquet)")
    prices = [
        f"[models.{model}]\ninput_usd_per_mtok = {i}\noutput_usd_per_mtok = {o}\n"
        for model, (i, o, _) in MODELS.items()
    ]
    (folder / "prices.toml").write_text("\n".join(prices), encoding="utf-8")
    prompts = [{"query_id": f"new{n}", "prompt": f"Write {n} lines of code that sort numbers."} for n in range(1, 6)]
    (folder / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in prompts), encoding="utf-8")


def run_shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    tools = str(Path(sys.executable).parent)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": tools + os.pathsep + os.environ["PATH"], "HOME": str(folder), "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BLOCK_LIMIT_S,
        check=False,
    )


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    write_files(folder)
    run = run_shell("tenbin fit outcomes.parquet --prices prices.toml --out my-router", folder)
    assert run.returncode == 0, run.stdout
    return folder


def run_python(block: Block, name: str, names: dict[str, Any]) -> None:
    """Run a block in the names of the page; one that starts with `>>>` must print what it shows."""
    if block.text.lstrip().startswith(">>>"):
        test = doctest.DocTestParser().get_doctest(block.text + "\n", names, name, name, block.line)
        told: list[str] = []
        outcome = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=told.append, clear_globs=False)
        assert outcome.failed == 0, "".join(told)
        names.update(test.globs)
    else:
        exec(compile("\n" * block.line + block.text, name, "exec"), names)  # noqa: S102 (the page's own words)


@pytest.mark.parametrize("page", [page for page in PAGES if page != TWIN])
def test_what_the_page_shows_runs(
    page: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = [block for block in blocks_of((ROOT / page).read_text(encoding="utf-8")) if block.runs]
    if not blocks:
        return
    folder = shutil.copytree(request.getfixturevalue("files"), tmp_path / "page")
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "__page__"}
    for block in blocks:
        if block.language in PYTHON:
            run_python(block, f"{page}", names)
            continue
        run = run_shell(script_of(block), folder)
        where = f"{page}:{block.line} ended with {run.returncode}, not {block.exit_code}"
        assert run.returncode == block.exit_code, f"{where}\n{run.stdout}"


def test_the_recipes_find_what_the_tutorial_leaves(files: Path) -> None:
    tutorial = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    given = {path.name for path in files.iterdir()}
    for page in sorted((ROOT / "docs").glob("how-to*.md")):
        run = "\n".join(block.text for block in blocks_of(page.read_text(encoding="utf-8")) if block.runs)
        lacking = {name for name in given if re.search(rf"(?<![\w-]){re.escape(name)}\b", run)} - set(
            re.findall(r"[\w.-]+", tutorial)
        )
        assert not lacking, f"{page.name} uses {lacking}, which a reader of the tutorial does not have"


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_what_it_is(page: str) -> None:
    blocks = blocks_of((ROOT / page).read_text(encoding="utf-8"))
    assert [block.line for block in blocks if not block.language] == [], (
        "write the language behind the fence (text for none)"
    )


@pytest.mark.parametrize("page", PAGES)
def test_links_to_files_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", text)
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not ((ROOT / page).parent / target).exists()] == []


def test_the_twins_show_the_same_commands() -> None:
    def shown(page: str) -> list[list[str]]:
        blocks = blocks_of((ROOT / page).read_text(encoding="utf-8"))
        texts = [re.sub(r"\s*#.*", "", block.text) for block in blocks if block.language in SHELL | PYTHON]
        return [[line for line in text.splitlines() if line.strip()] for text in texts]

    assert shown(TWIN) == shown("README.md")


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below the group, by what one types."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command, info_name=path)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from commands(inner, f"{path} {name}")


def sections(text: str) -> dict[str, str]:
    """The text below each heading that names a command as `## `tenbin ...``, by that command without its arguments."""
    parts = re.split(r"^#{2,4} `(tenbin[^`]*)`.*$", text, flags=re.MULTILINE)
    names = [" ".join(re.findall(r"^[a-z- ]+(?= |$)", name)[:1]).strip() for name in parts[1::2]]
    return dict(zip(names, parts[2::2], strict=True))


def flags_of(command: click.Command) -> set[str]:
    """The long flags of a command, but --help."""
    options = [
        parameter for parameter in command.params if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    flags = {flag for option in options for flag in (*option.opts, *option.secondary_opts) if flag.startswith("--")}
    return flags - {"--help"}


def test_every_command_and_flag_is_documented_and_no_other() -> None:
    from tenbin.cli.commands import cli

    documented = sections(COMMANDS_PAGE.read_text(encoding="utf-8"))
    there = dict(commands(cli, "tenbin"))
    assert sorted(documented) == sorted(there)
    for name, command in there.items():
        rows = re.findall(r"^\| (`-[^|]*(?:\\\|[^|]*)*)\|", documented[name], flags=re.MULTILINE)
        listed = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(rows)))
        assert listed == flags_of(command), f"docs/reference/commands.md, the flags of {name}"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = sorted(SOURCE.rglob("*.py"))


def test_every_module_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in MODULES:
        importlib.import_module(module_name(path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [path for path in MODULES if ">>>" in path.read_text("utf-8")], ids=module_name)
def test_the_examples_in_docstrings_hold(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testmod(importlib.import_module(module_name(path)), optionflags=doctest.ELLIPSIS)
    assert outcome.attempted > 0
    assert outcome.failed == 0, capsys.readouterr().out


def test_every_file_of_a_folder_is_told_and_no_other(files: Path, tmp_path: Path) -> None:
    from tenbin.gateway import pacers, pauses, retained, retreats, seen, stranger_budgets
    from tenbin.pilot.folder import PilotFolder
    from tenbin.router.router import PARTS_OF_ESTIMATOR
    from tenbin.store.folder import StoreFolder
    from tenbin.store.marks import Marks
    from tenbin.store.place import Place

    page = (ROOT / "docs" / "reference" / "folders.md").read_text(encoding="utf-8")
    router, store, pilot = page.split("\n## ")[1:]
    arrays = {f"{part}.npz" for part in PARTS_OF_ESTIMATOR} | {"calibration.npz"}
    rows = " ".join(re.findall(r"^\| (`[^|]*)\|", router, flags=re.MULTILINE))
    assert set(re.findall(r"`([\w.]+)`", rows)) == {path.name for path in (files / "my-router").iterdir()} | arrays
    kinds = {pacers.KIND, retained.KIND, stranger_budgets.KIND, pauses.PAUSES, seen.SEEN}
    kinds |= {retreats.EXCUSES, retreats.RESUMED, Marks(tmp_path).folder.name, Place(tmp_path, 0).folder.name}
    folder, planned = StoreFolder(tmp_path), PilotFolder(tmp_path)
    rows = " ".join(re.findall(r"^\| (`[^|]*)\|", store, flags=re.MULTILINE))
    assert set(re.findall(r"`(\w+)/`", rows)) == kinds | {folder.journals.name}
    assert set(re.findall(r"`(\w+\.sqlite)`", rows)) == {folder.ledger.name, folder.keys.name}
    paths = (planned.settings, planned.prompts, planned.plan, planned.stages, planned.journal, planned.lock)
    assert set(re.findall(r"`([a-z]+(?:\.\w+)?)`", pilot)) == {path.name for path in paths}


def test_a_block_is_read_as_written() -> None:
    skipped = "<!-- not-run: needs the internet -->\n```sh\ncurl x\n```\n\n"
    first, second = blocks_of(skipped + "  ```console\n  $ a \\\n  >   b\n  out\n  $ c\n  ```\n")
    assert (first.runs, second.runs, second.line) == (False, True, 6)
    assert script_of(second) == "a \\\n  b\nc"
    (third,) = blocks_of("<!-- exits: 3 -->\n```sh\nfalse\n```\n")
    assert (third.runs, third.exit_code) == (True, 3)


def test_a_heading_names_its_command() -> None:
    text = (
        "## `tenbin fit OUTCOMES --out ROUTER`\nfits\n### `tenbin router show ROUTER`\nshows\n## `tenbin demo`\nplays\n"
    )
    assert sections(text) == {"tenbin fit": "\nfits\n", "tenbin router show": "\nshows\n", "tenbin demo": "\nplays\n"}


def test_a_failing_command_is_seen(tmp_path: Path) -> None:
    assert run_shell("false\ntrue", tmp_path).returncode == 1
    assert run_shell("tenbin no-such-command", tmp_path).returncode == 2
