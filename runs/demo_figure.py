"""The picture of the README: the demo's curve of cost against quality, as its report shows it, as one SVG file.

tenbin demo --out out
python runs/demo_figure.py out/evaluation.json docs/demo-curve.svg [--lang ja]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tenbin.evaluate.result import Evaluation
from tenbin.evaluate.saved import read_evaluation
from tenbin.report.catalogue import load_catalogue
from tenbin.report.charts.cost_quality import DRAWN_BASELINES, curve_in
from tenbin.report.edition import Edition
from tenbin.report.frame import text_width, wide
from tenbin.report.markup import Markup, el, join
from tenbin.report.numbers import Numbers

HEIGHT, LEGEND_HEIGHT, MARGIN = 420, 34, 14
SWATCH, GAP = 26, 22
STYLE = """
svg { --paper: #fcfbf8; --ink: #1d1d1b; --soft: #55534e; --hair: #dcd8ce; --line: #8d897f; --accent: #165e83 }
@media (prefers-color-scheme: dark) {
  svg { --paper: #14171a; --ink: #ebe8e1; --soft: #aeaba3; --hair: #33383d; --line: #7d8388; --accent: #7fc3e8 }
}
text { font: 12px system-ui, "Hiragino Sans", "Noto Sans CJK JP", Meiryo, sans-serif; fill: var(--soft) }
.paper { fill: var(--paper) }
.model-name { fill: var(--ink); paint-order: stroke; stroke: var(--paper); stroke-width: 3.5px }
.grid, .axis { fill: none; stroke: var(--hair) } .axis { stroke: var(--line) }
.router { fill: none; stroke: var(--accent); stroke-width: 2.6; stroke-linejoin: round }
.band { fill: var(--accent); fill-opacity: .15 }
.base { fill: none; stroke: var(--line); stroke-width: 1.5 } .base.z-test { stroke-dasharray: 5 4 }
.base.group-table { stroke-dasharray: 1.5 3; stroke-linecap: round; stroke-width: 2 }
.dot { fill: var(--paper); stroke: var(--ink); stroke-width: 1.5 } .dot.best { fill: var(--ink) }
.marker { fill: var(--accent); stroke: var(--paper); stroke-width: 2.5 }
"""


def drawn(evaluation: Evaluation, lang: str) -> str:
    """The SVG, with its legend, on a paper of its own that is dark where the reader's is."""
    edition = Edition(evaluation, load_catalogue(lang), Numbers(lang))
    paper = wide(HEIGHT)
    width, height = paper.width + 2 * MARGIN, paper.height + LEGEND_HEIGHT + 2 * MARGIN
    picture = el(
        "svg",
        el("style", Markup(STYLE)),
        el("rect", width=width, height=height, rx=10, class_="paper"),
        el("svg", curve_in(paper, edition, log=True), x=MARGIN, y=MARGIN, width=paper.width, height=paper.height),
        el("g", legend(edition), transform=f"translate({MARGIN + paper.left} {paper.height + 2 * MARGIN + 4})"),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
    )
    return f"{picture}\n"


def legend(edition: Edition) -> Markup:
    """What each line is."""
    parts: list[str] = []
    left = 0.0
    for name in ("router", *(key for key in DRAWN_BASELINES if edition.curve(key))):
        title = edition.curve_title(name)
        parts.append(
            el(
                "path",
                d=f"M{left:g} 0h{SWATCH}",
                class_="router" if name == "router" else f"base {name.replace('_', '-')}",
            )
        )
        parts.append(el("text", title, x=left + SWATCH + 7, y=4))
        left += SWATCH + 7 + round(text_width(title)) + GAP
    return join(*parts)


def main() -> None:
    """Draw the evaluation that was given."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("evaluation", type=Path)
    made.add_argument("figure", type=Path)
    made.add_argument("--lang", choices=("en", "ja"), default="en")
    given = made.parse_args()
    given.figure.write_text(drawn(read_evaluation(given.evaluation), given.lang), encoding="utf-8")


if __name__ == "__main__":
    main()
