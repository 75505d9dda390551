"""A pilot with answers to label, and a running label server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec

from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.journal import Journal
from tenbin.pilot.label.page import render_label_page
from tenbin.pilot.label.server import LabelServer
from tenbin.pilot.label.session import Session
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Bought, Graded, Record
from tenbin.pilot.results import read_results
from tenbin.types import Usage
from tests.pilot.made import made_settings

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e {at} & \x00 日本語"


def make_pilot(
    path: Path, *, n: int = 6, models: Sequence[str] = ("big", "small"), answer: str = "It is {i}."
) -> PilotFolder:
    """A pilot folder whose answers are bought and graded (the small model's as wrong)."""
    folder = PilotFolder(path)
    path.mkdir(parents=True)
    prompts = [PilotPrompt(f"q{i}", f"What is {i}? {HOSTILE}", reference=f"{i} {HOSTILE}") for i in range(n)]
    folder.settings.write_bytes(msgspec.json.encode(made_settings(candidates=tuple(models), reference=models[0])))
    folder.prompts.write_bytes(b"\n".join(msgspec.json.encode(prompt) for prompt in prompts))
    records: list[Record] = []
    for i, prompt in enumerate(prompts):
        for model in models:
            key = (prompt.query_id, model)
            text = answer.replace("{i}", str(i))
            records.append(Bought(f"{i}{model}", *key, 1.7e9, text, Usage(9, 9), 0.001, 0.5))
            records.append(Graded(*key, 1.7e9, 0.9 if model == models[0] else 0.1 * (i % 4), "judge-1"))
    with Journal.open(folder) as journal:
        journal.append(*records)
    return folder


@contextmanager
def serving(folder: PilotFolder, *, count: int = 6, scale: int = 5, lang: str = "en") -> Iterator[LabelServer]:
    """The label server of a pilot, running."""
    with Journal.open(folder) as journal:
        session = Session.open(read_results(folder), journal, "me", count=count, scale=scale, seed=1)
        page = render_label_page(folder.name, total=len(session.items), scale=scale, lang=lang)
        with LabelServer(session, page) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield server
            finally:
                server.shutdown()
                thread.join()


def call(
    server: LabelServer, method: str, path: str, body: object = None, **headers: str | None
) -> tuple[int, dict[str, str], bytes]:
    """One request behind the token (or at an absolute path), as the page would make it; headers None are left out."""
    port = server.server_address[1]
    sent: dict[str, str | None] = {"Host": f"127.0.0.1:{port}"}
    if method == "POST":
        sent |= {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.putrequest(method, path if path.startswith("/") else f"/{server.token}/{path}", skip_host=True)
        if data is not None and "Content-Length" not in sent:
            sent["Content-Length"] = str(len(data))
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(data)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def ask(server: LabelServer, path: str) -> Any:
    """The JSON that the page would get."""
    status, _, body = call(server, "GET", path)
    assert status == 200
    return json.loads(body)
