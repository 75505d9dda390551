"""The three doors, with real installed packages: folders on sys.path that carry the metadata of a wheel."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tenbin.errors import MissingExtraError, PluginError, UsageError
from tenbin.plugins import DOORS, Plugin, list_plugins, load_plugin

Install = Callable[..., None]

SCORER = """
class Exact:
    name = "exact"

    def score(self, query, answer, reference):
        return None if reference is None else float(answer == reference)

class NoScore:
    name = "none"

number = 3
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    def install(package: str, module: str, source: str, group: str, **entries: str) -> None:
        folder = tmp_path / package
        info = folder / f"{package.replace('-', '_')}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        lines = "\n".join(f"{name} = {target}" for name, target in entries.items())
        (info / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")
        (folder / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


def test_a_third_party_plugin_is_listed_but_loads_only_when_allowed(install: Install) -> None:
    install("Acme-Scorers", "acme_scorers", SCORER, "tenbin.metrics", letters="acme_scorers:Exact")
    (found,) = [plugin for plugin in list_plugins() if plugin.name == "letters"]
    assert (found.door, found.package, found.version, found.is_allowed) == ("metric", "Acme-Scorers", "1.2", False)
    assert "acme_scorers" not in sys.modules
    with pytest.raises(PluginError, match=r'"Acme-Scorers", which is not allowed; if you trust it, add "Acme-Scorers"'):
        load_plugin("metric", "letters")
    assert "acme_scorers" not in sys.modules
    assert load_plugin("metric", "letters", allow="acme-scorers") is not None
    metric = load_plugin("metric", "letters", allow=["acme_scorers"])()
    assert metric.score("q", "a", "a") == 1.0


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("import no_such_module_here", "Exact", "cannot be imported (ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)", "Exact", "cannot be imported (SystemExit: 3)"),
        ("def (", "Exact", "cannot be imported (SyntaxError"),
        (SCORER, "Missing", "cannot be imported (AttributeError"),
        (SCORER, "number", "acme_broken:number is no class"),
        (SCORER, "NoScore", "acme_broken:NoScore has no method score; run tenbin.testing.check_metric"),
    ],
)
def test_a_broken_plugin_is_one_sentence(install: Install, source: str, target: str, sentence: str) -> None:
    install("acme-broken", "acme_broken", source, "tenbin.metrics", broken=f"acme_broken:{target}")
    with pytest.raises(PluginError) as caught:
        load_plugin("metric", "broken", allow=["acme-broken"])
    assert str(caught.value).startswith('metric "broken" of the package "acme-broken": ')
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_extra_says_its_own_sentence(install: Install) -> None:
    source = "from tenbin.errors import MissingExtraError\nraise MissingExtraError('x is not installed')"
    install("acme-extra", "acme_extra", source, "tenbin.embedders", extra="acme_extra:E")
    with pytest.raises(MissingExtraError, match="x is not installed"):
        load_plugin("embedder", "extra", allow=["acme-extra"])


def test_two_allowed_packages_with_one_name_are_refused(install: Install) -> None:
    install("acme-one", "acme_one", SCORER, "tenbin.metrics", same="acme_one:Exact")
    install("acme-two", "acme_two", SCORER, "tenbin.metrics", same="acme_two:Exact")
    with pytest.raises(PluginError, match='is offered by "acme-one" and "acme-two"'):
        load_plugin("metric", "same", allow=["acme-one", "acme-two"])
    assert load_plugin("metric", "same", allow=["acme-two"]).__module__ == "acme_two"


def test_a_package_that_is_half_removed_stops_nobody(install: Install, tmp_path: Path) -> None:
    install("acme-ghost", "acme_ghost", SCORER, "tenbin.metrics", ghost="acme_ghost:Exact")
    (tmp_path / "acme-ghost" / "acme_ghost-1.2.dist-info" / "METADATA").unlink()
    assert load_plugin("metric", "exact", allow=["acme-ghost"])
    with pytest.raises(PluginError, match='the metric "ghost" comes from the package "", which is not allowed'):
        load_plugin("metric", "ghost", allow=["acme-ghost"])


def test_unknown_names_and_doors(install: Install) -> None:
    install("acme-scorers", "acme_scorers", SCORER, "tenbin.metrics", letters="acme_scorers:Exact")
    with pytest.raises(PluginError, match='there is no metric "exakt"; did you mean "exact"'):
        load_plugin("metric", "exakt")
    with pytest.raises(UsageError, match='there is no door "judge"; the doors are embedder, predictor, metric'):
        load_plugin("judge", "x")


@pytest.mark.parametrize("plugin", [p for p in list_plugins() if p.package == "tenbin"], ids=lambda p: p.name)
def test_what_tenbin_ships_loads_through_its_door(plugin: Plugin) -> None:
    made = load_plugin(plugin.door, plugin.name)
    assert all(callable(getattr(made, method)) for method in DOORS[plugin.door].methods)
