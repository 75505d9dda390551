"""The curve and the dial: a slider over mu moves marker and numbers; without scripts the opening setting stands."""

from __future__ import annotations

from typing import Any

from tenbin.report.charts.cost_quality import DRAWN_BASELINES, cost_quality, free, left_out
from tenbin.report.charts.shares import layers
from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, data_block, el, join, name, printable
from tenbin.report.sections.part import fact, figure, folded, part
from tenbin.report.table import Column, cell, table

BAR = 100


def dial(edition: Edition) -> Markup:
    """The cost-quality curve with its axis toggle, the slider, and the numbers of the setting."""
    words = edition.words
    said = [words("curve.caption")]
    if unpaid := free(edition):
        said.append(words("curve.free", models=", ".join(unpaid)))
    if omitted := left_out(edition):
        said.append(words("curve.left_out", models=", ".join(omitted)))
    picture = join(
        el("div", cost_quality(edition, log=True), class_="on-log"),
        el("div", cost_quality(edition, log=False), class_="on-linear"),
    )
    return part(
        "curve",
        words("curve.title"),
        words("curve.lead"),
        _toggle(edition),
        figure(picture, edition.words.between_sentences.join(said), _legend(edition)),
        _panel(edition),
        folded(words("curve.table"), _dial_table(edition)),
        data_block("tenbin-dial", [_setting(edition, at) for at in range(len(edition.dial))]),
    )


def _toggle(edition: Edition) -> Markup:
    """Two radio buttons that the style sheet reads: the toggle works without scripts."""
    words = edition.words
    choices = [
        join(
            el("input", type="radio", name="axis", id=f"axis-{kind}", checked=kind == "log"),
            el("label", words(f"curve.{kind}"), for_=f"axis-{kind}"),
        )
        for kind in ("log", "linear")
    ]
    return el("fieldset", el("legend", words("curve.axis"), class_="unseen"), *choices, class_="toggle")


def _legend(edition: Edition) -> Markup:
    drawn = ["router", *(key for key in DRAWN_BASELINES if edition.curve(key))]
    entries = [
        el("li", _swatch("router" if key == "router" else f"base {key.replace('_', '-')}"), edition.curve_title(key))
        for key in drawn
    ]
    band = el("svg", el("path", d="M0 1H26V11H0Z", class_="band"), viewBox="0 0 26 12", aria_hidden="true")
    dot = el("svg", el("circle", cx=13, cy=6, r=4.5, class_="dot"), viewBox="0 0 26 12", aria_hidden="true")
    entries.append(
        el("li", band, edition.words("curve.band", level=edition.numbers.percent(edition.evaluation.level, 0)))
    )
    entries.append(el("li", dot, edition.words("curve.single")))
    return el("ul", *entries, class_="legend")


def _swatch(class_: str) -> Markup:
    return el("svg", el("path", d="M0 6H26", class_=class_), viewBox="0 0 26 12", aria_hidden="true")


def _panel(edition: Edition) -> Markup:
    words = edition.words
    at = edition.default_setting()
    now = _setting(edition, at)
    slider = el(
        "div",
        el("label", words("dial.label"), for_="dial"),
        el(
            "input", type="range", id="dial", min=0, max=len(edition.dial) - 1, step=1, value=at,
            aria_valuetext=now["told"],
        ),
        el("div", el("span", words("dial.quality_end")), el("span", words("dial.cost_end")), class_="ends"),
        class_="slider", id="slider", hidden=True,
    )  # fmt: skip
    facts = [
        fact(now[key], words(f"dial.{key}"), now[f"{key}_note"], data_show=key)
        for key in ("mu", "quality", "cost", "saving")
    ]
    bars = [
        el(
            "li", name(layer.model) if layer.model else words("shares.rest"),
            el(
                "svg",
                el("rect", width=BAR, height=6, class_="track"),
                el("rect", width=float(width), height=6, class_="fill"),
                viewBox=f"0 0 {BAR} 6", preserveAspectRatio="none", aria_hidden="true",
            ),
            el("span", written, class_="v"),
            data_share=str(index),
        )
        for index, (layer, width, written) in enumerate(zip(layers(edition), now["widths"], now["shares"], strict=True))
    ]  # fmt: skip
    return el(
        "div",
        slider,
        el("dl", *facts, class_="facts"),
        el("ul", *bars, class_="bars", aria_label=words("dial.shares")),
        class_="panel",
    )


def _setting(edition: Edition, at: int) -> dict[str, Any]:
    """The numbers of one setting as they are written: the script moves them and formats nothing."""
    numbers, words, point = edition.numbers, edition.words, edition.dial[at]
    held = [layer.shares[at] for layer in layers(edition)]
    quality, quality_interval = edition.share_of(point.quality)
    ratio_interval, saving_interval = (edition.share_of(found)[1] for found in (point.quality_ratio, point.saving))
    cost, cost_interval = edition.cost_of(point.cost_usd)
    saving = numbers.percent(edition.saving(point.cost_usd.value, edition.reference))
    against = printable(words("dial.against", model=edition.reference.model))
    ratio = numbers.percent(edition.quality_ratio(point.quality.value))
    return {
        "mu": numbers.mu(point.mu),
        "mu_note": f"--mu {point.mu:.6g}",
        "quality": quality,
        "quality_note": words(
            "dial.of_reference",
            ratio=words("dial.ratio_within", ratio=ratio, interval=ratio_interval) if ratio_interval else ratio,
            interval=quality_interval,
        ),
        "cost": cost,
        "cost_note": cost_interval,
        "saving": saving,
        "saving_note": words("dial.within", interval=saving_interval, against=against) if saving_interval else against,
        "shares": [numbers.percent(share, 0 if share == 0.0 else 1) for share in held],
        "widths": [round(BAR * share, 1) for share in held],
        "told": words("dial.told", mu=numbers.mu(point.mu), quality=quality, cost=cost, saving=saving),
    }


def _dial_table(edition: Edition) -> Markup:
    """Every setting of the dial would be a wall: about fifteen that differ, from quality to cost."""
    words, numbers = edition.words, edition.numbers
    step = max(1, (len(edition.dial) - 1) // 14)
    chosen = sorted({*range(0, len(edition.dial), step), len(edition.dial) - 1, edition.default_setting()})
    rows = []
    for index in chosen:
        point = edition.dial[index]
        main = max(range(len(point.shares)), key=lambda m: point.shares[m])
        quality, quality_interval = edition.share_of(point.quality)
        setting = _setting(edition, index)
        rows.append(
            (
                cell(f"μ = {numbers.mu(point.mu)}"),
                cell(quality, quality_interval),
                cell(setting["cost"], setting["cost_note"]),
                cell(setting["saving"], edition.share_of(point.saving)[1]),
                cell(name(edition.evaluation.models[main]), numbers.percent(point.shares[main], 0)),
            )
        )
    columns = [
        Column(words("dial.mu"), False), Column(words("dial.quality")), Column(words("dial.cost")),
        Column(words("dial.saving")), Column(words("dial.most"), False),
    ]  # fmt: skip
    marked = frozenset({chosen.index(edition.default_setting())})
    return table(columns, rows, caption=words("curve.table"), marked=marked)
