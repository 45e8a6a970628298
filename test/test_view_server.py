"""Who may open the page, and where it can be served."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter_tools import Process, running
from conftest import wait_for

pytest.importorskip("viser", reason="viser is not installed; make test installs it")

import viser
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from ros_gym_bridge.errors import PageError
from ros_gym_bridge.view.server import Server, is_local, refusal, serve

COMMAND = str(Path(sys.executable).with_name("ros-gym-bridge"))


@pytest.fixture
def server() -> Iterator[Server]:
    made = serve("127.0.0.1", 0)
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("host", "asked", "origin", "refused"),
    [
        ("127.0.0.1", "127.0.0.1:8080", None, ""),
        ("127.0.0.1", "localhost:8080", "http://localhost:8080", ""),
        ("127.0.0.1", "localhost:9000", "http://localhost:9000", ""),  # through a tunnel
        ("::1", "[::1]:8080", "http://[::1]:8080", ""),
        (
            "127.0.0.1",
            "localhost:8080",
            "http://evil.example",
            "refused: a page of http://evil.example may not connect",
        ),
        ("127.0.0.1", "localhost:8080", "http://localhost:9", "refused: a page of http://localhost:9 may not connect"),
        ("127.0.0.1", "localhost:8080", "null", "refused: a page of null may not connect"),
        (
            "127.0.0.1",
            "evil.example:8080",
            "http://evil.example:8080",
            "refused: this page is served to this machine only, not as 'evil.example'",
        ),
        ("127.0.0.1", "", None, "refused: this page is served to this machine only, not as ''"),
        ("0.0.0.0", "robot.lan:8080", "http://robot.lan:8080", ""),
        ("0.0.0.0", "robot.lan:8080", "http://evil.example", "refused: a page of http://evil.example may not connect"),
    ],
)
def test_who_is_refused(host: str, asked: str, origin: str | None, refused: str) -> None:
    assert refusal(host, asked, origin) == refused


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_which_addresses_are_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local


async def knock(server: Server, origin: str | None) -> None:
    """Connect as a page of another origin would."""
    spoken = [Subprotocol(f"viser-v{viser.__version__}")]
    url = f"ws://127.0.0.1:{server.get_port()}"
    async with connect(url, subprotocols=spoken, origin=Origin(origin) if origin else None) as connection:
        await connection.recv()


def test_the_server_asks_who_it_is(server: Server) -> None:
    """viser has no setting for this: should it change inside, this test says so."""
    own = f"http://127.0.0.1:{server.get_port()}"
    asyncio.run(knock(server, own))
    asyncio.run(knock(server, None))
    with pytest.raises(InvalidStatus, match="HTTP 403"):
        asyncio.run(knock(server, "http://evil.example"))
    assert b"<html" in urllib.request.urlopen(own, timeout=10).read().lower()
    request = urllib.request.Request(own, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)


def test_no_way_out(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert server.request_share_url() is None
    assert server._share_tunnel is None
    assert capsys.readouterr() == ("", "")


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PageError) as raised:
            serve("127.0.0.1", port)
        message = (
            f"the page cannot be served at 127.0.0.1, port {port}; got Address already in use; expected an address of "
            "this machine and a free port; Say another one: --port, --host."
        )
        assert str(raised.value) == message
        with running(Process([COMMAND, "view", "--port", str(port)])) as process:
            assert process.wait(60.0) == 1
            assert process.text() == f"error: {message}\n"


@pytest.mark.parametrize("host", ["203.0.113.1", "no such host"])
def test_a_host_that_is_none_of_ours(host: str) -> None:
    with pytest.raises(PageError, match=re.escape(f"the page cannot be served at {host}, port 8080; got ")):
        serve(host, 8080)


def test_everybody_may_come_when_asked_for_and_it_is_said(domain_id: int) -> None:
    with running(Process([COMMAND, "view", "--port", "0", "--host", "0.0.0.0"], ROS_DOMAIN_ID=domain_id)) as process:
        process.says("The page: http://0.0.0.0:")
        assert (
            "warning: served at 0.0.0.0: anybody on the network who opens it can command the robot." in process.text()
        )
        wait_for(lambda: process.text().count("\n") >= 2, 10.0, "both lines")


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """Without viser, as after `pip install ros_gym_bridge` alone."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'viser' else find(name, package)\n"
    )
    with running(Process([COMMAND, "view"], PYTHONPATH=tmp_path)) as process:
        assert process.wait(60.0) == 1
        assert process.text() == (
            "error: the page in the browser cannot be made; got no package viser; expected viser, trimesh and "
            "pycollada; Run 'make view', or: pip install viser trimesh pycollada.\n"
        )
