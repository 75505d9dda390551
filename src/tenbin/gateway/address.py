"""Where the gateway listens: sockets bound before anything else starts, with a sentence where that fails."""

from __future__ import annotations

import errno
import socket

from tenbin.errors import UsageError

BACKLOG = 2048
HIGHEST_PORT = 65535


def bind(host: str, port: int, *, flag: str) -> socket.socket:
    """A listening socket on this address; port 0 takes any free one.

    `flag` says in errors how another port is chosen. Raises UsageError where the port is in use, needs rights, does not
    exist, or the host is no address of this machine.
    """
    where = f"{host}:{port}"
    if not 0 <= port <= HIGHEST_PORT:
        raise UsageError("there is no such port", where=where, fix=f"name one from 1 to {HIGHEST_PORT} with {flag}")
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise UsageError("there is no such host", where=where, fix="listen on 127.0.0.1 or on 0.0.0.0") from None
    # "localhost" is both of its addresses, and clients that try one only try this one.
    family, kind, protocol, _, address = min(places, key=lambda place: place[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted sockets inherit it: a token must not wait for the acknowledgement of the one before.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        what, fix = explain(error, port, flag)
        raise UsageError(what, where=where, fix=fix) from None
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """The address as a client on this machine writes it: `http://127.0.0.1:8787`."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def hostname(host: str | None) -> str | None:
    """The name in a Host header without its port; None where there is none or it is no such header."""
    if host is None:
        return None
    name, _, port = host.strip().lower().partition("]") if host.startswith("[") else host.strip().lower().partition(":")
    is_port = port.lstrip(":").isdigit() or not port
    return name.removeprefix("[") if name and is_port else None


def explain(error: OSError, port: int, flag: str) -> tuple[str, str]:
    """What went wrong and what to do."""
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} is in use", f"stop what listens there, or choose another port with {flag}"
        case errno.EACCES | errno.EPERM:
            return f"port {port} may not be opened by this user", f"choose one above 1023 with {flag}"
        case errno.EADDRNOTAVAIL:
            return "this host is no address of this machine", "listen on 127.0.0.1 or on 0.0.0.0"
        case _:
            return f"cannot listen there ({error.strerror})", f"choose another port with {flag}"
