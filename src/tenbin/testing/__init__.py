"""Conformance checks for anyone who writes an embedder, a predictor or a metric; Tenbin's own pass the same.

Each check raises PluginError with one sentence that says what the door asks for and what was seen instead.
"""

from tenbin.testing.embedder import check_embedder
from tenbin.testing.metric import check_metric
from tenbin.testing.predictor import check_predictor

__all__ = ["check_embedder", "check_metric", "check_predictor"]
