"""What the README says of serving is done as it stands there: the demo and its question, keys and a gateway."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tenbin import __version__
from tenbin.cli.commands import cli
from tenbin.testing import FakeUpstream

ROOT = Path(__file__).resolve().parent.parent
SECTION = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Serve it\n")[2].partition("\n## ")[0]
TOOLS = str(Path(sys.executable).parent)
PATIENCE_S = 120.0
PRICES = (("small", 0.1), ("large", 3.0))

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the README asks with curl")


def commands() -> list[str]:
    """The commands of the section, continued lines joined."""
    blocks = re.findall(r"```console\n(.*?)```", SECTION, flags=re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.replace("\\\n", "").strip().splitlines()]


@contextlib.contextmanager
def serving(command: str, folder: Path, **variables: str) -> Iterator[str]:
    """The address of a command that serves; it is drained at the end and must leave with 0."""
    environ = {**os.environ, "PATH": TOOLS + os.pathsep + os.environ["PATH"], **variables}
    errors = folder / "stderr.txt"
    with errors.open("w") as stream:
        process = subprocess.Popen(shlex.split(command), cwd=folder, env=environ, stderr=stream, text=True)
    try:
        yield ready_at(errors, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def ready_at(errors: Path, process: subprocess.Popen[str]) -> str:
    for _ in range(int(PATIENCE_S / 0.05)):
        found = re.search(r"ready at (http://\S+)", errors.read_text())
        if found is not None:
            return found[1]
        assert process.poll() is None, errors.read_text()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise AssertionError(errors.read_text())


def ask(command: str, url: str, *flags: str) -> str:
    words = shlex.split(command.replace("http://127.0.0.1:8787", url))
    return subprocess.run([*words, *flags], capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout


def test_the_demo_answers_with_the_headers_shown(tmp_path: Path, my_router: Path) -> None:
    demo, curl, *_ = commands()
    assert demo == "tenbin serve --demo"
    # Its own router takes seconds to fit, as tests/cli/test_serve.py sees; the headers are those of any.
    shutil.copytree(my_router, tmp_path / "cache" / f"demo-router-{__version__}")
    with serving(f"{demo} --port 0", tmp_path, TENBIN_CACHE=str(tmp_path / "cache")) as url:
        answer = ask(curl, url)
    shown = re.findall(r"^(x-tenbin-[a-z-]+): ", SECTION, flags=re.MULTILINE)
    assert answer.startswith("HTTP/1.1 200 OK")
    assert set(shown) == set(re.findall(r"^(x-tenbin-[a-z-]+): ", answer, flags=re.MULTILINE))
    assert "This answer is made up" in answer


def test_the_configuration_serves_with_a_key(tmp_path: Path, my_router: Path) -> None:
    _, curl, create, doctor, serve = commands()
    tables = re.findall(r"```toml\n(.*?)```", SECTION, flags=re.DOTALL)
    (tmp_path / "tenbin.toml").write_text(tables[0], encoding="utf-8")
    shutil.copytree(my_router, tmp_path / "my-router")
    with contextlib.ExitStack() as stack:
        variables = {"TENBIN_GATEWAY__PORT": "0", "TENBIN_GATEWAY__ADMIN_PORT": "0"}
        for name, model in (("small", "gpt-4.1-nano"), ("large", "claude-sonnet-4-5")):
            upstream = stack.enter_context(FakeUpstream(models=(model,)))
            variables[f"TENBIN_CANDIDATES__{name.upper()}__BASE_URL"] = upstream.base_url
        variables |= {"OPENAI_API_KEY": "sk-made-up-one", "ANTHROPIC_API_KEY": "sk-made-up-two"}
        environ = {**os.environ, "PATH": TOOLS + os.pathsep + os.environ["PATH"], **variables}
        run = {"cwd": tmp_path, "env": environ, "capture_output": True, "text": True, "timeout": PATIENCE_S}
        secret = subprocess.run(shlex.split(create), check=True, **run).stdout.strip()  # type: ignore[call-overload]
        said = subprocess.run(shlex.split(doctor), check=False, **run)  # type: ignore[call-overload]
        assert said.returncode == 0, said.stdout
        url = stack.enter_context(serving(serve, tmp_path, **variables))
        assert " 401 " in ask(curl, url)
        answer = ask(curl, url, "-H", f"authorization: Bearer {secret}")
    assert answer.startswith("HTTP/1.1 200 OK")
    assert re.search(r"^x-tenbin-model: (small|large)\r?$", answer, flags=re.MULTILINE)


def test_a_provider_key_that_is_not_set_is_named_and_the_other_candidate_answers(
    tmp_path: Path, my_router: Path
) -> None:
    _, curl, *_ = commands()
    with FakeUpstream(models=("small",)) as upstream:
        (tmp_path / "tenbin.toml").write_text(
            f'[candidates.small]\nbase_url = "{upstream.base_url}"\n'
            '[candidates.large]\nprovider = "anthropic"\napi_key_env = "NOBODY_SET_THIS"\n'
            f'[profiles.auto]\nbest = true\ndecision_deadline_ms = 20000\n[gateway]\nrouter = "{my_router}"\n'
            'port = 0\nadmin_port = 0\nkeys = "open"\n',
            encoding="utf-8",
        )
        with serving("tenbin serve", tmp_path) as url:
            answer = ask(curl, url)
    assert "large cannot be called: its key is not set in NOBODY_SET_THIS" in (tmp_path / "stderr.txt").read_text()
    assert "x-tenbin-model: small" in answer
    assert "x-tenbin-fallbacks: large" in answer


@pytest.fixture(scope="module")
def my_router(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A router over the README's names, fitted on made-up outcomes."""
    folder = tmp_path_factory.mktemp("router")
    rows = ["query_id,prompt,model,quality,input_tokens,output_tokens"]
    for n in range(80):
        for model, quality in (("small", n % 2), ("large", 1)):
            rows.append(f"q{n},{'Prove' if n % 2 else 'Name'} item {n},{model},{quality},10,{50 + n}")
    (folder / "outcomes.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    prices = [f"[models.{m}]\ninput_usd_per_mtok = {p}\noutput_usd_per_mtok = {4 * p}\n" for m, p in PRICES]
    (folder / "prices.toml").write_text("\n".join(prices), encoding="utf-8")
    table, book, router = (str(folder / name) for name in ("outcomes.csv", "prices.toml", "my-router"))
    fitted = CliRunner().invoke(cli, ["fit", table, "--prices", book, "--out", router])
    assert fitted.exit_code == 0, fitted.stderr
    return folder / "my-router"
