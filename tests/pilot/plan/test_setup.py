"""What a configuration says about a pilot, and every reason why it says too little."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tenbin.errors import ConfigError, PriceError
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.plan.new import NewPilot, plan_new
from tenbin.pilot.plan.setup import PilotSetup, read_setup, setup_of
from tenbin.quality.threshold import ThresholdGrader
from tests.pilot.plan.made import BOOK, MODELS, made_world, write_config

GRADED = '\nmetric = "exact"\n'
CANDIDATES = "".join(
    f'[candidates.{name}]\nbase_url = "http://127.0.0.1:9/v1"\nmax_output_tokens = 1000\n{extra}'
    for name, extra in (("a", ""), ("e", "embeddings = true\n"), ("b", ""), ("j", "judge = true\n"), ("c", ""))
)
PRICES = "".join(f"[models.{name}]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 2\n" for name in "abcej")


def written(folder: Path, profiles: str, gateway: str = 'prices = "prices.toml"') -> Path:
    (folder / "prices.toml").write_text(PRICES)
    path = folder / "tenbin.toml"
    path.write_text(f"{CANDIDATES}{profiles}\n[gateway]\n{gateway}\n")
    return path


def setup(folder: Path, profiles: str, gateway: str = 'prices = "prices.toml"', **asked: object) -> PilotSetup:
    return read_setup(written(folder, profiles, gateway), {}, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "promise"),
    [
        ("", 0.97),
        ("best = true", 0.97),
        ("min_quality = 0.9", 0.9),
        ("[profiles.p.sla]\nmin_quality = 0.8", 0.8),
        ("min_quality = 0.9\n[profiles.p.sla]\nmin_quality = 0.8", 0.9),
    ],
)
def test_the_promise_is_the_dials_or_the_slas_or_the_usual_one(tmp_path: Path, said: str, promise: float) -> None:
    assert setup(tmp_path, f"[profiles.p]{GRADED}{said}").promise == promise


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("", ("a", "b", "c")),
        ('allow = ["c", "a", "e"]', ("a", "c")),
        ('deny = ["a"]', ("b", "c")),
    ],
)
def test_who_answers_and_is_allowed_is_asked_in_the_order_of_the_document(
    tmp_path: Path, said: str, names: tuple[str, ...]
) -> None:
    found = setup(tmp_path, f"[profiles.p]{GRADED}{said}")
    assert found.names == tuple(candidate.name for candidate in found.candidates) == names
    assert set(found.endpoints) == {*"abcej"}
    assert found.config == tmp_path / "tenbin.toml"


@pytest.mark.parametrize(
    ("profiles", "gateway", "asked", "found"),
    [
        (f"[profiles.p]{GRADED}", "", None, "p"),
        (f"[profiles.p]{GRADED}[profiles.q]{GRADED}", "", "q", "q"),
        (f"[profiles.p]{GRADED}[profiles.q]{GRADED}", 'default_profile = "q"', None, "q"),
        (f"[profiles.p]{GRADED}[profiles.q]{GRADED}", 'default_profile = "q"', "p", "p"),
    ],
)
def test_the_profile_is_the_one_that_was_named_or_the_gateways_or_the_only_one(
    tmp_path: Path, profiles: str, gateway: str, asked: str | None, found: str
) -> None:
    assert setup(tmp_path, profiles, f'prices = "prices.toml"\n{gateway}', profile=asked).profile.name == found


@pytest.mark.parametrize(
    ("profiles", "asked", "said"),
    [
        ("", None, r"does not say which profile is meant; write \[profiles\.NAME\] with metric"),
        (f"[profiles.p]{GRADED}[profiles.q]{GRADED}", None, "which profile is meant; name one with --profile: p, q"),
        (f"[profiles.auto]{GRADED}", "aut", 'there is no profile "aut"; did you mean "auto"'),
        (f"[profiles.p]{GRADED}[profiles.q]{GRADED}", "zzzz", 'there is no profile "zzzz"; profiles: p, q'),
        ("", "zzzz", 'there is no profile "zzzz"; profiles: none'),
        ("[profiles.p]\nbest = true", None, r"the profile p does not say .* add metric = .* to \[profiles\.p\]"),
        (f'[profiles.p]{GRADED}allow = ["a"]', None, "the profile p may route to 1 candidate; a pilot compares two"),
        (f'[profiles.p]{GRADED}deny = ["a", "b"]', None, "the profile p may route to 1 candidate; a pilot compares"),
    ],
)
def test_what_is_no_setup_of_a_pilot_is_said(tmp_path: Path, profiles: str, asked: str | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        setup(tmp_path, profiles, profile=asked)


def test_two_candidates_are_enough(tmp_path: Path) -> None:
    assert setup(tmp_path, f'[profiles.p]{GRADED}allow = ["a", "b"]').names == ("a", "b")


def test_a_pilot_that_was_planned_asks_whom_it_asked_and_says_who_is_gone(tmp_path: Path) -> None:
    profile = f'[profiles.p]{GRADED}deny = ["c"]'
    assert setup(tmp_path, profile, only=("c", "a")).names == ("c", "a")
    with pytest.raises(ConfigError, match=r'tenbin\.toml: has no candidate "d" any more, which this pilot asks; put'):
        setup(tmp_path, profile, only=("a", "d"))


def test_prices_are_those_that_were_named_or_the_gateways_and_never_none(tmp_path: Path) -> None:
    profile, other = f"[profiles.p]{GRADED}", tmp_path / "other.toml"
    other.write_text(PRICES.replace("= 2", "= 9"))
    for named, path, output_usd in ((None, tmp_path / "prices.toml", 2.0), (other, other, 9.0)):
        found = setup(tmp_path, profile, prices=named)
        assert found.prices_path == path
        rates = found.prices.rates(("a",))
        assert rates.cost_usd(np.zeros((1, 1)), np.full((1, 1), 1e6)).tolist() == [[output_usd]]
    with pytest.raises(PriceError, match=r"tenbin\.toml: names no price book; give --prices FILE, or write"):
        setup(tmp_path, profile, "")
    other.write_text(PRICES.replace("models.c", "models.d"))
    with pytest.raises(PriceError, match='no price for "c"'):
        setup(tmp_path, profile, prices=other)
    assert setup(tmp_path, f'[profiles.p]{GRADED}deny = ["c"]', prices=other).names == ("a", "b")


def test_answers_are_graded_by_the_profiles_metric_and_its_threshold(tmp_path: Path) -> None:
    plain = setup(tmp_path, f"[profiles.p]{GRADED}").grader
    assert not isinstance(plain, ThresholdGrader)
    assert isinstance(setup(tmp_path, f"[profiles.p]{GRADED}threshold = 0.5").grader, ThresholdGrader)


def test_the_settings_of_a_pilot_bring_its_setup_back(tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("\n".join(prompt.prompt for prompt in made_world(60).prompts))
    other = tmp_path / "other.toml"
    config = write_config(tmp_path, '[profiles.second]\nmetric = "exact"\n')
    other.write_text(BOOK)
    new = NewPilot(tmp_path / "prompts.txt", config, 1.0, profile="second", prices=other)
    settings = plan_new(PilotFolder(tmp_path / "p"), new, {}, lambda *_: None).settings
    config.write_text(config.read_text() + '[candidates.later]\nbase_url = "http://127.0.0.1:9/v1"\n')
    found = setup_of(settings, {})
    assert (found.profile.name, found.names, found.prices_path) == ("second", MODELS, other)
    assert setup_of(replace(settings, prices=None), {}).prices_path == tmp_path / "prices.toml"
