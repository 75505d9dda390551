"""The management view as a whole, in words, as a document and as a page, from too few prompts to a proved router."""

from __future__ import annotations

import json
import math
import re
import string
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

import tenbin.cli
import tenbin.pilot
from tenbin.cli.pilot_status_text import compared_text, status_text
from tenbin.pilot.document import status_document
from tenbin.pilot.page import render_page, write_page
from tenbin.pilot.pair import Pair
from tenbin.pilot.records import Begun, Bought, Failed, Graded, Record
from tenbin.pilot.status import Status, pilot_status
from tenbin.pilot.telling import TEXTS, Telling
from tenbin.reasons import LANGUAGES
from tenbin.report.catalogue import load_catalogue
from tenbin.types import Figure, Usage
from tests.pilot.made import MODELS, every_pair, made_prompts, made_records, made_settings, written
from tests.report.reading import Page

ROOT = Path("pilots")
HOSTILE = "</script><b>evil\x1b[31m"


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Status:
    prompts = made_prompts(220, test_share=0.4)
    pairs = every_pair(prompts)
    return pilot_status(written(tmp_path_factory.mktemp("a") / "proved", prompts, pairs, made_records(prompts, pairs)))


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Status:
    """Half of the plan bought, and everything that can go wrong gone wrong."""
    prompts = made_prompts(24)
    pairs = every_pair(prompts)
    never = [Pair(prompt.query_id, "gone") for prompt in prompts]
    records: list[Record] = made_records(prompts, pairs[:36])
    at = 1_700_001_000.0
    records += [
        Graded("q0000", "mid", at, None, "exact-1", note=f"no number in {HOSTILE}"),
        Begun("open", "q0020", "big", at, reserve_usd=0.25),
        Failed("f1", "q0021", "mid", at, "rate_limited", cost_usd=0.001),
        Failed("f2", "q0022", "mid", at, "refused", is_final=True),
        Failed("f3", "q0001", "gone", at, "not_found"),
        Bought("e", "q0023", "big", at, "  ", Usage(5, 0), 0.001, 0.1, is_refusal=True, finish_reason="length"),
        Bought("r", "q0000", "big", at, "again", Usage(5, 5), 0.001, 0.1, repeat=1, is_estimated=True, held_usd=0.02),
    ]
    settings = made_settings(candidates=(*MODELS, "gone"))
    return pilot_status(written(tmp_path_factory.mktemp("b") / "odd", prompts, [*pairs, *never], records, settings))


def test_a_proved_router_goes_live_with_its_commands(proved: Status) -> None:
    assert (proved.verdict.kind, proved.verdict.reason) == ("live", "proved")
    assert proved.proof is not None
    assert proved.proof.saving.low > 0.1
    assert f"({proved.proof.ratio:.0%} was asked for)" in proved.proof.sentences["en"][0]
    assert proved.saving is not None
    assert proved.saving.beyond.low > 0.0
    assert len(proved.pace.points) == 4
    assert [point.spent_usd for point in proved.pace.points] == sorted(point.spent_usd for point in proved.pace.points)
    assert proved.pace.points[-1].spent_usd == pytest.approx(proved.tally.spent_usd)
    assert proved.pace.points[-1].saving == proved.saving.saving
    assert proved.payback is not None
    saved = proved.saving.saved_usd.value
    assert proved.payback.queries.value == pytest.approx(proved.tally.spent_usd / saved)
    assert proved.payback.days.value == pytest.approx(proved.payback.queries.value / 1000.0)
    document = status_document(proved, "en", ROOT)
    assert document["verdict"]["next"] == [
        "tenbin pilot export proved --out proved.parquet",
        "tenbin fit proved.parquet --reference big --out proved-router",
        f'# tenbin.toml, [profiles.default]: router = "{Path("proved-router").resolve()}"',
        "tenbin serve tenbin.toml",
    ]


@pytest.mark.parametrize(("lang", "headline"), [("en", "at 4.92 times its cost"), ("ja", "4.92倍の費用")])
def test_what_goes_live_for_its_quality_is_no_saving(proved: Status, lang: str, headline: str) -> None:
    assert proved.proof is not None
    finest = replace(
        proved.proof, saving=Figure(-3.92, -4.3, -3.6), quality_ratio=Figure(1.149, 1.03, 1.283), ratio=math.nan
    )
    told = Telling.of(replace(proved, proof=finest), lang)
    for said in (told.headline(), told.reasons()[0], told.proof()):
        assert "4.92" in said
        assert "115%" in said or "114.9%" in said
        assert "392" not in said
    assert headline in told.headline()
    assert "−392" not in Page(render_page(replace(proved, proof=finest), lang=lang, root=ROOT)).text()


def _changed(record: Record, cause: str) -> Record:
    """The record as it would be in a pilot that nothing can be concluded from, for this cause."""
    match record:
        case Graded() if cause == "no_quality":
            return structs.replace(record, quality=0.0)
        case Graded(model="big") if cause == "no_reference":
            return structs.replace(record, quality=None, note="it has no number")
        case Bought() if cause == "no_cost":
            return structs.replace(record, cost_usd=0.0)
    return record


@pytest.mark.parametrize(
    ("cause", "en", "ja"),
    [
        ("no_quality", "every answer of big", "big の回答はすべて0点"),
        ("no_reference", "no answer of big", "big の回答には採点"),
        ("no_cost", "big costs nothing", "big の費用は0"),
    ],
)
def test_what_no_further_prompt_would_settle_is_said(cause: str, en: str, ja: str, tmp_path: Path) -> None:
    prompts = made_prompts(40)
    pairs = every_pair(prompts)
    records = [_changed(record, cause) for record in made_records(prompts, pairs)]
    status = pilot_status(written(tmp_path / "p", prompts, pairs, records))
    assert (status.verdict.kind, status.verdict.reason, status.verdict.model) == ("check", cause, None)
    assert status.payback is None  # of nothing but zeros a blind mixture saved 96 %, and paid for itself in 100 queries
    for lang, words in (("en", en), ("ja", ja)):
        told = Telling.of(status, lang)
        assert words in told.headline()
        assert told.reasons() in ([], [load_catalogue(lang, TEXTS)("why.few", n="40")])
        assert words in Page(render_page(status, lang=lang, root=ROOT)).text()


def test_everything_odd_is_counted_and_nothing_is_silently_a_zero(odd: Status) -> None:
    by_model = {one.model: one for one in odd.tally.candidates}
    assert (by_model["mid"].bought, by_model["mid"].graded, by_model["mid"].not_told) == (12, 11, 1)
    assert (by_model["big"].refusals, by_model["big"].empty, by_model["big"].cut_off) == (1, 1, 1)
    assert (by_model["big"].second_answers, by_model["big"].ungraded) == (1, 1)
    assert by_model["mid"].failures == {"rate_limited": 1, "refused": 1}
    assert by_model["gone"].only_fails
    assert by_model["gone"].is_down
    assert not by_model["mid"].is_down
    assert odd.tally.stages[0].waiting == 24
    assert odd.tally.unknown_calls == 1
    parts = sum(it.answers_usd + it.grading_usd + it.failures_usd for it in odd.tally.candidates)
    assert parts + odd.tally.unknown_usd == pytest.approx(odd.tally.spent_usd)
    assert odd.budget_left_usd == pytest.approx(10.0 - odd.tally.spent_usd)
    assert odd.n_measured == 12
    assert not odd.savings
    assert (odd.verdict.kind, odd.verdict.stage) == ("run", 0)
    assert odd.tally.left == 72 - 36 - 1 - 1  # the empty answer and the refused pair are done with
    said = " ".join(Telling.of(odd, "en").oddities())
    assert "gone has failed every time: not_found 1" in said


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_terminal_is_told_and_not_taken_over(lang: str, proved: Status, odd: Status) -> None:
    for status in (proved, odd):
        text = status_text(status, lang, ROOT)
        assert Telling.of(status, lang).headline() in text
        assert not re.search(r"\x1b\[31m", text)
    assert "odd" in compared_text([proved, odd], lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_sound_escaped_and_carries_its_figures(lang: str, proved: Status, odd: Status) -> None:
    for status in (proved, odd):
        page = Page(render_page(status, root=ROOT, lang=lang))
        assert len(page.all("h1")) == len(page.all("main")) == 1
        ids = [found["id"] for _, found in page.elements if "id" in found]
        assert len(ids) == len(set(ids))
        assert all(str(link["href"]).removeprefix("#") in ids for link in page.all("a"))
        assert not page.all("b")
        [source] = page.source("script")
        assert json.loads(source)["verdict"]["kind"] == status.verdict.kind
        policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
        assert policy is not None
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "script-src" not in policy


def test_no_more_digits_than_the_prompts_bear(odd: Status) -> None:
    text = status_text(odd, "en", ROOT)
    assert not re.search(r"\d\.\d%", text)
    assert "With 12 prompts this is a first look" in text


def test_grades_by_another_metric_than_todays_are_to_be_made_anew(tmp_path: Path) -> None:
    tables = "".join(f'[candidates.{m}]\nbase_url = "http://127.0.0.1:1/v1"\n' for m in MODELS)
    (tmp_path / "tenbin.toml").write_text(f'{tables}[profiles.default]\nmetric = "exact"\n')
    book = "".join(f'[models."{m}"]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1\n' for m in MODELS)
    (tmp_path / "prices.toml").write_text(book)
    prompts = made_prompts(12)
    pairs = every_pair(prompts)
    settings = made_settings(config=str(tmp_path / "tenbin.toml"), prices=str(tmp_path / "prices.toml"))
    graded = pilot_status(written(tmp_path / "p", prompts, pairs, made_records(prompts, pairs), settings))
    assert (graded.metric, graded.other_metric) == ("exact-1", "exact")
    # Everybody costs the same today, whatever was paid on the day of the answers.
    assert [single.cost_usd.value for single in graded.singles] == pytest.approx([1.2e-4] * 3, rel=0.2)
    assert graded.tally.spent_usd > 0.1
    for lang in LANGUAGES:
        said = " ".join(Telling.of(graded, lang).oddities())
        assert "exact-1" in said
        assert "tenbin pilot run p --regrade" in said
    assert pilot_status(written(tmp_path / "q", prompts, pairs, [], settings)).other_metric is None


def test_a_pilot_that_was_planned_only_says_what_to_run(tmp_path: Path) -> None:
    prompts = made_prompts(12)
    status = pilot_status(written(tmp_path / "new", prompts, every_pair(prompts), []))
    assert (status.verdict.kind, status.verdict.reason) == ("run", "no_answers")
    assert "tenbin pilot run new" in status_text(status, "en", ROOT)
    write_page(status, tmp_path / "page.html", root=ROOT)
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_languages_have_the_same_keys_and_placeholders_and_all_are_asked_for() -> None:
    def placeholders(sentence: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}

    english, japanese = (load_catalogue(lang, TEXTS).sentences for lang in LANGUAGES)
    assert {k: placeholders(v) for k, v in english.items()} == {k: placeholders(v) for k, v in japanese.items()}
    folders = Path(tenbin.pilot.__file__).parent, Path(tenbin.cli.__file__).parent
    files = [*folders[0].rglob("*.py"), folders[1] / "pilot_status_text.py"]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    unasked = {key for key in english if f'"{key}"' not in source and f'"{key.partition(".")[2]}"' not in source}
    assert {key for key in unasked if not key.endswith(".short")} == set()
