"""A pilot's folder: which file holds what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = "pilots"


@dataclass(frozen=True, slots=True)
class PilotFolder:
    """The files of one pilot. All but the journal are written beside and renamed; the journal only grows."""

    path: Path

    @property
    def name(self) -> str:
        """The pilot's name."""
        return self.path.name

    @property
    def settings(self) -> Path:
        """What was decided when the pilot was planned: profile, candidates, metric, budget, seed (JSON)."""
        return self.path / "settings.json"

    @property
    def prompts(self) -> Path:
        """`PilotPrompt`, one a line."""
        return self.path / "prompts.jsonl"

    @property
    def plan(self) -> Path:
        """`Pair`, one a line, in the order of buying; a later stage is put behind the earlier ones."""
        return self.path / "plan.jsonl"

    @property
    def stages(self) -> Path:
        """What each stage was planned for: number of pairs, forecast dollars and seconds, certainty (JSON list)."""
        return self.path / "stages.json"

    @property
    def journal(self) -> Path:
        """`Record`, one a line: the only truth about what was bought; torn last lines are cut off when it is opened."""
        return self.path / "journal.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the one process that writes the journal."""
        return self.path / "lock"
