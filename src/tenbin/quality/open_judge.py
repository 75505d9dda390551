"""A judge as `tenbin.toml` describes it, checked before a cent is spent: reachable, priced, and no relative."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tenbin.config.document import Document, path_of
from tenbin.config.metrics import MetricSettings
from tenbin.errors import ConfigError
from tenbin.prices.book import PriceBook
from tenbin.quality.grader import Grader
from tenbin.quality.judge import DEFAULT_SCALE, JudgeGrader
from tenbin.quality.judge_family import family_of, relatives
from tenbin.quality.judge_model import JudgeModel, JudgeSettings
from tenbin.quality.judge_prompt import DEFAULT_RUBRIC, MAX_CHARACTERS, JudgeForm
from tenbin.quality.pairwise import PairwiseGrader
from tenbin.upstream.client import UpstreamClient
from tenbin.upstream.destination import Destination, destinations

ASKED_AS = ("temperature", "max_output_tokens", "timeout_s")


@dataclass(frozen=True, slots=True)
class JudgeMeans:
    """What judges are asked with: their prices, the client, the keys, and whose answers they will grade."""

    prices: PriceBook | None
    client: UpstreamClient | None
    candidates: Collection[str]
    environ: Mapping[str, str]


def open_judge(document: Document, wanted: MetricSettings, means: JudgeMeans) -> Grader:
    """The grader of a metric of the kind "judge" or "pairwise".

    Raises ConfigError for a judge of a candidate's family (unless `own_family` is set), one whose key is not in the
    environment, and one that nobody can call; PriceError where it has no price.
    """
    path, settings = path_of("metrics", wanted.name), wanted.settings
    known = destinations(document)
    destination = known[settings["judge"]]
    own = relatives(destination, means.candidates, known)
    takes_relatives = settings.get("own_family", False)
    if own and not takes_relatives:
        raise _relative(document, path, destination, sorted(own))
    model = _model(document, path, destination, settings, means)
    rubric = settings.get("rubric", DEFAULT_RUBRIC)
    shown_characters = settings.get("max_answer_characters", MAX_CHARACTERS)
    kin = relatives(destination, known, known)
    if wanted.kind == "pairwise":
        # With one of the family among the compared, any comparison may have it on its other side.
        flagged = frozenset(known) if own else kin
        return PairwiseGrader(model, JudgeForm.pairwise(rubric, shown_characters), flagged, takes_relatives)
    scale = settings.get("scale", DEFAULT_SCALE)
    return JudgeGrader(model, JudgeForm.pointwise(rubric, scale, shown_characters), scale, kin, takes_relatives)


def _model(
    document: Document, path: str, destination: Destination, settings: Mapping[str, Any], means: JudgeMeans
) -> JudgeModel:
    name, variable = destination.candidate.name, destination.api_key_env
    if variable is not None and not means.environ.get(variable, "").strip():
        what = f"{path}.judge: the key of {name} is not set in the environment variable {variable}"
        raise ConfigError(what, where=document.name, fix="set it to the key")
    if means.client is None:
        raise ConfigError(
            f"{path}: a judge cannot be asked here", where=document.name, fix="name a metric that is free"
        )
    if means.prices is None:
        fix = f'give a price book with [models."{name}"]'
        raise ConfigError(f"{path}.judge: {name} has no price", where=document.name, fix=fix)
    asked_as = JudgeSettings(**{key: settings[key] for key in ASKED_AS if key in settings})
    return JudgeModel(means.client, destination, means.prices.rates([name]), asked_as)


def _relative(document: Document, path: str, judge: Destination, own: list[str]) -> ConfigError:
    name, others = judge.candidate.name, ", ".join(f'"{relative}"' for relative in own)
    if own == [name]:
        what = f'{path}.judge: "{name}" would grade its own answers'
    else:
        what = (
            f'{path}.judge: "{name}" is of the family "{family_of(judge)}", like {others} whose answers it would grade'
        )
    fix = "name a judge of another family, or set own_family = true: its grades are then flagged"
    return ConfigError(what, where=document.name, fix=fix)
