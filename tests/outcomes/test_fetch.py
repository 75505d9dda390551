"""Downloads against a hub on the loopback that behaves as real ones do at their worst."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tenbin.errors import NetworkError, UsageError
from tenbin.outcomes.fetch import fetch_dataset
from tenbin.outcomes.hub import Hub, _allowed

CONTENT = bytes(range(256)) * 4096
SPROUT = "CARROT-LLM-Routing/SPROUT"


@dataclass
class FakeHub:
    """What the server holds, how it misbehaves (steps taken once per download request), and what it was asked."""

    trees: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    mischief: list[str] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def put(self, repo: str, revision: str, path: str, content: bytes, **changes: Any) -> None:
        sha256 = hashlib.sha256(content).hexdigest()
        item = {"type": "file", "path": path, "size": len(content), "oid": "a" * 40,
                "lfs": {"oid": sha256, "size": len(content), "pointerSize": 130}}  # fmt: skip
        self.trees.setdefault((repo, revision), []).append({**item, **changes})
        self.contents[f"/datasets/{repo}/resolve/{revision}/{path}"] = content

    def downloads(self) -> list[dict[str, str]]:
        return [headers for path, headers in self.asked if "/resolve/" in path or path.startswith("/cdn")]


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(self.path)
        self.hub.asked.append((path, dict(self.headers)))
        tree = re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/tree/(.+?)\?recursive=true(&page=2)?", path)
        if tree:
            return self.listing(self.hub.trees.get((tree[1], tree[2])), bool(tree[3]))
        step = self.hub.mischief.pop(0) if self.hub.mischief else "serve"
        if step.startswith("redirect "):
            return self.answer(302, b"", Location=step.removeprefix("redirect "))
        if step.isdigit():
            return self.answer(int(step), b"")
        return self.content(self.hub.contents.get(path.replace("/cdn", "/datasets", 1)), step)

    def listing(self, items: list[dict[str, Any]] | None, second: bool) -> None:
        if items is None:
            return self.answer(404, b"{}")
        if len(items) > 1 and not second:
            return self.answer(200, json.dumps(items[:1]).encode(), Link=f'<{self.path}&page=2>; rel="next"')
        return self.answer(200, json.dumps(items[1:] if second else items).encode())

    def content(self, whole: bytes | None, step: str) -> None:
        if whole is None:
            self.answer(404, b"")
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if "Range" in self.headers and step != "ignore range":
            body, status, extra = whole[start:], 206, {"Content-Range": f"bytes {start}-{len(whole) - 1}/{len(whole)}"}
        else:
            body, status, extra = whole, 200, {}
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **extra}.items():
            self.send_header(name, value)
        self.end_headers()
        if step == "cut":
            self.wfile.write(body[: len(body) // 2])
        elif step == "stall":
            self.wfile.write(body[:1000])
            self.wfile.flush()
            self.hub.release.wait(30)
        else:
            self.wfile.write(body)
        self.close_connection = True

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    fake = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": fake}))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield fake
    fake.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def no_token_no_proxy(monkeypatch):
    for name in ("HF_TOKEN", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def fetch(hub: FakeHub, folder: Path, name: str = "sprout", **settings: Any):
    return fetch_dataset(
        name, folder, hub_url=hub.url, timeout_s=settings.pop("timeout_s", 5.0), pause_s=0.0, **settings
    )


def sprout(hub: FakeHub, content: bytes = CONTENT, **changes: Any) -> None:
    hub.put(SPROUT, "main", "data/train-00000-of-00001.parquet", content, **changes)


def test_every_wanted_file_comes_whole(hub, tmp_path):
    sprout(hub)
    hub.put(SPROUT, "main", "README.md", b"read me")
    hub.put(SPROUT, "main", "data/test-00000-of-00001.parquet", b"test rows")
    told: list[float] = []
    fetched = fetch(hub, tmp_path / "new" / "folder", progress=lambda _, done: told.append(done))
    assert [path.name for path in fetched.files] == ["test-00000-of-00001.parquet", "train-00000-of-00001.parquet"]
    assert fetched.files[1].read_bytes() == CONTENT
    assert fetched.note is None
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [p.name for p in fetched.files]


def test_what_is_there_and_right_is_not_fetched_again(hub, tmp_path):
    sprout(hub)
    fetch(hub, tmp_path)
    fetch(hub, tmp_path)
    assert len(hub.downloads()) == 1
    (tmp_path / "train-00000-of-00001.parquet").write_bytes(b"x" * len(CONTENT))
    fetch(hub, tmp_path)
    assert (tmp_path / "train-00000-of-00001.parquet").read_bytes() == CONTENT


def test_a_connection_cut_in_the_middle_is_resumed(hub, tmp_path):
    sprout(hub)
    hub.mischief = ["cut", "cut", "503", "serve"]
    assert fetch(hub, tmp_path).files[0].read_bytes() == CONTENT
    half, rest = len(CONTENT) // 2, len(CONTENT) * 3 // 4
    assert [headers.get("Range") for headers in hub.downloads()] == [None, f"bytes={half}-", *[f"bytes={rest}-"] * 2]


def test_a_later_run_goes_on_where_an_earlier_one_stopped(hub, tmp_path):
    sprout(hub)
    hub.mischief = ["cut"] + ["500"] * 4
    with pytest.raises(NetworkError, match="run it again, it goes on where it stopped"):
        fetch(hub, tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"], "nothing half-written has the file's name"
    assert fetch(hub, tmp_path).files[0].read_bytes() == CONTENT
    assert hub.downloads()[-1]["Range"] == f"bytes={len(CONTENT) // 2}-"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_server_that_ignores_ranges_is_read_from_the_start(hub, tmp_path):
    sprout(hub)
    hub.mischief = ["cut", "ignore range"]
    assert fetch(hub, tmp_path).files[0].read_bytes() == CONTENT


def test_the_part_of_another_version_is_not_mixed_in(hub, tmp_path):
    sprout(hub)
    hub.mischief = ["cut"] + ["500"] * 4
    with pytest.raises(NetworkError):
        fetch(hub, tmp_path)
    hub.trees.clear()
    sprout(hub, CONTENT[::-1])
    assert fetch(hub, tmp_path).files[0].read_bytes() == CONTENT[::-1]
    assert "Range" not in hub.downloads()[-1]


def test_a_server_that_stalls_is_given_up_and_resumed(hub, tmp_path):
    sprout(hub)
    hub.mischief = ["stall", "serve"]
    assert fetch(hub, tmp_path, timeout_s=0.3).files[0].read_bytes() == CONTENT
    assert hub.downloads()[1]["Range"] == "bytes=1000-"


def test_a_server_that_always_stalls_is_named(hub, tmp_path):
    sprout(hub)
    hub.mischief = ["stall"] * 9
    with pytest.raises(NetworkError, match="did not answer in time"):
        fetch(hub, tmp_path, timeout_s=0.1)
    assert len(hub.downloads()) == 5, "attempts are bounded"


def test_a_wrong_hash_is_refused_and_leaves_nothing(hub, tmp_path):
    sprout(hub, lfs={"oid": "b" * 64, "size": len(CONTENT)})
    with pytest.raises(NetworkError, match="another SHA-256 than announced"):
        fetch(hub, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("size", "said"), [(-7, "longer than the"), (7, "connection ended after")])
def test_a_wrong_size_is_refused(hub, tmp_path, size, said):
    sprout(hub, lfs={"oid": hashlib.sha256(CONTENT).hexdigest(), "size": len(CONTENT) + size})
    with pytest.raises(NetworkError, match=said):
        fetch(hub, tmp_path)
    assert not list(tmp_path.glob("*.parquet"))


def test_a_set_or_a_file_that_is_gone(hub, tmp_path):
    with pytest.raises(NetworkError, match=f"has no file of {SPROUT}.*look at {hub.url}/datasets/{SPROUT}"):
        fetch(hub, tmp_path)
    sprout(hub)
    hub.contents.clear()
    with pytest.raises(NetworkError, match=r"does not have data/train-00000-of-00001\.parquet \(404\)"):
        fetch(hub, tmp_path)


@pytest.mark.parametrize(
    ("status", "said"), [("401", "set the environment variable HF_TOKEN"), ("418", "answered 418")]
)
def test_a_refusal_is_not_tried_again(hub, tmp_path, status, said):
    sprout(hub)
    hub.mischief = [status]
    with pytest.raises(NetworkError, match=said):
        fetch(hub, tmp_path)
    assert len(hub.downloads()) == 1


def test_without_a_network_one_sentence_says_what_to_do(tmp_path):
    with pytest.raises(NetworkError) as caught:
        fetch_dataset("sprout", tmp_path / "f", hub_url="http://127.0.0.1:9", timeout_s=1.0, pause_s=0.0)
    said = str(caught.value)
    assert "127.0.0.1:9: the list of files of CARROT-LLM-Routing/SPROUT could not be had" in said
    assert "without internet" in said
    assert "\n" not in said
    assert not (tmp_path / "f").exists()


def test_redirects_lead_to_the_file(hub, tmp_path):
    sprout(hub)
    hub.mischief = [f"redirect {hub.url}/cdn/{SPROUT}/resolve/main/data/train-00000-of-00001.parquet"]
    assert fetch(hub, tmp_path).files[0].read_bytes() == CONTENT


@pytest.mark.parametrize(
    "target", ["http://example.com/x", "file:///etc/passwd", "ftp://127.0.0.1/x", "http://localhost:1/x"]
)
def test_redirects_to_other_than_https_are_refused(hub, tmp_path, target):
    sprout(hub)
    hub.mischief = [f"redirect {target}"]
    with pytest.raises(NetworkError, match=r"not https|answered 302"):
        fetch(hub, tmp_path)


def test_the_token_goes_to_the_hub_and_nowhere_else(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    elsewhere = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": elsewhere}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        sprout(hub)
        elsewhere.contents = hub.contents
        path = f"/cdn/{SPROUT}/resolve/main/data/train-00000-of-00001.parquet"
        hub.mischief = [f"redirect {hub.url}{path}", f"redirect http://127.0.0.1:{server.server_address[1]}{path}"]
        assert fetch(hub, tmp_path).files[0].read_bytes() == CONTENT
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert [headers.get("Authorization") for _, headers in hub.asked] == ["Bearer secret"] * 3
    assert [headers.get("Authorization") for _, headers in elsewhere.asked] == [None]


@pytest.mark.parametrize("url", ["http://example.com", "ftp://x", "huggingface.co", "file:///x"])
def test_the_hub_itself_must_be_https(tmp_path, url):
    with pytest.raises(UsageError, match="no https address"):
        fetch_dataset("sprout", tmp_path, hub_url=url)


def test_https_is_allowed_from_anywhere():
    assert _allowed("https://cdn.example.com/x", "https://huggingface.co")
    assert not _allowed("http://huggingface.co/x", "https://huggingface.co")
    assert Hub("https://huggingface.co").host == "huggingface.co"


@pytest.mark.parametrize(
    "listing", [{}, [{"path": "x"}], [{"type": "file", "path": "a.parquet", "size": "big", "oid": "a" * 40}]]
)
def test_a_listing_of_another_shape(hub, tmp_path, listing):
    hub.trees[SPROUT, "main"] = listing
    with pytest.raises(NetworkError, match="does not list files as the hub's API does"):
        fetch(hub, tmp_path)


@pytest.mark.parametrize("path", ["../evil.parquet", ".hidden.parquet", "a\\b.parquet", "data/日本.parquet"])
def test_names_that_would_leave_the_folder(hub, tmp_path, path):
    hub.put(SPROUT, "main", path, b"x")
    with pytest.raises(NetworkError, match="odd name"):
        fetch(hub, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(hub, tmp_path):
    sprout(hub)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot make the folder"):
        fetch(hub, tmp_path / "file" / "below")


def test_routerbench_takes_the_hub_s_parquet_where_there_is_one(hub, tmp_path):
    hub.put("withmartian/routerbench", "refs/convert/parquet", "default/train/0000.parquet", b"rows")
    hub.put("withmartian/routerbench", "main", "routerbench_0shot.pkl", b"\x80\x04rows")
    fetched = fetch(hub, tmp_path, "routerbench")
    assert [path.name for path in fetched.files] == ["default-train-0000.parquet"]
    assert fetched.note is None


def test_routerbench_s_pickle_comes_with_the_way_to_convert_it(hub, tmp_path):
    hub.put("withmartian/routerbench", "main", "routerbench_0shot.pkl", b"\x80\x04rows")
    hub.put("withmartian/routerbench", "main", "routerbench_5shot.pkl", b"\x80\x04more")
    fetched = fetch(hub, tmp_path, "routerbench")
    assert [path.name for path in fetched.files] == ["routerbench_0shot.pkl"]
    assert "pandas.read_pickle(" in str(fetched.note)
    assert "routerbench_0shot.parquet" in str(fetched.note)


def test_an_unknown_set(tmp_path):
    with pytest.raises(UsageError, match='did you mean "sprout"'):
        fetch_dataset("sprot", tmp_path)
