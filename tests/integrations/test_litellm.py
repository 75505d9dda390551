"""LiteLLM's real Router with our policy in its process, against fake upstreams on loopback."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenbin.errors import DecisionError, UsageError
from tenbin.integrations.litellm import TenbinStrategy, requirements
from tenbin.router.dials import Dial
from tenbin.router.router import Router
from tenbin.testing import Answer
from tenbin.types import Candidate, Query, TradeOff
from tests.gateway.running import EASY, HARD, Upstreams, fitted

pytestmark = pytest.mark.extra
NAMES = ("cheap", "good", "other")
LOG = "tenbin.integrations.litellm"


@pytest.fixture(scope="module")
def litellm() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # nothing is fetched
        yield pytest.importorskip("litellm")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("litellm") / "my-router"
    fitted(list(NAMES)).save(path)
    return path


@pytest.fixture(scope="module")
def fakes() -> Iterator[Upstreams]:
    with Upstreams(*NAMES, claude="anthropic") as ups:
        yield ups


@pytest.fixture
def ups(fakes: Upstreams) -> Upstreams:
    for fake in fakes.fakes.values():
        fake.script = ()
        fake.clear()
    return fakes


@pytest.fixture
def log() -> Iterator[list[str]]:
    """The lines of our logger, whatever else in this process has set up logs."""
    lines: list[str] = []
    logger, handler = logging.getLogger(LOG), logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(level)


def deployment(ups: Upstreams, name: str, group: str = "auto", at: str | None = None, **info: Any) -> dict[str, Any]:
    params = {"model": f"openai/{name}", "api_base": ups[at or name].base_url, "api_key": "none", "max_retries": 0}
    return {"model_name": group, "litellm_params": params, "model_info": info}


def made(litellm: Any, deployments: list[dict[str, Any]], folder: Path, mu: float = 0.3, **settings: Any) -> Any:
    router = litellm.Router(model_list=deployments, num_retries=0, **settings)
    router.set_custom_routing_strategy(TenbinStrategy(router, folder, Dial(mu=mu)))
    return router


def asked(text: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def answers(router: Any, *texts: Any, model: str = "auto", **fields: Any) -> list[Any]:
    async def all_of_them() -> list[Any]:
        return [await router.acompletion(model=model, messages=asked(text), **fields) for text in texts]

    return asyncio.run(all_of_them())


def test_each_request_goes_where_the_policy_says(litellm: Any, folder: Path, ups: Upstreams) -> None:
    router = made(litellm, [deployment(ups, name) for name in NAMES], folder)
    found = [answer.model for answer in answers(router, f"{EASY} 7", f"{HARD} 7", f"{EASY} 8")]
    assert found == ["cheap", "good", "cheap"]
    assert ups.called() == ["cheap", "cheap", "good"]


def test_it_decides_what_the_router_itself_decides(litellm: Any, folder: Path, ups: Upstreams) -> None:
    router, plain = made(litellm, [deployment(ups, name) for name in NAMES], folder, mu=0.9), Router.load(folder)
    texts = [f"{text} {i}" for i in range(4) for text in (EASY, HARD)]
    own = [plain.decide(Query("", messages=tuple(asked(text))), TradeOff(0.9)).model for text in texts]
    assert [answer.model for answer in answers(router, *texts)] == own


def test_calls_without_async_and_streams(litellm: Any, folder: Path, ups: Upstreams) -> None:
    router = made(litellm, [deployment(ups, name) for name in NAMES], folder)
    assert router.completion(model="auto", messages=asked(HARD)).model == "good"
    chunks = list(router.completion(model="auto", messages=asked(EASY), stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text.startswith("cheap was asked")


def test_a_deployment_that_fails_cools_down_and_the_next_best_takes_over(
    litellm: Any, folder: Path, ups: Upstreams
) -> None:
    """LiteLLM's own retries and cooldowns go on: our choice is among what they leave."""
    ups["good"].script = Answer.error(500)
    settings = {"allowed_fails": 0, "cooldown_time": 60}
    router = made(litellm, [deployment(ups, name) for name in NAMES], folder, mu=0.1, **settings)

    async def twice() -> list[Any]:
        told = {"model": "auto", "messages": asked(HARD)}
        first = await router.acompletion(**told, num_retries=2)
        return [first, await router.acompletion(**told)]

    assert [answer.model for answer in asyncio.run(twice())] == ["other", "other"]
    assert ups.called().count("good") == 1


def test_deployments_of_one_model_share_its_requests(litellm: Any, folder: Path, ups: Upstreams) -> None:
    deployments = [deployment(ups, "good"), deployment(ups, "good", at="claude"), deployment(ups, "cheap")]
    answers(made(litellm, deployments, folder), *[f"{HARD} {i}" for i in range(24)])
    assert set(Counter(ups.called())) == {"good", "claude"}


def test_the_shares_of_deployments_of_one_model_are_kept(litellm: Any, folder: Path, ups: Upstreams) -> None:
    deployments = [deployment(ups, "good"), deployment(ups, "good", at="claude"), deployment(ups, "cheap")]
    deployments[0]["litellm_params"]["weight"], deployments[1]["litellm_params"]["weight"] = 0, 1
    answers(made(litellm, deployments, folder), *[f"{HARD} {i}" for i in range(12)])
    assert set(Counter(ups.called())) == {"claude"}


def test_a_router_tells_whether_it_has_the_strategy(litellm: Any, folder: Path, ups: Upstreams) -> None:
    deployments = [deployment(ups, name) for name in NAMES]
    assert TenbinStrategy.is_set_on(made(litellm, deployments, folder))
    assert not TenbinStrategy.is_set_on(litellm.Router(model_list=deployments))


def test_a_name_of_its_own_and_groups_that_are_not_ours(
    litellm: Any, folder: Path, ups: Upstreams, log: list[str]
) -> None:
    deployments = [
        deployment(ups, "gpt-x", at="good", tenbin="good"),
        deployment(ups, "cheap"),
        deployment(ups, "unknown", group="rest", at="other"),
    ]
    router = made(litellm, deployments, folder)
    assert answers(router, HARD)[0].model == "gpt-x"
    assert answers(router, HARD, model="rest")[0].model == "unknown"
    assert log == ["LiteLLM chooses for rest itself: no deployment of it is a candidate"]


def test_a_promise_is_kept_by_those_in_the_group_as_they_are_now(
    litellm: Any, folder: Path, ups: Upstreams, log: list[str]
) -> None:
    """`good` stands alone in a group of its own, as pinned models do: the promise of `auto` must not count on it."""
    promise = Dial(min_quality=0.97)
    alone = [deployment(ups, "cheap"), deployment(ups, "other"), deployment(ups, "good", group="pinned")]
    with pytest.raises(DecisionError, match=r"model group auto: no trade-off reaches 97.0%"):
        TenbinStrategy(litellm.Router(model_list=alone), folder, promise)
    router = litellm.Router(model_list=[*alone, *(deployment(ups, name, group="all") for name in NAMES)], num_retries=0)
    router.set_custom_routing_strategy(TenbinStrategy(router, folder, promise))
    assert {answer.model for answer in answers(router, HARD, model="all")} == {"good"}
    assert answers(router, HARD)[0].model in {"cheap", "other"}
    assert [line.partition(" 97.0%")[0] for line in log] == [
        "LiteLLM chooses for auto itself: no trade-off reaches"
    ] * 2
    router.set_model_list([deployment(ups, name) for name in NAMES])
    assert answers(router, HARD)[0].model == "good"


def test_other_requests_of_the_same_router_are_let_through(
    litellm: Any, folder: Path, ups: Upstreams, log: list[str]
) -> None:
    router = made(litellm, [deployment(ups, "cheap"), deployment(ups, "unknown", group="embed", at="other")], folder)
    for given in ("one", ["one", "two"], [1, 2, 3]):
        router.embedding(model="embed", input=given)
    assert log == ["LiteLLM chooses for embed itself: no deployment of it is a candidate"] * 3


def test_a_decision_that_fails_leaves_the_choice_to_litellm(
    litellm: Any, folder: Path, ups: Upstreams, log: list[str]
) -> None:
    router = litellm.Router(model_list=[deployment(ups, name) for name in NAMES], num_retries=0)
    strategy = TenbinStrategy(router, folder, Dial(mu=0.3))
    router.set_custom_routing_strategy(strategy)
    strategy.router = None  # type: ignore[assignment] (whatever breaks)
    assert answers(router, HARD)[0].model in NAMES
    assert router.completion(model="auto", messages=asked(HARD)).model in NAMES
    assert [line.partition(": ")[0] for line in log] == ["LiteLLM chooses for auto itself"] * 2
    assert "AttributeError" in log[0]


def test_only_candidates_that_can_are_asked(litellm: Any, folder: Path, ups: Upstreams) -> None:
    """What they can do is the Tenbin router's knowledge: one sees no pictures, one gives no long answers."""
    able = {
        "good": Candidate("good", capabilities=frozenset({"tools"})),
        "cheap": Candidate("cheap", context_window_tokens=500),
    }
    router = litellm.Router(model_list=[deployment(ups, name) for name in NAMES], num_retries=0)
    known = Router.load(folder, called_as=able)
    router.set_custom_routing_strategy(TenbinStrategy(router, known, Dial(mu=0.1)))
    assert answers(router, HARD)[0].model == "good"
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    assert answers(router, [{"type": "text", "text": HARD}, picture])[0].model == "other"
    assert answers(router, f"{EASY} 7")[0].model == "cheap"
    assert answers(router, f"{EASY} 7", max_tokens=499)[0].model != "cheap"
    schema = {"type": "object", "properties": {f"field_{i}": {"type": "string"} for i in range(100)}}
    tool = {"type": "function", "function": {"name": "look", "parameters": schema}}
    assert answers(router, f"{EASY} 7", tools=[tool])[0].model != "cheap"


def test_where_nothing_is_healthy_litellm_says_so(litellm: Any, folder: Path, ups: Upstreams) -> None:
    router = made(litellm, [deployment(ups, "good")], folder)
    with pytest.raises(litellm.BadRequestError):
        answers(router, HARD, model="nobody")


def test_a_router_without_our_candidates_is_refused(litellm: Any, folder: Path, ups: Upstreams) -> None:
    router = litellm.Router(model_list=[deployment(ups, "unknown", at="good")])
    with pytest.raises(UsageError, match=r"no deployment .* is one of cheap, good, other"):
        TenbinStrategy(router, folder)


def test_what_a_request_needs() -> None:
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
    schema = {"response_format": {"type": "json_schema"}}
    assert requirements(image, {"tools": [{}], **schema, "reasoning_effort": "low"}) == {
        "tools",
        "vision",
        "json_schema",
        "reasoning",
    }
    plain = {"response_format": {"type": "text"}, "reasoning_effort": "none", "tools": []}
    assert requirements(asked("x"), plain) == frozenset()
    assert requirements(asked("x"), {"response_format": dict}) == {"json_schema"}
