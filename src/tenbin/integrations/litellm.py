"""LiteLLM's Router with Tenbin's policy in its process: LiteLLM calls, limits and retries, Tenbin chooses the model.

Uses LiteLLM's door for custom strategies (`Router.set_custom_routing_strategy`, from 1.109 on also `register_plugin`;
tested with 1.81, 1.106, 1.108, 1.110). LiteLLM is never imported here: whoever uses this has it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from inspect import unwrap
from pathlib import Path
from typing import Any

from tenbin.errors import DecisionError, TenbinError, UsageError, near_or_known
from tenbin.features.attached import attached_to
from tenbin.gateway.incoming import BESIDE, BYTES_PER_TOKEN
from tenbin.integrations.litellm_router import Deployment, LiteLLMRouter, by_share
from tenbin.router.dials import Dial
from tenbin.router.router import Router
from tenbin.router.weighing import Ask, weigh
from tenbin.types import Candidate, Message, Query, TradeOff

NAME_IN_MODEL_INFO = "tenbin"
"""The key of a deployment's `model_info` that names its candidate, where `litellm_params.model` does not."""
IMAGE_PARTS = frozenset({"image_url", "image", "input_image"})
NO_REASONING = frozenset({"none", "minimal", "disable"})
EMBED_WITHIN_S = 1.0
"""How long an embeddings endpoint may hold a request up; without a vector the choice is LiteLLM's own."""
CAPS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


class TenbinStrategy:
    """A routing strategy for `litellm.Router`: of a model group's healthy deployments, the one of least expected loss.

    `litellm_router` is the `litellm.Router` it will be set on, `router` a fitted Tenbin router or its folder. A
    deployment is found by `model_info["tenbin"]`, or by `litellm_params["model"]` with or without its provider: it must
    be the name of a candidate, or its model at the provider. `dial` and `group` hold for all requests. Whatever fails
    while deciding, LiteLLM chooses as it would without us, and a line of the log says why.

    Raises ArtifactError (a broken router), UsageError (no deployment is a candidate), DecisionError (a promise that
    the deployed candidates cannot keep).

        router = litellm.Router(model_list=[...])
        router.set_custom_routing_strategy(TenbinStrategy(router, "my-router", Dial(min_quality=0.97)))
    """

    def __init__(
        self, litellm_router: Any, router: Router | Path | str, dial: Dial | None = None, *, group: str | None = None
    ) -> None:
        self.litellm_router = LiteLLMRouter(litellm_router)
        self.router = router if isinstance(router, Router) else Router.load(router, embed_within_s=EMBED_WITHIN_S)
        self.group = group
        self.log = logging.getLogger("tenbin.integrations.litellm")
        if group is not None and self.router.groups and group not in self.router.groups:
            near = near_or_known(group, self.router.groups)
            self.log.warning('the router knows no group "%s" and guesses it from each text; %s', group, near)
        self.dial = dial or Dial()
        self._names = _names(self.router.candidates)
        self._turned: dict[frozenset[str], TradeOff | DecisionError] = {}
        groups: dict[str, set[str]] = {}
        for deployment in self.litellm_router.deployments():
            if (name := self.candidate_of(deployment)) is not None:
                groups.setdefault(deployment["model_name"], set()).add(name)
        if not groups:
            raise UsageError(
                f"no deployment of the LiteLLM router is one of {', '.join(self.router.models)}",
                fix='name the candidate in its litellm_params.model, or in model_info as {"tenbin": "NAME"}',
            )
        self._check_promise({group: names for group, names in groups.items() if len(names) > 1})

    @classmethod
    def is_set_on(cls, litellm_router: Any) -> bool:
        """Whether a `litellm.Router` has a strategy of this class; one that was reloaded may have lost it."""
        chooses = unwrap(litellm_router.get_available_deployment)  # the new core wraps it
        return isinstance(getattr(chooses, "__self__", None), cls)

    def _check_promise(self, groups: Mapping[str, set[str]]) -> None:
        """Turn the dial for every group in which there is a choice; those that cannot keep it are left to LiteLLM."""
        broken = {group: refusal for group, names in groups.items() if (refusal := self._refusal(frozenset(names)))}
        for group, refusal in broken.items():
            if len(broken) == len(groups):
                raise DecisionError(refusal.what, where=f"model group {group}", fix=refusal.fix)
            self._leave(group, refusal)

    def _refusal(self, deployed: frozenset[str]) -> DecisionError | None:
        """Why the dial's promise cannot be kept by these candidates; None where it can."""
        try:
            self._trade_off(deployed)
        except DecisionError as refusal:
            return refusal
        return None

    def _trade_off(self, deployed: frozenset[str]) -> TradeOff:
        """What the dial asks for among these candidates (DecisionError where they cannot keep its promise)."""
        if deployed not in self._turned:
            try:
                self._turned[deployed] = self.router.turn(self.dial, allow=deployed)
            except DecisionError as refusal:
                self._turned[deployed] = refusal
        found = self._turned[deployed]
        if isinstance(found, DecisionError):
            raise DecisionError(found.what, fix=found.fix)
        return found

    def candidate_of(self, deployment: Deployment) -> str | None:
        """The candidate that a deployment calls, None where the router knows none by its name."""
        named = (deployment.get("model_info") or {}).get(NAME_IN_MODEL_INFO)
        if named is not None:
            return named if named in self.router.models else None
        model = str((deployment.get("litellm_params") or {}).get("model", ""))
        return self._names.get(model) or self._names.get(model.partition("/")[2])

    async def async_get_available_deployment(
        self,
        model: str,
        request_kwargs: dict[str, Any] | None = None,
        messages: list[dict[str, Any]] | None = None,
        input: str | list[Any] | None = None,
        specific_deployment: bool | None = False,
        **more: Any,
    ) -> Any:
        """The deployment for a request; raises only what LiteLLM itself raises, e.g. where nothing is healthy."""
        request = {} if request_kwargs is None else request_kwargs
        told = {"messages": messages, "input": input, "specific_deployment": specific_deployment, **more}
        before = dict(request)
        chosen = None
        try:
            healthy = await self.litellm_router.healthy(model, request, **told)
            chosen = await asyncio.to_thread(self._choose, model, healthy, messages, input, request)
        except Exception as error:
            self._leave(model, error)
        if chosen is not None:
            return chosen
        request.update(before)  # LiteLLM takes marks of its own out as it reads them
        return await self.litellm_router.own_choice(model, request, **told)

    def get_available_deployment(
        self,
        model: str,
        messages: list[dict[str, Any]] | None = None,
        input: str | list[Any] | None = None,
        specific_deployment: bool | None = False,
        request_kwargs: dict[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        """The same for LiteLLM's calls without async."""
        request = {} if request_kwargs is None else request_kwargs
        told = {"messages": messages, "input": input, "specific_deployment": specific_deployment, **more}
        before = dict(request)
        chosen = None
        try:
            healthy = self.litellm_router.healthy_at_once(model, request, **told)
            chosen = self._choose(model, healthy, messages, input, request)
        except Exception as error:
            self._leave(model, error)
        if chosen is not None:
            return chosen
        request.update(before)
        return self.litellm_router.own_choice_at_once(model, request, **told)

    def _leave(self, model: str, error: Exception) -> None:
        """Say why the choice is LiteLLM's own."""
        why = str(error) if isinstance(error, TenbinError) else f"{type(error).__name__}: {error}"
        self.log.warning("LiteLLM chooses for %s itself: %s", model, why)

    def _choose(
        self,
        group: str,
        healthy: Any,
        messages: Sequence[Any] | None,
        given: str | list[Any] | None,
        request: Mapping[str, Any],
    ) -> Deployment | None:
        """One of the healthy deployments; None where the choice is not ours: none of them is a candidate."""
        if isinstance(healthy, Mapping):
            return healthy  # LiteLLM was asked for this very one
        by_name: dict[str, list[Deployment]] = {}
        for deployment in healthy:
            if (name := self.candidate_of(deployment)) is not None:
                by_name.setdefault(name, []).append(deployment)
        if not by_name:
            self.log.info("LiteLLM chooses for %s itself: no deployment of it is a candidate", group)
            return None
        if len(by_name) > 1:
            # A dial is a promise about those who are deployed; who cools down is only away.
            deployed = map(self.candidate_of, self.litellm_router.deployments(group))
            trade_off = self._trade_off(frozenset({*by_name, *(name for name in deployed if name is not None)}))
            name = self._weigh(by_name, trade_off, _messages(messages, given), request)
        else:
            (name,) = by_name
        # Several deployments of one model differ in nothing that Tenbin knows.
        return by_share(by_name[name])

    def _weigh(
        self,
        healthy: Mapping[str, Sequence[Deployment]],
        trade_off: TradeOff,
        messages: list[Message],
        request: Mapping[str, Any],
    ) -> str:
        """The candidate of least expected loss among the healthy; DecisionError where none can answer."""
        query = Query(
            query_id="",
            messages=tuple(messages),
            group=self.group,
            max_output_tokens=next((int(request[cap]) for cap in CAPS if request.get(cap)), None),
            requirements=requirements(messages, request),
        )
        barred = [None if name in healthy else "has no healthy deployment" for name in self.router.models]
        ask = Ask(
            query,
            trade_off,
            barred,
            hidden_tokens=hidden_bytes(request) / BYTES_PER_TOKEN,
            attached=attached_to(messages),
            answers=int(request.get("n") or 1),
        )
        (weighed,) = weigh(self.router, [ask])
        if isinstance(weighed, DecisionError):
            raise weighed
        chosen = weighed.models[weighed.ranking[0]]
        self.log.debug("%s: %s", chosen, weighed.reason)
        return chosen


def hidden_bytes(request: Mapping[str, Any]) -> int:
    """The size of what is sent beside the messages: tools and schemas."""
    return sum(len(json.dumps(request[name], default=str).encode()) for name in BESIDE if request.get(name))


def requirements(messages: Sequence[Message], request: Mapping[str, Any]) -> frozenset[str]:
    """The capabilities that a request in OpenAI's words needs: tools, json_schema, reasoning, vision."""
    form, effort = request.get("response_format"), request.get("reasoning_effort")
    parts = [part for m in messages if isinstance(m.get("content"), list) for part in m["content"]]
    needs = {
        "tools": bool(request.get("tools") or request.get("functions")),
        "json_schema": isinstance(form, type) or (isinstance(form, Mapping) and form.get("type") == "json_schema"),
        "reasoning": isinstance(effort, str) and effort not in NO_REASONING,
        "vision": any(isinstance(part, Mapping) and part.get("type") in IMAGE_PARTS for part in parts),
    }
    return frozenset(name for name, needed in needs.items() if needed)


def _names(candidates: Sequence[Candidate]) -> dict[str, str]:
    """Every name that a candidate goes by; its own comes before what others are called at their providers."""
    called = {c.model: c.name for c in candidates if c.model is not None}
    full = {f"{c.provider}/{c.model}": c.name for c in candidates if c.provider and c.model}
    return {**called, **full, **{c.name: c.name for c in candidates}}


def _messages(messages: Sequence[Any] | None, given: Any) -> list[Message]:
    """The conversation as plain mappings, whichever of LiteLLM's forms it came in."""
    if messages is None:
        messages = [{"role": "user", "content": given}] if isinstance(given, str) else given or ()
    return [m if isinstance(m, Mapping) else m.model_dump() for m in messages]
