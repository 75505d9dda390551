"""What `tenbin doctor` has found out: one line each, said in the language asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tenbin.errors import TenbinError
from tenbin.report.catalogue import Catalogue

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: which check, of what, whether it is in order, and what to do if not.

    `text` and `fix` are keys of the words below `doctor`, filled with `values`. `error` gives a failure its class,
    hence its exit code.
    """

    check: str
    subject: str
    status: Status
    text: str
    values: Mapping[str, str] = field(default_factory=dict)
    fix: str | None = None
    error: type[TenbinError] = TenbinError

    @classmethod
    def of_error(cls, check: str, error: TenbinError, subject: str = "") -> Finding:
        """A failure that another room has already put into a sentence."""
        values = {"what": error.what, "advice": error.fix or ""}
        subject = subject or error.where or ""
        return cls(check, subject, "fail", "said", values, "advice" if error.fix else None, type(error))

    def what(self, words: Catalogue) -> str:
        """What was found, in a sentence."""
        return words(f"doctor.{self.text}", **self.values)

    def advice(self, words: Catalogue) -> str | None:
        """What to do, where there is something to do."""
        return None if self.fix is None else words(f"doctor.{self.fix}", **self.values)
