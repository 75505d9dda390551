"""A program passes its tests, in a sandbox."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from tenbin.errors import ConfigError, DataError, MissingExtraError
from tenbin.quality.fenced import fenced
from tenbin.quality.identity import identity
from tenbin.quality.limited_process import WALL_FACTOR, run_program
from tenbin.quality.sandbox import INSTALL, sandboxed

MAX_CHARACTERS = 200_000
TIMEOUT_S = 10
MEMORY_MB = 512
ANY_TEST = "assert True"
READING = 4
"""Counts up with every change of a verdict (`identity`)."""


class CodeTests:
    """1 where the Python program in the answer passes all tests (`partial`: the share of them that it passes).

    The tests are the file `tests`, or each prompt's reference: functions `test_…`, `unittest` cases, or a script of
    asserts that sees the program's names. They run inside bubblewrap only (`sandbox`), for `timeout_s` seconds of
    computing, in `memory_mb` per process; a program that breaks off, exits or takes longer has failed. Raises
    MissingExtraError where the sandbox cannot be made here, ConfigError for a file of tests that cannot measure.
    """

    def __init__(
        self,
        tests: Path | None = None,
        partial: bool = False,
        memory_mb: int = MEMORY_MB,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.partial = partial
        self.memory_mb = memory_mb
        self.timeout_s = timeout_s
        self._tests = None if tests is None else _read(tests)
        settings = {"tests": self._tests, "partial": partial, "memory_mb": memory_mb, "timeout_s": timeout_s}
        usual = {"tests": None, "partial": False, "memory_mb": MEMORY_MB, "timeout_s": TIMEOUT_S}
        self.name = identity("code", {key: value for key, value in settings.items() if value != usual[key]}, READING)
        self._command = sandboxed("python_tests")
        try:
            self._run("", self._tests or ANY_TEST)  # so that what cannot measure is refused before anything is paid for
        except DataError as error:
            raise ConfigError(f"{tests}: {error.what}", fix="correct the tests") from None

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 to 1; None without tests. Raises DataError for tests that cannot tell (no Python, nothing checked)."""
        tests = self._tests or reference
        if tests is None:
            return None
        passed, total = self._run(program_of(answer), tests)
        return passed / total if self.partial else float(passed == total)

    def _run(self, code: str, tests: str) -> tuple[int, int]:
        """Tests passed and tests in all; nothing passed where the program ended without a report.

        What keeps the quality open stands in the first line, which was written before the program was touched; of all
        lines after it the program itself may be the writer.
        """
        mark = secrets.token_hex(16)
        cpu_s = max(round(self.timeout_s), 1)
        task = {"code": code, "tests": tests, "mark": mark, "cpu_s": cpu_s, "memory_bytes": self.memory_mb << 20}
        ended = run_program(self._command, task, WALL_FACTOR * cpu_s, {})
        first, *lines = [_object(line) for line in ended.output.split(b"\n")]
        if "ready" not in first:
            why = (ended.complaint.splitlines() or ["it gives no reason"])[-1]
            fix = f"{INSTALL}, in version 0.7 or newer, and allow it to make namespaces"
            raise MissingExtraError(f"programs run only inside bubblewrap, which does not run here ({why})", fix=fix)
        if "fault" in first:
            raise DataError(first["fault"])
        report = next((line for line in lines if line.get("mark") == mark), {})
        passed, total = report.get("passed"), report.get("total")
        if isinstance(passed, int) and isinstance(total, int) and 0 <= passed <= total and total > 0:
            return passed, total
        return 0, 1


def _object(line: bytes) -> dict[str, Any]:
    """The JSON object of a line, empty where it holds none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def program_of(answer: str) -> str:
    """The longest block of Python between fences, else the whole answer.

    >>> program_of("Sure!\\n```python\\ndef f(): return 1\\n```\\nUse it:\\n```python\\nf()\\n```")
    'def f(): return 1\\n'
    """
    blocks = fenced(answer, {"python", "py", "python3"})
    return (max(blocks, key=len) if blocks else answer)[:MAX_CHARACTERS]


def _read(tests: Path) -> str:
    try:
        return Path(tests).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the tests {tests} cannot be read ({error})", fix="check the path") from None
