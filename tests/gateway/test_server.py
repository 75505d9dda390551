from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.gateway.serving import STAND_IN, Serving, stand_in, until

CONFIG = '[gateway]\nport = 0\nadmin_port = 0\nkeys = "open"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tenbin.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def test_public_and_admin_port_answer_once_it_says_so(config: Path) -> None:
    with stand_in(config) as serving:
        serving.wait_ready()
        assert serving.get("/who") == {"worker": 0, "workers": 1, "pid": serving.process.pid}
        assert serving.get("/", serving.admin) == {"admin": 0}
        assert f"curl -s {serving.url}/v1/chat/completions" in serving.line("curl")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_finishes_before_the_process_ends(config: Path, number: signal.Signals) -> None:
    with stand_in(config) as serving:
        serving.wait_ready()
        stream = serving.connect()
        stream.request("GET", "/stream")
        answer = stream.getresponse()
        assert answer.read(6) == b"first\n"
        serving.signal(number)
        until(lambda: status_of(serving, "/ready") == 503, "readiness to say no")
        assert serving.process.poll() is None
        serving.get("/release")
        assert answer.read() == b"last\n"
        assert serving.wait() == 0
        assert serving.lines[-2:] == ["drained", "shut down"]


def test_what_came_in_at_the_end_of_the_drain_finishes_as_well(config: Path) -> None:
    with stand_in(config) as serving:
        serving.wait_ready()
        stream = serving.connect()
        stream.request("GET", "/late")
        answer = stream.getresponse()
        assert answer.read(6) == b"first\n"
        serving.signal(signal.SIGTERM)
        serving.line("drained")
        assert answer.read() == b"last\n"
        assert serving.wait() == 0


def status_of(serving: Serving, path: str) -> int:
    connection = serving.connect()
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_second_interrupt_leaves_at_once(config: Path) -> None:
    with stand_in(config) as serving:
        serving.wait_ready()
        stream = serving.connect()
        stream.request("GET", "/stream")
        stream.getresponse().read(6)
        serving.signal(signal.SIGINT)
        until(lambda: status_of(serving, "/ready") == 503, "readiness to say no")
        serving.signal(signal.SIGINT)
        assert serving.wait() == 130
        assert "drained" not in serving.lines


def test_sighup_takes_up_the_config_and_a_broken_one_is_refused_with_the_reason(config: Path) -> None:
    with stand_in(config) as serving:
        serving.wait_ready()
        config.write_text(CONFIG + "# changed\n", encoding="utf-8")
        serving.signal(signal.SIGHUP)
        until(lambda: "changed" in serving.get("/config"), "the new config")
        config.write_text(CONFIG + "# refuse me\n", encoding="utf-8")
        serving.signal(signal.SIGHUP)
        assert "stand-in: is refused; change it" in serving.line("reload refused")
        assert "changed" in serving.get("/config")


def test_a_changed_file_is_taken_up_by_itself(config: Path) -> None:
    with stand_in(config) as serving:
        serving.wait_ready()
        config.write_text(CONFIG + "# by itself\n", encoding="utf-8")
        until(lambda: "by itself" in serving.get("/config"), "the new config")


def test_a_port_in_use_is_one_sentence(config: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, str(STAND_IN), "serve", str(config), "1", "127.0.0.1", str(port)]
        with Serving(command) as serving:
            assert serving.wait() == 2
    assert serving.lines == [
        f"tenbin: 127.0.0.1:{port}: port {port} is in use; "
        "stop what listens there, or choose another port with --port, or port under [gateway]"
    ]


def test_a_config_that_cannot_be_served_is_one_sentence(config: Path) -> None:
    config.write_text(CONFIG + "# refuse me\n", encoding="utf-8")
    with stand_in(config) as serving:
        assert serving.wait() == 6
    assert serving.lines == ["tenbin: stand-in: is refused; change it"]


def test_the_port_is_free_again_afterwards(config: Path) -> None:
    with stand_in(config) as serving:
        port = int(serving.wait_ready().url.rpartition(":")[2])
        serving.get("/who")
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
    with Serving([sys.executable, str(STAND_IN), "serve", str(config), "1", "127.0.0.1", str(port)]) as again:
        assert again.wait_ready().url.endswith(f":{port}")
