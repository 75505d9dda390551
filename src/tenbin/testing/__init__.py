"""Conformance checks for anyone who writes an embedder, a predictor or a metric, and a fake upstream to call.

Tenbin's own parts pass the same checks. Each raises PluginError with one sentence that says what the door asks for and
what was seen instead. `FakeUpstream` is a model provider on loopback that answers correctly, or as wrongly as scripted.
"""

from tenbin.testing.embedder import check_embedder
from tenbin.testing.fake.answer import Answer
from tenbin.testing.fake.request import UpstreamRequest
from tenbin.testing.fake.upstream import FakeUpstream
from tenbin.testing.metric import check_metric
from tenbin.testing.predictor import check_predictor

__all__ = ["Answer", "FakeUpstream", "UpstreamRequest", "check_embedder", "check_metric", "check_predictor"]
