"""LiteLLM's Router of either make: the core of old by its methods, the new one (1.109) by `select` and `registry`."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tenbin.integrations.litellm import TenbinStrategy
from tenbin.integrations.litellm_router import by_share
from tenbin.router.dials import Dial
from tests.gateway.running import EASY, HARD, fitted

NAMES = ("cheap", "good")


def deployment(model: str, group: str = "auto", **params: Any) -> dict[str, Any]:
    return {"model_name": group, "litellm_params": {"model": f"openai/{model}", **params}, "model_info": {}}


class NewCore:
    """As LiteLLM 1.110 does it: no member of old for what is healthy, and its own choice asks the strategy again."""

    def __init__(self, *deployments: dict[str, Any]) -> None:
        self.all = deployments
        self.strategy: Any = None

    def registry(self) -> NewCore:
        return self

    def deployments(self, group: str | None = None) -> list[dict[str, Any]] | None:
        return [each for each in self.all if group in (None, each["model_name"])] or None

    async def select(self, model: str, request_kwargs: dict[str, Any], *, kind: str = "pick", **told: Any) -> Any:
        if kind == "pick":
            return await self.async_get_available_deployment(model, request_kwargs, **told)
        if request_kwargs.pop("_excluded", None) or not (found := self.deployments(model)):
            raise ValueError(f"nothing of {model} is healthy")
        return found[0] if told.get("specific_deployment") else found

    async def async_get_available_deployment(self, model: str, request_kwargs: dict[str, Any], **told: Any) -> Any:
        return await self.strategy.async_get_available_deployment(model, request_kwargs, **told)

    def get_available_deployment(self, model: str, request_kwargs: dict[str, Any], **told: Any) -> Any:
        return self.strategy.get_available_deployment(model, request_kwargs=request_kwargs, **told)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("litellm") / "my-router"
    fitted(list(NAMES)).save(path)
    return path


@pytest.fixture
def core(folder: Path) -> NewCore:
    made = NewCore(*map(deployment, NAMES), deployment("old", "rest", weight=0), deployment("new", "rest", weight=1))
    made.strategy = TenbinStrategy(made, folder, Dial(mu=0.3))
    return made


def chosen(core: NewCore, model: str, text: str = "", **told: Any) -> list[str]:
    """The models chosen with async and without."""
    messages = [{"role": "user", "content": text}]
    both = [
        asyncio.run(core.async_get_available_deployment(model, {}, messages=messages, **told)),
        core.get_available_deployment(model, {}, messages=messages, **told),
    ]
    return [found["litellm_params"]["model"] for found in both]


def test_the_policy_decides_in_the_new_core(core: NewCore) -> None:
    assert chosen(core, "auto", f"{EASY} 7") == ["openai/cheap"] * 2
    assert chosen(core, "auto", f"{HARD} 7") == ["openai/good"] * 2


def test_what_is_not_ours_is_chosen_by_share(core: NewCore, caplog: pytest.LogCaptureFixture) -> None:
    """LiteLLM was asked to choose by itself, asked us, was asked again: 1,000 lines in the log, then a failure."""
    caplog.set_level("INFO", "tenbin.integrations.litellm")
    assert {model for _ in range(8) for model in chosen(core, "rest")} == {"openai/new"}
    assert len(caplog.records) == 16


def test_a_decision_that_fails_is_none_of_the_requests(core: NewCore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "tenbin.integrations.litellm")  # whatever a gateway of another test left behind
    core.strategy.router = None
    assert set(chosen(core, "auto", HARD)) <= {"openai/cheap", "openai/good"}
    assert len(caplog.records) == 2


def test_the_very_deployment_that_was_asked_for_is_given(core: NewCore) -> None:
    core.strategy.router = None
    assert chosen(core, "rest", specific_deployment=True) == ["openai/old"] * 2


def test_where_nothing_is_healthy_its_own_error_comes_out(core: NewCore) -> None:
    for ask in (
        lambda: asyncio.run(core.async_get_available_deployment("nobody", {})),
        lambda: core.get_available_deployment("nobody", {}),
    ):
        with pytest.raises(ValueError, match="nothing of nobody is healthy"):
            ask()


@pytest.mark.parametrize("share", ["weight", "rpm", "tpm"])
def test_shares_are_kept(share: str) -> None:
    two = [deployment("a", **{share: 900}), deployment("b", **{share: 100}), deployment("c")]
    found = Counter(by_share(two)["litellm_params"]["model"] for _ in range(400))
    assert found["openai/a"] > found["openai/b"] > 0 == found["openai/c"]


def test_a_weight_comes_before_a_limit_and_none_is_even() -> None:
    weighed = [deployment("a", weight=1, rpm=1), deployment("b", weight=0, rpm=1_000)]
    assert {by_share(weighed)["litellm_params"]["model"] for _ in range(20)} == {"openai/a"}
    assert len({by_share([deployment("a"), deployment("b")])["litellm_params"]["model"] for _ in range(64)}) == 2
