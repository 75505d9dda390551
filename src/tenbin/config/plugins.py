"""The section `[plugins]`: whose plug-ins may be loaded."""

from __future__ import annotations

from tenbin.config.document import Document


def read_allowed(document: Document) -> tuple[str, ...]:
    """The packages, as they are installed, whose plug-ins may be loaded: `allow` of `[plugins]`, by default none."""
    allowed: tuple[str, ...] = document.plain["plugins"].get("allow", ())
    return allowed
