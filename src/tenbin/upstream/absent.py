"""The value of a member that did not come, where nothing of what came is taken apart yet."""

from __future__ import annotations

import msgspec

ABSENT = msgspec.Raw(b"null")
"""Told from a `null` that came by identity (`is`): by value both are the same."""
