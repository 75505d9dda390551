"""How many tests a Python program passes: `{"code", "tests", "mark", ...}` in; started inside a sandbox, never outside.

Out come lines of JSON: `{"ready": true}` before the program is touched, with `"fault": sentence` where the tests are
no Python, then `{"mark", "passed", "total"}`. A program that ends itself, the process or the time leaves the last line
out: it has failed. The mark, which nobody knows beforehand, keeps what the program prints from being taken for it.

The tests see every name of the program. Functions `test_…` and `unittest.TestCase` classes count one by one; without
any the tests are a script of asserts, and count as one.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import resource
import sys
import unittest
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

NOBODIES = range(61_184, 65_520)
"""Accounts that belong to nobody (those that systemd, too, gives to services for the moment)."""
PROCESSES = 16
"""Processes and threads together."""
FILE_BYTES = 8 << 20
Report = Callable[[Mapping[str, Any]], None]


def main() -> None:
    """Limit this process, silence it, run the program and its tests, and leave whatever still runs."""
    task = json.load(sys.stdin)
    report = silenced()
    give_up_rights(task["memory_bytes"], task["cpu_s"], NOBODIES[int(task["mark"], 16) % len(NOBODIES)])
    fault = syntax_fault(task["tests"])
    if fault is not None:
        report({"ready": True, "fault": fault})
    else:
        report({"ready": True})
        passed, total = run(Path.cwd(), task["code"], task["tests"])
        report({"mark": task["mark"], "passed": passed, "total": total})
    os._exit(0)


def silenced() -> Report:
    """Keep the real output for reports and lead what programs print and read to nothing."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)

    def report(line: Mapping[str, Any]) -> None:
        print(json.dumps(line), file=out, flush=True)

    return report


def give_up_rights(memory_bytes: int, cpu_s: int, nobody: int) -> None:
    """Become a nobody where this is root, then take limits that cannot be raised again.

    Each program is one of its own: the system counts the processes of an account over all sandboxes together.
    """
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(nobody)
        os.setuid(nobody)
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NPROC, PROCESSES),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        resource.setrlimit(kind, (most, most))


def syntax_fault(tests: str) -> str | None:
    """Why the tests are no Python, if so."""
    try:
        ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"the tests are no Python: {error}"
    return None


def run(folder: Path, code: str, tests: str) -> tuple[int, int]:
    """Tests passed and tests in all; (0, 1) where the program, or the script of the tests, does not run through."""
    try:
        program = _module(folder, "program", code, {})
        checks = _module(folder, "checks", tests, vars(program))
    except BaseException:  # whatever the program does, leaving by SystemExit included
        return 0, 1
    results = [_passes(test) for test in _tests(checks)]
    return (sum(results), len(results)) if results else (1, 1)


def _module(folder: Path, name: str, text: str, names: Mapping[str, Any]) -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    module.__dict__.update({key: value for key, value in names.items() if not key.startswith("__")})
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _tests(checks: ModuleType) -> Iterator[Callable[[], Any]]:
    for name, value in list(vars(checks).items()):
        if isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == checks.__name__:
            for case in unittest.defaultTestLoader.loadTestsFromTestCase(value):
                yield case.debug  # which raises, where `run` would collect
        elif name.startswith("test_") and callable(value):
            yield value


def _passes(test: Callable[[], Any]) -> bool:
    try:
        test()
    except BaseException:  # asserts and whatever else
        return False
    return True


if __name__ == "__main__":
    main()
