"""The README's picture is one well-formed SVG in either language, with every line and model of the curve in it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from runs.demo_figure import drawn
from tenbin.report.catalogue import load_catalogue
from tests.report.made import make_evaluation

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_picture_stands_alone_and_names_its_lines(lang: str) -> None:
    evaluation, words = make_evaluation(), load_catalogue(lang)
    picture = ElementTree.fromstring(drawn(evaluation, lang))  # noqa: S314 (written a moment ago)
    written = [text.text or "" for text in picture.iter(f"{SVG}text")]
    paths = {path.get("class") for path in picture.iter(f"{SVG}path")}
    assert {words(f"curve.{name}") for name in ("router", "z_test", "group_table", "carrot_knn")} <= set(written)
    assert {"router", "band", "base z-test", "base group-table", "base carrot-knn"} <= paths
    assert evaluation.models[0] in " ".join(title.text or "" for title in picture.iter(f"{SVG}title"))
