"""Files of a public data set on a hub that speaks Hugging Face's HTTP API: listed, resumed, checked.

API: GET /api/datasets/{repo}/tree/{revision} and GET /datasets/{repo}/resolve/{revision}/{file}.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import ipaddress
import json
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NoReturn, TypeVar

from tenbin.errors import NetworkError, UsageError

CHUNK_BYTES = 1024 * 1024
MAX_LISTING_BYTES = 16 * 1024 * 1024
MAX_PAGES = 20
TRY_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
MAX_PAUSE_S = 30.0

T = TypeVar("T")


class FellShortError(Exception):
    """One attempt that may be worth another: `after_s` is the pause that the hub asked for.

    `reached` is False where there was no way to the hub at all (no such name, no route, nobody listens).
    """

    def __init__(self, reason: str, after_s: float = 0.0, *, reached: bool = True) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.reached = reached


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub lists it: size in bytes, SHA-256 where it is kept in large-file storage, else None."""

    path: str
    size: int
    sha256: str | None
    identity: str


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub: https, or a loopback address. The token goes to the hub's own host and to no other."""

    url: str
    token: str | None = None
    timeout_s: float = 30.0
    attempts: int = 5
    pause_s: float = 1.0

    def __post_init__(self) -> None:
        if not _allowed(self.url, self.url):
            raise UsageError(f'"{self.url}" is no https address', fix="give the hub's address as https://HOST")

    @property
    def host(self) -> str:
        """The hub's name in messages."""
        return urllib.parse.urlsplit(self.url).netloc

    def files(self, repo: str, revision: str) -> list[HubFile] | None:
        """Every file of a revision, or None where the hub has no such revision (NetworkError)."""
        path = f"/api/datasets/{repo}/tree/{urllib.parse.quote(revision, safe='')}?recursive=true"
        url = self.url.rstrip("/") + path
        found: list[HubFile] = []
        for _ in range(MAX_PAGES):
            # The first contact: where there is no way to the hub, nobody is kept waiting to hear it.
            page = self._try(partial(self._listing, url), f"the list of files of {repo}", unreached=1)
            if page is None:
                return None
            found.extend(page[0])
            if page[1] is None:
                return found
            url = page[1]
        raise NetworkError(f"lists more than {MAX_PAGES} pages of files for {repo}", where=self.host, fix=_GIVE_UP)

    def download(self, repo: str, revision: str, file: HubFile, target: Path, told: Callable[[int], None]) -> None:
        """Fetch one file to `target`, going on where an earlier attempt stopped; `told` gets the bytes at hand.

        Size and SHA-256 are checked before the file gets its name; a file that is there and right is left alone.
        """
        if target.is_file() and target.stat().st_size == file.size and _right(target, file):
            told(file.size)
            return
        path = f"/datasets/{repo}/resolve/{urllib.parse.quote(revision, safe='')}/{urllib.parse.quote(file.path)}"
        part = target.with_name(f"{target.name}.{file.identity[:12]}.part")
        try:
            self._try(lambda: self._fill(self.url.rstrip("/") + path, file, part, told), file.path)
            if not _right(part, file):
                part.unlink()
                raise NetworkError(
                    f"{file.path} came with another SHA-256 than announced", where=self.host, fix="try again later"
                )
            part.replace(target)
        except OSError as error:
            reason = error.strerror or "the system refused"
            raise UsageError(f"cannot write {target} ({reason})", fix="check its folder's rights and space") from error

    def _listing(self, url: str) -> tuple[list[HubFile], str | None] | None:
        try:
            with self._open(url, {}) as answer:
                raw, link = answer.read(MAX_LISTING_BYTES + 1), answer.headers.get("Link", "")
        except NotThereError:
            return None
        except (OSError, http.client.HTTPException) as error:
            raise FellShortError(_reason(error)) from error
        try:
            items = json.loads(raw)
            if not isinstance(items, list):
                raise TypeError
            listed = [_hub_file(item) for item in items if item["type"] == "file"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NetworkError("does not list files as the hub's API does", where=self.host, fix=_GIVE_UP) from None
        following = re.search(r'<([^>]+)>;\s*rel="next"', link)
        if following is None:
            return listed, None
        url = urllib.parse.urljoin(url, following[1])
        if urllib.parse.urlsplit(url)[:2] != urllib.parse.urlsplit(self.url)[:2]:
            raise NetworkError("sends the list of files to another host", where=self.host, fix=_GIVE_UP)
        return listed, url

    def _fill(self, url: str, file: HubFile, part: Path, told: Callable[[int], None]) -> None:
        at = part.stat().st_size if part.exists() else 0
        if at > file.size:
            part.unlink()
            at = 0
        if at == file.size and part.exists():
            return
        try:
            answer = self._open(url, {"Range": f"bytes={at}-"} if at else {})
        except NotThereError:
            raise NetworkError(f"does not have {file.path} (404)", where=self.host, fix=_GIVE_UP) from None
        with answer, part.open("r+b" if at else "wb") as out:
            # A server may answer a Range with the whole file: then it is written from the start.
            if at and answer.status == 206 and _range_start(answer) == at:
                out.seek(at)
            else:
                at = 0
            out.truncate(at)
            self._copy(answer, out, at, file, told)

    def _copy(
        self, answer: http.client.HTTPResponse, out: IO[bytes], at: int, file: HubFile, told: Callable[[int], None]
    ) -> None:
        while True:
            try:
                chunk = answer.read1(min(CHUNK_BYTES, file.size - at + 1))
            except (OSError, http.client.HTTPException) as error:
                raise FellShortError(_reason(error)) from error
            if not chunk:
                break
            at += len(chunk)
            if at > file.size:
                out.truncate(0)
                raise NetworkError(
                    f"{file.path} is longer than the {file.size:,} bytes announced", where=self.host, fix=_GIVE_UP
                )
            out.write(chunk)
            told(at)
        if at < file.size:
            raise FellShortError(f"the connection ended after {at:,} of {file.size:,} bytes")

    def _open(self, url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        request = urllib.request.Request(url, headers={"User-Agent": "tenbin", **headers})  # noqa: S310
        if self.token:
            request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        try:
            answer: http.client.HTTPResponse = _opener(self).open(request, timeout=self.timeout_s)
        except urllib.error.HTTPError as error:
            with error:
                _raise_for(error.code, error.headers.get("Retry-After"), self.host)
        except (OSError, http.client.HTTPException) as error:
            raise FellShortError(_reason(error), reached=not _no_way(error)) from error
        return answer

    def _try(self, step: Callable[[], T], what: str, *, unreached: int | None = None) -> T:
        """Take a step up to `attempts` times, with pauses that double (NetworkError with the last reason).

        `unreached` bounds the attempts that find no way to the hub.
        """
        for attempt in range(1, self.attempts + 1):
            try:
                return step()
            except FellShortError as error:
                if attempt == self.attempts or (not error.reached and attempt == unreached):
                    raise NetworkError(f"{what} could not be had ({error})", where=self.host, fix=_OFFLINE) from error
                time.sleep(min(max(self.pause_s * 2 ** (attempt - 1), error.after_s), MAX_PAUSE_S))
        raise AssertionError("unreachable")


class NotThereError(Exception):
    """The hub answered 404."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only (to the loopback hub itself in tests); the token stays with the hub's host."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        if not _allowed(newurl, self.hub.url):
            raise NetworkError("redirects to an address that is not https", where=self.hub.host, fix=_GIVE_UP)
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        home = urllib.parse.urlsplit(newurl)[:2] == urllib.parse.urlsplit(self.hub.url)[:2]
        if request is not None and self.hub.token and home:
            request.add_unredirected_header("Authorization", f"Bearer {self.hub.token}")
        return request


_GIVE_UP = "try again later, or fetch the files with a browser"
_OFFLINE = (
    "check the internet connection (HTTPS_PROXY where a proxy is needed) and run it again, it goes on where it stopped;"
    " without internet, fetch the files on a machine that has it and copy them here"
)


def _opener(hub: Hub) -> urllib.request.OpenerDirector:
    # Built by hand: the usual opener also reads file:, ftp: and data: addresses.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(hub),
    ):
        opener.add_handler(handler)
    return opener


def _allowed(url: str, hub_url: str) -> bool:
    parts, hub = urllib.parse.urlsplit(url), urllib.parse.urlsplit(hub_url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _loopback(hub.hostname) and parts.hostname == hub.hostname


def _loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _raise_for(code: int, retry_after: str | None, host: str) -> NoReturn:
    if code in (404, 410):
        raise NotThereError
    if code in (401, 403):
        fix = "set the environment variable HF_TOKEN to a token that may read it"
        raise NetworkError(f"refuses access ({code})", where=host, fix=fix)
    if code in TRY_AGAIN:
        after_s = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
        raise FellShortError(f"it answered {code}", after_s)
    raise NetworkError(f"answered {code}", where=host, fix=_GIVE_UP)


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return "it did not answer in time"
    return (cause.strerror if isinstance(cause, OSError) else None) or "the connection broke"


def _no_way(error: Exception) -> bool:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    unreachable = isinstance(cause, OSError) and cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)
    return unreachable or isinstance(cause, socket.gaierror | ConnectionRefusedError)


def _range_start(answer: http.client.HTTPResponse) -> int | None:
    said = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(said[1]) if said else None


def _right(path: Path, file: HubFile) -> bool:
    if file.sha256 is None:
        return path.stat().st_size == file.size
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def _hub_file(item: dict[str, object]) -> HubFile:
    large = item.get("lfs")
    sha256 = str(large["oid"]).removeprefix("sha256:") if isinstance(large, dict) else None
    size = large["size"] if isinstance(large, dict) else item["size"]
    identity = sha256 or str(item["oid"])
    if not isinstance(size, int) or size < 0 or not re.fullmatch(r"[0-9a-f]{12,64}", identity):
        raise ValueError("not a file as the hub lists it")
    return HubFile(str(item["path"]), size, sha256, identity)
