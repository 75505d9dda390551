"""`[metrics.NAME]`: every kind and key is there, explained, and refused where it does not belong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tenbin.config import load_document, metric_settings, needs_reference, read_metrics, read_profiles
from tenbin.config.metrics import KIND_KEYS
from tenbin.config.schema import METRIC_KINDS, SECTIONS
from tenbin.errors import ConfigError

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_every_kind_has_its_keys_and_every_key_its_kinds() -> None:
    assert tuple(KIND_KEYS) == METRIC_KINDS
    used = {key for keys in KIND_KEYS.values() for key in (*keys.required, *keys.optional)}
    assert used | {"kind", "threshold"} == set(SECTIONS["metrics"].keys)


def test_the_pages_name_every_kind_and_the_kinds_of_every_key() -> None:
    quality = (REFERENCE / "quality.md").read_text(encoding="utf-8")
    assert [kind for kind in METRIC_KINDS if f"\n| `{kind}` |" not in quality] == []
    section = (REFERENCE / "config.md").read_text(encoding="utf-8").split("## `[metrics.NAME]`")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]+\| ([^|]+) \|", section, re.MULTILINE))
    for key in SECTIONS["metrics"].keys:
        kinds = [kind for kind, keys in KIND_KEYS.items() if key in (*keys.required, *keys.optional)]
        assert rows[key] == ("all" if key in ("kind", "threshold") else ", ".join(kinds)), key


def test_the_examples_of_the_page_are_whole(tmp_path: Path) -> None:
    page = (REFERENCE / "quality.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(examples) > 3
    path = tmp_path / "tenbin.toml"
    for example in examples:
        path.write_text(example, encoding="utf-8")
        document = load_document(path, {})
        assert read_metrics(document)
        for profile in read_profiles(document).values():
            assert profile.metric is not None
            metric_settings(document, profile.metric)


def test_files_are_found_beside_the_document(tmp_path: Path) -> None:
    path = tmp_path / "tenbin.toml"
    path.write_text("[metrics.q]\nkind = 'sql'\nfixture = 'shop.sql'")
    assert read_metrics(load_document(path, {}))["q"].settings == {"fixture": tmp_path / "shop.sql"}


def test_it_is_known_which_metrics_tell_nothing_without_a_reference(tmp_path: Path) -> None:
    tables = {
        "words": "kind = 'contains'",
        "named": "kind = 'contains'\ntexts = ['tea']",
        "banned": "kind = 'contains'\nforbidden = ['tea']",
        "form": "kind = 'json_schema'",
        "own_form": "kind = 'json_schema'\nschema = 's.json'",
        "program": "kind = 'code'",
        "own_tests": "kind = 'code'\ntests = 't.py'",
        "rows": "kind = 'sql'\nfixture = 'shop.sql'",
        "pattern": "kind = 'regex'\npattern = 'tea'",
        "helpful": "kind = 'judge'\njudge = 'j'",
        "plain_mix": "kind = 'mixture'\nweights = { named = 1 }\nvetoes = ['banned']",
        "mix": "kind = 'mixture'\nweights = { named = 1 }\nvetoes = ['inner']",
        "inner": "kind = 'mixture'\nweights = { numeric = 1 }",
    }
    path = tmp_path / "tenbin.toml"
    path.write_text("\n".join(["[candidates.j]\njudge = true", *(f"[metrics.{n}]\n{t}" for n, t in tables.items())]))
    document = load_document(path, {})
    names = [*tables, "exact", "normalised", "numeric", "choice"]
    needy = {"words", "form", "program", "rows", "mix", "inner", "exact", "normalised", "numeric", "choice"}
    assert {name for name in names if needs_reference(document, name)} == needy


def test_a_secret_in_a_table_is_refused(tmp_path: Path) -> None:
    key = "sk-" + "proj-0123456789abcdefghij"
    path = tmp_path / "tenbin.toml"
    path.write_text(f"[metrics.q]\nkind = 'plugin'\nplugin = 'p'\nsettings = {{ key = '{key}' }}")
    with pytest.raises(ConfigError, match="settings looks like a secret key") as caught:
        load_document(path, {})
    assert key not in str(caught.value)


def test_a_model_that_judges_is_no_candidate_of_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "tenbin.toml"
    path.write_text("[candidates.j]\njudge = true\n[profiles.p]")
    with pytest.raises(ConfigError, match="allow and deny leave no candidate"):
        read_profiles(load_document(path, {}))
    path.write_text("[candidates.j]\njudge = true\n[candidates.x]\n[profiles.p]\nsafe_default = 'j'")
    with pytest.raises(ConfigError, match='safe_default: "j" only judges'):
        read_profiles(load_document(path, {}))
