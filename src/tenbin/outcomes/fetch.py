"""Public outcome sets from the hub, one function: `tenbin data fetch sprout|routerbench`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tenbin.errors import NetworkError, UsageError, did_you_mean
from tenbin.outcomes.hub import Hub, HubFile
from tenbin.types import Progress

HUB_URL = "https://huggingface.co"
TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105  (the name of the variable, not a token)
CONVERTED = "refs/convert/parquet"
MAX_BYTES = 20 * 1024**3


@dataclass(frozen=True, slots=True)
class DatasetOnHub:
    """Where a public set is; `wanted` maps revisions, best first, to the pattern of the paths that are wanted there."""

    repo: str
    wanted: Mapping[str, str]


DATASETS: Mapping[str, DatasetOnHub] = {
    "sprout": DatasetOnHub("CARROT-LLM-Routing/SPROUT", {"main": r".*\.parquet", CONVERTED: r".*\.parquet"}),
    # The authors publish pickles. Where the hub has made Parquet of them, that is taken; otherwise the zero-shot
    # pickle comes, checked, for the user to convert: Tenbin opens none.
    "routerbench": DatasetOnHub(
        "withmartian/routerbench",
        {CONVERTED: r".*\.parquet", "main": r"routerbench_0shot\.(parquet|csv|pkl)"},
    ),
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """The files that are now in the folder, and a sentence on what to do before they can be read, if anything."""

    files: tuple[Path, ...]
    note: str | None = None


def fetch_dataset(
    name: str,
    folder: Path,
    *,
    hub_url: str = HUB_URL,
    progress: Progress | None = None,
    timeout_s: float = 30.0,
    pause_s: float = 1.0,
) -> Fetched:
    """Download a public outcome set, "sprout" or "routerbench", into a folder (made where it is missing).

    Run again it goes on where it stopped; sizes and SHA-256 are checked. A token in the environment variable HF_TOKEN
    is sent to the hub's own host only. `timeout_s` bounds each wait for the network, `pause_s` the first pause between
    attempts. An unknown name or a folder that cannot be written is a UsageError, everything the network does a
    NetworkError.
    """
    if name not in DATASETS:
        fix = did_you_mean(name, DATASETS) or f"use one of {', '.join(DATASETS)}"
        raise UsageError(f'"{name}" is no data set that can be fetched', fix=fix)
    data = DATASETS[name]
    hub = Hub(hub_url, os.environ.get(TOKEN_VARIABLE) or None, timeout_s=timeout_s, pause_s=pause_s)
    revision, files = _wanted(hub, data)
    targets = [folder / _local_name(file, hub) for file in files]
    if len(set(targets)) < len(targets):
        raise NetworkError(
            f"lists two files of one name for {data.repo}", where=hub.host, fix="fetch it with a browser"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder} ({error.strerror})", fix="give another folder") from error
    total, done = max(sum(file.size for file in files), 1), 0
    for file, target in zip(files, targets, strict=True):

        def told(at: int, before: int = done, path: str = file.path) -> None:
            if progress is not None:
                progress(f"fetching {path}", (before + at) / total)

        hub.download(data.repo, revision, file, target, told)
        done += file.size
    return Fetched(tuple(targets), _note(targets))


def _wanted(hub: Hub, data: DatasetOnHub) -> tuple[str, list[HubFile]]:
    for revision, pattern in data.wanted.items():
        files = [file for file in hub.files(data.repo, revision) or [] if re.fullmatch(pattern, file.path)]
        if files:
            _refuse_size(hub, data.repo, files)
            return revision, sorted(files, key=lambda file: file.path)
    raise NetworkError(
        f"has no file of {data.repo} that Tenbin can use",
        where=hub.host,
        fix=f"look at {hub.url.rstrip('/')}/datasets/{data.repo} for where it has gone",
    )


def _refuse_size(hub: Hub, repo: str, files: Sequence[HubFile]) -> None:
    size = sum(file.size for file in files)
    if size > MAX_BYTES:
        what = f"lists {size / 1024**3:.0f} GB for {repo}, more than the {MAX_BYTES // 1024**3} GB that are expected"
        raise NetworkError(what, where=hub.host, fix="fetch the files you want with a browser")


def _local_name(file: HubFile, hub: Hub) -> str:
    """One flat name: data/train-0.parquet -> train-0.parquet, default/train/0.parquet -> default-train-0.parquet."""
    parts = [part for part in PurePosixPath(file.path).parts if part != "data"]
    name = "-".join(parts)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,150}", name):
        raise NetworkError(f'lists a file with the odd name "{file.path[:60]}"', where=hub.host, fix="fetch it by hand")
    return name


def _note(targets: Sequence[Path]) -> str | None:
    pickles = [target for target in targets if target.suffix == ".pkl"]
    if not pickles:
        return None
    name = pickles[0]
    return (
        f"{name} is a pickle, and opening a pickle can run any code in it, so Tenbin does not; if you trust its"
        ' authors, convert it once in an environment of its own with pandas and pyarrow: python -c "import pandas;'
        f" pandas.read_pickle('{name}').to_parquet('{name.with_suffix('.parquet')}')\""
    )
