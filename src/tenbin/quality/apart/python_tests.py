"""How many tests a Python program passes: `{"codes", "tests", ...}` in; started inside a sandbox, never outside.

Out come lines of JSON: `{"ready": true}` before the program is touched, with `"fault": sentence` where the tests cannot
measure, then `{"mark", "passed", "total"}`. A program that ends itself, the process or the time leaves the last line
out: it has failed. The mark, which nobody knows beforehand, keeps what the program prints from being taken for it.

The program is the first of `codes` that is Python, or with `retries` the first that runs through, too. The tests see
every name of it. Their functions `test_…`, without arguments, and their `unittest.TestCase` classes count one by one,
skipped ones aside; without any the tests are a script of asserts, and count as one. What the program defines is no
test, whatever it is called.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import inspect
import json
import os
import resource
import sys
import unittest
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard

NOBODIES = range(61_184, 65_520)
"""Accounts that belong to nobody (those that systemd, too, gives to services for the moment)."""
PROCESSES = 16
"""Processes and threads together."""
FILE_BYTES = 8 << 20
PROGRAM = "program"
"""The module that the program is, for tests that import it."""
Report = Callable[[Mapping[str, Any]], None]


def main() -> None:
    """Limit this process, silence it, run the program and its tests, and leave whatever still runs."""
    task = json.load(sys.stdin)
    report = silenced()
    give_up_rights(task["memory_bytes"], task["cpu_s"], NOBODIES[int(task["mark"], 16) % len(NOBODIES)])
    fault = fault_of(task["tests"])
    if fault is not None:
        report({"ready": True, "fault": fault})
    else:
        report({"ready": True})
        passed, total = run(Path.cwd(), task["codes"], task["retries"], task["tests"])
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


def fault_of(tests: str) -> str | None:
    """Why the tests cannot tell right from wrong here, if so."""
    try:
        tree = ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"the tests are no Python: {error}"
    lacking = next((name for node in tree.body for name in _imported(node) if not _is_there(name)), None)
    if lacking is not None:
        return f"the tests import {lacking}, which is not there; the names of the program they see without an import"
    fixed = next((node.name for node in tree.body if _is_test(node) and _has_to_be_given(node.args)), None)
    if fixed is not None:
        return f"the test {fixed} takes arguments, which nobody gives it: it is not run by pytest"
    if not any(_may_fail(node) for node in tree.body):
        return "the tests check nothing: no function test_..., no TestCase, nothing that could fail"
    return None


def _imported(node: ast.stmt) -> list[str]:
    """The packages that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        return [] if node.level or node.module is None else [node.module.partition(".")[0]]
    return [alias.name.partition(".")[0] for alias in node.names] if isinstance(node, ast.Import) else []


def _is_there(package: str) -> bool:
    return package == PROGRAM or package in sys.modules or importlib.util.find_spec(package) is not None


def _is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _has_to_be_given(args: ast.arguments) -> bool:
    given = len(args.posonlyargs) + len(args.args) > len(args.defaults)
    return given or any(default is None for default in args.kw_defaults)


def _may_fail(node: ast.stmt) -> bool:
    """Whether a statement is a test or does anything: a definition does not, nor what only a main program does."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return _is_test(node)
    if isinstance(node, ast.ClassDef):
        return bool(node.bases)
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass):
        return False
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr):
        return any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(node))
    return not (isinstance(node, ast.If) and "__name__" in ast.dump(node.test))


def run(folder: Path, codes: Sequence[str], retries: bool, tests: str) -> tuple[int, int]:
    """Tests passed and tests in all; (0, 1) where no program, or not the script of the tests, runs through."""
    try:
        program = _program(folder, codes, retries)
        vars(unittest)["main"] = lambda *_, **__: None  # it looks for tests in this file, and leaves the process
        checks = _module(folder, "checks", tests, vars(program))
    except BaseException:  # whatever the program does, leaving by SystemExit included
        return 0, 1
    its_own = {id(value) for value in vars(program).values()}
    found = [value for name, value in vars(checks).items() if name.startswith("test_") and id(value) not in its_own]
    results = [(int(_passes(test)), 1) for test in found if inspect.isroutine(test)]
    results += [_passed(kind) for kind in vars(checks).values() if _is_case(kind) and kind.__module__ == "checks"]
    if not results:
        return 1, 1
    passed, total = (sum(part) for part in zip(*results, strict=True))
    return (passed, total) if total else (0, 1)


def _program(folder: Path, codes: Sequence[str], retries: bool) -> ModuleType:
    passes: type[BaseException] = BaseException if retries else SyntaxError
    for code in codes[:-1]:
        with contextlib.suppress(passes):
            return _module(folder, PROGRAM, code, {})
    return _module(folder, PROGRAM, codes[-1], {})


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


def _passes(test: Callable[[], Any]) -> bool:
    """Whether a function runs through, to its end where it is a coroutine or a generator."""
    try:
        going_on = test()
        if inspect.isgenerator(going_on):
            list(going_on)
        elif inspect.iscoroutine(going_on):
            import asyncio  # noqa: PLC0415 (few tests need it)

            asyncio.run(going_on)
    except BaseException:  # asserts and whatever else
        return False
    return True


def _is_case(value: Any) -> TypeGuard[type[unittest.TestCase]]:
    return isinstance(value, type) and issubclass(value, unittest.TestCase)


def _passed(kind: type[unittest.TestCase]) -> tuple[int, int]:
    """Methods of a class of tests that passed, and all of them, with what they share set up and taken down."""
    suite, result = unittest.defaultTestLoader.loadTestsFromTestCase(kind), unittest.TestResult()
    count = suite.countTestCases()
    try:
        suite.run(result)
    except BaseException:
        return 0, count
    total = count - len(result.skipped)
    told = [test for test, _ in [*result.failures, *result.errors]] + result.unexpectedSuccesses
    if not all(hasattr(test, "_testMethodName") or hasattr(test, "test_case") for test in told):
        return 0, total  # what they share could not be set up
    return total - len({id(getattr(test, "test_case", test)) for test in told}), total


if __name__ == "__main__":
    main()
