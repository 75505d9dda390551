"""The routes whose answer a candidate gives: chat, messages, responses, embeddings, and the count of tokens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from tenbin.errors import RequestError, StoreError
from tenbin.features import count_tokens, read_conversation
from tenbin.gateway.asked import Asked, asked_of
from tenbin.gateway.call import Work
from tenbin.gateway.caller import Caller
from tenbin.gateway.exchange import Exchange
from tenbin.gateway.incoming import (
    Incoming,
    read_anthropic,
    read_chat,
    read_embeddings,
    read_responses,
)
from tenbin.gateway.plan import Plan
from tenbin.gateway.planner import Asking
from tenbin.gateway.relay import Relay
from tenbin.gateway.snapshot import ServedProfile, Snapshot
from tenbin.gateway.target import resolve
from tenbin.gateway.tighten import check_named
from tenbin.gateway.written_down import written_down
from tenbin.reasons import counted
from tenbin.types import Usage
from tenbin.upstream.destination import Destination

if TYPE_CHECKING:
    from tenbin.gateway.app import Gateway

Read = Callable[[bytes], Incoming]


async def chat(gateway: Gateway, exchange: Exchange) -> None:
    """`POST /v1/chat/completions`."""
    await _relayed(gateway, exchange, read_chat)


async def messages(gateway: Gateway, exchange: Exchange) -> None:
    """`POST /v1/messages`."""
    await _relayed(gateway, exchange, read_anthropic)


async def responses(gateway: Gateway, exchange: Exchange) -> None:
    """`POST /v1/responses`."""
    await _relayed(gateway, exchange, read_responses)


async def embeddings(gateway: Gateway, exchange: Exchange) -> None:
    """`POST /v1/embeddings`."""
    await _relayed(gateway, exchange, read_embeddings)


async def count_tokens_route(gateway: Gateway, exchange: Exchange) -> None:
    """`POST /v1/messages/count_tokens`: estimated here, for nobody knows yet which model will answer."""
    caller = gateway.services.callers.admit(exchange.headers)  # counting a long conversation takes a second
    try:
        body = await exchange.body(gateway.settings.max_body_bytes)
        incoming = read_anthropic(body)
        text = read_conversation(incoming.messages).text
        counted = await asyncio.to_thread(count_tokens, [text])
    finally:
        caller.release()
    tokens = round(float(counted[0]) + incoming.hidden_tokens + incoming.attached.tokens(incoming.model))
    await exchange.answer(200, msgspec.json.encode({"input_tokens": max(tokens, 1)}))


async def _relayed(gateway: Gateway, exchange: Exchange, read: Read) -> None:
    services, snapshot = gateway.services, gateway.snapshot
    arrived = time.perf_counter()
    caller = services.callers.admit(exchange.headers)
    try:
        body = await exchange.body(snapshot.settings.max_body_bytes)
        if services.in_flight > snapshot.settings.max_concurrency:
            what = f"{counted(snapshot.settings.max_concurrency, 'request is', 'requests are')} running, as many as may"
            raise RequestError(503, "overloaded", what, fix="try again", retry_after_s=1.0)
        incoming = read(body)
        plan = await planned(gateway, snapshot, exchange, incoming, caller)
        work = Work(services, snapshot, incoming, caller, plan, arrived, time.perf_counter() - arrived, body)
        await Relay(exchange, work).run()
    finally:
        caller.release()


async def planned(gateway: Gateway, snapshot: Snapshot, exchange: Exchange, incoming: Incoming, caller: Caller) -> Plan:
    """The plan of a request; RequestError where its model does not exist or nobody may answer."""
    planner = gateway.services.planner
    target = resolve(snapshot, caller, incoming.model)
    if incoming.endpoint == "messages":
        answering = _holding(gateway, snapshot, incoming, caller, target)
    else:
        answering = await _answering(gateway, snapshot, incoming, caller)
    asked = asked_of(incoming.asked, exchange.headers)
    if isinstance(target, Destination):
        return planner.pinned(incoming, _named(snapshot, incoming, asked, _able(incoming, target)))
    if incoming.endpoint == "embeddings":
        what = "embeddings are not routed: vectors of different models do not compare"
        raise RequestError(400, "not_routed", what, param="model", fix="name an embedding model")
    if answering is not None and caller.may_use_model(answering.candidate.name):
        return planner.following(incoming, _named(snapshot, incoming, asked, answering), target)
    retreat = gateway.services.retreats.of(target.profile.name)
    now = time.monotonic()
    pace = gateway.services.pacers.of(target.profile.name)
    is_alone = gateway.services.in_flight == 1
    return await planner.routed(Asking(snapshot, incoming, caller, asked, retreat, now, pace, is_alone), target)


def _holding(
    gateway: Gateway, snapshot: Snapshot, incoming: Incoming, caller: Caller, target: ServedProfile | Destination
) -> Destination | None:
    """Who holds the thread that this request goes on with: nobody else has it, and no other key may go on with it.

    Anthropic forgets it within minutes, so that every client sends the whole conversation again where it hears 404.
    """
    if incoming.previous_response_id is None:
        return None
    given = gateway.services.threads.get(incoming.previous_response_id)
    found = None if given is None or given.key_id != caller.key_id else snapshot.destinations.get(given.candidate)
    is_held = found is not None and found.dialect == incoming.dialect and caller.may_use_model(found.candidate.name)
    if is_held and (isinstance(target, ServedProfile) or target is found):
        return found
    raise RequestError(404, "thread_not_found", "this key has no such thread here", fix="send the whole conversation")


async def _answering(gateway: Gateway, snapshot: Snapshot, incoming: Incoming, caller: Caller) -> Destination | None:
    """Who gave the response that this request goes on with: nobody else has it.

    All keys share one account there, so that nobody but the gateway refuses another key's response (400). One that
    nobody here knows, or knows any longer, may be anybody's.
    """
    response_id = incoming.previous_response_id
    if response_id is None:
        return None
    services = gateway.services
    try:
        given = services.responses.get(response_id)
        if given is None:
            given = await written_down(services.ledger, partial(services.reader.response, response_id))
    except StoreError:
        what = "whose response this goes on with cannot be read at the moment"
        raise RequestError(503, "ledger_unavailable", what, fix="try again", retry_after_s=5.0) from None
    if given is None or given.key_id != caller.key_id:
        param = "previous_response_id"
        raise RequestError(
            400, "previous_response_not_found", "this key has no such response", param=param, fix="send the whole input"
        )
    return snapshot.destinations.get(given.candidate)


def _named(snapshot: Snapshot, incoming: Incoming, asked: Asked, destination: Destination) -> Destination:
    """The candidate, if the request's own dials leave it."""
    name = destination.candidate.name
    if not asked.is_nothing:
        input_usd = snapshot.bill_usd(name, Usage(round(incoming.sent_tokens(destination.model)), 0))
        check_named(asked, name, snapshot.destinations, input_usd)
    return destination


def _able(incoming: Incoming, destination: Destination) -> Destination:
    """The candidate, if it speaks this endpoint at all."""
    name = destination.candidate.name
    if incoming.endpoint == "responses" and not destination.speaks_responses:
        fix = "set responses = true under its candidate if it does"
        raise RequestError(
            400, "unsupported_endpoint", f'"{name}" does not speak /v1/responses', param="model", fix=fix
        )
    if destination.is_embedding != (incoming.endpoint == "embeddings"):
        what = f'"{name}" is {"an" if destination.is_embedding else "no"} embedding model'
        raise RequestError(400, "unsupported_endpoint", what, param="model", fix="name a model for this endpoint")
    return destination


def served_of(snapshot: Snapshot, caller: Caller, model: str) -> ServedProfile:
    """The profile of a model name; RequestError 400 for a model that is not routed."""
    target = resolve(snapshot, caller, model)
    if isinstance(target, Destination):
        raise RequestError(
            400, "not_routed", f'"{model}" is a model, no profile', param="model", fix='name "tenbin/auto"'
        )
    return target
