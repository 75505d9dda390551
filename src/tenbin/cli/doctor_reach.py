"""Whether the candidates can be reached: their lists of models are asked for, which spends no tokens."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from statistics import median

import msgspec

from tenbin.cli.doctor_finding import Finding, Status
from tenbin.errors import NetworkError, did_you_mean
from tenbin.upstream.client import CallTimeout, UpstreamClient, why_unconnected
from tenbin.upstream.destination import Destination
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.reply import Reply

DEADLINE_S = 5.0
MAX_LIST_BYTES = 8 << 20
CLOCK_WARN_S = 30.0
CLOCK_FAIL_S = 300.0


class Listed(msgspec.Struct):
    """One entry of a list of models."""

    id: str = ""


class Models(msgspec.Struct):
    """The list of models that OpenAI's and Anthropic's dialects share."""

    data: list[Listed] = []


@dataclass(frozen=True, slots=True)
class Reached:
    """What an address said: a status, or the `trouble` (a key of the words); how far our clock is behind its own."""

    status: int | None = None
    trouble: str = "broken"
    reason: str = ""
    models: tuple[str, ...] | None = None
    skew_s: float | None = None


def reach(found: Mapping[str, Destination], environ: Mapping[str, str]) -> dict[str, Reached]:
    """What each candidate's address said, by candidate; an address is asked once per key, all at the same time."""
    doors = {name: (d.base_url, d.api_key_env, d.dialect) for name, d in found.items()}
    asked = {door: found[name] for name, door in doors.items()}

    async def ask_all() -> list[Reached]:
        client = UpstreamClient(environ)
        await client.open()
        try:
            return await asyncio.gather(*(_ask(client, destination, environ) for destination in asked.values()))
        finally:
            await client.close()

    said = dict(zip(asked, asyncio.run(ask_all()), strict=True))
    return {name: said[door] for name, door in doors.items()}


async def _ask(client: UpstreamClient, destination: Destination, environ: Mapping[str, str]) -> Reached:
    if not environ.get(destination.api_key_env or "", "").strip():
        destination = replace(destination, api_key_env=None)  # some list their models to anybody
    started = time.time()
    try:
        reply = await client.fetch(destination, "/models", {}, CallTimeout(None, None, DEADLINE_S))
        skew = _skew_s(reply.headers.get("date"), started, time.time())
        body = await _read(reply) if reply.status == HTTPStatus.OK else b""
        reply.abort()
    except UpstreamFailure as failure:
        trouble, reason = _trouble(failure)
        return Reached(trouble=trouble, reason=reason)
    return Reached(reply.status, models=_names(body), skew_s=skew)


async def _read(reply: Reply) -> bytes:
    try:
        return await reply.read(MAX_LIST_BYTES)
    except UpstreamFailure as failure:
        if failure.kind == "malformed":  # or too long: no list
            return b""
        raise


def _names(body: bytes) -> tuple[str, ...] | None:
    try:
        names = tuple(model.id for model in msgspec.json.decode(body, type=Models).data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return names or None


def _skew_s(date: str | None, started: float, ended: float) -> float | None:
    """How far our clock is behind; a Date header is cut to the second, so half of one is added."""
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp() + 0.5 - (started + ended) / 2
    except (ValueError, OverflowError):
        return None


def _trouble(failure: UpstreamFailure) -> tuple[str, str]:
    """What went wrong, as a key of the words and what the system calls it."""
    cause = failure.__cause__
    match failure.kind, cause:
        case ("timeout", _) | ("connect", TimeoutError()):
            return "late", f"{DEADLINE_S:g}"
        case "connect", socket.gaierror():
            return "unknown_host", ""
        case "connect", ssl.SSLCertVerificationError():
            return "untrusted", ""
        case "connect", OSError():
            return "unconnected", why_unconnected(cause)
        case kind, _:
            return "broken", kind


def check_reach(found: Mapping[str, Destination], said: Mapping[str, Reached]) -> list[Finding]:
    """One finding per candidate."""
    return [_finding(name, found[name], reached) for name, reached in said.items()]


def _finding(name: str, destination: Destination, reached: Reached) -> Finding:
    values = {
        "url": destination.base_url,
        "status": str(reached.status),
        "reason": reached.reason,
        "model": destination.model,
        "variable": destination.api_key_env or "api_key_env",
        "near": did_you_mean(destination.model, reached.models or ()) or "",
    }
    state, text, fix = _verdict(destination.model, reached)
    if fix == "check_model" and values["near"]:
        fix = "check_model_near"
    return Finding("reach", name, state, text, values, fix, NetworkError)


def _verdict(model: str, reached: Reached) -> tuple[Status, str, str | None]:
    """Whether a candidate can be called, and the keys of what was found and of what to do."""
    found: tuple[Status, str, str | None]
    match reached.status:
        case None:
            found = "fail", reached.trouble, "check_url"
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            found = "fail", "key_refused", "renew_key"
        case HTTPStatus.NOT_FOUND | HTTPStatus.METHOD_NOT_ALLOWED | HTTPStatus.NOT_IMPLEMENTED:
            found = "warn", "no_list", "try_model"
        case HTTPStatus.TOO_MANY_REQUESTS:
            found = "warn", "limited", "wait_limit"
        case HTTPStatus.OK if reached.models is None:
            found = "warn", "no_list", "try_model"
        case HTTPStatus.OK if not _lists(reached.models, model):
            found = "warn", "model_unlisted", "check_model"
        case HTTPStatus.OK:
            found = "ok", "reached", None
        case _:
            found = "fail", "wrong_status", "check_url"
    return found


def _lists(names: Sequence[str] | None, model: str) -> bool:
    """Whether the list names the model; Google's puts `models/` in front."""
    return any(model in (name, name.rpartition("/")[2]) for name in names or ())


def check_clock(said: Sequence[Reached]) -> list[Finding]:
    """Whether our clock agrees with the middle one of the upstreams': budgets and prices change at midnight UTC."""
    skews = [reached.skew_s for reached in said if reached.skew_s is not None]
    if not skews:
        has_answered = any(reached.status is not None for reached in said)
        return [
            Finding("clock", "UTC", "warn", "clock_unknown", fix="clock_by_hand" if has_answered else "reach_first")
        ]
    skew = median(skews)
    values = {"seconds": f"{abs(skew):,.0f}"}
    if abs(skew) < CLOCK_WARN_S:
        return [Finding("clock", "UTC", "ok", "clock_ok", values)]
    text = "clock_slow" if skew > 0 else "clock_fast"
    return [Finding("clock", "UTC", "fail" if abs(skew) >= CLOCK_FAIL_S else "warn", text, values, "set_clock")]
