from __future__ import annotations

import errno
import os
import socket

import pytest

from tenbin.errors import UsageError
from tenbin.gateway.address import bind, explain, url_of


def test_any_free_port() -> None:
    with bind("127.0.0.1", 0, flag="--port") as one, bind("127.0.0.1", 0, flag="--port") as other:
        assert one.getsockname()[1] != other.getsockname()[1]
        assert url_of(one) == f"http://127.0.0.1:{one.getsockname()[1]}"
        assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert not one.getblocking()


def test_a_port_in_use_says_which_and_what_to_do() -> None:
    with bind("127.0.0.1", 0, flag="--port") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}: port {port} is in use; stop what .* with --flag"):
            bind("127.0.0.1", port, flag="--flag")


def test_a_port_just_left_can_be_taken_again() -> None:
    with bind("127.0.0.1", 0, flag="--port") as listener:
        port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        listener.setblocking(True)
        accepted, _ = listener.accept()
        accepted.close()  # the server's side closes first and keeps the port in TIME_WAIT
        client.close()
    bind("127.0.0.1", port, flag="--port").close()


def test_a_port_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="there is no such port"):
        bind("127.0.0.1", 65536, flag="--port")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "may not be opened by this user"),
        (errno.EADDRNOTAVAIL, "no address of this machine"),
        (errno.ENOBUFS, "cannot listen there"),
    ],
)
def test_every_refusal_of_the_system_has_its_words(number: int, words: str) -> None:
    what, fix = explain(OSError(number, os.strerror(number)), 80, "--port")
    assert words in what
    assert fix


def test_an_address_for_all_is_called_by_loopback() -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))  # noqa: S104 (never listened on)
        assert url_of(listener).startswith("http://127.0.0.1:")


def test_ipv6_is_written_in_brackets() -> None:
    with bind("::1", 0, flag="--port") as listener:
        assert url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"
