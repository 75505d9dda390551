"""Programs in the sandbox: what passes, and what they cannot do there. Needs bubblewrap, which the gate installs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenbin.errors import ConfigError, DataError, MissingExtraError
from tenbin.quality.code_tests import CodeTests, Programs
from tenbin.testing import check_metric

ADDS = "def add(a, b):\n    return a + b\n"
TESTS = "assert add(1, 2) == 3"
CASE = """
import unittest
class Adds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sum = 3
    def test_sum(self):
        with self.subTest("small"):
            self.assertEqual(add(1, 2), self.sum)
    @unittest.skip("later")
    def test_more(self):
        self.fail()
unittest.main()
"""


@pytest.fixture(scope="module")
def metric() -> CodeTests:
    return CodeTests()


def test_without_bubblewrap_it_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="programs run only inside bubblewrap, which is not installed; install"):
        CodeTests()
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(MissingExtraError, match=r"does not run here \(bwrap: No permissions to create new namespace\)"):
        CodeTests()


@pytest.mark.parametrize(
    ("answer", "program"),
    [
        (ADDS, ADDS),
        (f"Sure!\n```python\n{ADDS}```\nUse it so:\n```python\nadd(1, 2)\n```", f"{ADDS}add(1, 2)\n"),
        (f"```\n{ADDS}```", ADDS),
        (f"```python\n{ADDS}", ADDS),
        (f"Sure!\n```python\n{ADDS}```\nThat is all.".replace("\n", "\r\n"), ADDS),
        (
            "1. So:\n   ```python\n   def add(a, b):\n\n       return a + b\n   ```\nDone.",
            ADDS.replace("\n", "\n\n", 1),
        ),
    ],
)
def test_which_program_of_an_answer_counts(answer: str, program: str) -> None:
    assert Programs.of(answer).codes[0] == program


@pytest.mark.extra
@pytest.mark.parametrize(
    ("answer", "tests", "score"),
    [
        (f"```python\n{ADDS}```", TESTS, 1.0),
        (ADDS, "def test_small():\n    assert add(1, 2) == 3\ndef test_other():\n    assert add(2, 2) == 5", 0.0),
        (ADDS.replace("+", "-"), TESTS, 0.0),
        ("def add(a, b: return", TESTS, 0.0),
        ("I cannot do that.", TESTS, 0.0),
        (f"{ADDS}if __name__ == '__main__':\n    input()\n", TESTS, 1.0),
        (f"import sys\nsys.exit(0)\n{ADDS}", TESTS, 0.0),
        (f"import os\nos._exit(0)\n{ADDS}", TESTS, 0.0),
        (f"import dataclasses\n@dataclasses.dataclass\nclass P:\n    x: int = 1\n{ADDS}", TESTS, 1.0),
        ('print(\'{"passed": 1, "total": 1}\\n\' * 99999, flush=True)\ndef add(a, b): pass', TESTS, 0.0),
        ("import ctypes\nctypes.string_at(0)", TESTS, 0.0),
        (f"x = bytearray(2 << 30)\n{ADDS}", TESTS, 0.0),
        (f"import os, time\nif os.fork() == 0: time.sleep(99)\n{ADDS}", TESTS, 1.0),
        (f"```python\nimport math\n```\n```py\n{ADDS.replace('a + b', 'math.fsum([a, b])')}```", TESTS, 1.0),
        (f"```python\n{ADDS}```\nUse it so:\n```python\nprint(add(int(input()), 2))\n```", TESTS, 1.0),
        (f"Here it is:\n\n{ADDS}\nThat adds them, as you asked.", TESTS, 1.0),
        (f"{ADDS}def test_mine(n):\n    assert add(1, 2) == n\n", TESTS, 1.0),
        ("async def add(a, b): pass", "async def test_it():\n    assert await add(1, 2) == 3", 0.0),
        ("def add(a, b): pass", "def test_it():\n    assert add(1, 2) == 3\n    yield", 0.0),
        (ADDS, CASE, 1.0),
        ("def add(a, b): pass", CASE, 0.0),
        (ADDS, None, None),
    ],
)
def test_what_passes(metric: CodeTests, answer: str, tests: str | None, score: float | None) -> None:
    assert metric.score("", answer, tests) == score


@pytest.mark.extra
def test_a_program_that_does_not_end() -> None:
    assert CodeTests(timeout_s=1).score("", "while True: pass", TESTS) == 0.0


INSIDE = """
import os, socket, threading
from pathlib import Path

def test_nothing_of_the_machine_is_to_be_seen():
    assert not any(Path(place).exists() for place in ("/etc", "/home", "/proc", "/var", "/work", "/srv", "/run"))
    assert set(os.environ) <= {"LANG", "PWD", "LC_CTYPE"}
    assert os.listdir("/tmp") != [] and os.getcwd() == "/tmp"

def test_it_is_nobody_of_importance():
    assert os.getuid() != 0
    try:
        os.setuid(0)
    except PermissionError:
        return
    raise AssertionError

def test_there_is_no_network():
    for address in (("127.0.0.1", PORT), ("1.1.1.1", 53)):
        try:
            socket.create_connection(address, timeout=1)
        except OSError:
            continue
        raise AssertionError

def test_only_scratch_can_be_written_and_little_of_it():
    for path in ("/usr/x", "/x", "/dev/x", "/python_tests.py"):
        try:
            open(path, "a").close()
        except OSError:
            continue
        raise AssertionError(path)
    written = 0
    try:
        for number in range(100):
            written += Path(f"/tmp/{number}").write_bytes(bytes(4 << 20))
    except OSError:
        pass
    assert 0 < written <= 64 << 20

def test_processes_are_few():
    children = 0
    try:
        for _ in range(100):
            if os.fork() == 0:
                while True:
                    os.wait() if False else threading.Event().wait()
            children += 1
    except OSError:
        pass
    assert 0 < children < 20
"""


FORGER = """
import json, os, sys
frame = sys._getframe()
while "task" not in frame.f_locals:
    frame = frame.f_back
mark = frame.f_locals["task"]["mark"]
REWIND
for channel in range(3, 9):
    try:
        os.write(channel, (FORGED + "\\n").replace("MARK", mark).encode())
    except OSError:
        pass
os._exit(0)
"""


@pytest.mark.extra
@pytest.mark.parametrize(
    "rewind", ["", "for n in range(3, 9):\n    try: os.ftruncate(n, 0); os.lseek(n, 0, 0)\n    except OSError: pass"]
)
@pytest.mark.parametrize(
    "forged",
    [
        '{"fault": "the tests are wrong"}',
        '{"ready": true, "fault": "the tests are wrong"}',
        '{"mark": "MARK", "fault": "the tests are wrong"}',
        '{"mark": "MARK", "passed": 1, "total": 0}',
        '{"mark": "MARK", "passed": 9, "total": 1}',
        '{"mark": "MARK", "passed": "all", "total": null}',
        '{"mark": "MARK"}',
        "[" * 50_000,
    ],
)
def test_a_program_cannot_leave_its_own_quality_open(metric: CodeTests, forged: str, rewind: str) -> None:
    program = FORGER.replace("FORGED", repr(forged)).replace("REWIND", rewind)
    assert metric.score("", program, TESTS) == 0.0


THREADS = """
import time
from concurrent.futures import ThreadPoolExecutor
def double(numbers):
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda n: time.sleep(0.3) or 2 * n, numbers))
"""


@pytest.mark.extra
def test_programs_that_run_beside_each_other_do_not_share_their_number_of_processes() -> None:
    metric, tests = CodeTests(), "assert double([1, 2, 3, 4]) == [2, 4, 6, 8]"
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(lambda _: metric.score("", THREADS, tests), range(8))] == [1.0] * 8


@pytest.mark.extra
def test_what_a_program_cannot_do_in_there() -> None:
    from tenbin.testing import FakeUpstream

    with FakeUpstream() as upstream:
        shares = CodeTests(partial=True).score("", "pass", INSIDE.replace("PORT", str(upstream.port)))
        assert upstream.received_count == 0
    assert shares == 1.0


@pytest.mark.extra
def test_a_share_of_the_tests_and_tests_in_a_file(tmp_path: Path) -> None:
    tests = tmp_path / "tests.py"
    cases = "import unittest\nclass Adds(unittest.TestCase):\n"
    cases += "    def test_a(self):\n        self.assertEqual(add(1, 2), 3)\n"
    cases += "    def test_b(self):\n        self.assertEqual(add(1, 2), 4)\n"
    tests.write_text(f"{cases}def test_c(): assert add(0, 0) == 0\ndef test_d(): raise SystemExit\n")
    metric = CodeTests(tests, partial=True)
    assert metric.score("", ADDS, None) == 0.5
    assert metric.name != CodeTests(tests).name != CodeTests().name == "code.6"
    check_metric(metric)
    with pytest.raises(ConfigError, match="cannot be read"):
        CodeTests(tmp_path / "none.py")


@pytest.mark.extra
def test_tests_that_cannot_tell_leave_the_quality_open(metric: CodeTests) -> None:
    for tests, fault in (
        ("def check(candidate):\n    assert candidate(1, 2) == 3\nMOST = 7", "the tests check nothing"),
        ("import solution\nassert solution", "the tests import solution, which is not there"),
        ("def test_add(tmp_path):\n    assert add(1, 2) == 3", "the test test_add takes arguments"),
    ):
        with pytest.raises(DataError, match=fault):
            metric.score("", ADDS, tests)
    with pytest.raises(DataError, match="the tests are no Python: "):
        metric.score("", ADDS, "assert add(1, 2 == 3")
