"""An evaluation survives its JSON, and a file that is none gets one clear sentence."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenbin.errors import DataError
from tenbin.evaluate.saved import read_evaluation
from tests.report.made import make_evaluation


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    evaluation = make_evaluation()
    place = tmp_path / "evaluation.json"
    place.write_text(json.dumps(evaluation.to_json()))
    assert read_evaluation(place).to_json() == evaluation.to_json()


def remove(document: dict[str, Any]) -> None:
    del document["singles"][1]["quality"]["low"]


def put_text(document: dict[str, Any]) -> None:
    document["curves"][0]["points"][2]["mu"] = "0.5"


def put_flag(document: dict[str, Any]) -> None:
    document["resamples"] = True


def put_kind(document: dict[str, Any]) -> None:
    document["verdict"]["kind"] = "perhaps"


def put_whole_number(document: dict[str, Any]) -> None:
    document["operating_points"][0]["kept"] = 1


def put_number(document: dict[str, Any]) -> None:
    document["reference"] = 3


def put_model(document: dict[str, Any]) -> None:
    document["verdict"]["model"] = 3


def put_true(document: dict[str, Any]) -> None:
    document["singles"][0]["quality"]["value"] = True


def put_much(document: dict[str, Any]) -> None:
    document["singles"][0]["quality"]["value"] = 10**400


def put_list(document: dict[str, Any]) -> None:
    document["verdict"]["sentences"] = ["said " * 10]


def put_nothing(document: dict[str, Any]) -> None:
    document["verdict"] = 0


def put_object(document: dict[str, Any]) -> None:
    document["learning_curve"] = {}


def shorten_range(document: dict[str, Any]) -> None:
    document["cost_range_usd"] = [0.1]


def drop_share(document: dict[str, Any]) -> None:
    document["curves"][0]["points"][0]["shares"].pop()


def forget_best(document: dict[str, Any]) -> None:
    document["best_single"] = "nobody"


def forget_reference(document: dict[str, Any]) -> None:
    document["reference"] = "nobody"


def rename_model(document: dict[str, Any]) -> None:
    document["models"][0] = "nobody"


def no_dial(document: dict[str, Any]) -> None:
    for point in document["curves"][0]["points"]:
        point["mu"] = None


def newer(document: dict[str, Any]) -> None:
    document["schema_version"] = 99


def no_curves(document: dict[str, Any]) -> None:
    document["curves"] = []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (remove, r"singles\[1\]\.quality\.low: is missing"),
        (put_text, r'curves\[0\]\.points\[2\]\.mu: should be a number and is "0\.5"'),
        (put_flag, "resamples: should be a whole number and is true"),
        (put_kind, r'verdict\.kind: should be one of "route", "single", "collect"'),
        (put_whole_number, r"operating_points\[0\]\.kept: should be true or false and is 1;"),
        (put_number, "reference: should be a text and is 3;"),
        (put_model, r"verdict\.model: should be a text and is 3;"),
        (put_true, r"singles\[0\]\.quality\.value: should be a number and is true"),
        (put_much, r"singles\[0\]\.quality\.value: should be a number and is 1000"),
        (put_list, r'verdict\.sentences: should be an object and is \["said said said said said said said sai…;'),
        (put_nothing, "verdict: should be an object and is 0"),
        (put_object, "learning_curve: should be a list and is {}"),
        (shorten_range, "cost_range_usd: should be a list of 2"),
        (drop_share, r"curves\[0\]: has shares that do not fit"),
        (forget_best, 'best_single: "nobody" is not among'),
        (forget_reference, 'reference: "nobody" is not among'),
        (rename_model, "models: are not the models of singles"),
        (no_dial, "curves: hold no point"),
        (newer, "schema_version is 99"),
        (no_curves, "curves: hold no point"),
    ],
)
def test_a_damaged_field_is_named(damage: Callable[[dict[str, Any]], None], said: str, tmp_path: Path) -> None:
    document = make_evaluation().to_json()
    damage(document)
    place = tmp_path / "evaluation.json"
    place.write_text(json.dumps(document))
    with pytest.raises(DataError, match=rf"^{re.escape(str(place))}: {said}") as caught:
        read_evaluation(place)
    assert "evaluate" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"3", b'{"a": 1}', b"[" * 100_000])
def test_a_file_that_is_no_evaluation(content: bytes, tmp_path: Path) -> None:
    place = tmp_path / "evaluation.json"
    place.write_bytes(content)
    with pytest.raises(DataError, match=r"evaluation\.json: (this )?is not "):
        read_evaluation(place)


def test_a_field_that_came_later_may_be_missing(tmp_path: Path) -> None:
    document = make_evaluation().to_json()
    del document["verdict"]["chance"]
    point = document["operating_points"][0]
    del point["blind_saving"]
    point["blind_note"] = {"en": "what stands behind it is read"}
    place = tmp_path / "evaluation.json"
    place.write_text(json.dumps(document))
    found = read_evaluation(place)
    assert math.isnan(found.verdict.chance)
    assert math.isnan(found.operating_points[0].blind_saving.value)
    assert found.operating_points[0].blind_note == {"en": "what stands behind it is read"}


def test_a_point_that_is_not_of_the_dial_may_stand_in_the_routers_curve(tmp_path: Path) -> None:
    document = make_evaluation().to_json()
    document["curves"][0]["points"][1]["mu"] = None
    place = tmp_path / "evaluation.json"
    place.write_text(json.dumps(document))
    assert math.isnan(read_evaluation(place).curves[0].points[1].mu)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        read_evaluation(tmp_path / "nowhere.json")
