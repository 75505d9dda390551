"""The page keeps its promises: nothing foreign runs or loads, nothing is unescaped, everything is told."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.errors import UsageError
from tenbin.evaluate.baselines import ORACLE_NOTE
from tenbin.evaluate.result import LearningPoint
from tenbin.reasons import Reason
from tenbin.report import Example, render_report, write_report
from tenbin.report.catalogue import load_catalogue
from tenbin.report.charts.cost_quality import curve_in
from tenbin.report.charts.learning import learning
from tenbin.report.edition import Edition
from tenbin.report.frame import narrow, text_width, wide
from tenbin.report.numbers import Numbers
from tenbin.types import Figure
from tests.report.made import HOSTILE, UNKNOWN, figure, make_decision, make_evaluation, make_point, make_singles
from tests.report.reading import Page

LANGUAGES = ("en", "ja")
UNKNOWN_MODELS = "ignored, because the router does not know them: "
SEEN_HOSTILE = "</script><img src=x onerror=alert(1)>"


def tag_names(page: Page) -> list[str]:
    return [tag for tag, _ in page.elements]


@pytest.fixture(params=LANGUAGES)
def page(request: pytest.FixtureRequest) -> Page:
    return Page(render_report(make_evaluation(), lang=request.param))


def test_the_structure_is_sound(page: Page) -> None:
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    for _, found in page.elements:
        for reference in ("aria-labelledby", "for"):
            assert found.get(reference) is None or found[reference] in ids
        target = found.get("href")
        assert target is None or target.removeprefix("#") in ids
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert page.document.count("</figcaption></figure>") == len(page.all("figcaption")) > 0


def test_only_our_style_and_script_may_run(page: Page) -> None:
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    scripts = zip(page.all("script"), page.source("script"), strict=True)
    running = [source for found, source in scripts if found.get("type") != "application/json"]
    for kind, sources in (("script-src", running), ("style-src", page.source("style"))):
        digests = [base64.b64encode(hashlib.sha256(source.encode()).digest()).decode() for source in sources]
        assert len(digests) == 1
        assert rules[kind] == f"'sha256-{digests[0]}'"


def test_nothing_is_loaded_and_nothing_needs_inline_permission(page: Page) -> None:
    for tag, found in page.elements:
        assert "src" not in found, tag
        assert "style" not in found, tag
        assert not [name for name in found if name.startswith("on")], tag
    assert not {"img", "iframe", "object", "embed", "link", "form"} & set(tag_names(page))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_document_names_no_address(lang: str) -> None:
    document = render_report(make_evaluation(), lang=lang)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", document)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_names_and_texts_stay_text(lang: str) -> None:
    shown = [Example(HOSTILE, make_decision(HOSTILE + "3", HOSTILE))]
    hostile = make_evaluation(
        [HOSTILE + str(k) for k in range(1, 4)],
        sentences={lang: (HOSTILE, HOSTILE)}, group=HOSTILE, note=HOSTILE,
    )  # fmt: skip
    versions = {"tenbin": HOSTILE, HOSTILE: HOSTILE}
    hostile = dataclasses.replace(
        hostile, oracle_note=HOSTILE, data=dataclasses.replace(hostile.data, versions=versions)
    )
    document = render_report(hostile, lang=lang, examples=shown, title=HOSTILE)
    page = Page(document)
    assert not {"img", "svg/onload=alert"} & set(tag_names(page))
    assert not [found for _, found in page.elements if any(name.startswith("on") for name in found)]
    assert SEEN_HOSTILE in page.text()
    assert "\x00" not in document
    document.encode("utf-8")
    embedded = next(s for f, s in zip(page.all("script"), page.source("script"), strict=True)
                    if f.get("id") == "tenbin-evaluation")  # fmt: skip
    assert json.loads(embedded)["notes"] == [HOSTILE]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_name_turns_the_sentence_around_it(lang: str) -> None:
    """U+202E holds to the end of its paragraph: what followed a name was read from right to left."""
    names = [f"{mark}name" for mark in ("\u202e", "\u202b", "\u2067")]
    document = render_report(make_evaluation(names, sentences={lang: (names[0], names[0])}), lang=lang, title=names[0])
    whole = next(s for f, s in zip(Page(document).all("script"), Page(document).source("script"), strict=True)
                 if f.get("id") == "tenbin-evaluation")  # fmt: skip
    assert re.findall("[\u202a-\u202e\u2066-\u2069]", document.replace(whole, "")) == []
    assert names[0] in whole


def outside_charts(models: list[str]) -> list[str]:
    """The tags of a report on these models; in a chart a name that does not fit is left out."""
    page = Page(render_report(make_evaluation(models, points=3)))
    return [tag for tag in tag_names(page) if tag not in ("text", "path", "title")]


@pytest.fixture(scope="module")
def plain() -> list[str]:
    return outside_charts(["m", "n"])


@settings(max_examples=20)
@given(one=st.text(min_size=1, max_size=40), other=st.text(min_size=1, max_size=40))
def test_no_name_changes_the_structure(plain: list[str], one: str, other: str) -> None:
    assert outside_charts([one + "m", other + "n"]) == plain


def boxes(svg: str, kind: str) -> list[tuple[float, float]]:
    """About where the figures of the axes begin and end, those of one anchor, in the order of the page."""
    found = re.findall(rf'<text x="([-\d.]+)" y="[-\d.]+" class="tick" text-anchor="{kind}">([^<]+)<', svg)
    widths = {"end": 1.0, "middle": 0.5}[kind]
    return [(float(x) - text_width(what) * widths, float(x) + text_width(what) * (1.0 - widths)) for x, what in found]


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("dear", [1.0, 1e9, 1e-9])
def test_the_figures_of_the_axes_lie_in_the_picture_and_beside_each_other(dear: float, log: bool) -> None:
    made = make_evaluation(points=41)
    priced = [
        tuple(dataclasses.replace(one, cost_usd=figure(one.cost_usd.value * dear, 0.0)) for one in known)
        for known in (made.curves[0].points, made.singles)
    ]
    curves = (dataclasses.replace(made.curves[0], points=priced[0]),)
    told = Edition(dataclasses.replace(made, curves=curves, singles=priced[1]), load_catalogue("en"), Numbers("en"))
    for frame in (wide(), narrow()):
        svg = curve_in(frame, told, log=log)
        assert min(left for left, _ in boxes(svg, "end")) >= 0.0
        below = boxes(svg, "middle")
        assert len(below) >= 2
        assert all(end < begin for (_, end), (begin, _) in pairwise(below))


def test_the_figures_of_the_learning_curve_are_not_cut_off() -> None:
    points = tuple(LearningPoint(n, {"gain_log": 0.03 + 1e-6 * n}) for n in (500, 1000))
    edition = Edition(
        dataclasses.replace(make_evaluation(), learning_curve=points), load_catalogue("en"), Numbers("en")
    )
    assert min(left for left, _ in boxes(learning(edition, "gain_log", "gain"), "end")) >= 0.0


@pytest.mark.parametrize(("lang", "said"), [("en", "stands at the left edge: small."), ("ja", "示しています：small。")])
def test_a_free_model_is_told_on_an_axis_that_has_no_zero(lang: str, said: str) -> None:
    made = make_evaluation()
    first, *others = made.singles
    assert said not in render_report(made, lang=lang)
    unpaid = dataclasses.replace(first, cost_usd=figure(0.0, 0.0))
    assert said in render_report(dataclasses.replace(made, singles=(unpaid, *others)), lang=lang)


def test_prompts_are_shown_only_when_handed_over() -> None:
    prompt = "What is the capital of Assyria?"
    shown = render_report(make_evaluation(), examples=[Example(prompt, make_decision("small", "cheap and good"))])
    assert prompt in shown
    assert "cheap and good" in shown
    assert prompt not in render_report(make_evaluation())


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            (
                "Cost against quality",
                "1,050 test queries, 1,040 of them different, that the router never saw",
                "$4.00",
                "60.0%",
                "55.0 to 65.0%",
                "not reached",
                "137,500",
                "23 November 2026",
            ),
        ),
        (
            "ja",
            (
                "費用と品質の関係",
                "1,050件（うち互いに異なるもの1,040件）で測定",
                "4.00ドル",
                "60.0%",
                "55.0〜65.0%",
                "未達",
                "137,500",
                "2026年11月23日",
            ),
        ),
    ],
)
def test_the_numbers_stand_without_scripts(lang: str, words: tuple[str, ...]) -> None:
    page = Page(render_report(make_evaluation(), lang=lang))
    assert page.all("html")[0]["lang"] == lang
    text = page.text()
    for word in words:
        assert word in text
    assert not re.search(r"\b(nan|inf|None)\b", text)


def test_dollars_at_an_operating_point_have_their_interval() -> None:
    assert "$4.00 to $6.00" in Page(render_report(make_evaluation())).text()


def test_the_slider_starts_where_the_page_stands() -> None:
    evaluation = make_evaluation()
    page = Page(render_report(evaluation))
    slider = next(found for found in page.all("input") if found.get("id") == "dial")
    sources = dict(zip((f.get("id") for f in page.all("script")), page.source("script"), strict=True))
    settings_ = json.loads(sources["tenbin-dial"])
    assert len(settings_) == len(evaluation.curves[0].points) + 1 == int(slider["max"] or 0) + 1
    now = settings_[int(slider["value"] or 0)]
    assert slider["aria-valuetext"] == now["told"]
    text = page.text()
    assert all(now[key] in text for key in ("mu", "quality", "cost", "saving"))
    assert all(now[f"{key}_note"] in text for key in ("quality", "cost", "saving"))
    chosen = next(point for point in evaluation.operating_points if point.target == evaluation.verdict.ratio)
    assert now["mu_note"] == f"--mu {chosen.mu}"  # where the verdict speaks, not where the sweep comes near
    assert f"{100 * chosen.saving.low:.1f}" in now["saving_note"]
    assert f"{100 * chosen.quality_ratio.high:.1f}" in now["quality_note"]
    assert now["saving"] == f"{chosen.saving.value:.1%}"


def test_the_slider_is_held_against_the_reference_though_another_model_is_best_here() -> None:
    evaluation = dataclasses.replace(make_evaluation(), reference="medium", operating_points=())
    page = Page(render_report(evaluation))
    sources = dict(zip((f.get("id") for f in page.all("script")), page.source("script"), strict=True))
    medium = next(single for single in evaluation.singles if single.model == "medium")
    for now, point in zip(json.loads(sources["tenbin-dial"]), evaluation.curves[0].points, strict=True):
        assert "medium" in now["saving_note"]
        assert f"{point.quality.value / medium.quality.value:.1%}" in now["quality_note"]


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        ("en", "that share of what the reference realised on the same queries"),
        ("ja", "基準モデルの実際の品質にその割合"),
    ],
)
def test_a_promise_is_said_to_be_held_against_the_reference_on_the_same_queries(lang: str, told: str) -> None:
    """On harder prompts than those of training, a kept one stands far below the quality in the column of promises."""
    assert told in Page(render_report(make_evaluation(), lang=lang)).text()


def test_every_dropped_row_is_told() -> None:
    text = Page(render_report(make_evaluation())).text()
    assert "30 test queries were dropped because the router had seen the same prompt in training" in text
    assert "20 queries count for the calibration alone, because some model had no quality or no cost" in text
    assert "100 queries were not marked as test" in text
    assert "a note" in text


@pytest.mark.parametrize(
    ("lang", "ignored", "oracle"),
    [
        ("en", "the router does not know were ignored: a, b", "luck and skill cannot be separated"),
        ("ja", "ルーターが知らない次のモデルは、対象から外しました：a, b", "運と実力を切り分けられない"),
    ],
)
def test_what_the_evaluation_says_in_english_is_told_in_the_language(lang: str, ignored: str, oracle: str) -> None:
    said = dataclasses.replace(make_evaluation(note=UNKNOWN_MODELS + "a, b"), oracle_note=ORACLE_NOTE)
    text = Page(render_report(said, lang=lang)).text()
    assert ignored in text
    assert oracle in text
    assert UNKNOWN_MODELS not in text
    assert ORACLE_NOTE not in text


def test_each_picture_is_told_to_those_who_do_not_see_it(page: Page) -> None:
    charts = [found for found in page.all("svg") if "chart" in str(found.get("class"))]
    assert len(charts) == 10  # curve twice (two axes), shares, reliability, learning; each for a desk and a phone
    assert all(found["role"] == "img" and found["aria-label"] for found in charts)
    bare = [found for found in page.all("svg") if found not in charts]
    assert all(found.get("aria-hidden") == "true" for found in bare)


def test_the_chance_of_luck_is_told_where_it_was_measured() -> None:
    evaluation = make_evaluation()
    tested = dataclasses.replace(evaluation, verdict=dataclasses.replace(evaluation.verdict, chance=0.0123))
    assert "p = 0.012" in render_report(tested)
    assert "p = " not in Page(render_report(evaluation)).text()


def test_harm_is_called_harm() -> None:
    evaluation = make_evaluation()
    harmful = dataclasses.replace(evaluation, no_harm=dataclasses.replace(evaluation.no_harm, passed=False))
    assert "Harm: against" in render_report(harmful)
    assert "Harm: against" not in render_report(evaluation)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", ["single", "collect"])
def test_other_verdicts(lang: str, kind: str) -> None:
    text = Page(render_report(make_evaluation(kind=kind), lang=lang)).text()  # type: ignore[arg-type]
    assert ("1,731" in text) == (kind == "collect")


@pytest.mark.parametrize(("lang", "times"), [("en", "5.42×"), ("ja", "5.42倍")])
def test_quality_that_costs_more_than_the_reference_is_no_saving(lang: str, times: str) -> None:
    evaluation = make_evaluation()
    dearer = dataclasses.replace(
        evaluation.verdict, ratio=math.nan, saving=Figure(-4.42, -4.8, -4.2), quality_ratio=Figure(1.315, 1.27, 1.36)
    )
    document = render_report(dataclasses.replace(evaluation, verdict=dearer), lang=lang)
    text = Page(document).text()
    assert times in text
    assert "131.5%" in text
    assert 'id="dial" min="0" max="10" step="1" value="0"' in document  # opens where the verdict stands, at mu = 0
    assert not re.search("442.0%|less cost than|削減率（すべて", text)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_bare_evaluation_is_told_as_well(lang: str) -> None:
    full = make_evaluation(["only"], points=3)
    free = [dataclasses.replace(s, cost_usd=dataclasses.replace(s.cost_usd, value=0.0)) for s in make_singles(["only"])]
    bare = dataclasses.replace(
        full, operating_points=(), learning_curve=(), savings=(), differences=(), notes=(), oracle_note="",
        singles=tuple(free), curves=full.curves[:1], payback=dataclasses.replace(full.payback, queries=UNKNOWN),
        calibration=dataclasses.replace(full.calibration, quality=(), output_tokens=(), cost_usd=()),
    )  # fmt: skip
    assert not re.search(r"\bnan\b", Page(render_report(bare, lang=lang)).text())


def test_an_unkept_promise_is_said() -> None:
    evaluation = dataclasses.replace(make_evaluation(), operating_points=(make_point(("a", "b", "c"), 0.97, False),))
    page = Page(render_report(evaluation))
    assert [found["class"] for found in page.all("span") if "answer" in str(found.get("class"))] == ["answer no"]


def test_sixteen_models_and_a_fine_dial_stay_light() -> None:
    models = [f"provider/a-model-with-a-long-name-{k}" for k in range(16)]
    assert len(render_report(make_evaluation(models, points=101), lang="ja").encode()) < 420_000


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError, match="en, ja"):
        render_report(make_evaluation(), lang="tlh")


def test_the_file_is_written_whole(tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    place.write_text("old")
    write_report(make_evaluation(), place, lang="ja")
    assert place.read_text(encoding="utf-8") == render_report(make_evaluation(), lang="ja")
    assert list(tmp_path.iterdir()) == [place]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        write_report(make_evaluation(), tmp_path / "missing" / "report.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="folder"):
        write_report(make_evaluation(), tmp_path / "folder")
    assert [found.name for found in tmp_path.iterdir()] == ["folder"]


def test_the_reasons_of_examples_are_in_the_language_of_the_page() -> None:
    shown = [Example("which?", make_decision("small", Reason("least_cost")))]
    shown += [Example("and now?", make_decision("small", Reason("higher_cost", extra="+$0.003")))]
    assert "least expected cost" in render_report(make_evaluation(), examples=shown)
    japanese = render_report(make_evaluation(), lang="ja", examples=shown)
    assert "期待費用が最小" in japanese
    assert "期待費用が高い（+0.003ドル）" in japanese
    assert "least expected cost" not in japanese
