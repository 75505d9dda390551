"""The label server keeps each label at once, tells no model's name, and listens to nobody but its own page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenbin.errors import DataError, StoreError, UsageError
from tenbin.pilot.journal import Journal, read_journal
from tenbin.pilot.label.server import LabelServer
from tenbin.pilot.label.session import Session, turns
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Labelled
from tenbin.pilot.results import read_results, results_of
from tests.pilot.label.made import HOSTILE, ask, call, make_pilot, serving


def labels(folder: object) -> list[Labelled]:
    return [record for record in read_journal(folder) if isinstance(record, Labelled)]  # type: ignore[arg-type]


def test_a_label_is_in_the_journal_before_the_page_hears_of_it(tmp_path: Path) -> None:
    folder = make_pilot(tmp_path / "p")
    with serving(folder, count=4) as server:
        assert ask(server, "state") == {"labelled": [False] * 4}
        status, _, _ = call(server, "POST", "answer/2", {"step": 3, "note": " fine "})
        assert status == 200
        (one,) = labels(folder)
        assert (one.quality, one.labeller, one.note, one.label_propensity) == (0.75, "me", "fine", pytest.approx(2 / 6))
        assert ask(server, "state")["labelled"] == [False, False, True, False]
        assert ask(server, "answer/2")["given"] == {"step": 3, "note": "fine"}
        assert call(server, "POST", "answer/2", {"step": 0})[0] == 200
    with serving(folder, count=4) as server:  # the same answers again, and what was said of them
        assert ask(server, "state")["labelled"] == [False, False, True, False]
        assert ask(server, "answer/2")["given"] == {"step": 0, "note": ""}
    answer = read_results(folder).answers[one.query_id, one.model, 0]
    assert answer.labels["me"].quality == 0.0


def test_no_answer_tells_its_model(tmp_path: Path) -> None:
    folder = make_pilot(tmp_path / "p", models=("model-alpha", "model-beta"))
    with serving(folder, count=12) as server:
        for k in range(12):
            body = call(server, "GET", f"answer/{k}")[2].decode()
            assert "model-alpha" not in body
            assert "model-beta" not in body
        page = call(server, "GET", "")[2].decode()
        assert "model-alpha" not in page
        assert "<script>alert" not in page
        item = ask(server, "answer/0")
        assert item["turns"][0]["text"].endswith(HOSTILE)
        assert set(item) == {"number", "given", "turns", "reference", "answer"}


def test_the_page_lets_nothing_else_run_load_or_frame_it(tmp_path: Path) -> None:
    with serving(make_pilot(tmp_path / "p")) as server:
        _, headers, page = call(server, "GET", "")
    policy = page.decode().split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    assert "default-src 'none'" in policy.replace("&#x27;", "'")
    assert "unsafe" not in policy
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["server"] == "Tenbin"


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [
        ("GET", "", {"Host": "evil.example"}, 403),
        ("GET", "", {"Host": None}, 403),
        ("GET", "state", {"Sec_Fetch_Site": "cross-site"}, 403),
        ("GET", "state", {"Origin": "http://evil.example"}, 403),
        ("GET", "/", {}, 404),
        ("GET", "/wrong-token/state", {}, 404),
        ("GET", "answer/6", {}, 404),
        ("GET", "answer/-1", {}, 404),
        ("GET", "answer/٣", {}, 404),
        ("GET", "../../etc/passwd", {}, 404),
        ("POST", "answer/0", {"Origin": "http://evil.example"}, 403),
        ("POST", "answer/0", {"Origin": None}, 403),
        ("POST", "answer/0", {"Content_Type": "text/plain"}, 403),
        ("POST", "answer/0", {"Content-Length": "99999999"}, 413),
        ("POST", "answer/0", {"Content-Length": "x"}, 413),
        ("POST", "answer/9", {}, 404),
        ("PUT", "answer/0", {}, 501),
    ],
)
def test_strangers_are_refused(
    tmp_path: Path, method: str, path: str, headers: dict[str, str | None], expected: int
) -> None:
    folder = make_pilot(tmp_path / "p")
    with serving(folder) as server:
        body = {"step": 1} if method == "POST" else None
        status, _, answer = call(server, method, path.replace("٣", "%D9%A3"), body, **headers)
        assert status == expected
        assert b"What is" not in answer
    assert labels(folder) == []


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"step": 5}', b'{"step": -1}', b'{"step": 1.5}', b'{"step": 1, "x": 2}']
)
def test_what_is_no_label_is_refused_and_the_next_one_is_taken(tmp_path: Path, body: bytes) -> None:
    folder = make_pilot(tmp_path / "p")
    with serving(folder) as server:
        assert call(server, "POST", "answer/0", body)[0] == 400
        assert call(server, "POST", "answer/0", {"step": 4})[0] == 200
    assert [one.quality for one in labels(folder)] == [1.0]


def test_one_process_writes_a_pilot_and_an_empty_one_has_nothing_to_label(tmp_path: Path) -> None:
    folder = make_pilot(tmp_path / "p")
    with serving(folder), pytest.raises(StoreError, match="another command is writing this pilot"):
        Journal.open(folder)
    with Journal.open(folder) as journal:
        session = Session.open(read_results(folder), journal, "me", count=3, scale=2, seed=0)
        with LabelServer(session, "") as server, pytest.raises(UsageError, match="cannot be used"):
            LabelServer(session, "", server.server_address[1])
        with pytest.raises(DataError, match="nothing was bought yet; run it first: tenbin pilot run NAME"):
            Session.open(results_of(folder.read_prompts(), []), journal, "me", count=3, scale=2, seed=0)


def test_conversations_are_shown_turn_by_turn() -> None:
    content = [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": "x"}}, "odd"]
    prompt = PilotPrompt(
        "q", messages=({"role": "system", "content": "Be brief."}, {"role": "user", "content": content})
    )
    assert turns(prompt) == [
        {"role": "system", "text": "Be brief."},
        {"role": "user", "text": "Look:\n[image_url]\nodd"},
    ]
    assert turns(PilotPrompt("q", messages=({"role": "assistant", "content": None},)))[0]["text"] == ""
