"""W3C trace context and request ids: taken over where they are valid, made anew where they are not."""

from __future__ import annotations

import random
import re

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def read_traceparent(header: str | None) -> tuple[str, str, int] | None:
    """Trace id, parent id and flags of a `traceparent`; None where it is missing or invalid.

    Source: W3C Trace Context, section 3.2: lower case, no id of zeros, no version ff, nothing behind version 00.
    """
    found = _TRACEPARENT.fullmatch(header.strip(" \t")) if header is not None and len(header) <= 512 else None
    if found is None:
        return None
    version, trace_id, parent_id, flags, rest = found.groups()
    if version == "ff" or (version == "00" and rest is not None) or not trace_id.strip("0") or not parent_id.strip("0"):
        return None
    return trace_id, parent_id, int(flags, 16)


def child_traceparent(header: str | None) -> str:
    """The `traceparent` to send on: the same trace and sampling with a span id of ours, or a new, unsampled trace.

    Where the header was invalid its `tracestate` must not be sent on (`read_traceparent` tells).

    >>> child_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")[:36]
    '00-4bf92f3577b34da6a3ce929d0e0e4736-'
    """
    found = read_traceparent(header)
    made = random.getrandbits(192).to_bytes(24, "big").hex()
    if found is None:
        return f"00-{made[16:]}-{made[:16]}-00"
    return f"00-{found[0]}-{made[:16]}-{found[2] & 1:02x}"


def request_id(header: str | None) -> str:
    """The client's `x-request-id` where it is 1 to 128 harmless characters, else a new one.

    >>> request_id("build-17/step:3")
    'build-17/step:3'
    """
    if header is not None and _REQUEST_ID.fullmatch(header):
        return header
    return f"req_{random.getrandbits(96).to_bytes(12, 'big').hex()}"
