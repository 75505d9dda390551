"""Only the object that was asked for is a reply, alone or alone in a fence."""

from __future__ import annotations

import pytest

from tenbin.quality.judge import Scored
from tenbin.quality.judge_reply import whole_reply

REPLY = '{"reason": "so", "score": 4}'


@pytest.mark.parametrize(
    "text",
    [REPLY, f"\n {REPLY} \n", f"```\n{REPLY}\n```", f"```json\n{REPLY}\n```", f" ```json{REPLY}``` "],
)
def test_a_reply(text: str) -> None:
    assert whole_reply(text, Scored) == Scored("so", 4)


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{REPLY}",
        f"{REPLY}\n```",
        f"json\n{REPLY}",
        f"json\n{REPLY}\n```",
        f"```yaml\n{REPLY}\n```",
        f"Here: ```json\n{REPLY}\n```",
        f"```json\n{REPLY}\n``` I am sure.",
        "```",
        "`````",
        "``````",
        "\ud800",
        "[" * 100_000,
    ],
)
def test_nonsense(text: str) -> None:
    assert whole_reply(text, Scored) is None
