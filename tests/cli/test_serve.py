"""`tenbin serve` with the real gateway, as a process of its own, in front of fake upstreams."""

from __future__ import annotations

import json
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from tenbin.cli import demo, serve_demo
from tenbin.cli.commands import cli
from tenbin.cli.serve import curl, first_model, overridden
from tenbin.config import load_document, read_gateway
from tenbin.testing import Answer, FakeUpstream
from tests.gateway.serving import Serving, until

MODELS = ("small", "medium", "large")
TENBIN = (sys.executable, "-m", "tenbin", "serve")
QUESTION = {"model": "tenbin/auto", "messages": [{"role": "user", "content": "Compute 3 plus 4"}]}


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(models=MODELS) as running:
        yield running


@pytest.fixture
def config(made: Path, upstream: FakeUpstream, tmp_path: Path) -> Path:
    upstream.script = None
    candidates = "".join(f'[candidates.{name}]\nbase_url = "{upstream.base_url}"\n' for name in MODELS)
    path = tmp_path / "tenbin.toml"
    gateway = f'[gateway]\nrouter = "{made / "router"}"\nport = 0\nadmin_port = 0\nkeys = "open"\n'
    path.write_text(f"{gateway}[profiles.auto]\nmin_quality = 0.9\n{candidates}", encoding="utf-8")
    return path


def post(serving: Serving, body: dict[str, Any], path: str = "/v1/chat/completions") -> Any:
    connection = serving.connect()
    try:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        assert answer.status == 200, content
        return content
    finally:
        connection.close()


@pytest.mark.parametrize("loading", ["click", "tenbin.config", "tenbin.gateway.app", "uvloop"])
def test_sighup_does_not_end_the_start(config: Path, loading: str) -> None:
    """It did for half a second: whoever changed a file and sent it at once had no gateway."""
    program = (
        "import os, signal, sys\nclass Hangs:\n    def find_spec(self, name, *_):\n"
        f"        if name == {loading!r}: os.kill(os.getpid(), signal.SIGHUP)\n"
        "sys.meta_path.insert(0, Hangs()); from tenbin.cli.main import main; main()"
    )
    with Serving([sys.executable, "-c", program, "serve", str(config)]) as serving:
        serving.wait_ready()
        assert post(serving, QUESTION)["choices"]
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0


def test_the_printed_request_is_answered_and_the_end_is_clean(config: Path) -> None:
    with Serving([*TENBIN, str(config)]) as serving:
        serving.wait_ready()
        path, body = asked(serving.line("curl"))
        assert post(serving, body, path)["choices"][0]["message"]["content"]
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
    assert not [line for line in serving.lines if "Traceback" in line]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_closed_standard_streams_hinder_neither_start_nor_end(config: Path, workers: str) -> None:
    """Started so, workers were handed the null device in place of the port, and the end was told as a bug."""
    command = shlex.join([*TENBIN, str(config), "--workers", workers])
    with Serving(["sh", "-c", f"exec {command} <&- >&-"]) as serving:
        serving.wait_ready()
        assert post(serving, QUESTION)["choices"]
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0


def asked(command: str) -> tuple[str, dict[str, Any]]:
    """The path and the body of a printed curl command, as a shell would read it."""
    words = shlex.split(command)
    url = next(word for word in words if word.startswith("http://"))
    body = json.loads(words[words.index("-d") + 1])
    assert isinstance(body, dict)
    return urlsplit(url).path, body


def test_a_stream_that_runs_at_sigterm_finishes(config: Path, upstream: FakeUpstream) -> None:
    upstream.script = Answer.slow(chunk_gap_s=0.1)
    with Serving([*TENBIN, str(config)]) as serving:
        serving.wait_ready()
        connection = serving.connect()
        connection.request("POST", "/v1/chat/completions", json.dumps({**QUESTION, "stream": True}))
        answer = connection.getresponse()
        answer.read(1)
        serving.signal(signal.SIGTERM)
        assert answer.read().endswith(b"data: [DONE]\n\n")
        assert serving.wait() == 0


def test_two_workers_answer_and_end_together(config: Path) -> None:
    with Serving([*TENBIN, str(config), "--workers", "2"]) as serving:
        serving.wait_ready()
        assert len(serving.admin.split(", ")) == 2
        assert post(serving, QUESTION)["choices"]
        for admin in serving.admin.split(", "):
            assert serving.get("/health", admin) == {"status": "ok"}
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0


def test_a_changed_config_is_served_and_a_broken_one_is_not(config: Path) -> None:
    with Serving([*TENBIN, str(config)]) as serving:
        serving.wait_ready()
        text = config.read_text(encoding="utf-8")
        config.write_text(f"{text}[profiles.added]\nbest = true\n", encoding="utf-8")
        until(lambda: "tenbin/added" in str(serving.get("/v1/models")), "the added profile")
        config.write_text(f"{text}[profiles.added]\nbset = true\n", encoding="utf-8")
        assert "did you mean" in serving.line("reload refused")
        assert "tenbin/added" in str(serving.get("/v1/models"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere.toml",), 6, "tenbin: nowhere.toml: there is no such file; write one with 'tenbin init'"),
        ((), 6, "tenbin: tenbin.toml: there is no config; write one with 'tenbin init'"),
        (("--demo", "--workers", "2"), 2, "--demo has a config of its own"),
        (("--demo", "x.toml"), 2, "--demo has a config of its own"),
        (("--workers", "0"), 2, "--workers"),
        (("--port", "70000"), 2, "--port"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    arguments: tuple[str, ...], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(cli, ["serve", *arguments])
    assert run.exit_code == code
    assert words in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_host_that_opens_the_door_is_refused(config: Path) -> None:
    with Serving([*TENBIN, str(config), "--host", "0.0.0.0"]) as serving:  # noqa: S104 (refused)
        assert serving.wait() == 6
    assert serving.lines == [line for line in serving.lines if 'keys = "open"' in line]


def test_workers_whose_admin_ports_reach_the_clients_port_are_refused(config: Path) -> None:
    config.write_text(config.read_text().replace("port = 0\nadmin_port = 0", "port = 8788\nadmin_port = 8787"))
    run = CliRunner().invoke(cli, ["serve", str(config), "--workers", "3"])
    assert run.exit_code == 6
    assert run.stderr.endswith(
        "gateway.port = 8788 is among the admin ports of 3 workers, 8787 to 8789; set gateway.admin_port above 8788\n"
    )


def test_flags_are_settings_of_the_environment() -> None:
    assert overridden({"A": "b"}, None, None) == {"A": "b"}
    assert overridden({}, "::1", 0) == {"TENBIN_GATEWAY__HOST": "::1", "TENBIN_GATEWAY__PORT": "0"}


def test_where_nothing_is_routed_the_first_request_names_a_candidate(tmp_path: Path) -> None:
    config = tmp_path / "tenbin.toml"
    config.write_text('[candidates.small]\nbase_url = "http://127.0.0.1:1/v1"\n')
    document = load_document(config, {})
    assert first_model(document, read_gateway(document)) == "small"


def test_a_printed_command_is_one_that_a_shell_reads_back() -> None:
    question = 'What\'s "that"? $HOME `id` \\'
    path, body = asked(curl("http://127.0.0.1:1", "tenbin/auto", question=question, path="/v1/decision"))
    assert path == "/v1/decision"
    assert body["messages"][0]["content"] == question


def test_the_demo_answers_what_it_prints_and_caches_its_router(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for start in ("first", "second"):
        with Serving([*TENBIN, "--demo", "--port", "0"], TENBIN_CACHE=str(cache), TMPDIR=str(tmp_path)) as serving:
            found = re.search(r"ready at (\S+)", serving.line("ready at"))
            assert found is not None
            serving.url = found[1]
            assert any("fitting" in line for line in serving.lines) == (start == "first")
            if start == "first":
                check_printed(serving)
            serving.signal(signal.SIGINT)
            assert serving.wait() == 0
        assert not [line for line in serving.lines if "leaked" in line], "what DuckDB says of a heap that is frozen"
        assert [entry.name for entry in tmp_path.iterdir()] == ["cache"]


def check_printed(serving: Serving) -> None:
    """Each printed command does what it promises: an answer, a stream, a decision."""
    path, body = asked(serving.line("curl"))
    answer = post(serving, body, path)["choices"][0]["message"]["content"]
    assert "This answer is made up" in answer
    path, body = asked(serving.line("curl"))
    connection = serving.connect()
    connection.request("POST", path, json.dumps(body))
    stream = connection.getresponse().read()
    assert stream.endswith(b"data: [DONE]\n\n")
    assert b"gemini" in stream
    path, body = asked(serving.line("curl"))
    assert len(post(serving, body, path)["candidates"]) == 3


def test_without_cache_and_package_the_demo_names_the_install_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "PACKAGE", "a_package_that_is_not_there")
    monkeypatch.setenv("TENBIN_CACHE", str(tmp_path))
    run = CliRunner().invoke(cli, ["serve", "--demo"])
    assert run.exit_code == 9
    assert "'pip install paretobandit'" in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_fake_upstream_keeps_to_a_form_that_was_asked_for(upstream: FakeUpstream) -> None:
    upstream.script = serve_demo.made_up("small")
    upstream.clear()
    parts = urlsplit(upstream.base_url)
    serving = object.__new__(Serving)
    serving.url = f"http://{parts.netloc}"
    plain = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
    assert "made up" in post(serving, plain)["choices"][0]["message"]["content"]
    formed = post(serving, {**plain, "response_format": {"type": "json_object"}})
    assert json.loads(formed["choices"][0]["message"]["content"])
