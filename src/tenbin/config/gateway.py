"""The section `[gateway]`: where it listens, who may call it, and what it serves with."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from tenbin.config.document import Document
from tenbin.errors import ConfigError, did_you_mean

AUTO = "auto"
"""`tenbin/auto` is the default profile."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where the gateway listens, which router and prices it serves with by default, and its limits.

    `router` None: every profile names its own; `prices` None: the router's own book. `keys` "open" lets anybody on
    this machine call without a key. `admin_key_env` names the environment variable of the admin key.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    admin_host: str = "127.0.0.1"
    admin_port: int = 8788
    admin_key_env: str | None = None
    router: Path | None = None
    prices: Path | None = None
    default_profile: str | None = None
    keys: Literal["required", "open"] = "required"
    max_body_mb: int = 32
    max_concurrency: int = 1024
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def max_body_bytes(self) -> int:
        """The longest request body that is read."""
        return self.max_body_mb * 1024 * 1024


def read_gateway(document: Document) -> GatewaySettings:
    """The gateway's settings.

    Raises ConfigError for open doors beyond this machine (`keys = "open"`, admin routes without a key), one port for
    both sides, and a default profile that does not exist.
    """
    table: dict[str, Any] = dict(document.plain["gateway"])
    for key in ("router", "prices"):
        if key in table:
            table[key] = document.path(table[key])
    settings = GatewaySettings(**table)
    _check_doors(settings, document.name)
    _check_default(settings, document)
    return settings


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _check_doors(settings: GatewaySettings, where: str) -> None:
    if settings.keys == "open" and not is_loopback(settings.host):
        raise ConfigError(
            f'gateway.keys = "open" would let anybody in through {settings.host}',
            where=where,
            fix='listen on 127.0.0.1, or set keys = "required" and make keys with: tenbin keys create',
        )
    if settings.admin_key_env is None and not is_loopback(settings.admin_host):
        raise ConfigError(
            f"gateway.admin_host = {settings.admin_host} would let anybody at the admin routes",
            where=where,
            fix="listen on 127.0.0.1, or name the variable of an admin key in admin_key_env",
        )
    if settings.port == settings.admin_port != 0:
        raise ConfigError(
            f"gateway.port and gateway.admin_port are both {settings.port}", where=where, fix="give each its own"
        )


def _check_default(settings: GatewaySettings, document: Document) -> None:
    default, profiles = settings.default_profile, document.named["profiles"]
    if default is not None and default not in profiles:
        fix = did_you_mean(default, profiles) or f"profiles: {', '.join(profiles) or 'none yet; add [profiles.NAME]'}"
        raise ConfigError(f'gateway.default_profile: there is no profile "{default}"', where=document.name, fix=fix)
    if default not in (None, AUTO) and AUTO in profiles:
        raise ConfigError(
            f'tenbin/{AUTO} would mean both profiles.{AUTO} and the default profile "{default}"',
            where=document.name,
            fix=f"call profiles.{AUTO} something else",
        )
