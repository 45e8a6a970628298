"""The web server of the page: viser's, which is stricter here about who may connect."""

from __future__ import annotations

import contextlib
import http
import ipaddress
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import rich
import viser
import websockets.asyncio.server as websocket_server

from ros_gym_bridge.errors import PageError


class Server(viser.ViserServer):
    """viser's server without its way out: the page never asks a service on the internet for a public address."""

    def request_share_url(self, verbose: bool = True) -> str | None:
        """Refused."""
        return None


def serve(host: str, port: int) -> Server:
    """Start serving an empty page, on a thread of its own.

    Raises:
        PageError: the port is taken, or the host is none of this machine.
    """
    _check(host, port)
    rich.get_console().quiet = True  # viser speaks through it
    with _guarded(host):
        server = Server(host=host, port=port, label="ros-gym-bridge view", verbose=False)
    if port not in (0, server.get_port()):  # taken since the check, and viser has chosen another
        server.stop()
        raise _unusable(host, port, f"port {server.get_port()}")
    server.gui.configure_theme(show_logo=False, show_share_button=False, control_width="medium")
    return server


def is_local(host: str) -> bool:
    """Whether only this machine can connect."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _check(host: str, port: int) -> None:
    """viser would take another port, or wait for ever for a host that is not there."""
    try:
        for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind) as attempt:
                attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                attempt.bind(address)
    except OSError as error:
        raise _unusable(host, port, error.strerror or str(error)) from error


def _unusable(host: str, port: int, got: str) -> PageError:
    expected, remedy = "an address of this machine and a free port", "Say another one: --port, --host"
    return PageError(f"the page cannot be served at {host}, port {port}", got=got, expected=expected, remedy=remedy)


@contextlib.contextmanager
def _guarded(host: str) -> Iterator[None]:
    """While viser starts its server, have it ask `refusal` before anything is answered; it has no setting for this."""
    serve_ = websocket_server.serve

    def guarded(*arguments: Any, process_request: Any, **keywords: Any) -> Any:
        def check(connection: Any, request: Any) -> Any:
            reason = refusal(host, request.headers.get("Host", ""), request.headers.get("Origin"))
            if reason:
                return connection.respond(http.HTTPStatus.FORBIDDEN, reason + "\n")
            return process_request(connection, request)

        return serve_(*arguments, process_request=check, **keywords)

    module: Any = websocket_server
    module.serve = guarded
    try:
        yield
    finally:
        module.serve = serve_


def refusal(host: str, asked: str, origin: str | None) -> str:
    """Why a request is refused; empty: it is not. Another page in the same browser must not drive the robot.

    Args:
        host: where the page is served.
        asked: the request's header `Host`. Served to this machine only, it must name this machine: the name of another
            site that leads here (DNS rebinding) does not.
        origin: the page that asks, its header `Origin`; None for what is no browser, or asks for the page itself.
    """
    name = urlsplit(f"//{asked}").hostname or ""
    if is_local(host) and not is_local(name):
        return f"refused: this page is served to this machine only, not as '{name}'"
    if origin is not None and urlsplit(origin).netloc != asked:
        return f"refused: a page of {origin} may not connect"
    return ""
