"""Where the server listens: on loopback unless told otherwise, and elsewhere only with CURVE encryption."""

from __future__ import annotations

import ipaddress
import re
import socket as sockets
from dataclasses import dataclass
from pathlib import Path

import zmq

from protocol import connection as connection_file
from protocol.errors import DuologueError

LOOPBACK = "tcp://127.0.0.1"


@dataclass(frozen=True)
class Curve:
    """A CURVE key pair, Z85 text."""

    public: str
    secret: str


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach ``tcp://HOST[:PORT]``.

    Raises:
        DuologueError: ``address_invalid`` if it is no such address, or no single one.
    """
    host = _host_and_port(address)[0]
    if host == "localhost":
        return True
    try:
        ip = ipaddress.IPv4Address(host)
    except ValueError as error:
        raise _invalid(address) from error
    if ip.is_unspecified:
        raise DuologueError(
            "address_invalid",
            f"{address} would listen on every network of this machine.",
            "Give the one address at which clients are to reach it.",
        )
    return ip.is_loopback


def new_curve() -> Curve:
    """A fresh key pair.

    Raises:
        DuologueError: ``curve_missing`` if this ZeroMQ was built without CURVE.
    """
    if not zmq.has("curve"):
        raise DuologueError(
            "curve_missing",
            "The installed ZeroMQ cannot encrypt, so the backend listens on this machine only.",
            "Install pyzmq from its own wheels, or leave out --address.",
        )
    public, secret = zmq.curve_keypair()
    return Curve(public.decode(), secret.decode())


def bind(socket: zmq.Socket, address: str, curve: Curve | None) -> str:
    """Bind a socket and return the endpoint with its port; without a port in ``address`` the system picks a free one.

    Raises:
        DuologueError: ``address_invalid``, ``address_exposed`` (not loopback and no ``curve``), ``address_in_use``.
    """
    host, port = _host_and_port(address)
    if curve is not None:
        socket.curve_server = True
        socket.curve_secretkey = curve.secret.encode()
    elif not is_loopback(address):
        raise DuologueError(
            "address_exposed",
            f"The backend does not listen on {address} without encryption.",
            f"Use {LOOPBACK}, or give it CURVE keys.",
        )
    try:
        socket.bind(f"tcp://{host}:{port or '*'}")
    except zmq.ZMQError as error:
        raise DuologueError(
            "address_in_use",
            f"The backend cannot listen on {address}: {error.strerror}.",
            "Choose another port, or leave the port out to have a free one picked.",
        ) from error
    endpoint = socket.getsockopt(zmq.LAST_ENDPOINT)
    return endpoint.rstrip(b"\0").decode() if isinstance(endpoint, bytes) else str(endpoint)


def refuse_second(path: Path) -> None:
    """Leave a living backend's connection file alone; one of a dead backend may be replaced.

    Raises:
        DuologueError: ``already_running``.
    """
    try:
        found = connection_file.read(path)
    except DuologueError:
        return
    host, _, port = found.address.removeprefix("tcp://").rpartition(":")
    try:
        sockets.create_connection((host, int(port)), timeout=0.5).close()
    except (OSError, ValueError):
        return
    raise DuologueError(
        "already_running",
        f"A Duologue backend already runs here as process {found.pid}.",
        "Use that one, stop it first, or give this one a --connection file of its own.",
    )


def _host_and_port(address: str) -> tuple[str, str | None]:
    match = re.fullmatch(r"tcp://([A-Za-z0-9.\-]+)(?::([0-9]{1,5}))?", address)
    if match is None or int(match[2] or 1) not in range(1, 65536):
        raise _invalid(address)
    return match[1], match[2]


def _invalid(address: str) -> DuologueError:
    return DuologueError(
        "address_invalid", f"{address} is not an address to listen on.", f"Write one like {LOOPBACK}:5055."
    )
