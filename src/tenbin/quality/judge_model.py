"""A model that is asked to judge: in its dialect, again where that may help, and what every call has cost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from tenbin.errors import RequestError
from tenbin.prices.rates import Rates
from tenbin.quality.judge_prompt import JudgeForm, JudgePrompt
from tenbin.quality.shown import shown
from tenbin.upstream.client import CallTimeout, UpstreamClient
from tenbin.upstream.destination import Destination
from tenbin.upstream.failure import FailureKind, UpstreamFailure
from tenbin.upstream.pace import Pace
from tenbin.upstream.translate import chat_to_messages
from tenbin.upstream.translate.model_rules import anthropic_rules, openai_rules
from tenbin.upstream.usage import possible_usage, read_usage, told_usage
from tenbin.upstream.words import words_of

Found = TypeVar("Found")
Pause = Callable[[float], Awaitable[None]]

MAX_BILLED_CALLS = 2
"""Of one question: the second where the first was answered with nonsense, or broke off and may have been billed."""
MAX_CALLS = 6
"""Of one question, those included that were turned away and cost nothing."""
MAX_PAUSE_S = 60.0
MAX_REPLY_BYTES = 4 << 20
BYTES_PER_TOKEN, REPLY_TOKENS = 3.5, 100
"""What a call is taken for where rates are kept, until its usage is known."""
WRAPPING_TOKENS = 512
"""What a provider may wrap around a request of two messages."""
PASSES: frozenset[FailureKind] = frozenset(
    {"connect", "timeout", "reset", "rate_limited", "overloaded", "server_error", "malformed", "cut"}
)
"""Failures after which the same question may be answered."""
UNBILLED: frozenset[FailureKind] = frozenset(
    {
        "connect",
        "rate_limited",
        "overloaded",
        "server_error",
        "refused",
        "unauthorised",
        "not_found",
        "context",
        "capability",
    }
)
"""Failures before any answer was made; the others are counted as if a whole one had been."""
REMINDER = "Your last reply was not the JSON object asked for. Reply with that object and nothing else."


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How a judge is asked; `max_output_tokens` is sent with every call, so that its cost has a bound."""

    temperature: float = 0.0
    max_output_tokens: int = 1024
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Asked(Generic[Found]):
    """What a judge found, None where it did not say (`note` says why), and the dollars of all calls for it.

    A call that broke off, or that reports no usage that can be, counts with its upper bound.
    """

    found: Found | None
    note: str
    cost_usd: float


class JudgeModel:
    """Asks one model, as fast and as often at once as its destination allows; `pause` waits so many seconds.

    A provider that bills more than the bound (a cap that it does not keep) is believed from then on.
    """

    def __init__(
        self,
        client: UpstreamClient,
        destination: Destination,
        rates: Rates,
        settings: JudgeSettings,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self.destination = destination
        self.settings = settings
        self._client = client
        self._rates = rates
        self._pause = pause
        self._room = asyncio.Semaphore(destination.max_concurrency or 1024)
        self._pace = Pace(destination.requests_per_minute, destination.tokens_per_minute)
        self._widened = 1.0

    @property
    def temperature(self) -> float | None:
        """The temperature that is sent, None for a model that takes none."""
        model = self.destination.model
        samples = (
            anthropic_rules(model).samples if self.destination.dialect == "anthropic" else openai_rules(model).samples
        )
        return self.settings.temperature if samples else None

    @property
    def settings_by_name(self) -> dict[str, Any]:
        """What of the judge decides its verdicts: the model and how it is asked, not where it is reached."""
        candidate = self.destination.candidate
        return {
            "model": self.destination.model,
            "effort": candidate.reasoning_effort,
            "temperature": self.temperature,
            "max_output_tokens": self.settings.max_output_tokens,
        }

    def details(self, form: JudgeForm) -> dict[str, str]:
        """What every grade of this judge is traceable by."""
        temperature = self.temperature
        return {
            "judge": self.destination.candidate.name,
            "judge_model": self.destination.model,
            "temperature": "the model's own" if temperature is None else f"{temperature:g}",
            "prompt_hash": form.hash,
        }

    def reserve_usd(self, prompt: JudgePrompt) -> float:
        """The most that asking this may cost, all calls for it together."""
        return MAX_BILLED_CALLS * self._bound_usd(prompt)

    async def ask(self, prompt: JudgePrompt, read: Callable[[str], Found | None]) -> Asked[Found]:
        """Ask, and read the reply; `read` gives None for nonsense, which is asked once more.

        What passes (rate limits, overload, time-outs) is tried again inside the bounds above, after the time that the
        provider asks for; never raises for what an upstream does.
        """
        cost_usd, billed, note = 0.0, 0, ""
        reminder: str | None = None
        for call in range(MAX_CALLS):
            try:
                async with self._room:
                    reply, cost = await self._call(prompt, reminder)
            except UpstreamFailure as failure:
                if failure.kind not in UNBILLED:
                    cost_usd, billed = cost_usd + self._bound_usd(prompt), billed + 1
                note = shown(f"the judge {self.destination.candidate.name} did not answer: {failure.what}")
                wait_s = _wait_s(failure, call)
                if wait_s > MAX_PAUSE_S:
                    note = shown(f"{note}; it asks to be left alone for {wait_s:.0f} s")
                    break
                if failure.kind not in PASSES or billed >= MAX_BILLED_CALLS or call + 1 == MAX_CALLS:
                    break
                await self._pause(wait_s)
            except RequestError as error:  # its dialect has no words for this
                return Asked(None, shown(f"the judge cannot be asked: {error}"), cost_usd)
            else:
                cost_usd, billed, reminder = cost_usd + cost, billed + 1, REMINDER
                found = read(reply)
                if found is not None:
                    return Asked(found, "", cost_usd)
                note = shown(f"the judge {self.destination.candidate.name} answered nonsense: {reply[:200]!r}")
                if billed >= MAX_BILLED_CALLS:
                    break
        return Asked(None, note, cost_usd)

    async def _call(self, prompt: JudgePrompt, reminder: str | None) -> tuple[str, float]:
        """One call: the words of its answer, and its dollars."""
        destination = self.destination
        body = msgspec.json.encode(self._body(prompt, reminder))
        path = "/messages" if destination.dialect == "anthropic" else "/chat/completions"
        assumed_tokens = len(body) / BYTES_PER_TOKEN + REPLY_TOKENS
        await self._turn(assumed_tokens)
        timeout = CallTimeout(total_s=self.settings.timeout_s)
        reply = await self._client.send(destination, path, body, {}, timeout)
        failure = await reply.failure(destination.dialect, streamed=False)
        if failure is not None:
            raise failure
        answer = await reply.read(MAX_REPLY_BYTES)
        said, words = read_usage(destination.dialect, answer), words_of(destination.dialect, answer)
        if said.failure is not None:
            raise said.failure
        window_tokens = destination.candidate.context_window_tokens
        usage = possible_usage(told_usage(said.usage, words), window_tokens, len(body))
        if usage is None:
            return words, self._bound_usd(prompt)
        self._pace.correct(usage.input_tokens + usage.output_tokens - assumed_tokens)
        cost_usd, bound_usd = self._rates.bill_usd(0, usage), self._bound_usd(prompt)
        if cost_usd > bound_usd > 0.0:
            self._widened *= cost_usd / bound_usd
        return words, cost_usd

    async def _turn(self, tokens: float) -> None:
        """Wait until the provider's rates have room for one more call of about so many tokens."""
        now = asyncio.get_running_loop().time()
        wait_s = self._pace.free_at() - now
        self._pace.begin(now, tokens)
        if wait_s > 0.0:
            await self._pause(wait_s)

    def _body(self, prompt: JudgePrompt, reminder: str | None) -> dict[str, Any]:
        candidate, settings = self.destination.candidate, self.settings
        user = prompt.user if reminder is None else f"{prompt.user}\n\n{reminder}"
        rules = openai_rules(self.destination.model)
        body: dict[str, Any] = {
            "model": self.destination.model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": user}],
            rules.max_tokens_field: settings.max_output_tokens,
        }
        if self.temperature is not None:
            body["temperature"] = self.temperature
        if candidate.reasoning_effort is not None:
            body["reasoning_effort"] = candidate.reasoning_effort
        if candidate.capabilities is not None and "json_schema" in candidate.capabilities:
            form = {"name": "verdict", "schema": prompt.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        if self.destination.dialect == "anthropic":
            return chat_to_messages(body, self.destination.model, settings.max_output_tokens)
        return body

    def _bound_usd(self, prompt: JudgePrompt) -> float:
        """The most that one call may cost: no vocabulary has a token for less than one byte."""
        texts = (prompt.system, prompt.user, REMINDER, str(prompt.schema))
        sent = sum(len(text.encode()) for text in texts) + WRAPPING_TOKENS
        return self._rates.ceiling_usd(0, sent, self.settings.max_output_tokens) * self._widened


def _wait_s(failure: UpstreamFailure, call: int) -> float:
    """How long to leave the judge alone: as long as it asks; it needs nothing more if it took its time already."""
    if failure.retry_after_s is not None:
        return failure.retry_after_s
    return 2.0**call if failure.kind in UNBILLED else 0.0
