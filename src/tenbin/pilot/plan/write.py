"""A pilot's folder on the disk: a new one appears whole or not at all, a later stage is put behind the earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tenbin.errors import StoreError, UsageError
from tenbin.pilot.folder import PilotFolder, damaged, put
from tenbin.pilot.pair import Pair
from tenbin.pilot.plan.planner import Planned
from tenbin.pilot.plan.stage import StagePlan
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.settings import PilotSettings
from tenbin.replacement import replacement


def create(folder: PilotFolder, settings: PilotSettings, prompts: Sequence[PilotPrompt], planned: Planned) -> None:
    """Make the folder of a new pilot (UsageError where it is there already or cannot be written)."""
    try:
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        with replacement(folder.path) as beside:
            beside.mkdir(mode=0o700)  # prompts may be private: the folder is its owner's alone
            made = PilotFolder(beside)
            made.write_settings(settings)
            put(made.prompts, _lines(prompts))
            write_stages(made, [planned.stage], planned.pairs)
    except (OSError, StoreError) as error:
        what = error.what if isinstance(error, StoreError) else f"cannot be made ({error.strerror})"
        raise UsageError(what, where=str(folder.path), fix="name another place with --root") from error


def write_stages(folder: PilotFolder, stages: Sequence[StagePlan], pairs: Sequence[Pair]) -> None:
    """Replace the stages and the plan of a pilot (StoreError).

    The plan is the last to change and what counts: a stage without pairs in it was never planned.
    """
    put(folder.stages, msgspec.json.format(msgspec.json.encode(list(stages)), indent=2) + b"\n")
    put(folder.plan, _lines(pairs))


def read_stages(folder: PilotFolder) -> list[StagePlan]:
    """The stages planned so far (DataError where the file is damaged)."""
    try:
        return msgspec.json.decode(folder.stages.read_bytes(), type=list[StagePlan])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise damaged(folder.stages, error) from error


def _lines(values: Sequence[Any]) -> bytes:
    encoder = msgspec.json.Encoder()
    return b"".join(encoder.encode(value) + b"\n" for value in values)
