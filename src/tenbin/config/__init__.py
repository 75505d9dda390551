"""`tenbin.toml`: `document` reads and checks it, and one file per section makes the nouns of it."""

from tenbin.config.admin_key import check_admin_key, read_admin_key
from tenbin.config.candidates import Endpoint, read_candidates, read_endpoints
from tenbin.config.document import Document, load_document
from tenbin.config.gateway import GatewaySettings, is_loopback, read_gateway
from tenbin.config.metrics import MetricSettings, metric_settings, needs_reference, read_metrics
from tenbin.config.plugins import read_allowed
from tenbin.config.profiles import Profile, Sla, read_profiles
from tenbin.config.store import StoreSettings, read_store

__all__ = [
    "Document",
    "Endpoint",
    "GatewaySettings",
    "MetricSettings",
    "Profile",
    "Sla",
    "StoreSettings",
    "check_admin_key",
    "is_loopback",
    "load_document",
    "metric_settings",
    "needs_reference",
    "read_admin_key",
    "read_allowed",
    "read_candidates",
    "read_endpoints",
    "read_gateway",
    "read_metrics",
    "read_profiles",
    "read_store",
]
