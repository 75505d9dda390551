"""A program passes its tests, in a sandbox."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenbin.errors import ConfigError, DataError, MissingExtraError
from tenbin.quality.fenced import fenced
from tenbin.quality.identity import identity
from tenbin.quality.limited_process import WALL_FACTOR, run_program
from tenbin.quality.sandbox import INSTALL, sandboxed
from tenbin.quality.thoughts import without_thoughts

MAX_CHARACTERS = 200_000
TIMEOUT_S = 10
MEMORY_MB = 512
ANY_TEST = "assert True"
READING = 6
"""Counts up with every change of a verdict (`identity`)."""
_PROGRAM = re.compile(r"^(?:(?:async )?def|class|import|from|@)\b", re.MULTILINE)
_WORDS = re.compile(r"(?<=\n)\s*\n(?=[^\W\d_a-z][\w']*,? [^\W\d_]|[\u3040-\u9fff])")
"""A blank line, and behind it one of prose: a capitalised word and another one, or Japanese."""


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
        try:  # so that what cannot measure is refused before anything is paid for
            self._run(Programs(("",), False), self._tests or ANY_TEST)
        except DataError as error:
            raise ConfigError(f"{tests}: {error.what}", fix="correct the tests") from None

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 to 1; None without tests. Raises DataError for tests that cannot tell (no Python, nothing checked)."""
        tests = self._tests or reference
        if tests is None:
            return None
        passed, total = self._run(Programs.of(without_thoughts(answer)), tests)
        return passed / total if self.partial else float(passed == total)

    def _run(self, programs: Programs, tests: str) -> tuple[int, int]:
        """Tests passed and tests in all; nothing passed where the program ended without a report.

        What keeps the quality open stands in the first line, which was written before the program was touched; of all
        lines after it the program itself may be the writer.
        """
        mark = secrets.token_hex(16)
        cpu_s = max(round(self.timeout_s), 1)
        task = {
            "codes": programs.codes,
            "retries": programs.retries,
            "tests": tests,
            "mark": mark,
            "cpu_s": cpu_s,
            "memory_bytes": self.memory_mb << 20,
        }
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


@dataclass(frozen=True, slots=True)
class Programs:
    """What may be the program of an answer: the first that is Python, with `retries` the first that runs through."""

    codes: tuple[str, ...]
    retries: bool

    @classmethod
    def of(cls, answer: str) -> Programs:
        """All blocks of Python together, then the longest alone, for others may only show how it is used.

        Without fences the whole answer, then what stands between the words around it.

        >>> Programs.of("Sure!\\n```python\\ndef f(): return 1\\n```\\nUse it:\\n```python\\nf()\\n```").codes
        ('def f(): return 1\\nf()\\n', 'def f(): return 1\\n')
        >>> Programs.of("It is this:\\n\\ndef f():\\n    return 1\\n\\nThat is all.").codes[1]
        'def f():\\n    return 1\\n'
        """
        blocks = fenced(answer, {"python", "py", "python3"})
        found = ["".join(blocks), max(blocks, key=len)] if blocks else [answer, _without_words(answer)]
        return cls(tuple(dict.fromkeys(text[:MAX_CHARACTERS] for text in found)), bool(blocks))


def _without_words(answer: str) -> str:
    """From the first line that begins as a program does to the paragraph that does not."""
    begin = _PROGRAM.search(answer)
    code = "" if begin is None else answer[begin.start() :]
    end = _WORDS.search(code)
    return code[: end.start()] if end else code


def _read(tests: Path) -> str:
    try:
        return Path(tests).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the tests {tests} cannot be read ({error})", fix="check the path") from None
