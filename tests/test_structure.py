"""The structure check catches what it says it catches; that it holds for this project, `make lint` and the gate see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from checks.structure import MAX_FILE_LINES, MAX_FUNCTION_LINES, faults, faults_of

ROOT = Path(__file__).resolve().parent.parent
SOURCE = Path("src/tenbin/thing.py")


def test_a_planted_fault_fails_the_command(tmp_path: Path) -> None:
    planted = tmp_path / "src" / "tenbin" / "thing.py"
    planted.parent.mkdir(parents=True)
    planted.write_text("import os\n\nimport pickle\n", encoding="utf-8")
    command = [sys.executable, ROOT / "checks" / "structure.py", tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stdout.startswith(f"{SOURCE}:3: pickle ")
    planted.write_text("import os\n", encoding="utf-8")
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "structure: no faults\n"), run.stderr


def test_a_file_of_c_may_not_be_longer(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "thing.c").write_text("int x;\n" * (MAX_FILE_LINES + 1), encoding="utf-8")
    assert [(fault.path, fault.line) for fault in faults(tmp_path)] == [(Path("src/thing.c"), 1)]


def function_of(lines: int) -> str:
    return "def long() -> None:\n" + "    print()\n" * (lines - 1)


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        ("x = 1\n" * (MAX_FILE_LINES + 1), 1, "401 lines"),
        (function_of(MAX_FUNCTION_LINES + 1), 1, "61 lines"),
        ("class A:\n" + indent(function_of(61), "    "), 2, "61 lines"),
        ("async " + function_of(MAX_FUNCTION_LINES + 1), 1, "61 lines"),
        ("def f():\n    import pickle\n", 2, "pickle"),
        ("from pickle import loads\n", 1, "pickle"),
        ("import joblib.pool\n", 1, "joblib"),
        ("def f(x):\n    return eval(x)\n", 2, "eval"),
        ("def f(x):\n    exec(x)\n", 2, "exec"),
        ("def f(x):\n    return np.load(x, allow_pickle=True)\n", 2, "allow_pickle"),
        ("def f(x, y):\n    return np.load(x, allow_pickle=y)\n", 2, "allow_pickle"),
        ("def f():\n    global state\n", 2, "global state"),
        ("x = 1\nCACHE = {}\n", 2, "CACHE"),
        ("SEEN: list[str] = []\n", 1, "SEEN"),
        ("SEEN: Final[set[str]] = set()\n", 1, "SEEN"),
        ("if True:\n    STATE = defaultdict(int)\n", 2, "STATE"),
        ("try:\n    import a\nexcept ImportError:\n    HAS = []\n", 4, "HAS"),
        ("logging.basicConfig()\n", 1, "basicConfig"),
        ("table = load(open('x'))\n", 1, "load()"),
        ("class A:\n    table = read()\n", 2, "read()"),
        ("def f(x=read()):\n    pass\n", 1, "read()"),
        ("with open('x') as f:\n    text = f.read()\n", 2, "read()"),
        ("def f(:\n", 1, "is not Python"),
    ],
)
def test_a_fault_is_caught_at_its_line(source: str, line: int, word: str) -> None:
    assert [fault.line for fault in faults_of(SOURCE, source) if word in fault.what] == [line]


@pytest.mark.parametrize(
    "path",
    [
        "src/tenbin/utils.py",
        "src/tenbin/common/price.py",
        "tests/helpers.py",
        "tests/test_utils.py",
        "src/tenbin/_misc.py",
    ],
)
def test_a_name_that_says_nothing_is_caught(path: str) -> None:
    assert any("names no noun" in fault.what for fault in faults_of(Path(path), ""))


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n" * MAX_FILE_LINES,
        function_of(MAX_FUNCTION_LINES),
        "WORD = re.compile('a')\nKINDS = frozenset({'a'})\nNAMES = ('a', 'b')\n",
        "RATES: Mapping[str, int] = {'a': 1}\nORDER: Final[Sequence[str]] = ['a']\n__all__ = ['f']\n",
        "START = Anchor('a', 1.0)\nT = TypeVar('T')\n",
        "@click.command()\n@click.option('--x', default=3)\ndef f(x):\n    return [x, print(x)]\n",
        "if TYPE_CHECKING:\n    import a\n",
        "if __name__ == '__main__':\n    sys.exit(main())\n",
        "def f(model, x):\n    return model.eval(x), np.load(x, allow_pickle=False)\n",
        "class A:\n    x: list[str] = field(default_factory=list)\n",
        "PICK = lambda x: read(x)\n",
    ],
)
def test_plain_code_is_left_alone(source: str) -> None:
    assert faults_of(SOURCE, source) == []


def test_what_code_does_is_checked_in_src_only() -> None:
    assert faults_of(Path("tests/test_thing.py"), "CASES = [read()]\n") == []


def test_every_room_is_walked(tmp_path: Path) -> None:
    for room in ("src/tenbin/deep", "tests", "runs", "bench", "checks"):
        (tmp_path / room).mkdir(parents=True)
        (tmp_path / room / "long.py").write_text("x = 1\n" * 401, encoding="utf-8")
    assert len(faults(tmp_path)) == 5
