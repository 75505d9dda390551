"""The card of a router: what it is, for people, in the artifact's `card.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenbin.reasons import counted
from tenbin.router.crossfit import known_means

if TYPE_CHECKING:
    from tenbin.artifact import Change
    from tenbin.router.router import Router


def write_card(router: Router) -> str:
    """Markdown text of one page: candidates with training means, reference, embedder, data, limits."""
    m = router.manifest
    means = router.baselines.means
    dollars = _mean_dollars(router)
    rows = [
        f"| {name} | {quality:.4f} | {1000 * cost:.4g} |{' reference' if name == m.reference else ''} |"
        for name, quality, cost in zip(m.models, means["quality"], dollars, strict=True)
    ]
    basis = {
        "tokens": "tokens are predicted and priced when deciding",
        "dollars": "recorded dollars are predicted, taken to be at the prices of the fit; a price change scales them",
    }[m.cost_basis]
    return "\n".join(
        [
            "# Router card",
            "",
            f"Fitted by tenbin {m.version} on {counted(m.n_train, 'prompt')} ({counted(m.n_labels, 'label')}) "
            f"of data `{m.data_hash[:12]}`, seed {m.seed}.",
            "",
            "| model | mean quality in training | dollars per 1,000 queries | |",
            "|---|---|---|---|",
            *rows,
            "",
            f"- Embedder: `{m.embedder_name}`. {m.embedder_reason}",
            f"- Predictor: `{m.predictor}`; group labels {'are' if m.uses_groups else 'are not'} used.",
            f"- Cost: {basis}.",
            f"- Anchors: c_ref {m.c_ref_usd:.6g} dollars, t_ref "
            + ("not recorded" if m.t_ref_s is None else f"{m.t_ref_s:.4g} seconds")
            + ", fixed until the next fit.",
            *(f"- {change_text(change)}" for change in m.changes),
            "- Estimates hold for prompts like the training prompts; unlike ones are decided by the candidates' means.",
            "",
        ]
    )


def change_text(change: Change) -> str:
    """A candidate more or less since the fit, in a sentence."""
    if change.kind == "retired":
        return f"Retired since the fit: {change.model}; the reference after it is {change.reference}."
    gain = "" if change.gain is None else f", expected gain in AIQ-log {change.gain:+.4f}"
    forced = ", by force" if change.forced else ""
    return (
        f"Added since the fit: {change.model}, from {counted(change.n_labels, 'label')} "
        f"of data `{change.data_hash[:12]}`{gain}{forced}; it leans on the fitted candidates."
    )


def _mean_dollars(router: Router) -> list[float]:
    crossfit = router.crossfit
    expected = router.cost_usd(crossfit.estimates)
    return [float(v) for v in known_means(router.observed_cost_usd(), expected, crossfit.observed.weight)]
