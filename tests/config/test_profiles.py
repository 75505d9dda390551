"""`[profiles.NAME]` and its `sla`: what is read, what contradicts itself, what does not exist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.config import Profile, Sla, load_document, read_profiles
from tenbin.config.schema import SECTIONS
from tenbin.errors import ConfigError

CANDIDATES = """
[candidates."gpt-4.1"]
[candidates.small]
[candidates.embed]
embeddings = true
"""
WHOLE = """
[profiles.cheap]
router = "routers/one"
min_quality = 0.97
w = 0.25
caution = 1
minimax = true
allow = ["gpt-4.1", "small"]
deny = ["small"]
group = "support"
safe_default = "gpt-4.1"
store_prompts = true
retention_days = 30
decision_deadline_ms = 12.5

[profiles.cheap.sla]
deadline_s = 60
first_token_s = 2.5
min_quality = 0.9
availability = 0.999
max_spend_usd = 20
"""


def profiles(folder: Path, text: str, environ: dict[str, str] | None = None) -> dict[str, Profile]:
    path = folder / "tenbin.toml"
    path.write_text(text, encoding="utf-8")
    return read_profiles(load_document(path, environ or {}))


def refusal(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        profiles(folder, text, environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_whole_profile(tmp_path: Path) -> None:
    assert profiles(tmp_path, CANDIDATES + WHOLE)["cheap"] == Profile(
        name="cheap",
        router=tmp_path / "routers/one",
        min_quality=0.97,
        w=0.25,
        caution=1.0,
        minimax=True,
        allow=("gpt-4.1", "small"),
        deny=("small",),
        group="support",
        safe_default="gpt-4.1",
        store_prompts=True,
        retention_days=30,
        decision_deadline_ms=12.5,
        sla=Sla(60.0, 2.5, 0.9, 0.999, 20.0),
    )


def test_an_empty_profile_promises_nothing_and_stores_nothing(tmp_path: Path) -> None:
    profile = profiles(tmp_path, "[profiles.plain]")["plain"]
    assert profile == Profile("plain")
    assert (profile.store_prompts, profile.decision_deadline_ms, profile.sla) == (False, 30.0, Sla())


def test_no_profiles() -> None:
    assert read_profiles(load_document(None, {})) == {}


def test_the_environment_reaches_profiles_and_their_sla(tmp_path: Path) -> None:
    environ = {
        "TENBIN_PROFILES__CHEAP__MIN_QUALITY": "0.95",
        "TENBIN_PROFILES__CHEAP__STORE_PROMPTS": "True",
        "TENBIN_PROFILES__CHEAP__ALLOW": "small, gpt-4.1",
        "TENBIN_PROFILES__CHEAP__SLA__DEADLINE_S": "30",
        "TENBIN_PROFILES__BARE__SLA__AVAILABILITY": ".99",
        "TENBIN_PROFILES__SLA__MU": "1e-2",
    }
    read = profiles(tmp_path, CANDIDATES + WHOLE + "[profiles.bare]\n[profiles.sla]\n", environ)
    assert read["cheap"].min_quality == 0.95
    assert read["cheap"].allow == ("small", "gpt-4.1")
    assert read["cheap"].sla.deadline_s == 30.0
    assert read["bare"].sla == Sla(availability=0.99)
    assert read["sla"].mu == 0.01


def test_a_dial_that_is_switched_off_is_none(tmp_path: Path) -> None:
    assert profiles(tmp_path, "[profiles.x]\nbest = false\nmu = 0.5")["x"].mu == 0.5
    assert profiles(tmp_path, "[profiles.x]\nmu = 0")["x"].mu == 0.0


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        ("mu = 0.5\nmin_quality = 0.9", "profiles.x.mu and profiles.x.min_quality are 2 dials for one thing"),
        ("mu = 0\nbest = true", "profiles.x.mu and profiles.x.best are 2 dials"),
        ("mu = 1.5", "profiles.x.mu = 1.5 is not a number from 0 to 1"),
        ("mu = nan", "profiles.x.mu = nan is not a number from 0 to 1"),
        ("mu = true", "profiles.x.mu = true is not a number"),
        ("mu = '0.5'", 'profiles.x.mu = "0.5" is not a number'),
        ('mu = "a\\nb"', 'profiles.x.mu = "a\\nb" is not a number'),
        ('"a\\nb" = 1', 'unknown key in profiles.x: "a\\nb"'),
        ('allow = ["a\\nb"]', 'there is no candidate "a\\nb"'),
        ("min_quality = 0", "profiles.x.min_quality = 0 is not a share of the reference's"),
        ("certified = true", "profiles.x.certified: what is certified is a min_quality of at most 1"),
        ("min_quality = 1.1\ncertified = true", "of at most 1, which the reference itself keeps; set e.g."),
        ("min_quality = 0.9\ncertified = true\nday_budget_usd = 5", "turned to keep a budget proves nothing"),
        (
            "min_quality = 0.9\ncertified = true\nstranger_day_budget_usd = 5",
            "leaves prompts unlike the training prompts to the dial",
        ),
        ("stranger_day_budget_usd = -1", "profiles.x.stranger_day_budget_usd = -1 is not a number, 0 or more"),
        ("day_budget_usd = 0", "profiles.x.day_budget_usd = 0 is not a number of dollars above 0"),
        ("min_quality = 97", "profiles.x.min_quality = 97 is not a share of the reference's"),
        ("max_cost_usd = -1", "profiles.x.max_cost_usd = -1 is not a number of dollars above 0"),
        ("max_cost_usd = inf", "profiles.x.max_cost_usd = inf is not a number of dollars"),
        ("caution = -0.1", "profiles.x.caution = -0.1 is not a number, 0 or more"),
        ("best = 1", "profiles.x.best = 1 is not true or false"),
        ("minqualty = 0.9", 'unknown key in profiles.x: "minqualty"; did you mean "min_quality"?'),
        ("allow = ['smal']", 'profiles.x.allow: there is no candidate "smal"; did you mean "small"?'),
        ("deny = ['gpt-4']", 'profiles.x.deny: there is no candidate "gpt-4"; did you mean "gpt-4.1"?'),
        ("safe_default = 'zzz'", 'there is no candidate "zzz"; candidates: gpt-4.1, small, embed'),
        ("safe_default = 'embed'", 'profiles.x.safe_default: "embed" is an embedding model'),
        ("safe_default = 'small'\ndeny = ['small']", 'profiles.x.safe_default: "small" is not allowed here'),
        ("safe_default = 'small'\nallow = ['gpt-4.1']", 'profiles.x.safe_default: "small" is not allowed here'),
        ("allow = []", "profiles.x.allow is empty; leave it out to allow every candidate"),
        ("allow = ['small']\ndeny = ['small']", "profiles.x: allow and deny leave no candidate"),
        ("allow = ['embed']", "profiles.x: allow and deny leave no candidate"),
        ("retention_days = 3", "profiles.x.retention_days: prompts are not stored; set store_prompts = true"),
        ("decision_deadline_ms = 0", "profiles.x.decision_deadline_ms = 0 is not a number of milliseconds"),
        ("[profiles.x.sla]\ndeadline = 3", 'unknown key in profiles.x.sla: "deadline"; did you mean "deadline_s"?'),
        ("[profiles.x.sla]\navailability = 99.9", "profiles.x.sla.availability = 99.9 is not a number from 0 to 1"),
        ("[profiles.x.sla]\ndeadline_s = 2\nfirst_token_s = 3", "first_token_s = 3 is late; at most 2, the deadline"),
        ("sla = 3", "profiles.x.sla is not a table; write [profiles.x.sla]"),
        ("[profiles.x.slo]\ndeadline_s = 2", 'unknown table "slo" in profiles.x; did you mean "sla"?'),
        ("[profiles.x.y]\nmu = 2", 'unknown table "y" in profiles.x; a name with a dot needs quotes: [profiles."x.y"]'),
    ],
)
def test_a_wrong_profile_is_refused_in_one_sentence(tmp_path: Path, inside: str, sentence: str) -> None:
    said = refusal(tmp_path, CANDIDATES + "[profiles.x]\n" + inside)
    assert sentence in said
    assert said.startswith(str(tmp_path / "tenbin.toml"))


@pytest.mark.parametrize("name", ['"a b"', '"a/b"', '"x\\r\\ny: z"', '"-a"', '"天秤"', f'"{"a" * 65}"'])
def test_a_name_that_no_client_could_write(tmp_path: Path, name: str) -> None:
    assert "clients could not write this name" in refusal(tmp_path, f"[profiles.{name}]")


def test_without_candidates_no_name_is_known_to_be_wrong(tmp_path: Path) -> None:
    assert profiles(tmp_path, "[profiles.x]\nallow = ['anything']")["x"].allow == ("anything",)


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("TENBIN_PROFILES__X__SLA__DEADLIN_S", "3", 'unknown key in sla of profiles: "deadlin_s"; did you mean'),
        ("TENBIN_PROFILES__X__SLA__DEADLINE_S", "soon", 'profiles.x.sla.deadline_s = "soon" is not a number of sec'),
        ("TENBIN_PROFILES__Y__SLA__DEADLINE_S", "3", 'there is no "y" in profiles'),
        ("TENBIN_PROFILES__X__SLA", "3", 'unknown key in profiles: "sla"'),
        ("TENBIN_PROFILES__X__MU", "nan", 'profiles.x.mu = "nan" is not a number from 0 to 1'),
        ("TENBIN_PROFILES__X__BEST", "yes", 'profiles.x.best = "yes" is not true or false'),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, value: str, sentence: str) -> None:
    said = refusal(tmp_path, "[profiles.x]", {variable: value})
    assert said.startswith(f"environment variable {variable}: ")
    assert sentence in said


SCALARS = st.one_of(
    st.booleans(), st.integers(), st.floats(), st.text(max_size=10), st.lists(st.text(max_size=5), max_size=3)
)
TABLES = st.fixed_dictionaries({}, optional=dict.fromkeys(SECTIONS["profiles"].keys, SCALARS))
SLAS = st.fixed_dictionaries({}, optional=dict.fromkeys(SECTIONS["profiles"].tables["sla"], SCALARS))


@given(st.text(max_size=8), TABLES, st.none() | SLAS)
def test_any_profile_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, name: str, table: dict[str, Any], sla: dict[str, Any] | None
) -> None:
    def lines(inside: dict[str, Any]) -> list[str]:
        return [f"{k} = {json.dumps(v).replace('Infinity', 'inf').replace('NaN', 'nan')}" for k, v in inside.items()]

    path = json.dumps(name)
    text = [f"[profiles.{path}]", *lines(table), *([] if sla is None else [f"[profiles.{path}.sla]", *lines(sla)])]
    file = tmp_path_factory.getbasetemp() / "any-profile.toml"
    file.write_text("\n".join(text), encoding="utf-8", newline="")
    said = ""
    try:
        read_profiles(load_document(file, {}))
    except ConfigError as error:
        said = str(error)
    assert "\n" not in said
