"""From `tenbin.toml` to a grade: the kinds, thresholds, mixtures, other people's code, and all that goes wrong."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tenbin.config import load_document
from tenbin.errors import ConfigError, PluginError
from tenbin.quality.grade import Answered, Grade
from tenbin.quality.grader import Grader
from tenbin.quality.open_grader import open_grader

ACME = """
class Words:
    name = "words"

    def __init__(self, most=3):
        self.most = most

    def score(self, query, answer, reference):
        return float(len(answer.split()) <= self.most)

def seven(query, answer, reference):
    return 7

def nan(query, answer, reference):
    return float("nan")

def raises(query, answer, reference):
    raise ValueError("no\\nsuch \\x1b[31mthing")

def leaves(query, answer, reference):
    raise SystemExit(3)

def flag(query, answer, reference):
    return answer == reference

def text(query, answer, reference):
    return "1"
"""

JUDGE = "[candidates.x]\nmodel = 'x'\nbase_url = 'http://127.0.0.1:1/v1'\njudge = true\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for tenbin.toml, and an installed package acme-metrics."""
    place = tmp_path / "site"
    info = place / "acme_metrics-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-metrics\nVersion: 1.0\n")
    names = ("Words", "seven", "nan", "raises", "leaves", "flag", "text")
    entries = "\n".join(f"{name.lower()} = acme_metrics:{name}" for name in names)
    (info / "entry_points.txt").write_text(f"[tenbin.metrics]\n{entries}\n")
    (place / "acme_metrics.py").write_text(ACME)
    monkeypatch.syspath_prepend(place)
    monkeypatch.delitem(sys.modules, "acme_metrics", raising=False)
    return tmp_path


def opened(folder: Path, text: str, metric: str = "m", threshold: float | None = None) -> Grader:
    path = folder / "tenbin.toml"
    path.write_text(text, encoding="utf-8")
    document = load_document(path, {})
    return open_grader(document, metric, prices=None, client=None, candidates=(), environ={}, threshold=threshold)


def graded(grader: Grader, answer: str, reference: str | None = "4") -> Grade:
    answered = Answered("q", "small", "What is 2 + 2?", answer, reference=reference)
    assert grader.reserve_usd(answered) == 0.0
    return asyncio.run(grader.grade(answered))


def test_a_kind_needs_no_table(folder: Path) -> None:
    grade = graded(opened(folder, "", "numeric"), "It is 4.")
    assert grade == Grade(1.0, "numeric.5")


def test_settings_reach_the_metric_and_its_name(folder: Path) -> None:
    loose = opened(folder, "[metrics.m]\nkind = 'numeric'\ntolerance = 0.5")
    assert graded(loose, "5").quality == 1.0
    assert loose.name.startswith("numeric.5-")
    assert opened(folder, "[metrics.other]\nkind = 'numeric'\ntolerance = 0.5", "other").name == loose.name


def test_an_empty_answer_and_a_missing_reference_are_noted(folder: Path) -> None:
    grader = opened(folder, "", "exact")
    assert graded(grader, " ") == Grade(0.0, "exact", "the answer is empty")
    assert graded(grader, "4", None) == Grade(None, "exact", "exact cannot tell: the prompt has no reference")


@pytest.mark.parametrize(
    ("plugin", "quality", "note"),
    [
        ("seven", None, "returned 7, which is no quality from 0 to 1"),
        ("nan", None, "returned nan, which is no quality"),
        ("text", None, "returned '1', which is no quality"),
        ("raises", None, "raised ValueError: no such [31mthing"),
        ("leaves", None, "raised SystemExit: 3"),
        ("flag", 1.0, ""),
        ("words", 1.0, ""),
    ],
)
def test_a_callable_of_a_package_whatever_it_does(folder: Path, plugin: str, quality: float | None, note: str) -> None:
    text = f"[plugins]\nallow = ['acme-metrics']\n[metrics.m]\nkind = 'plugin'\nplugin = '{plugin}'"
    grade = graded(opened(folder, text), "4")
    assert grade.quality == quality
    assert note in grade.note
    assert bool(note) == bool(grade.note)


def test_a_plugin_is_made_with_its_settings_and_only_when_allowed(folder: Path) -> None:
    text = "[metrics.m]\nkind = 'plugin'\nplugin = 'words'\nsettings = { most = 1 }"
    with pytest.raises(PluginError, match='"acme-metrics", which is not allowed'):
        opened(folder, text)
    allowed = f"[plugins]\nallow = ['acme-metrics']\n{text}"
    assert graded(opened(folder, allowed), "two words").quality == 0.0
    assert opened(folder, allowed).name != opened(folder, allowed.replace("1", "2")).name
    with pytest.raises(PluginError, match=r"cannot be made \(TypeError: "):
        opened(folder, allowed.replace("most", "least"))


def test_a_threshold_says_whether_the_promise_is_met(folder: Path) -> None:
    text = """
    [metrics.m]
    kind = "mixture"
    weights = { exact = 1, normalised = 3 }
    """
    assert graded(opened(folder, text), "４").quality == 0.75
    met = opened(folder, text, threshold=0.75)
    assert (graded(met, "４").quality, graded(met, "４").details["score"]) == (1.0, "0.75")
    assert graded(opened(folder, text, threshold=0.76), "４").quality == 0.0
    assert graded(met, "4", None).quality is None
    assert {graded(met, "４").metric, graded(met, "4", None).metric} == {met.name}
    assert met.name.endswith(">=0.75")
    own = opened(folder, text + "threshold = 0.75")
    assert (own.name, graded(own, "４").quality) == (met.name, 1.0)


MIXTURE = """
[plugins]
allow = ["acme-metrics"]
[metrics.brief]
kind = "plugin"
plugin = "words"
[metrics.polite]
kind = "contains"
forbidden = ["stupid"]
[metrics.broken]
kind = "plugin"
plugin = "raises"
[metrics.m]
kind = "mixture"
weights = { numeric = 2, brief = 1 }
vetoes = ["polite"]
[metrics.torn]
kind = "mixture"
weights = { numeric = 2, broken = 1 }
vetoes = ["polite"]
[metrics.nested]
kind = "mixture"
weights = { m = 1, exact = 1 }
"""


def test_a_mixture_weighs_and_a_veto_is_final(folder: Path) -> None:
    mixture = opened(folder, MIXTURE)
    assert graded(mixture, "4").quality == 1.0
    assert graded(mixture, "I have the answer: 4").quality == pytest.approx(2 / 3)
    breached = graded(mixture, "4, stupid")
    assert (breached.quality, breached.note) == (0.0, "polite is breached")
    assert graded(opened(folder, MIXTURE, "nested"), "4 !").quality == 0.5
    assert graded(mixture, "4").details == {"polite": "1", "numeric": "1", "brief": "1"}


def test_a_part_that_cannot_tell_leaves_the_mixture_unable_but_for_a_breach(folder: Path) -> None:
    torn = opened(folder, MIXTURE, "torn")
    grade = graded(torn, "4")
    assert grade.quality is None
    assert grade.note.startswith("broken: ")
    assert "raised ValueError" in grade.note
    assert graded(torn, "stupid").quality == 0.0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", 'there is no metric "m"'),
        ("[metrics.m]", "metrics.m has no kind; add kind ="),
        ("[metrics.m]\nkind = 'exakt'", 'did you mean "exact"?'),
        (
            "[metrics.m]\nkind = 'numeric'\ntolerence = 1",
            'unknown key in metrics.m: "tolerence"; did you mean "tolerance',
        ),
        ("[metrics.m]\nkind = 'exact'\ntolerance = 1", '"tolerance" is no key of the kind "exact"'),
        ("[metrics.m]\nkind = 'regex'", "metrics.m has no pattern"),
        ("[metrics.m]\nkind = 'regex'\npattern = '('", "metrics.m: "),
        (f"{JUDGE}[metrics.m]\nkind = 'judge'\njudge = 'x'", "metrics.m: a judge cannot be asked here; name a metric"),
        ("[metrics.m]\nkind = 'mixture'\nweights = {}", "is not a table of numbers above 0"),
        ("[metrics.m]\nkind = 'mixture'\nweights = { exact = 0 }", "is not a table of numbers above 0"),
        ("[metrics.m]\nkind = 'mixture'\nweights = { exat = 1 }", 'metrics.m.weights: there is no metric "exat"; did'),
        ("[metrics.m]\nkind = 'mixture'\nweights = { m = 1 }", '"m" in "m" is a circle'),
        ("[metrics.m]\nkind = 'judge'\njudge = 'x'", 'metrics.m.judge: there is no candidate "x"; add [candidates.x]'),
        ("[metrics.m]\nkind = 'plugin'\nplugin = 'w'\nsettings = { a = [1] }", "is not a table of texts, numbers"),
        ("[metrics.m]\nkind = 'exact'\nthreshold = 2", "threshold = 2 is not a number from 0 to 1"),
    ],
)
def test_a_wrong_metric_is_refused_in_one_sentence(folder: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(folder, text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_circle_through_two_mixtures_is_refused(folder: Path) -> None:
    text = "[metrics.{}]\nkind = 'mixture'\nweights = {{ {} = 1 }}\n"
    with pytest.raises(ConfigError, match='"m" in "n" in "m" is a circle'):
        opened(folder, text.format("m", "n") + text.format("n", "m"))


def test_a_profile_names_a_metric_that_exists(folder: Path) -> None:
    from tenbin.config import read_profiles

    path = folder / "tenbin.toml"
    path.write_text("[profiles.p]\nmetric = 'numeric'\nthreshold = 0.5")
    profile = read_profiles(load_document(path, {}))["p"]
    assert (profile.metric, profile.threshold) == ("numeric", 0.5)
    for text, sentence in (
        ("metric = 'nummeric'", 'profiles.p.metric: there is no metric "nummeric"; did you mean "numeric"?'),
        ("threshold = 0.5", "profiles.p.threshold: there is no metric"),
    ):
        path.write_text(f"[profiles.p]\n{text}")
        with pytest.raises(ConfigError, match=sentence.replace("?", r"\?")):
            read_profiles(load_document(path, {}))
