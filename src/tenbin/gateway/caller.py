"""Who is calling: the virtual key behind a request, what it may name, and how fast and how often it may call."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

import msgspec

from tenbin.config import is_loopback
from tenbin.errors import RequestError
from tenbin.gateway.address import hostname
from tenbin.gateway.limits import RateLimit, Slots
from tenbin.gateway.shared_limits import Limits
from tenbin.reasons import counted
from tenbin.store.keyring import KeyRing
from tenbin.store.keys import KeyRecord

MAKE_KEY = "send a key made by: tenbin keys create, as Authorization: Bearer tb-... or x-api-key"

VERDICTS = "@feedback"
"""Behind a key's name in that of its limit of verdicts: as many as it may send requests, counted apart from them."""


class Caller(msgspec.Struct, eq=False):
    """One admitted request of a key (None where keys are not asked for); `release` gives its slot back."""

    key: KeyRecord | None
    slots: Slots | None = None

    @property
    def key_id(self) -> str | None:
        """What the ledger calls the key."""
        return None if self.key is None else self.key.key_id

    def may_use_profile(self, name: str) -> bool:
        """Whether the key may name this profile."""
        return self.key is None or self.key.profiles is None or name in self.key.profiles

    def may_use_model(self, name: str) -> bool:
        """Whether the key may reach this candidate, named or routed to."""
        return self.key is None or self.key.models is None or name in self.key.models

    def first_profile(self, default: str | None, served: Collection[str]) -> str | None:
        """The profile behind `tenbin/auto`: the default, or the key's first one where the default is not its own."""
        if default is not None and self.may_use_profile(default):
            return default
        return next((name for name in sorted(served) if self.may_use_profile(name)), None)

    def release(self) -> None:
        """Give the slot back; more than once does nothing."""
        if self.slots is not None:
            self.slots.give()
            self.slots = None


class Callers:
    """Admits requests by their key: who, how often a minute, how many at once."""

    def __init__(self, ring: KeyRing, limits: Limits, *, is_open: bool) -> None:
        self.ring = ring
        self.limits = limits
        self.is_open = is_open
        self._rates: dict[str, RateLimit] = {}
        self._slots: dict[str, Slots] = {}

    def identify(self, headers: Mapping[str, str]) -> KeyRecord | None:
        """The key of a request; RequestError 401 where there is none or it is not known."""
        secret = _secret(headers)
        key = None if secret is None else self.ring.find(secret)
        if key is None and self.is_open:
            _check_local(headers)
        if key is not None or self.is_open:
            return key
        if secret is not None and not self.ring.is_loaded:
            what = "the keys cannot be read at the moment"
            raise RequestError(503, "keys_unavailable", what, fix="try again", retry_after_s=1.0)
        what = "no key was sent" if secret is None else "this key is not known here"
        raise RequestError(401, "invalid_api_key", what, fix=MAKE_KEY)

    def admit(self, headers: Mapping[str, str]) -> Caller:
        """The caller of a request, with a slot of its key; RequestError 401, or 429 beyond a limit."""
        key = self.identify(headers)
        if key is None:
            return Caller(None)
        self._check_rate(key)
        if key.max_concurrency is None:
            return Caller(key)
        slots = self._slots.get(key.key_id)
        if slots is None or slots.limit != key.max_concurrency:
            slots = self._slots[key.key_id] = self.limits.slots(f"key {key.key_id}", key.max_concurrency)
        if not slots.take():
            what = f"this key has {counted(key.max_concurrency, 'request')} running, as many as it may"
            raise RequestError(429, "too_many_at_once", what, fix="wait for one to end", retry_after_s=1.0)
        return Caller(key, slots)

    def admit_verdict(self, headers: Mapping[str, str]) -> KeyRecord | None:
        """The key of a verdict on an answer, which costs none of its requests; 429 for more of them than of these."""
        key = self.identify(headers)
        if key is not None:
            self._check_rate(key, VERDICTS)
        return key

    def _check_rate(self, key: KeyRecord, of: str = "") -> None:
        if (per_minute := key.requests_per_minute) is None:
            return
        name = f"{key.key_id}{of}"
        rate = self._rates.get(name)
        if rate is None or rate.per_minute != per_minute:
            rate = self._rates[name] = self.limits.rate(name, per_minute)
        wait_s = rate.take(time.monotonic())
        if wait_s > 0.0:
            what = f"this key may send {counted(per_minute, 'verdict' if of else 'request')} a minute"
            raise RequestError(429, "rate_limited", what, fix="send fewer, or wait", retry_after_s=wait_s)


def _check_local(headers: Mapping[str, str]) -> None:
    """Refuse a web page where no key is asked for: any page in a browser of this machine can send requests here.

    It says so by its Origin, or by a name of its own that it let the DNS point to this machine.
    """
    scheme, _, place = headers.get("origin", "").partition("://")
    is_page = scheme in ("http", "https", "null")
    if is_page and not is_loopback(hostname(place) or ""):
        raise RequestError(403, "origin_refused", "a web page may not call without a key", fix=MAKE_KEY)
    host = headers.get("host")
    if host is not None and not is_loopback(hostname(host) or ""):
        fix = f"use 127.0.0.1, or {MAKE_KEY}"
        raise RequestError(421, "host_refused", "the Host header does not name this machine", fix=fix)


def _secret(headers: Mapping[str, str]) -> str | None:
    """The key that was sent; two different ones are refused, for readers might believe different ones."""
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    first = bearer.strip() if kind.lower() == "bearer" else ""
    second = headers.get("x-api-key", "").strip()
    if first and second and first != second:
        raise RequestError(400, "two_keys", "Authorization and x-api-key hold different keys", fix="send one")
    return first or second or None
