"""Vectors over HTTP from a loopback server: what is sent, what is retried, what is refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from tenbin.errors import ConfigError, NetworkError
from tenbin.features.endpoint import EndpointEmbedder
from tenbin.testing import check_embedder

Answer = tuple[int, dict[str, str], Any]


def vector_of(text: str) -> list[float]:
    return [float(len(text)), float(sum(map(ord, text)) % 97), 1.0]


def embeddings(body: dict[str, Any]) -> Answer:
    data = [{"index": i, "embedding": vector_of(text)} for i, text in enumerate(body["input"])]
    return 200, {}, {"data": data[::-1]}


class Server:
    """An embeddings endpoint that keeps the requests and gives scripted answers first."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.scripted: list[Answer] = []
        self.answer: Callable[[dict[str, Any]], Answer] = embeddings
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append({"path": self.path, "headers": dict(self.headers), "body": body})
                status, headers, answer = server.scripted.pop(0) if server.scripted else server.answer(body)
                raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                endless = int(headers.get("Content-Length", 0)) > 1 << 20
                self.send_response(status)
                for key, value in {"Content-Length": str(len(raw)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                try:
                    self.wfile.write(raw)
                    while endless:
                        self.wfile.write(b" ")
                except OSError:  # the client went away
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    thread = threading.Thread(target=found.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    found.http.shutdown()
    found.http.server_close()
    thread.join()


def connect(server: Server, **settings: Any) -> EndpointEmbedder:
    waits: list[float] = []
    embedder = EndpointEmbedder(server.url, "embed-1", sleep=waits.append, timeout_s=5.0, **settings)
    embedder.waits = waits  # type: ignore[attr-defined]
    return embedder


def test_it_keeps_to_the_door_of_embedders(server: Server) -> None:
    check_embedder(connect(server))


def test_vectors_come_back_in_order_and_in_batches(server: Server) -> None:
    embedder = connect(server, batch=2)
    texts = ["one", "", "three", "four", "fives", "  "]
    vectors = embedder.embed(texts)
    expected = np.array([vector_of(text) if text.strip() else [0.0] * 3 for text in texts])
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(vectors, expected / np.where(lengths > 0, lengths, 1), atol=1e-6)
    sent = [request["body"]["input"] for request in server.requests]
    assert sent == [["dimension"], ["one", "three"], ["four", "fives"]]
    assert server.requests[1]["path"] == "/v1/embeddings"
    assert server.requests[1]["body"]["model"] == "embed-1"


def test_the_key_is_read_by_the_name_of_its_variable(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = connect(server, api_key_env="TENBIN_TEST_KEY")
    monkeypatch.delenv("TENBIN_TEST_KEY", raising=False)
    with pytest.raises(ConfigError, match="TENBIN_TEST_KEY"):
        embedder.embed(["x"])
    assert not server.requests
    monkeypatch.setenv("TENBIN_TEST_KEY", "s3cret")
    embedder.embed(["x"])
    assert server.requests[-1]["headers"]["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(vars(embedder)) + embedder.name
    for unsendable in ("s3cret\nX: y", "s3crét"):
        monkeypatch.setenv("TENBIN_TEST_KEY", unsendable)
        with pytest.raises(ConfigError, match="characters that no header can hold") as caught:
            embedder.embed(["x"])
        assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again(server: Server, status: int) -> None:
    server.scripted = [(status, {"Retry-After": asked}, {}) for asked in ("nan", "7")]
    embedder = connect(server)
    assert embedder.dim == 3
    assert embedder.waits == [0.5, 7.0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_that_is_too_large_is_asked_for_in_halves(server: Server, status: int) -> None:
    """Text Embeddings Inference takes 32 texts, DashScope 10, Mistral 16,384 tokens: none could be fitted with."""

    def at_most_ten(body: dict[str, Any]) -> Answer:
        return embeddings(body) if len(body["input"]) <= 10 else (status, {}, {"error": "batch size is invalid"})

    server.answer = at_most_ten
    texts = [f"text {i}" for i in range(150)]
    expected = np.array([vector_of(text) for text in texts])
    embedder = connect(server)
    assert np.allclose(embedder.embed(texts), expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)
    sizes = [len(request["body"]["input"]) for request in server.requests]
    assert sizes[:5] == [1, 64, 32, 16, 8]
    assert [size for size in sizes if size > 10] == [64, 32, 16, 16, 32, 16, 16]
    assert sum(size for size in sizes if size <= 10) == 151
    assert not embedder.waits  # type: ignore[attr-defined]


@pytest.mark.parametrize("left_out", [{0}, {0, 1, 2}])
def test_an_index_that_is_left_out_is_the_place(server: Server, left_out: set[int]) -> None:
    """Gemini leaves out the index 0: no router could be fitted with it."""

    def without_some(body: dict[str, Any]) -> Answer:
        items = [{"index": i, "embedding": vector_of(text)} for i, text in enumerate(body["input"])]
        return 200, {}, {"data": [{k: v for k, v in e.items() if k != "index" or v not in left_out} for e in items]}

    plain = connect(server).embed(["one", "three", "seven"])
    server.answer = without_some
    assert np.array_equal(connect(server).embed(["one", "three", "seven"]), plain)


def test_who_refuses_the_name_of_the_form_is_asked_without(server: Server) -> None:
    def like_voyage(body: dict[str, Any]) -> Answer:
        refusal = {"detail": "Value 'float' supplied for argument 'encoding_format' is not valid"}
        return (400, {}, refusal) if "encoding_format" in body else embeddings(body)

    plain = connect(server).embed(["one", "three"])
    server.requests.clear()
    server.answer = like_voyage
    assert np.array_equal(connect(server).embed(["one", "three"]), plain)
    assert [len(request["body"]["input"]) for request in server.requests] == [1, 1, 2]


@pytest.mark.parametrize("n", [1, 6])
def test_what_is_refused_alone_is_told(server: Server, n: int) -> None:
    server.answer = lambda body: (400, {}, {"error": "no"}) if "bad" in body["input"] else embeddings(body)
    with pytest.raises(NetworkError, match="refused with status 400"):
        connect(server).embed(["bad", *map(str, range(n - 1))])
    assert len(server.requests) <= 4


@pytest.mark.parametrize("status", [302, 400, 401, 404])
def test_a_refusal_is_not_tried_again_and_is_told(server: Server, status: int) -> None:
    server.scripted = [(status, {"Location": server.url}, {"error": {"message": "no such model"}})]
    with pytest.raises(NetworkError, match=f"{status}.*no such model"):
        connect(server).embed(["x"])
    assert len(server.requests) == 1


def test_it_gives_up_after_the_retries(server: Server) -> None:
    server.answer = lambda _: (503, {}, {})
    with pytest.raises(NetworkError, match="after 3 attempts"):
        connect(server, retries=2).embed(["x"])
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        {},
        {"data": []},
        {"data": [{"index": 1, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": "AAAA"}]},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0}]},
        {"data": [{"index": None, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]},
        {"data": ["AAAA"]},
        {"data": {"embedding": [1.0]}},
        [1, 2],
        b'{"data": ' + b"[" * 100_000,
        {"data": [{"index": 0, "embedding": [None, 1.0]}]},
        {"data": [{"index": 0, "embedding": [float("nan"), 1.0]}]},
        {"data": [{"index": 0, "embedding": [1e300, 1.0]}]},
    ],
)
def test_an_answer_of_another_shape_is_refused(server: Server, answer: Any) -> None:
    server.scripted = [(200, {}, answer)]
    with pytest.raises(NetworkError, match="not a list of one vector of finite numbers per text"):
        connect(server).embed(["x"])


def test_what_a_server_says_instead_is_told_without_its_control_characters(server: Server) -> None:
    server.scripted = [(200, {}, b'{"error": "quota \x1b[31mexceeded"}')]
    with pytest.raises(NetworkError, match=r'per text: {"error": "quota \N{REPLACEMENT CHARACTER}\[31mexceeded"}'):
        connect(server).embed(["x"])


def test_a_change_of_width_is_refused(server: Server) -> None:
    embedder = connect(server)
    assert embedder.dim == 3
    server.scripted = [(200, {}, {"data": [{"index": 0, "embedding": [1.0, 2.0]}]})]
    with pytest.raises(NetworkError, match="2 columns came after vectors of 3"):
        embedder.embed(["x"])


def test_an_endpoint_that_is_known_is_not_asked_for_its_width(server: Server) -> None:
    """A router could not be opened, nor a gateway started, while its embeddings endpoint did not answer."""
    name = connect(server).name
    server.requests.clear()
    known = connect(server, known_as=name)
    assert (known.name, known.dim, server.requests) == (name, 3, [])
    assert np.array_equal(known.embed(["x"]), connect(server).embed(["x"]))
    server.scripted = [(200, {}, {"data": [{"index": 0, "embedding": [1.0, 2.0]}]})]
    with pytest.raises(NetworkError, match="2 columns came after vectors of 3"):
        known.embed(["x"])


@pytest.mark.parametrize("other", ["endpoint-9-0123456789ab", "base-9-0123456789ab", "endpoint-0-{}", "endpoint-x-{}"])
def test_the_name_of_another_endpoint_says_nothing(server: Server, other: str) -> None:
    known_as = other.format(connect(server).name.rpartition("-")[2])
    assert connect(server, known_as=known_as).dim == 3


def test_nobody_there_is_one_sentence() -> None:
    idle = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = idle.server_port
    idle.server_close()
    with pytest.raises(NetworkError, match="no answer"):
        EndpointEmbedder(f"http://127.0.0.1:{port}/v1", "m", retries=1, sleep=lambda _: None).embed(["x"])


def test_an_answer_that_does_not_end_or_ends_early_is_none(server: Server) -> None:
    server.scripted = [(200, {"Content-Length": str(1 << 40)}, b"{"), (200, {"Content-Length": "99"}, b"{}")]
    in_time = r"no answer within 0\.1 s; give it more time \(decision_deadline_ms at a gateway\)"
    for told, timeout_s in ((in_time, 0.1), (r"no answer \(IncompleteRead\); check the endpoint", 30.0)):
        with pytest.raises(NetworkError, match=told):
            EndpointEmbedder(server.url, "m", timeout_s=timeout_s, retries=0).embed(["x"])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://h/v1",
        "localhost:8000",
        "https://user:pw@h/v1",
        "file:///etc/passwd",
        "http://h:99999/v1",
        "http://[::1/v1",
        "http://h/v 1",
        "http://h/é",
    ],
)
def test_only_plain_web_addresses_are_taken(url: str) -> None:
    with pytest.raises(ConfigError, match="not an address"):
        EndpointEmbedder(url, "m")


def test_the_name_tells_model_and_address_apart(server: Server) -> None:
    names = {
        connect(server).name,
        EndpointEmbedder(server.url, "embed-2").name,
        EndpointEmbedder(f"{server.url}/other", "embed-1").name,
    }
    assert len(names) == 3
    assert connect(server).name in names
