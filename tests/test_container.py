"""Dockerfile and compose file, which cannot be built here: what can be checked without a container engine."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from tenbin.cli.commands import cli
from tenbin.config import load_document, read_gateway, read_store

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
STEPS = [line for line in re.sub(r"\\\n", " ", DOCKERFILE).splitlines() if line and not line.startswith("#")]


def steps(word: str) -> list[str]:
    return [line.removeprefix(f"{word} ") for line in STEPS if line.startswith(f"{word} ")]


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE])
def test_it_says_that_it_was_not_tried(text: str) -> None:
    assert re.search("NOT (BUILT|RUN) HERE", text)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] == "!"]
    sources = [word for step in steps("COPY") if "--from" not in step for word in step.split()[:-1]]
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert any(fnmatch.fnmatch(source, pattern) for pattern in kept)


def test_the_build_has_what_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    copied = {word for step in steps("COPY") for word in step.split()}
    assert {project["readme"], *project["license-files"]} <= copied


def test_the_pins_are_those_of_the_lock_without_hashes() -> None:
    """What the sed of the Dockerfile leaves: one requirement with its version per line, as pip reads constraints."""
    lock = (ROOT / "requirements" / "demo.lock").read_text(encoding="utf-8")
    assert any("sed -E '/^ +--hash/d; s/ *\\\\$//'" in line for line in DOCKERFILE.splitlines())
    pins = [re.sub(r" *\\$", "", line) for line in lock.splitlines() if not re.match(r" +--hash", line)]
    pins = [line for line in pins if line.strip() and not line.lstrip().startswith("#")]
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {re.split(r"[>=]", text)[0] for text in wanted} <= {pin.partition("==")[0] for pin in pins}
    for pin in pins:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", pin), pin


def test_it_runs_as_nobody_in_particular() -> None:
    assert steps("USER") == ["10001:10001"]


def test_its_settings_are_settings(tmp_path: Path) -> None:
    (setting,) = steps("ENV")
    environ = dict(word.split("=", 1) for word in shlex.split(setting))
    config = tmp_path / "tenbin.toml"
    config.write_text("", encoding="utf-8")
    document = load_document(config, environ)
    settings = read_gateway(document)
    assert (settings.host, settings.port, settings.keys) == ("0.0.0.0", 8787, "required")  # noqa: S104 (a container)
    assert settings.admin_host == "127.0.0.1"
    assert read_store(document).path == Path("/var/lib/tenbin")


def test_its_health_check_is_python_that_asks_the_port_it_serves() -> None:
    (check,) = steps("HEALTHCHECK")
    python, flag, code = json.loads(check.partition("CMD")[2])
    assert (python, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert f"http://127.0.0.1:{steps('EXPOSE')[0]}/health" in code


@pytest.mark.parametrize("words", [json.loads(steps("CMD")[0]), json.loads(re.findall(r"command: (.*)", COMPOSE)[0])])
def test_its_command_is_one(words: list[str]) -> None:
    name, *rest = words
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    made = command.make_context(name, rest, parent=context)
    assert made.params["config"] == Path("/etc/tenbin/tenbin.toml")
