"""For how long texts are kept that a profile stored: as it says, or as it said last where it stores none any more."""

from __future__ import annotations

from collections.abc import Mapping

from tenbin.gateway.snapshot import ServedProfile
from tenbin.store.marks import Marks

KIND = "retention"


class Retained:
    """The days of every profile that has stored texts, marked in the store: whoever stops storing, or drops or renames
    a profile, has not thereby decided to keep for ever what was promised to go. Methods block.
    """

    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def days(self, profiles: Mapping[str, ServedProfile]) -> dict[str, float]:
        """By profile, those of old too, after how many days texts go. Errors: StoreError."""
        marked = self._marks.all()
        days = {
            name: float(served.profile.retention_days)
            for name, served in profiles.items()
            if served.profile.retention_days is not None
        }
        for name, now in days.items():
            if marked.get(name) != {"days": now}:
                self._marks.put(name, {"days": now})
        for name, mark in marked.items():
            if name in profiles and profiles[name].profile.store_prompts:
                if name not in days:  # it stores on, until texts are deleted
                    self._marks.take(name)
            elif isinstance(then := mark.get("days"), int | float) and then > 0.0:
                days[name] = float(then)
        return days
