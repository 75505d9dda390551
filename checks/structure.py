"""The structure check: how long files and functions may be, what they may be called, what they may not do.

Run as `python checks/structure.py [ROOT]`: prints one line per fault and exits with 1 if there is any. There is no
list of exceptions, and none is to be added: a rule that needs one is the wrong rule.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
ROOMS = ("src", "tests", "runs", "bench", "checks")
VAGUE_NAMES = frozenset({"util", "utils", "helper", "helpers", "common", "misc"})
CODE_FROM_DATA = frozenset({"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"})
CODE_FROM_TEXT = frozenset({"eval", "exec", "compile"})
MUTABLE_MAKERS = frozenset(
    {"list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict", "WeakValueDictionary"}
)
READ_ONLY_TYPES = frozenset({"Mapping", "Sequence", "Set", "AbstractSet", "Collection", "Iterable"})
GUARDS = frozenset({"TYPE_CHECKING", "__name__ == '__main__'"})
# Calls that only make a value out of what stands beside them. Names in CapWords are classes and count as such, too.
DECLARING_CALLS = frozenset(
    {
        "frozenset",
        "tuple",
        "float",
        "int",
        "str",
        "bytes",
        "ord",
        "chr",
        "range",
        "sorted",
        "len",
        "min",
        "max",
        "sum",
        "zip",
    }
    | {"compile", "namedtuple", "field", "dtype", "fields", "timedelta", "log", "exp", "sqrt"}
    | {"join", "split", "strip", "encode", "fromkeys", "items", "keys", "values", "maketrans", "fromhex"}
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule: the file, the line, what is wrong."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def callee(call: ast.Call) -> str:
    """The last name of what is called: `compile` of `re.compile(...)`, empty where it has none."""
    target = call.func
    if isinstance(target, ast.Subscript):
        target = target.value
    if isinstance(target, ast.Attribute):
        return target.attr
    return target.id if isinstance(target, ast.Name) else ""


def is_code_from_text(call: ast.Call) -> bool:
    """Whether this runs text as code: the built-in eval, exec or compile, not a method like `re.compile`."""
    return isinstance(call.func, ast.Name) and call.func.id in CODE_FROM_TEXT


def imported(node: ast.AST) -> tuple[str, ...]:
    """The top packages that an import statement names."""
    if isinstance(node, ast.Import):
        return tuple(alias.name.split(".")[0] for alias in node.names)
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return (node.module.split(".")[0],)
    return ()


def length(path: Path, source: str) -> Iterator[Fault]:
    """A file, in Python or in C, that has grown too long."""
    lines = source.count("\n") + (not source.endswith("\n"))
    if lines > MAX_FILE_LINES:
        yield Fault(path, 1, f"the file has {lines} lines, more than {MAX_FILE_LINES}; split it by its nouns")


def sizes(path: Path, source: str, tree: ast.Module) -> Iterator[Fault]:
    """Files and functions that have grown too long."""
    yield from length(path, source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                what = f"{node.name} has {lines} lines, more than {MAX_FUNCTION_LINES}; split it by its steps"
                yield Fault(path, node.lineno, what)


def names(path: Path) -> Iterator[Fault]:
    """Files and folders whose name says nothing."""
    for part in (*path.parts[:-1], path.stem):
        if part.removeprefix("test_").strip("_") in VAGUE_NAMES:
            yield Fault(path, 1, f"{part!r} names no noun; call it after what it holds")


def dangers(path: Path, tree: ast.Module) -> Iterator[Fault]:
    """Code that would run what it reads, and state that functions change behind the caller's back."""
    for node in ast.walk(tree):
        for package in imported(node):
            if package in CODE_FROM_DATA:
                yield Fault(
                    path, getattr(node, "lineno", 1), f"{package} runs code from data; store plain arrays and JSON"
                )
        if isinstance(node, ast.Call) and is_code_from_text(node):
            yield Fault(path, node.lineno, f"{callee(node)} runs text as code")
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            yield Fault(path, node.value.lineno, "allow_pickle lets a file run code; leave it off")
        if isinstance(node, ast.Global):
            yield Fault(path, node.lineno, f"global {', '.join(node.names)}: hand state over as an argument")


def is_declaring(call: ast.Call) -> bool:
    """Whether a call at import only makes a value: a class in CapWords, or one of the plain makers."""
    name = callee(call)
    return name.lstrip("_")[:1].isupper() or name in DECLARING_CALLS or name in MUTABLE_MAKERS


def calls_at_import(statement: ast.stmt) -> Iterator[ast.Call]:
    """The calls that run when the statement is imported: not those inside functions; decorators are declarations."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None]
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.ClassDef):
            waiting += node.body
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting += ast.iter_child_nodes(node)


def is_mutable(value: ast.expr | None) -> bool:
    """Whether an expression makes a list, a dict, a set or the like."""
    if isinstance(value, ast.Call):
        return callee(value) in MUTABLE_MAKERS
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


def is_read_only(annotation: ast.expr | None) -> bool:
    """Whether a type, perhaps inside Final or ClassVar, lets nobody change the value (mypy then sees to it)."""
    while isinstance(annotation, ast.Subscript):
        head = (
            annotation.value.attr
            if isinstance(annotation.value, ast.Attribute)
            else getattr(annotation.value, "id", "")
        )
        if head not in {"Final", "ClassVar"}:
            return head in READ_ONLY_TYPES
        annotation = annotation.slice
    return False


def top_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run at import, those inside if, try and with too, but not what those two guards keep out."""
    for statement in body:
        if isinstance(statement, ast.If):
            if ast.unparse(statement.test) not in GUARDS:
                yield from top_statements(statement.body)
            yield from top_statements(statement.orelse)
        elif isinstance(statement, ast.Try):
            handlers = [inner for handler in statement.handlers for inner in handler.body]
            yield from top_statements(statement.body + handlers + statement.orelse + statement.finalbody)
        elif isinstance(statement, ast.With):
            yield from top_statements(statement.body)
        else:
            yield statement


def import_work(path: Path, tree: ast.Module) -> Iterator[Fault]:
    """Work done at import, and module-level values that anybody may change."""
    for statement in top_statements(tree.body):
        for call in calls_at_import(statement):
            if not is_declaring(call):
                name = callee(call) or "a call"
                yield Fault(path, call.lineno, f"{name}() runs at import; do it inside the function that needs it")
        if isinstance(statement, ast.Assign):
            targets, annotation, value = statement.targets, None, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, annotation, value = [statement.target], statement.annotation, statement.value
        else:
            continue
        labels = [target.id for target in targets if isinstance(target, ast.Name)]
        if is_mutable(value) and labels != ["__all__"] and not is_read_only(annotation):
            what = f"{', '.join(labels) or 'a value'} at module level can be changed by anybody"
            yield Fault(
                path, statement.lineno, f"{what}; annotate it Mapping or Sequence, or make it a tuple or frozenset"
            )


def faults_of(path: Path, source: str) -> list[Fault]:
    """Every fault of one file, `path` relative to the project; only src is held to the rules on what code does."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return [Fault(path, error.lineno or 1, f"is not Python: {error.msg}")]
    found = [*names(path), *sizes(path, source, tree)]
    if path.parts[0] == "src":
        found += [*dangers(path, tree), *import_work(path, tree)]
    return found


def faults(root: Path) -> list[Fault]:
    """Every fault of the project at `root`, by file and line."""
    found: list[Fault] = []
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            found += faults_of(path.relative_to(root), path.read_text(encoding="utf-8"))
        for path in (root / room).rglob("*.c"):
            found += length(path.relative_to(root), path.read_text(encoding="utf-8"))
    return sorted(found, key=lambda fault: (str(fault.path), fault.line))


def main(arguments: list[str]) -> int:
    """Print the faults of the project; 1 if there are any."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    found = faults(root)
    for fault in found:
        print(fault)
    print(f"structure: {len(found)} faults" if found else "structure: no faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
