from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path

import pytest

from tests.gateway.serving import Serving, stand_in, until

CONFIG = '[gateway]\nport = 0\nadmin_port = 0\nkeys = "open"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tenbin.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and that nobody waited for (our reaper may be slow) does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def pids(serving: Serving) -> dict[int, int]:
    """Processes by worker, once both have answered."""
    found: dict[int, int] = {}

    def both() -> bool:
        told = serving.get("/who")
        found[told["worker"]] = told["pid"]
        return len(found) == 2

    until(both, "an answer of each worker")
    return found


def test_two_workers_serve_one_port(config: Path) -> None:
    with stand_in(config, 2) as serving:
        serving.wait_ready()
        workers = pids(serving)
        assert sorted(workers) == [0, 1]
        assert serving.process.pid not in workers.values()
        assert sorted(serving.get("/", url)["admin"] for url in serving.admin.split(", ")) == [0, 1]
        assert serving.get("/who")["workers"] == 2
        assert serving.get("/threads") is not None
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
        assert not any(map(is_alive, workers.values()))


def test_connections_made_at_once_do_not_all_end_up_with_one_worker(config: Path) -> None:
    with stand_in(config, 2) as serving:
        serving.wait_ready()
        connections = [serving.connect() for _ in range(32)]
        for connection in connections:
            connection.connect()
        answered: list[int] = []
        for connection in connections:
            connection.request("GET", "/who")
            answered.append(json.loads(connection.getresponse().read())["worker"])
            connection.close()
        # Even on an idle machine, about; without taking turns the smaller share is often none.
        assert min(answered.count(0), answered.count(1)) >= 4


def test_a_killed_worker_comes_back_and_the_other_serves_on(config: Path) -> None:
    with stand_in(config, 2) as serving:
        before = pids(serving.wait_ready())
        os.kill(before[0], signal.SIGKILL)
        assert "was killed by SIGKILL" in serving.line("worker 0 ended")
        until(lambda: pids(serving)[0] not in (None, before[0]), "a new worker")
        assert pids(serving)[1] == before[1]


def test_streams_of_workers_finish_before_the_end(config: Path) -> None:
    with stand_in(config, 2) as serving:
        serving.wait_ready()
        stream = serving.connect()
        stream.request("GET", "/stream")
        answer = stream.getresponse()
        assert answer.read(6) == b"first\n"
        serving.signal(signal.SIGTERM)
        serving.line("shut down")  # the worker without a stream, which takes no connection from here on
        assert serving.process.poll() is None
        serving.get("/release")
        assert answer.read() == b"last\n"
        assert serving.wait() == 0


def test_sighup_reaches_every_worker(config: Path) -> None:
    with stand_in(config, 2) as serving:
        serving.wait_ready()
        config.write_text(CONFIG + "# refuse me\n", encoding="utf-8")
        serving.signal(signal.SIGHUP)
        serving.line("reload refused")
        serving.line("reload refused")


def test_sighup_does_not_end_a_worker_that_starts(config: Path) -> None:
    held = config.with_name("held")
    os.mkfifo(held)
    with stand_in(config, 2) as serving:
        before = pids(serving.wait_ready())
        config.write_text(CONFIG + "# hold the start\n", encoding="utf-8")
        os.kill(before[1], signal.SIGKILL)
        assert "was killed by SIGKILL" in serving.line("worker 1 ended")
        with held.open("wb"):  # opens once the new worker reads at the other end
            config.write_text(CONFIG + "# refuse me\n", encoding="utf-8")
            serving.signal(signal.SIGHUP)
            serving.line("reload refused")
        until(lambda: pids(serving)[1] != before[1], "the new worker")
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
    assert not [line for line in serving.lines if "SIGHUP" in line]


def test_a_worker_that_the_system_does_not_let_start_is_tried_again(config: Path) -> None:
    with stand_in(config, 2) as serving:
        before = pids(serving.wait_ready())
        supervisor = serving.process.pid
        most = resource.prlimit(supervisor, resource.RLIMIT_NOFILE)
        held = len(os.listdir(f"/proc/{supervisor}/fd"))
        resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (held, most[1]))
        os.kill(before[0], signal.SIGKILL)
        serving.line("worker 0 ended .no process could be started: .*Too many open files")
        assert serving.get("/who")["pid"] == before[1]
        resource.prlimit(supervisor, resource.RLIMIT_NOFILE, most)
        until(lambda: pids(serving)[0] != before[0], "a new worker")
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0


def test_a_killed_supervisor_leaves_nobody_behind(config: Path) -> None:
    with stand_in(config, 2) as serving:
        workers = pids(serving.wait_ready())
        serving.process.kill()
        until(lambda: not any(map(is_alive, workers.values())), "the workers to end")


def test_a_config_that_no_worker_can_serve_is_one_sentence(config: Path) -> None:
    config.write_text(CONFIG + "# refuse me\n", encoding="utf-8")
    with stand_in(config, 2) as serving:
        assert serving.wait() == 6
    assert serving.lines == ["tenbin: stand-in: is refused; change it"]


def test_workers_that_die_at_once_are_given_up_with_the_reason(config: Path) -> None:
    with stand_in(config, 2, STAND_IN_DIES="1") as serving:
        assert serving.wait() == 1
    assert "died 5 times at once: it left with code 7" in serving.lines[-1]
    assert any("starting it again" in line for line in serving.lines)
