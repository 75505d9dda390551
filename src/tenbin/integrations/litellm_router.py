"""What a strategy needs of a `litellm.Router`, by the names that the version at hand has for it.

From 1.109 on LiteLLM's Router has another core: `select` and `registry` take the place of the members of old, which
warn and are to go, and its own choice asks the custom strategy again, without end.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Deployment = Mapping[str, Any]
SHARES = ("weight", "rpm", "tpm")
"""What LiteLLM shares the requests of a group by."""


class LiteLLMRouter:
    """A `litellm.Router` of any version since 1.81."""

    def __init__(self, router: Any) -> None:
        self.router = router
        self.has_new_core = callable(getattr(router, "select", None)) and callable(getattr(router, "registry", None))

    def deployments(self, group: str | None = None) -> Sequence[Deployment]:
        """All deployments, or those of a model group."""
        if self.has_new_core:
            return self.router.registry().deployments(group) or ()
        return self.router.get_model_list(model_name=group) or ()

    async def healthy(self, model: str, request: dict[str, Any], **told: Any) -> Any:
        """The deployments that may be asked, or the very one that was asked for; raises where there is none."""
        if self.has_new_core:
            return await self.router.select(model, request, kind="healthy", **told)
        return await self.router.async_get_healthy_deployments(model=model, request_kwargs=request, **told)

    def healthy_at_once(self, model: str, request: dict[str, Any], **told: Any) -> Any:
        """The same for calls without async; asked in a loop of its own."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(self.healthy(model, request, **told))).result()

    async def own_choice(self, model: str, request: dict[str, Any], **told: Any) -> Any:
        """The deployment that LiteLLM chooses by itself; with the new core one by shares, whatever its strategy."""
        if self.has_new_core:
            return _one_of(await self.healthy(model, request, **told))
        own = type(self.router).async_get_available_deployment
        return await own(self.router, model=model, request_kwargs=request, **told)

    def own_choice_at_once(self, model: str, request: dict[str, Any], **told: Any) -> Any:
        """The same for calls without async."""
        if self.has_new_core:
            return _one_of(self.healthy_at_once(model, request, **told))
        own = type(self.router).get_available_deployment
        return own(self.router, model=model, request_kwargs=request, **told)


def by_share(deployments: Sequence[Deployment]) -> Deployment:
    """One of them at random, by the first kind of share that any has, as LiteLLM's `simple-shuffle` does."""
    for share in SHARES:
        shares = [float((deployment.get("litellm_params") or {}).get(share) or 0.0) for deployment in deployments]
        if sum(shares) > 0.0:
            return random.choices(deployments, shares)[0]  # noqa: S311
    return random.choice(deployments)  # noqa: S311


def _one_of(healthy: Any) -> Any:
    """One of the healthy deployments; LiteLLM names a single one where it was asked for this very one."""
    return healthy if isinstance(healthy, Mapping) else by_share(healthy)


__all__ = ["Deployment", "LiteLLMRouter", "by_share"]
