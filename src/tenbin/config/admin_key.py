"""The admin key, read from the environment: a weak one is refused, and none is ever repeated."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from tenbin.config.gateway import GatewaySettings
from tenbin.errors import ConfigError

MIN_LENGTH = 24
MIN_DISTINCT = 8
"""Characters, and steps from one to the next, that a key must have: 24 random digits have more with odds of 99.9 %."""
FRESH = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"


def read_admin_key(settings: GatewaySettings, environ: Mapping[str, str]) -> str | None:
    """The admin key, None where the settings name no variable; ConfigError for a variable that is unset or weak."""
    variable = settings.admin_key_env
    if variable is None:
        return None
    where = f"environment variable {variable}"
    value = environ.get(variable, "")
    if not value:
        raise ConfigError("is not set, though gateway.admin_key_env names it", where=where, fix=FRESH)
    check_admin_key(value, where=where)
    return value


def check_admin_key(value: str, *, where: str | None = None) -> None:
    """Refuse a key that is short, cannot stand in a header, or repeats itself (ConfigError that never shows it)."""
    if len(value) < MIN_LENGTH:
        raise ConfigError(f"the admin key is shorter than {MIN_LENGTH} characters", where=where, fix=FRESH)
    if any(not "!" <= character <= "~" for character in value):
        what = "the admin key holds spaces or characters that a header cannot carry"
        raise ConfigError(what, where=where, fix=FRESH)
    steps = {ord(b) - ord(a) for a, b in pairwise(value)}
    triples = [value[i : i + 3] for i in range(len(value) - 2)]
    if min(len(set(value)), len(steps)) < MIN_DISTINCT or 2 * len(set(triples)) < len(triples):
        raise ConfigError("the admin key is easy to guess: it repeats itself", where=where, fix=FRESH)
