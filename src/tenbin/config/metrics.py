"""The section `[metrics.NAME]`: how the business measures an answer, each metric of one kind with the keys of it.

A kind that needs no key may be named without a table: `metric = "exact"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tenbin.config.document import Document, path_of
from tenbin.config.schema import METRIC_KINDS
from tenbin.config.values import quoted
from tenbin.errors import ConfigError, did_you_mean


@dataclass(frozen=True, slots=True)
class KindKeys:
    """The keys that a kind must have and those that it may have, besides `kind` and `threshold`."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


ASKS_A_MODEL = ("temperature", "max_output_tokens", "max_answer_characters", "own_family", "timeout_s")
KIND_KEYS: Mapping[str, KindKeys] = {
    "exact": KindKeys(),
    "normalised": KindKeys(),
    "numeric": KindKeys(optional=("tolerance", "absolute_tolerance")),
    "choice": KindKeys(optional=("choices",)),
    "contains": KindKeys(optional=("texts", "any", "forbidden", "whole_words")),
    "regex": KindKeys(required=("pattern",), optional=("forbid",)),
    "json_schema": KindKeys(optional=("schema",)),
    "sql": KindKeys(required=("fixture",)),
    "code": KindKeys(optional=("tests", "partial", "memory_mb", "timeout_s")),
    "judge": KindKeys(required=("judge",), optional=("rubric", "scale", *ASKS_A_MODEL)),
    "pairwise": KindKeys(required=("judge",), optional=("rubric", *ASKS_A_MODEL)),
    "mixture": KindKeys(required=("weights",), optional=("vetoes",)),
    "plugin": KindKeys(required=("plugin",), optional=("settings",)),
}
REFERENCED: Mapping[str, tuple[str, ...]] = {
    "exact": (),
    "normalised": (),
    "numeric": (),
    "choice": (),
    "sql": (),
    "contains": ("texts", "forbidden"),
    "json_schema": ("schema",),
    "code": ("tests",),
}
"""Kinds that tell nothing of an answer without its prompt's reference, unless one of these keys is given."""
FILES = ("schema", "fixture", "tests")
"""Keys that name a file."""
SCALES = range(2, 101)
PARTS = ("weights", "vetoes")
"""Keys that name other metrics."""


@dataclass(frozen=True, slots=True)
class MetricSettings:
    """One metric: its `kind`, and its keys but `kind` and `threshold`; files are given as paths on this machine.

    `threshold` turns the score into whether it is reached, 0 or 1; None: the score itself is the quality.
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    threshold: float | None = None


def read_metrics(document: Document) -> dict[str, MetricSettings]:
    """The metrics of the document by name.

    Raises ConfigError for a table without `kind`, a key that its kind does not have or lacks, a judge that is no
    candidate, and a mixture of metrics that do not exist or contain it.
    """
    return {name: metric_settings(document, name) for name in document.named.get("metrics", {})}


def metric_settings(document: Document, name: str, *, asked_by: str | None = None) -> MetricSettings:
    """The metric of this name: a table, or a kind that needs no key; ConfigError as `read_metrics`.

    `asked_by` is the key that names it, for the sentence where there is no such metric.
    """
    return _read(document, name, asked_by, ())


def needs_reference(document: Document, name: str) -> bool:
    """Whether this metric, or a part of it, can tell nothing of an answer to a prompt without a reference."""
    wanted = metric_settings(document, name)
    if wanted.kind == "mixture":
        return any(needs_reference(document, part) for key in PARTS for part in wanted.settings.get(key, ()))
    return wanted.kind in REFERENCED and not any(wanted.settings.get(key) for key in REFERENCED[wanted.kind])


def _read(document: Document, name: str, asked_by: str | None, inside: tuple[str, ...]) -> MetricSettings:
    """The metric `name`, asked for by the mixtures `inside`, the outermost first."""
    path = path_of("metrics", name)
    if name in inside:
        chain = " in ".join(quoted(link) for link in (name, *reversed(inside)))
        raise ConfigError(f"{path}: {chain} is a circle", where=document.name, fix="take one of them out")
    table = document.named.get("metrics", {}).get(name)
    if table is None:
        return _bare(document, name, asked_by)
    kind = _kind(document, path, table)
    _check_keys(document, path, kind, table)
    settings = {key: value for key, value in table.items() if key not in ("kind", "threshold")}
    for key in FILES:
        if key in settings:
            settings[key] = document.path(settings[key])
    found = MetricSettings(name, kind, settings, table.get("threshold"))
    if "judge" in settings:
        _check_judge(document, path, settings["judge"])
    if settings.get("scale", 2) not in SCALES:
        fix = "give a whole number from 2 to 100"
        raise ConfigError(f"{path}.scale = {settings['scale']} is no scale", where=document.name, fix=fix)
    for key in PARTS:
        for part in settings.get(key, ()):
            _read(document, part, f"{path}.{key}", (*inside, name))
    return found


def _bare(document: Document, name: str, asked_by: str | None) -> MetricSettings:
    bare = [kind for kind, keys in KIND_KEYS.items() if not keys.required]
    if name in bare:
        return MetricSettings(name, name)
    known = [*document.named.get("metrics", {}), *bare]
    what = (
        f"there is no metric {quoted(name)}" if asked_by is None else f"{asked_by}: there is no metric {quoted(name)}"
    )
    fix = did_you_mean(name, known) or f"add [metrics.NAME] with a kind, or name one of {', '.join(known)}"
    raise ConfigError(what, where=document.name, fix=fix)


def _kind(document: Document, path: str, table: Mapping[str, Any]) -> str:
    kind: str | None = table.get("kind")
    if kind is None:
        fix = f'add kind = "…", one of {", ".join(METRIC_KINDS)}'
        raise ConfigError(f"{path} has no kind", where=document.name, fix=fix)
    return kind


def _check_keys(document: Document, path: str, kind: str, table: Mapping[str, Any]) -> None:
    """Refuse keys of other kinds, and a table that lacks one of its own."""
    keys = KIND_KEYS[kind]
    own = (*keys.required, *keys.optional)
    for key in table:
        if key not in (*own, "kind", "threshold"):
            what = f'unknown key in {path}: {quoted(key)} is no key of the kind "{kind}"'
            known = ", ".join(own) or "threshold alone"
            raise ConfigError(what, where=document.name, fix=did_you_mean(key, own) or f"known here: {known}")
    for key in keys.required:
        if key not in table:
            raise ConfigError(
                f"{path} has no {key}", where=document.name, fix=f'a metric of the kind "{kind}" needs it'
            )


def _check_judge(document: Document, path: str, judge: str) -> None:
    candidates = document.named["candidates"]
    if judge not in candidates:
        near = did_you_mean(judge, candidates)
        fix = near or f"add [{path_of('candidates', judge)}] with judge = true: a judge is reached as a candidate is"
        raise ConfigError(f"{path}.judge: there is no candidate {quoted(judge)}", where=document.name, fix=fix)
    if candidates[judge].get("embeddings", False):
        fix = "name a candidate that answers"
        raise ConfigError(f'{path}.judge: "{judge}" is an embedding model', where=document.name, fix=fix)
