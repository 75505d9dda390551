"""How a refusal of the gateway itself reads in the client's dialect: status, code, param, a sentence that helps."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tenbin.errors import RequestError
from tenbin.gateway.exchange import Exchange
from tenbin.upstream.destination import Dialect
from tenbin.upstream.translate import error_body


async def refuse(exchange: Exchange, dialect: Dialect, refusal: RequestError, *, allowed: Iterable[str] = ()) -> None:
    """Answer with the refusal, unless an answer has already begun; `allowed` are the methods of the path."""
    if exchange.has_begun or exchange.is_gone:
        return
    headers = []
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % max(math.ceil(refusal.retry_after_s), 1)))
    if refusal.status == 405:
        headers.append((b"allow", ", ".join(allowed).encode()))
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    body = error_body(dialect, refusal.status, refusal.code, str(refusal), param=refusal.param)
    await exchange.answer(refusal.status, body, headers)
