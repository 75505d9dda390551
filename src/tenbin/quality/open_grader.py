"""The grader of a metric's name, as `tenbin.toml` describes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tenbin.config.document import Document, path_of
from tenbin.config.metrics import MetricSettings, metric_settings
from tenbin.config.plugins import read_allowed
from tenbin.errors import ConfigError
from tenbin.plugins import OWN_PACKAGE, load_plugin
from tenbin.prices.book import PriceBook
from tenbin.protocols import QualityMetric
from tenbin.quality.grader import Grader
from tenbin.quality.metric_grader import MetricGrader, computing_at_once
from tenbin.quality.mixture import MixtureGrader
from tenbin.quality.open_judge import JudgeMeans, open_judge
from tenbin.quality.plugin_metric import open_plugin
from tenbin.quality.threshold import ThresholdGrader
from tenbin.upstream.client import UpstreamClient


def open_grader(
    document: Document,
    metric: str,
    *,
    prices: PriceBook | None,
    client: UpstreamClient | None,
    candidates: Collection[str],
    environ: Mapping[str, str],
    threshold: float | None = None,
) -> Grader:
    """The grader of `[metrics.NAME]`, or of a kind that needs no table; nothing is called yet.

    `candidates` are the names of those whose answers will be graded: no judge of their families is let in unless the
    metric says so. `client` calls the judges and is opened by the caller; None where only free metrics are wanted.
    `environ` holds the judges' keys, `threshold` is the profile's. Raises ConfigError (as `config.metrics`, or a judge
    that cannot be asked), PriceError (a judge without a price), PluginError, and MissingExtraError for a package that
    a metric needs.
    """
    grader = _open(document, metric_settings(document, metric), JudgeMeans(prices, client, candidates, environ))
    return grader if threshold is None else ThresholdGrader(grader, threshold)


def _open(document: Document, wanted: MetricSettings, means: JudgeMeans) -> Grader:
    if wanted.kind == "mixture":
        grader: Grader = _mixture(document, wanted.settings, means)
    elif wanted.kind in ("judge", "pairwise"):
        grader = open_judge(document, wanted, means)
    elif wanted.kind == "plugin":
        found, name = open_plugin(
            wanted.settings["plugin"], read_allowed(document), wanted.settings.get("settings", {})
        )
        grader = MetricGrader(found, name)
    else:
        grader = MetricGrader(_built_in(document, wanted), at_once=computing_at_once())
    return grader if wanted.threshold is None else ThresholdGrader(grader, wanted.threshold)


def _built_in(document: Document, wanted: MetricSettings) -> QualityMetric:
    """A metric of ours, by the same door as anybody's; a package that offers its name cannot stand in for it."""
    try:
        metric: QualityMetric = load_plugin("metric", wanted.kind, (OWN_PACKAGE,))(**wanted.settings)
    except ConfigError as error:
        path = path_of("metrics", wanted.name)
        raise ConfigError(f"{path}: {error.what}", where=document.name, fix=error.fix) from None
    return metric


def _mixture(document: Document, settings: Mapping[str, Any], means: JudgeMeans) -> MixtureGrader:
    def part(name: str) -> Grader:
        return _open(document, metric_settings(document, name), means)

    parts = [(name, weight, part(name)) for name, weight in settings["weights"].items()]
    return MixtureGrader(parts, [(name, part(name)) for name in settings.get("vetoes", ())])
