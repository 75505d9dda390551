"""The file that keeps vectors: the flag before TENBIN_CACHE before XDG_CACHE_HOME before the home folder."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import Result

from tenbin.cli.vector_cache import vector_cache
from tenbin.errors import UsageError

HOME = {"HOME": "/home/a"}
XDG = {**HOME, "XDG_CACHE_HOME": "/var/x"}
OWN = {**XDG, "TENBIN_CACHE": "/srv/t"}


@pytest.mark.parametrize(
    ("asked", "environ", "place"),
    [
        (None, HOME, "/home/a/.cache/tenbin/vectors.sqlite3"),
        (None, {"USERPROFILE": "/users/a"}, "/users/a/.cache/tenbin/vectors.sqlite3"),
        (None, XDG, "/var/x/tenbin/vectors.sqlite3"),
        (None, {**HOME, "XDG_CACHE_HOME": "relative"}, "/home/a/.cache/tenbin/vectors.sqlite3"),
        (None, OWN, "/srv/t/vectors.sqlite3"),
        (None, {**OWN, "TENBIN_CACHE": "none"}, None),
        (None, {}, None),
        ("mine.sqlite3", OWN, "mine.sqlite3"),
        ("none", OWN, None),
    ],
)
def test_the_nearest_word_counts(asked: str | None, environ: dict[str, str], place: str | None) -> None:
    assert vector_cache(asked, environ) == (None if place is None else Path(place))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder; name a file with --vector-cache"):
        vector_cache(str(tmp_path), {})


class Embeddings(BaseHTTPRequestHandler):
    """An embeddings endpoint that counts the texts it was given."""

    texts = 0

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        Embeddings.texts += len(asked)
        vectors = [{"index": i, "embedding": [1.0, float(len(text))]} for i, text in enumerate(asked)]
        raw = json.dumps({"data": vectors}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        return


def test_fit_asks_a_slow_embedder_once_for_each_text(made: Path, tenbin: Callable[..., Result], tmp_path: Path) -> None:
    asked = ("fit", made / "train.jsonl", "--prices", made / "prices.toml", "--predictor", "constant", "--out")
    with ThreadingHTTPServer(("127.0.0.1", 0), Embeddings) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        form = f"endpoint:http://127.0.0.1:{server.server_port}/v1#m"
        counts = []
        for cache in (tmp_path / "kept.sqlite3", tmp_path / "kept.sqlite3", "none"):
            run = tenbin(*asked, tmp_path / "r", "--embedder", form, "--vector-cache", cache)
            assert run.exit_code == 0, run.stderr
            counts.append(Embeddings.texts)
        server.shutdown()
    first, again, without = counts
    assert first >= 96
    assert again - first == 1 + 8, "all but the width and the eight that are tried come from the cache"
    assert without - again >= 96
    assert not Path("none").exists()
