"""The three doors: which embedders, predictors and metrics are installed, and loading one by its name.

What Tenbin ships is found by the same entry points as anybody else's. A third-party plug-in is code that runs with
all rights of this process, so it loads only when its package is listed under `[plugins] allow`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any

from tenbin.errors import PluginError, TenbinError, UsageError, did_you_mean

OWN_PACKAGE = "tenbin"


@dataclass(frozen=True, slots=True)
class Door:
    """One kind of plug-in: its entry-point group, and the methods that a class behind it must have."""

    group: str
    methods: tuple[str, ...]


DOORS: Mapping[str, Door] = {
    "embedder": Door("tenbin.embedders", ("embed",)),
    "predictor": Door("tenbin.predictors", ("fit", "predict", "save", "load")),
    "metric": Door("tenbin.metrics", ("score",)),
}


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed plug-in, not yet loaded: its door, name, package, and where in the package it is.

    `is_allowed` is true for what Tenbin ships and for packages listed under `[plugins] allow`.
    """

    door: str
    name: str
    package: str
    version: str
    target: str
    is_allowed: bool

    @property
    def where(self) -> str:
        """Whose it is, for an error."""
        return f'{self.door} "{self.name}" of the package "{self.package}"'

    @property
    def is_own(self) -> bool:
        """Whether it ships with Tenbin."""
        return self.package == OWN_PACKAGE


@contextmanager
def blamed(where: str, what: str, fix: str) -> Iterator[None]:
    """Whatever other people's code raises inside ends in one sentence, a PluginError; a TenbinError says its own."""
    try:
        yield
    except (TenbinError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise PluginError(f"{what} ({detail})", where=where, fix=fix) from error


def list_plugins(allow: Collection[str] = ()) -> list[Plugin]:
    """Every installed plug-in by door, name and package; nothing is imported."""
    installed, doors = entry_points(), list(DOORS)
    offered = [(door, entry) for door in doors for entry in installed.select(group=DOORS[door].group)]
    # Each package once: reading its name parses the whole README.
    packages = {dist: _package(dist) for dist in {entry.dist for _, entry in offered}}
    found = [_plugin(door, entry, packages[entry.dist], allow) for door, entry in offered]
    return sorted(found, key=lambda plugin: (doors.index(plugin.door), plugin.name, plugin.package))


def load_plugin(door: str, name: str, allow: Collection[str] = ()) -> Callable[..., Any]:
    """The class (or maker) of the plug-in `name` behind a door ("embedder", "predictor", "metric").

    Raises PluginError as `find_plugin`, and for one that cannot be imported or lacks a method of its door.
    """
    return load(find_plugin(door, name, allow))


def find_plugin(door: str, name: str, allow: Collection[str] = ()) -> Plugin:
    """The one plug-in `name` behind a door that may be loaded; nothing is imported.

    Raises PluginError for a name that nobody offers or that two allowed packages offer, and for a package that is not
    allowed.
    """
    if door not in DOORS:
        raise UsageError(f'there is no door "{door}"', fix=f"the doors are {', '.join(DOORS)}")
    offered = [plugin for plugin in list_plugins(allow) if plugin.door == door]
    named = [plugin for plugin in offered if plugin.name == name]
    if not named:
        names = sorted({plugin.name for plugin in offered})
        known = f"installed: {', '.join(names)}" if names else "none is registered: install tenbin again"
        raise PluginError(f'there is no {door} "{name}"', fix=did_you_mean(name, names) or known)
    allowed = [plugin for plugin in named if plugin.is_allowed]
    if not allowed:
        package = named[0].package
        raise PluginError(
            f'the {door} "{name}" comes from the package "{package}", which is not allowed',
            fix=f'if you trust it, add "{package}" to allow under [plugins] in tenbin.toml (allow_plugins in Python)',
        )
    if len(allowed) > 1:
        packages = " and ".join(f'"{plugin.package}"' for plugin in allowed)
        raise PluginError(f'the {door} "{name}" is offered by {packages}', fix="allow or install only one of them")
    return allowed[0]


def load(plugin: Plugin) -> Callable[..., Any]:
    """The class (or maker) of a plug-in that may be loaded (PluginError as in `load_plugin`)."""
    where, door = plugin.where, DOORS[plugin.door]
    with blamed(where, "cannot be imported", fix="repair or remove the package"):
        made: Any = EntryPoint(plugin.name, plugin.target, door.group).load()
    if not callable(made):
        raise PluginError(f"{plugin.target} is no class", where=where, fix="name a class in its entry point")
    lacking = [
        method for method in door.methods if isinstance(made, type) and not callable(getattr(made, method, None))
    ]
    if lacking:
        fix = f"run tenbin.testing.check_{plugin.door} on it"
        raise PluginError(f"{plugin.target} has no method {lacking[0]}", where=where, fix=fix)
    maker: Callable[..., Any] = made
    return maker


def _package(found: Distribution | None) -> tuple[str, str]:
    """The name and version of a package, empty where nothing is known of it, as of one that is half removed."""
    metadata: Any = found.metadata if found else {}
    return metadata.get("Name") or "", metadata.get("Version") or ""


def _plugin(door: str, entry: EntryPoint, package: tuple[str, str], allow: Collection[str]) -> Plugin:
    name, version = package
    allowed = (allow,) if isinstance(allow, str) else allow  # a text is a collection, too: of letters
    trusted = {_normal(other) for other in (OWN_PACKAGE, *allowed)}
    return Plugin(door, entry.name, name, version, entry.value, _normal(name) in trusted)


def _normal(package: str) -> str:
    """The name of a package as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).lower()
