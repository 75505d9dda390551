"""A pilot's folder: which file holds what."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tenbin.errors import ConfigError, DataError, StoreError, did_you_mean
from tenbin.pilot.commands import pilot_command
from tenbin.pilot.pair import Pair
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.settings import PilotSettings
from tenbin.replacement import replacement


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

    def read_settings(self) -> PilotSettings:
        """What the pilot was planned with (DataError)."""
        try:
            return msgspec.json.decode(_read(self.settings), type=PilotSettings)
        except msgspec.MsgspecError as error:
            raise damaged(self.settings, error) from error

    def check_places(self, settings: PilotSettings) -> None:
        """Say which file outside of the folder is gone, as where a project was moved, and where its place is written.

        Raises ConfigError.
        """
        for name, place in (("config", settings.config), ("prices", settings.prices)):
            if place is not None and not Path(place).exists():
                fix = f'put it back, or write its new place into {self.settings} ("{name}")'
                raise ConfigError("is not there (any more)", where=place, fix=fix)

    def write_settings(self, settings: PilotSettings) -> None:
        """Put the settings in place of what stands there (StoreError)."""
        put(self.settings, msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")

    def read_plan(self) -> list[Pair]:
        """The pairs to buy, bought ones included, in the order of buying (DataError)."""
        return _some(decode_lines(_read(self.plan), Pair, self.plan), self.plan)

    def read_prompts(self) -> list[PilotPrompt]:
        """The prompts, whether asked or not, in the order of the file (DataError)."""
        return _some(decode_lines(_read(self.prompts), PilotPrompt, self.prompts), self.prompts)


def put(path: Path, content: bytes) -> None:
    """Put a file in place of what stands there, written beside and renamed (StoreError: what stood there stays)."""
    try:
        with replacement(path) as beside, beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
        raise StoreError(what, where=str(path), fix="make room or mend the disk; what was there is kept") from error


def decode_lines(raw: bytes, kind: Any, path: Path) -> list[Any]:
    """The JSON lines of a file as values of the type `kind`, without blank ones (DataError naming the line)."""
    decoder = msgspec.json.Decoder(kind)
    decoded = []
    for number, line in enumerate(raw.split(b"\n"), start=1):
        try:
            if line.strip():
                decoded.append(decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise damaged(f"{path}:{number}", error) from error
    return decoded


def _some(values: list[Any], path: Path) -> list[Any]:
    """The values; none at all is no pilot's file (DataError)."""
    if not values:
        raise damaged(path, "it is empty")
    return values


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        folder = PilotFolder(path.parent)
        if folder.settings.exists():
            raise damaged(path, "it is gone") from error
        raise _unknown(folder) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path), fix="check its permissions") from error


def _unknown(folder: PilotFolder) -> DataError:
    """What to say where no pilot of this name is."""
    root = folder.path.parent
    near = did_you_mean(folder.name, [settings.parent.name for settings in root.glob("*/settings.json")])
    fix = near or f"plan it first: {pilot_command('plan', folder.name, root, 'PROMPTS', '--budget', 'USD')}"
    return DataError("there is no such pilot", where=str(folder.path), fix=fix)


def damaged(where: Path | str, error: Exception | str) -> DataError:
    """What to say of a file that is not as a pilot writes it."""
    return DataError(f"is damaged ({error})", where=str(where), fix="take it from a copy, or plan the pilot anew")
