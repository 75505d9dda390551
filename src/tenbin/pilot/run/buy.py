"""One call: written down before it is made, heard to its end, and told as the record to write down then."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

import msgspec

from tenbin.features.token_count import count_tokens
from tenbin.pilot.journal import Journal
from tenbin.pilot.pair import Pair
from tenbin.pilot.records import STOPPED, Begun, Bought, Failed
from tenbin.pilot.run.bound import Ceiling
from tenbin.pilot.run.heard import FILTERED, Heard, UnheardError, ask
from tenbin.pilot.run.said import CHAT, Said
from tenbin.types import Usage
from tenbin.upstream.client import UpstreamClient
from tenbin.upstream.destination import Destination
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.manners import MOST_MANNERS, Learnt, Manners, minded
from tenbin.upstream.usage import possible_usage, told_usage

FINAL = frozenset({"context"})
"""Failures that asking again would only repeat: the prompt, not the moment, is at fault."""
DOUBTFUL = frozenset({"refused", "capability"})
"""The same, unless the candidate has never answered: then our way of asking may be at fault, for every prompt."""


@dataclass(frozen=True, slots=True)
class Order:
    """One call to be made: the pair, what is said to whom, under which name, and the money set aside for it.

    `gives_up`: a prompt that is refused is not asked again.
    """

    pair: Pair
    destination: Destination
    said: Said
    call_id: str
    reserve_usd: float
    gives_up: bool = True


class Buyer:
    """Makes the calls of a run. `deadline_s` bounds one call, `price_version` names the book that prices them."""

    def __init__(self, journal: Journal, client: UpstreamClient, deadline_s: float, price_version: str) -> None:
        self.journal = journal
        self.client = client
        self.deadline_s = deadline_s
        self.price_version = price_version
        self.learnt = Learnt()

    async def call(self, order: Order, ceiling: Ceiling) -> tuple[Bought | Failed, UpstreamFailure | None]:
        """What came of the call, to be committed by the caller, and the failure where it was one.

        A call that is cancelled leaves a `Failed` with all of its reserve: nobody knows what it cost. Raises StoreError
        where the journal cannot be written: a call that it does not hold is never made.
        """
        pair = order.pair
        begun = Begun(
            order.call_id,
            pair.query_id,
            pair.model,
            time.time(),
            order.reserve_usd,
            repeat=pair.repeat,
            stage=pair.stage,
        )
        at_risk_usd = 0.0
        try:
            await self.journal.commit(begun)
            at_risk_usd = order.reserve_usd
            return await self._asked(order, ceiling)
        except asyncio.CancelledError:
            await self.journal.commit(failed(order, STOPPED, "the run was stopped", at_risk_usd))
            raise

    async def _asked(self, order: Order, ceiling: Ceiling) -> tuple[Bought | Failed, UpstreamFailure | None]:
        started = time.perf_counter()
        try:
            heard = await self._heard(order)
        except UnheardError as unheard:
            failure = unheard.failure
            if not failure.is_content_filter:
                cost_usd = order.reserve_usd if unheard.may_be_billed else 0.0
                is_final = failure.kind in FINAL or (order.gives_up and failure.kind in DOUBTFUL)
                return failed(order, failure.kind, failure.told, cost_usd, is_final=is_final), failure
            # The provider's filter spoke in the model's place: that is the answer its users get.
            heard = Heard("", Usage(0, 0) if not unheard.may_be_billed else None, FILTERED, is_refusal=True)
        return self._bought(order, ceiling, heard, time.perf_counter() - started), None

    async def _heard(self, order: Order) -> Heard:
        """The answer; asked anew where a refusal tells how this upstream wants to be asked. Raises UnheardError."""
        destination, plain = order.destination, order.said
        manners = self.learnt.of(destination)
        said = _minded(plain, manners)
        while True:
            try:
                return await ask(self.client, destination, said, self.deadline_s)
            except UnheardError as unheard:
                manners |= self.learnt.learn(destination, unheard.failure)
                refused, said = said, _minded(plain, manners)
                if unheard.may_be_billed or said == refused or len(manners) > MOST_MANNERS:
                    raise

    def _bought(self, order: Order, ceiling: Ceiling, heard: Heard, latency_s: float) -> Bought:
        pair, candidate = order.pair, order.destination.candidate
        possible = possible_usage(heard.usage, candidate.context_window_tokens, len(order.said.body))
        told = told_usage(possible, heard.text)
        usage = told or estimated_usage(order.said, heard.text, possible)
        cost_usd = ceiling.bill_usd(usage) if usage.input_tokens or usage.output_tokens else 0.0
        return Bought(
            order.call_id,
            pair.query_id,
            pair.model,
            time.time(),
            heard.text,
            usage,
            cost_usd,
            latency_s,
            repeat=pair.repeat,
            stage=pair.stage,
            label_propensity=pair.label_propensity,
            first_token_s=heard.first_token_s,
            finish_reason=heard.finish_reason,
            price_version=self.price_version,
            is_refusal=heard.is_refusal,
            is_estimated=told is None,
            held_usd=max(order.reserve_usd - cost_usd, 0.0) if told is None else 0.0,
        )


def _minded(said: Said, manners: Manners) -> Said:
    return replace(said, body=minded(said.body, manners)) if manners and said.path == CHAT else said


def estimated_usage(said: Said, answer: str, told: Usage | None) -> Usage:
    """The tokens of a call, counted from the text of either side where its provider told none."""
    known = told or Usage(0, 0)
    output_tokens = known.output_tokens or round(float(count_tokens([answer])[0]))
    return msgspec.structs.replace(known, input_tokens=known.input_tokens or _likely(said), output_tokens=output_tokens)


def _likely(said: Said) -> int:
    return max(round(said.likely_input_tokens()), 1)


def failed(order: Order, kind: str, what: str, cost_usd: float, *, is_final: bool = False) -> Failed:
    """The end of a call without an answer."""
    pair = order.pair
    return Failed(
        order.call_id,
        pair.query_id,
        pair.model,
        time.time(),
        kind,
        what,
        cost_usd,
        repeat=pair.repeat,
        stage=pair.stage,
        is_final=is_final,
    )
