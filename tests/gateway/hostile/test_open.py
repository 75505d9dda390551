"""Where no key is asked for, a web page in a browser of this machine must not be able to spend money."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.hostile.guarded import CHAT, DECISION, FEEDBACK, MESSAGES, Guarded, guarded, refused, said


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder: Path = tmp_path_factory.mktemp("open")
    with guarded(folder, gateway='keys = "open"') as site:
        yield site


@pytest.mark.parametrize("path", [CHAT, MESSAGES, DECISION, FEEDBACK])
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "https://localhost.evil.example"}, 403),
        ({"origin": "http://127.0.0.1.evil.example:80"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://"}, 403),
        ({"host": "evil.example"}, 421),
        ({"host": "rebound.example:8787", "origin": "http://localhost"}, 421),
        ({"host": "192.168.1.2:8787"}, 421),
    ],
    ids=str,
)
def test_a_web_page_is_refused(unlocked: Guarded, path: str, sent: dict[str, str], status: int) -> None:
    unlocked.reset()
    reply = unlocked.gateway.post(path, said(), content_type="text/plain", **sent)
    refused(path, reply)
    assert reply.status == status
    assert not any(name.startswith("access-control") for name in reply.headers)
    assert unlocked.ups.called() == []


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"host": "localhost:1"},
        {"host": "[::1]:8787"},
        {"origin": "http://localhost:3000"},
        {"origin": "app://desk"},
    ],
    ids=str,
)
def test_this_machine_is_served(unlocked: Guarded, sent: dict[str, str]) -> None:
    assert unlocked.gateway.post(CHAT, said(), **sent).status == 200


def test_a_key_opens_under_any_name(unlocked: Guarded) -> None:
    assert unlocked.post(CHAT, said(), host="gateway.example", origin="https://app.example").status == 200


def test_a_wrong_key_does_not_open_to_a_page(unlocked: Guarded) -> None:
    assert unlocked.gateway.post(CHAT, said(), origin="http://evil.example", x_api_key="tb-1").status == 403
