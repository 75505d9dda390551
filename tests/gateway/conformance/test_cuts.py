"""A stream that was cut, at whichever byte, never ends as if it were whole; one without its end marker may be."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import pytest

from tenbin.testing import Answer
from tenbin.testing.fake.request import UpstreamRequest
from tests.gateway.conformance.cases import Case, Endpoint
from tests.gateway.conformance.cuts import CUTS, Cut
from tests.gateway.conformance.served import CANDIDATES, Site, raw
from tests.gateway.running import PATIENCE_S, frames
from tests.streams.recorded import recorded

CLIENTS = 4
BLANK_LINE = 2
NORMAL_END = {"chat": "[DONE]", "messages": "message_stop", "responses": "response.completed"}
Seen = tuple[int, int, bytes]


def cut_script(site: Site, whole: bytes, cut: Cut) -> object:
    """Answers with as many bytes as the prompt says."""

    def script(request: UpstreamRequest) -> Answer:
        site.calm()
        found = re.search(rb"cut-at-(\d+)", request.body)
        assert found is not None
        at = int(found[1])
        if cut.ending == "whole":
            return Answer(chunks=(whole[:at],))
        return Answer(chunks=(whole,), cut_at=at, ending=cut.ending)

    return script


def asked(site: Site, cut: Cut, offsets: Sequence[int]) -> Iterator[Seen]:
    """What one client sees of these cuts, over a connection that it keeps.

    It is a bare one: thousands of answers, and a client that reads every header takes longer than the gateway.
    """
    address = ("127.0.0.1", site.gateway.port)
    with socket.create_connection(address, PATIENCE_S) as link, link.makefile("rb") as stream:
        for at in offsets:
            prompt = b'"cut-at-%d"' % at
            said = (
                {"input": prompt}
                if cut.endpoint == "responses"
                else {"messages": b'[{"role":"user","content":%b}]' % prompt}
            )
            body = raw({**site.members(cut.case), **said})
            head = "POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            link.sendall((head % (cut.case.path, len(body))).encode() + body)
            yield at, *answer_on(stream)


def answer_on(stream: BinaryIO) -> tuple[int, bytes]:
    """The status and the body of the next answer."""
    head = b"".join(iter(stream.readline, b"\r\n")).lower()
    length = re.search(rb"^content-length: (\d+)\r$", head, flags=re.MULTILINE)
    if length is not None:
        return int(head[9:12]), stream.read(int(length[1]))
    assert b"transfer-encoding: chunked\r\n" in head
    pieces = []
    while size := int(stream.readline(), 16):
        pieces.append(stream.read(size))
        stream.readline()
    stream.readline()
    return int(head[9:12]), b"".join(pieces)


def ends_normally(endpoint: Endpoint, status: int, body: bytes) -> bool:
    """Whether a client takes this for a whole answer; anything else must be an error."""
    if status != 200:
        assert status == 502
        assert json.loads(body)["error"]
        return False
    last = frames(body)[-1]
    name = last if last == "[DONE]" else last.get("type")
    if name == NORMAL_END[endpoint]:
        return True
    assert "error" in last or last["type"] == "error"
    assert NORMAL_END[endpoint].encode() not in body
    return False


def lacks_only_its_end(cut: Cut, given: bytes) -> bool:
    """Whether these are whole chat chunks, the finish reason among them, in a whole HTTP message."""
    if cut.upstream != "openai" or cut.endpoint == "responses" or cut.ending != "whole":
        return False
    try:
        chunks = [json.loads(frame.removeprefix("data: ")) for frame in given.decode().split("\n\n") if frame.strip()]
    except ValueError:
        return False
    return any(choice["finish_reason"] for chunk in chunks for choice in chunk["choices"])


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_no_cut_looks_like_an_end(site: Site, cut: Cut) -> None:
    whole = recorded(cut.recording)
    site.ups[CANDIDATES[cut.upstream][1]].script = cut_script(site, whole, cut)  # type: ignore[assignment]
    offsets = range(len(whole) + 1)
    with ThreadPoolExecutor(CLIENTS) as pool:
        seen = [
            row
            for rows in pool.map(lambda n: list(asked(site, cut, offsets[n::CLIENTS])), range(CLIENTS))
            for row in rows
        ]
    assert len(seen) == len(offsets)
    for at, status, body in seen:
        is_normal = ends_normally(cut.endpoint, status, body)
        if at < len(whole) - BLANK_LINE:
            assert is_normal == lacks_only_its_end(cut, whole[:at]), (at, body)
        if at == len(whole):
            assert is_normal, body


@pytest.mark.parametrize("recording", ["chat-usage", "messages"])
@pytest.mark.parametrize("after", [b"", b"data: {\n\n", b"data: {"])
def test_what_comes_after_the_end_marker_changes_nothing(site: Site, recording: str, after: bytes) -> None:
    endpoint, upstream = ("chat", "openai") if recording == "chat-usage" else ("messages", "anthropic")
    case = Case(recording, endpoint, upstream, "pinned", True)  # type: ignore[arg-type]
    whole = recorded(recording)
    script = Answer(chunks=(whole + after,), cut_at=len(whole + after), ending="close")
    site.ups[CANDIDATES[case.upstream][1]].script = script
    members = site.members(case, {"stream_options": b'{"include_usage": true}'} if endpoint == "chat" else None)
    answer = site.post(case, members)
    assert answer.body == whole
    call = next(c for c in site.gateway.calls() if c.request_id == answer.headers["x-tenbin-decision-id"])
    assert (call.status, call.usage is None) == ("ok", False)


FINISHED = recorded("chat-usage").removesuffix(b"data: [DONE]\n\n")
UNTOLD = FINISHED[: FINISHED.rindex(b"data: ")]
"""The same without the chunk that tells the usage."""


@pytest.mark.parametrize("endpoint", ["chat", "messages"])
@pytest.mark.parametrize(("given", "is_told"), [(FINISHED, True), (UNTOLD, False)])
def test_a_stream_without_its_end_marker_gets_it_and_is_settled(
    site: Site, endpoint: Endpoint, given: bytes, is_told: bool
) -> None:
    """Some servers send no `[DONE]`; their answers were errors, and their calls failures."""
    case = Case("chat-usage", endpoint, "openai", "pinned", True)
    site.ups[CANDIDATES["openai"][1]].script = Answer(chunks=(given,))
    asked = {"stream_options": b'{"include_usage": true}'} if endpoint == "chat" else {}
    answer = site.post(case, site.members(case, asked))
    if endpoint == "chat":
        assert answer.body == given + b"data: [DONE]\n\n"
    else:
        assert frames(answer.body)[-1]["type"] == "message_stop"
    call = next(c for c in site.gateway.calls() if c.request_id == answer.headers["x-tenbin-decision-id"])
    assert (call.status, call.usage is not None) == ("ok", is_told)


@pytest.mark.parametrize(
    "script",
    [
        Answer(raw=b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + FINISHED, ending="close"),
        Answer(chunks=(FINISHED,), cut_at=len(FINISHED), ending="close"),
        Answer(chunks=(FINISHED,), cut_at=len(FINISHED), ending="reset"),
        Answer(chunks=(FINISHED.replace(b'"finish_reason":"stop"', b'"finish_reason":""'),)),
        Answer(chunks=(FINISHED + b"data: {",)),
        Answer(chunks=(FINISHED + b"da",)),
    ],
    ids=["until it closes", "cut", "reset", "no reason", "torn", "torn early"],
)
@pytest.mark.parametrize("endpoint", ["chat", "messages"])
def test_what_may_have_been_cut_is_no_end(site: Site, script: Answer, endpoint: Endpoint) -> None:
    case = Case("chat-usage", endpoint, "openai", "pinned", True)
    site.ups[CANDIDATES["openai"][1]].script = script
    answer = site.post(case, site.members(case))
    assert not ends_normally(endpoint, answer.status, answer.body)
    call = next(c for c in site.gateway.calls() if c.request_id == answer.headers["x-tenbin-decision-id"])
    assert call.status == "failed"


@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_every_answer_that_was_asked_for_needs_its_finish_reason(site: Site, wanted: int) -> None:
    case = Case("chat-two-choices", "chat", "openai", "pinned", True)
    two = recorded("chat-two-choices").removesuffix(b"data: [DONE]\n\n")
    site.ups[CANDIDATES["openai"][1]].script = Answer(chunks=(two,))
    answer = site.post(case, site.members(case, {"n": b"%d" % wanted}))
    assert ends_normally("chat", answer.status, answer.body) == (wanted <= 2)
