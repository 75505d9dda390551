"""The fake upstream: a server on loopback in a thread of its own."""

from __future__ import annotations

import asyncio
import importlib.util
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType

from tenbin.errors import NetworkError
from tenbin.testing.fake.answer import Answer
from tenbin.testing.fake.connection import Connection
from tenbin.testing.fake.rendered import Rendered, Voice, render
from tenbin.testing.fake.request import UpstreamRequest

Script = Callable[[UpstreamRequest], Answer | None] | Sequence[Answer] | Answer | None
BACKLOG = 2048
HOST = "127.0.0.1"


class FakeUpstream:
    """A model provider on loopback that speaks OpenAI's and Anthropic's dialects, correct unless told otherwise.

    Served under any prefix: `/chat/completions`, `/messages` and its `/count_tokens`, `/responses` (each streaming and
    not), `/embeddings`, `/models`; any model name is known. `script` says what comes instead: one Answer for all
    requests, a sequence for the first ones in turn, or a function of the request (None: the correct answer).
    `first_token_s`, `tokens_per_s` and `answer_tokens` give all correct answers the pace and length of a real model.
    `keep` bounds how many requests are remembered (None: all). Threads may call any method; in a coroutine await
    `asyncio.to_thread(upstream.wait_for, 1)`, lest the loop stands still.

    >>> from urllib.request import urlopen
    >>> with FakeUpstream(models=("small",)) as upstream:
    ...     answer = urlopen(f"{upstream.base_url}/models").read()
    ...     (request,) = upstream.wait_for(1)
    >>> b'"small"' in answer, request.path
    (True, '/v1/models')
    """

    def __init__(
        self,
        script: Script = None,
        *,
        models: Sequence[str] = ("fake-model",),
        first_token_s: float = 0.0,
        tokens_per_s: float | None = None,
        answer_tokens: int | None = None,
        keep: int | None = None,
        port: int = 0,
    ) -> None:
        self.received_count = 0
        self.script = script
        self.voice = Voice(tuple(models), first_token_s, tokens_per_s, answer_tokens)
        self.port = port
        self._requests: deque[UpstreamRequest] = deque(maxlen=keep)
        self._connections: set[Connection] = set()
        self._opened = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: OSError | None = None

    @property
    def origin(self) -> str:
        """The address without a path, as Anthropic's client wants it."""
        return f"http://{HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        """The address with `/v1`, as OpenAI's client wants it."""
        return f"{self.origin}/v1"

    @property
    def script(self) -> Script:
        """What is answered instead of the correct answers; may be set at any time, a sequence then starts anew."""
        return self._script

    @script.setter
    def script(self, script: Script) -> None:
        self._script, self._script_begins = script, self.received_count

    @property
    def requests(self) -> tuple[UpstreamRequest, ...]:
        """The requests received so far, oldest first."""
        with self._changed:
            return tuple(self._requests)

    def start(self) -> FakeUpstream:
        """Listen; a second start, after `close`, takes the same port again. Raises NetworkError where it cannot."""
        ready = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run, args=(ready,), name="fake-upstream", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            self._thread.join()
            self._thread = None
            raise NetworkError(f"port {self.port} cannot be listened on", fix="take another") from self._failure
        return self

    def close(self) -> None:
        """Stop listening and break what is open; connecting is refused from here on."""
        if self._thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = self._loop = None

    def __enter__(self) -> FakeUpstream:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def clear(self) -> None:
        """Forget the requests so far; a script that is a sequence goes on where it was."""
        with self._changed:
            self._requests.clear()

    def wait_until(self, holds: Callable[[], bool], what: str, timeout_s: float = 5.0) -> None:
        """Block until `holds()`, asked anew whenever a request or a connection changes; TimeoutError names `what`."""
        with self._changed:
            if not self._changed.wait_for(holds, timeout_s):
                raise TimeoutError(f"the fake upstream waited {timeout_s:g} s in vain for {what}")

    def wait_for(self, n: int, timeout_s: float = 5.0) -> tuple[UpstreamRequest, ...]:
        """Block until `n` requests have come in since the start or `clear`; they are returned. Raises TimeoutError."""
        self.wait_until(lambda: len(self._requests) >= n, f"request {n}", timeout_s)
        return self.requests

    def wait_answered(self, request: UpstreamRequest, timeout_s: float = 5.0) -> None:
        """Block until the whole answer to a request is handed over. Raises TimeoutError."""
        self.wait_until(lambda: request.is_answered, f"the answer to {request.path}", timeout_s)

    def wait_closed(self, request: UpstreamRequest, timeout_s: float = 5.0) -> None:
        """Block until the client has closed the connection in the middle of an answer. Raises TimeoutError."""
        self.wait_until(lambda: request.was_closed, f"the client to leave {request.path}", timeout_s)

    def wait_idle(self, timeout_s: float = 5.0) -> None:
        """Block until no connection is open. Raises TimeoutError."""
        self.wait_until(lambda: not self._connections, "the last connection to close", timeout_s)

    def opened(self, connection: Connection) -> int:
        """A connection has been made; its number. The connections call this and the three below."""
        with self._changed:
            self._opened += 1
            self._connections.add(connection)
            self._changed.notify_all()
            return self._opened

    def lost(self, connection: Connection) -> None:
        """A connection is gone."""
        with self._changed:
            self._connections.discard(connection)
            self._changed.notify_all()

    def received(self, request: UpstreamRequest) -> Rendered:
        """A request is whole: remember it, and say what is to be answered."""
        with self._changed:
            self.received_count += 1
            request.number = self.received_count
            self._requests.append(request)
            self._changed.notify_all()
        try:
            return render(request, self._scripted(request), self.voice)
        except Exception as error:  # whatever a script raises shall be seen by the test, not hang the client
            message = f"the script failed: {type(error).__name__}: {error}"
            return render(request, Answer(status=500, message=message), self.voice)

    def told(self, request: UpstreamRequest, *, was_closed: bool) -> None:
        """An answer has ended, by us or by the client."""
        with self._changed:
            request.was_closed, request.is_answered = was_closed, not was_closed
            request.ended_at = time.monotonic()
            self._changed.notify_all()

    def _scripted(self, request: UpstreamRequest) -> Answer:
        script = self._script
        if script is None or isinstance(script, Answer):
            return script or Answer()
        if callable(script):
            return script(request) or Answer()
        turn = request.number - self._script_begins
        return script[turn - 1] if turn <= len(script) else Answer()

    def _run(self, ready: threading.Event) -> None:
        has_uvloop = importlib.util.find_spec("uvloop") is not None  # not on every platform
        factory = importlib.import_module("uvloop").new_event_loop if has_uvloop else None
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await self._loop.create_server(
                lambda: Connection(self), HOST, self.port, backlog=BACKLOG, reuse_address=True
            )
        except OSError as error:
            self._failure = error
            ready.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()
        for connection in tuple(self._connections):
            connection.reset()
        await asyncio.sleep(0)  # lets the transports tell their connections
        await server.wait_closed()
