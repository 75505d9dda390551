"""The locks are whole: every package pinned and hashed, nothing of this or that machine in them, nothing missing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = {
    "demo": (("demo",), ("build",)),
    "dev": (("demo",), ("build", "dev")),
    "lint": (("demo",), ("build", "dev", "lint")),
    "more": (("demo", "light", "multilingual", "prices"), ("build", "dev", "lint", "browser", "clients")),
}


def entries(lock: str) -> list[str]:
    """The requirements of a lock, each with its hashes on one line."""
    text = (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")
    lines = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def pins(lock: str) -> dict[str, set[str]]:
    """The versions of every package; more than one where the Python version decides."""
    found: dict[str, set[str]] = {}
    for entry in entries(lock):
        name, version = re.match(r"([\w.-]+)==([\w.!+]+)", entry).groups()
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def asked_for(lock: str) -> list[Requirement]:
    """What pyproject.toml wants of that lock."""
    extras, groups = GROUPS[lock]
    texts = [*PROJECT["project"]["dependencies"]]
    for extra in extras:
        texts += PROJECT["project"]["optional-dependencies"][extra]
    for group in groups:
        texts += [text for text in PROJECT["dependency-groups"][group] if isinstance(text, str)]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("lock", GROUPS)
def test_every_package_is_pinned_and_hashed_and_names_no_place(lock: str) -> None:
    assert entries(lock)
    for entry in entries(lock):
        assert re.fullmatch(r"[\w.-]+==[\w.!+]+( ; [^-@]*?)?( --hash=sha256:[0-9a-f]{64})+", entry), entry
    text = (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|index-url|find-links|file:", text)


@pytest.mark.parametrize("lock", GROUPS)
def test_what_the_project_asks_for_is_there(lock: str) -> None:
    held = pins(lock)
    for requirement in asked_for(lock):
        versions = held.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement.name} is not in requirements/{lock}.lock; run make lock"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: run make lock"


@pytest.mark.parametrize(("small", "large"), [("demo", "dev"), ("dev", "lint"), ("lint", "more")])
def test_each_lock_holds_the_one_before(small: str, large: str) -> None:
    held = pins(large)
    assert {name: versions for name, versions in pins(small).items() if held.get(name) != versions} == {}
