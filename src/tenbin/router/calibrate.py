"""From a panel of outcomes to the calibration of a router: unseen prompts, estimated, beside what came."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tenbin.outcomes.identity import prompt_key
from tenbin.router.calibration import Calibration
from tenbin.router.crossfit import Crossfit, Observed
from tenbin.router.router import Router
from tenbin.types import Floats, Panel

NO_GROUP = ""


def calibrate(router: Router, panel: Panel) -> Calibration | None:
    """The calibration that the rows of `panel` with split "calibration" give (all rows where there is no split).

    Prompts that the router was fitted on are left out, since their estimates know the outcomes. Models that the table
    lacks are columns without labels. None where no row is left.
    """
    panel = panel.part("calibration")
    keys = [prompt_key(query) for query in panel.queries]
    fresh = [i for i, key in enumerate(keys) if key not in router.seen]
    if not fresh:
        return None
    panel = panel.take(fresh)
    columns = [panel.models.index(name) if name in panel.models else None for name in router.models]
    observed = Observed(
        quality=_in_order(panel.quality, columns),
        input_tokens=_in_order(panel.input_tokens, columns),
        output_tokens=_in_order(panel.output_tokens, columns),
        cost_usd=_in_order(panel.cost_usd, columns),
        latency_s=_in_order(panel.latency_s, columns),
        weight=_in_order(panel.label_weight, columns, missing=1.0),
    )
    found = Calibration(
        Crossfit(router.estimate(router.features(panel.queries)), observed),
        tuple(keys[i] for i in fresh),
        tuple(query.group or NO_GROUP for query in panel.queries),
    )
    # Rounded as when it is read back, so that a certificate is the same before and after.
    return Calibration.load(found.save())


def _in_order(cells: Floats, columns: Sequence[int | None], missing: float = np.nan) -> Floats:
    """The cells with these columns; `missing` where there is none."""
    empty = np.full(len(cells), missing)
    return np.column_stack([empty if column is None else cells[:, column] for column in columns])
