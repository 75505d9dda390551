"""The gateway as an ASGI app: which request goes to which route, and what holds while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tenbin.config import GatewaySettings, read_admin_key
from tenbin.errors import RequestError, StoreError, TenbinError
from tenbin.gateway.admin import Admin
from tenbin.gateway.exchange import Exchange, Receive, Scope, Send
from tenbin.gateway.refusal import refuse
from tenbin.gateway.routes import decision, decisions, feedback, health, models, relayed
from tenbin.gateway.services import Services
from tenbin.gateway.snapshot import Snapshot, build_snapshot
from tenbin.telemetry.logs import LineWriter, set_level, start_logs
from tenbin.telemetry.redaction import Redactor
from tenbin.upstream.destination import Dialect

Handler = Callable[["Gateway", Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """What answers one path, and what metrics call it."""

    name: str
    handler: Handler


ROUTES: Mapping[str, Mapping[str, Route]] = MappingProxyType(
    {
        "/v1/chat/completions": {"POST": Route("chat", relayed.chat)},
        "/v1/messages": {"POST": Route("messages", relayed.messages)},
        "/v1/messages/count_tokens": {"POST": Route("count_tokens", relayed.count_tokens_route)},
        "/v1/responses": {"POST": Route("responses", relayed.responses)},
        "/v1/embeddings": {"POST": Route("embeddings", relayed.embeddings)},
        "/v1/models": {"GET": Route("models", models.listed)},
        "/v1/decision": {"POST": Route("decision", decision.decide_only)},
        "/v1/feedback": {"POST": Route("feedback", feedback.take)},
        "/health": {"GET": Route("health", health.health), "HEAD": Route("health", health.health)},
        "/ready": {"GET": Route("ready", health.ready), "HEAD": Route("ready", health.ready)},
    }
)
"""Exact paths only: what is authorised is the route that runs."""
DECISIONS = "/v1/decisions/"
MODELS = "/v1/models/"
MESSAGES = "/v1/messages"
"""What is under it is refused in Anthropic's dialect, whatever is wrong with it."""
ROUTE_OF_DECISIONS = Route("decisions", decisions.shown)
ROUTE_OF_MODEL = Route("models", models.one)
STEP_S = 0.05
NEW_DAY_S = 60.0


class Gateway:
    """Serves one snapshot at a time; requests that run keep the one they began with."""

    def __init__(self, config: Path, environ: Mapping[str, str], services: Services, snapshot: Snapshot) -> None:
        self.config = config
        self.environ = environ
        self.services = services
        self.snapshot = snapshot
        self.is_draining = False
        self._reloading = threading.Lock()
        self.log = logging.getLogger("tenbin.gateway")
        self.redactor = Redactor.of(environ, snapshot.destinations)
        self.lines: LineWriter | None = None
        key = read_admin_key(snapshot.settings, environ)
        if key is not None:  # its variable may be called anything
            self.redactor.learn([key])
        self.admin = Admin(self, services.metrics, snapshot.settings, admin_key=key, redactor=self.redactor)

    @property
    def settings(self) -> GatewaySettings:
        """Where it listens and what it allows."""
        return self.snapshot.settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        route = _routes(path).get(scope["method"])
        exchange = Exchange(scope, receive, send)
        services = self.services
        services.in_flight += 1
        try:
            if route is None:
                raise _unrouted(scope["method"], path)
            exchange.read_headers()
            await route.handler(self, exchange)
        except RequestError as refused:
            services.metrics.refused("other" if route is None else route.name, refused.code)
            await refuse(exchange, _dialect(path), refused, allowed=_routes(path))
        except asyncio.CancelledError:
            if not exchange.is_gone:
                raise
        except Exception:
            self.log.exception("a request failed")
            failed = RequestError(500, "internal_error", "the gateway failed on this request")
            await refuse(exchange, _dialect(path), failed)
        finally:
            services.in_flight -= 1

    async def startup(self) -> None:
        """Open what a request needs; raises TenbinError where that cannot be."""
        self.lines = start_logs(self.settings.log_level, self.redactor)
        self._name_unset_keys(self.snapshot)
        await self.services.open()
        self.services.every(NEW_DAY_S, self.reload_on_new_day)

    async def drain(self, deadline_s: float) -> None:
        """Say no to readiness, let running requests finish for at most this long, make the ledger durable."""
        self.is_draining = True
        loop = asyncio.get_running_loop()
        until = loop.time() + deadline_s
        while self.services.in_flight and loop.time() < until:
            await asyncio.sleep(STEP_S)
        await self.services.ledger.flush()

    async def shutdown(self) -> None:
        """Close what was opened."""
        await self.services.close()
        if self.lines is not None:
            self.lines.close()

    def reload(self) -> None:
        """Serve new requests with the files as they are now; TenbinError where they are broken, and the old stays.

        Blocks: for any thread but the loop's.
        """
        with self._reloading:
            self._reload()

    def _reload(self) -> None:
        try:
            snapshot = build_snapshot(self.config, self.environ)
        except TenbinError:
            self.services.metrics.reloaded("refused")
            raise
        if _fixed(snapshot) != _fixed(self.snapshot):
            self.log.warning("addresses, the admin key and the folder of the store change only with a restart")
        self.redactor.learn_keys(self.environ, snapshot.destinations)
        self._name_unset_keys(snapshot)
        with contextlib.suppress(StoreError):  # a store that is away is no reason to refuse
            self.services.retained.days(self.snapshot.profiles)
        self.services.on_loop(partial(self._take_over, snapshot))
        self.services.metrics.reloaded("ok")

    def _take_over(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        set_level(snapshot.settings.log_level)
        self.services.taken_over(snapshot)

    def _name_unset_keys(self, snapshot: Snapshot) -> None:
        """Say which candidates cannot be called for want of a key: others may take over, so it is no reason to stop."""
        for name, destination in snapshot.destinations.items():
            variable = destination.api_key_env
            if variable is not None and not self.environ.get(variable, "").strip():
                self.log.warning("%s cannot be called: its key is not set in %s", name, variable)

    def reload_on_new_day(self) -> None:
        """Reload where the day (UTC), hence perhaps a price, has changed."""
        if self.snapshot.day != datetime.now(UTC).date():
            self.reload()

    def resume(self, profile: str) -> None:
        """Let a profile that has retreated route again, and watch its keys afresh.

        RequestError 404 where there is no such profile.
        """
        if profile not in self.snapshot.profiles:
            raise RequestError(404, "profile_not_found", f'there is no profile "{profile}"')
        at = self.services.retreats.resume(profile)
        self.services.keys.resume(profile, at)

    def state(self) -> Mapping[str, Any]:
        """What the admin port shows; no secrets."""
        return {**self.services.state(), "is_draining": self.is_draining, "snapshot": self.snapshot.state()}


def _fixed(snapshot: Snapshot) -> tuple[object, ...]:
    """What a running process cannot change."""
    s = snapshot.settings
    return s.host, s.port, s.admin_host, s.admin_port, s.admin_key_env, snapshot.store.path


def _dialect(path: str) -> Dialect:
    """The dialect in which a request to this path is refused."""
    return "anthropic" if path.startswith(MESSAGES) else "openai"


def _routes(path: str) -> Mapping[str, Route]:
    """The routes of a path by method."""
    if (routes := ROUTES.get(path)) is not None:
        return routes
    if path.startswith(DECISIONS):
        return {"GET": ROUTE_OF_DECISIONS}
    if path.startswith(MODELS):
        return {"GET": ROUTE_OF_MODEL}
    return {}


def _unrouted(method: str, path: str) -> RequestError:
    """How a request without a route is refused."""
    routes = _routes(path)
    if not routes:
        offer = f"served are {', '.join(ROUTES)}"
        return RequestError(404, "unknown_endpoint", f"there is no {path[:100]} here", fix=offer)
    what = f"{path[:100]} does not take {method[:20]}"
    return RequestError(405, "method_not_allowed", what, fix=f"use {', '.join(routes)}")


def make_gateway(config: Path, environ: Mapping[str, str], *, worker: int = 0, workers: int = 1) -> Gateway:
    """The gateway of a configuration file; TenbinError where it or what it names is broken."""
    snapshot = build_snapshot(config, environ)
    return Gateway(config, environ, Services(snapshot, environ, worker=worker, workers=workers), snapshot)
