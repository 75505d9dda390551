"""The one tree of errors; each class has its own exit code.

TenbinError                 1
├── UsageError              2   a flag or argument that makes no sense
├── DataError               3   an input file that cannot be read as what it should be
├── PriceError              4   a model without a price, a price book that is unreadable or contradicts itself
├── ArtifactError           5   a router folder that is missing, damaged, of another format or embedder
├── ConfigError             6   tenbin.toml: unreadable, an unknown key, a wrong value
├── DecisionError           7   no candidate may answer this query, or a dial that nothing reaches
├── EvaluationError         8   nothing is left to evaluate or certify on
├── MissingExtraError       9   an optional package is not installed
├── NetworkError           10   a hub or an endpoint does not answer as it should
├── PluginError            11   a plug-in that is not allowed or does not keep to its door
├── StoreError             12   a ledger that cannot be opened, read or written
└── RequestError           13   a request that the gateway refuses
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

EXIT_INTERRUPTED = 130
"""Ctrl-C, no error of the tree: 128 + SIGINT, as shells count."""


class TenbinError(Exception):
    """Anything Tenbin refuses to do, in one sentence: where, what is wrong, what to do.

    `what` is the fault, `where` names the file, line, column or key, `fix` the next step for the reader.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(what, where, fix)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; {self.fix}" if self.fix else head


class UsageError(TenbinError):
    """A flag or argument that makes no sense."""

    exit_code = 2


class DataError(TenbinError):
    """An input file that cannot be read as what it should be."""

    exit_code = 3


class PriceError(TenbinError):
    """A model without a price, or a price book that cannot be read or contradicts itself."""

    exit_code = 4


class ArtifactError(TenbinError):
    """A router folder that is missing or damaged, of another format, or of another embedder."""

    exit_code = 5


class ConfigError(TenbinError):
    """A configuration that cannot be read, with an unknown key or a wrong value."""

    exit_code = 6


class DecisionError(TenbinError):
    """No candidate may answer this query, or a dial that nothing reaches."""

    exit_code = 7


class EvaluationError(TenbinError):
    """Nothing is left to evaluate or certify on."""

    exit_code = 8


class MissingExtraError(TenbinError):
    """An optional package that this step needs is not installed."""

    exit_code = 9


class NetworkError(TenbinError):
    """A hub or an endpoint that does not answer as it should."""

    exit_code = 10


class PluginError(TenbinError):
    """An embedder, predictor or metric that nobody offers, that is not allowed, or that does not keep to its door."""

    exit_code = 11


class StoreError(TenbinError):
    """A ledger that cannot be opened, read or written."""

    exit_code = 12


class RequestError(TenbinError):
    """A request that the gateway refuses: the HTTP `status`, a machine-readable `code`, and the field at fault.

    `param` is the path of that field as the client wrote it ("tenbin.mu", "messages[2].content"), None for the whole;
    `retry_after_s` says when the same request may succeed.
    """

    exit_code = 13

    def __init__(
        self,
        status: int,
        code: str,
        what: str,
        *,
        param: str | None = None,
        fix: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.param = param
        self.retry_after_s = retry_after_s
        super().__init__(what, fix=fix)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The question `did you mean "x" or "y"?` for the names nearest to a wrong one, None where nothing is near.

    Case and a provider in front (`mistralai/x` for `x`) are overlooked, for the question only: nobody is guessed at.
    """
    names = sorted(set(known))
    bare = [name.rpartition("/")[2].lower() for name in names]
    target = word.rpartition("/")[2].lower()
    ends = [target] if target in bare else list(dict.fromkeys(get_close_matches(target, bare, n=3)))
    found = [f'"{name}"' for end in ends for name, other in zip(names, bare, strict=True) if other == end][:3]
    return f"did you mean {' or '.join(found)}?" if found else None


def near_or_known(word: str, known: Iterable[str]) -> str | None:
    """`did_you_mean`; where nothing is near what is known, the first ten of it; None where nothing is."""
    names = sorted(set(known))
    listed = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return did_you_mean(word, names) or (f"known: {listed}" if names else None)
