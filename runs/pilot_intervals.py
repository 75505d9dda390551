"""How often the intervals of `tenbin pilot status` hold: small pilots drawn from the demo's data, held to its holdout.

    python runs/pilot_intervals.py [--prompts 50 100 200 400] [--draws 50]

Needs the package `paretobandit` for its data. A draw is a pilot that asked every model so many random prompts. What its
status says of the saving at 97 % of the reference's quality, and of what reading the prompts adds, is held against what
the same router does on the holdout. Prints one JSON document per size: the share of intervals that hold the truth, and
the means of what was said, of the truth, and of the width.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace

import numpy as np

from tenbin.cli.demo import outcome_files
from tenbin.outcomes import read_outcomes
from tenbin.pilot.field import Field, Worth, columns, field_of, learn, unseen_estimates, worth_of
from tenbin.pilot.measure import KEPT, PilotSaving, contender_of, measure, savings_of
from tenbin.router.router import Router
from tenbin.types import Panel

RESAMPLES = 1000


def main() -> None:
    """Every size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, nargs="+", default=[50, 100, 200, 400])
    parser.add_argument("--draws", type=int, default=50)
    asked = parser.parse_args()
    source, held_out = outcome_files()
    train, test = (replace(read_outcomes(place), split=None) for place in (source, held_out))
    reference = train.models[int(np.argmax(np.nanmean(train.cost_usd, axis=0)))]
    for prompts in asked.prompts:
        pairs = [one_draw(train, test, reference, prompts, seed) for seed in range(asked.draws)]
        json.dump({"prompts": prompts, "draws": asked.draws, "reference": reference, **summary(pairs)}, sys.stdout)
        print(flush=True)


def one_draw(train: Panel, test: Panel, reference: str, prompts: int, seed: int) -> tuple[PilotSaving, PilotSaving]:
    """What the status of one pilot says, and what is true of its router."""
    pilot = train.take(np.random.default_rng(seed).permutation(len(train))[:prompts])
    field = known(field_of(pilot, reference))
    router = learn(pilot, field, None, seed)
    estimates = unseen_estimates(router, columns(pilot, field.panel.models), field)
    worth = worth_of(field, router, estimates)
    said = measure([contender_of(router, estimates, field)], field, worth, resamples=RESAMPLES, seed=seed)
    return at_target(savings_of(said, len(field))), truth(router, test, reference)


def truth(router: Router, test: Panel, reference: str) -> PilotSaving:
    """What the router does on prompts that it has not seen."""
    field = known(field_of(columns(test, router.models), reference))
    estimates = router.estimate(router.features(field.panel.queries))
    worth = Worth(field.panel.quality, field.panel.cost_usd)
    return at_target(
        savings_of(measure([contender_of(router, estimates, field)], field, worth, resamples=2, seed=0), 2)
    )


def known(field: Field | None) -> Field:
    """The field, which complete data always have."""
    if field is None:
        raise SystemExit("the data lack the reference")
    return field


def at_target(savings: tuple[PilotSaving, ...]) -> PilotSaving:
    """The saving at 97 %."""
    return next(saving for saving in savings if saving.ratio == KEPT)


def summary(pairs: list[tuple[PilotSaving, PilotSaving]]) -> dict[str, list[float]]:
    """For the saving and for what reading adds: share of intervals that hold, mean said, mean true, mean width."""
    found = {}
    for name in ("saving", "beyond"):
        said, true = zip(*((getattr(a, name), getattr(b, name).value) for a, b in pairs), strict=True)
        holds = [figure.low <= value <= figure.high for figure, value in zip(said, true, strict=True)]
        means = (holds, [figure.value for figure in said], true, [figure.high - figure.low for figure in said])
        found[name] = [round(float(np.mean(values)), 4) for values in means]
    return found


if __name__ == "__main__":
    main()
