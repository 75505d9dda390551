"""`tenbin.toml`: `document` reads and checks it, and one file per section makes the nouns of it."""

from tenbin.config.candidates import Endpoint, read_candidates, read_endpoints
from tenbin.config.document import Document, load_document
from tenbin.config.plugins import read_allowed

__all__ = ["Document", "Endpoint", "load_document", "read_allowed", "read_candidates", "read_endpoints"]
