"""The viewer's process and its node, without a browser."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from adapter_tools import Process, running
from browser import COMMAND, viewer
from conftest import NodeProcess, slowness, wait_for

pytest.importorskip("viser", reason="viser is not installed; make test installs it")


def test_who_only_looks_publishes_nothing(pair: tuple[NodeProcess, Any], domain_id: int) -> None:
    """Lockstep goes on beside it."""
    _, client = pair
    with viewer(domain_id) as (process, _):
        name = f"viewer_{process.pid}"
        client.until(lambda: "/joint_states" in client.named("subscriber", name), "the viewer", 20.0)
        assert set(client.named("publisher", name)) <= {"/parameter_events"}
        for _ in range(20):
            client.step(["wrist_1_joint"], position=[1.0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once(number: int, domain_id: int) -> None:
    """Well, and on a machine that has nothing else to do, within a second."""
    with viewer(domain_id) as (process, _):
        begun = time.monotonic()
        os.kill(process.pid, number)
        assert process.wait(20.0) == 0
        assert time.monotonic() - begun < 2.0 * slowness() + 1.0


@pytest.mark.parametrize("library", ["_rclpy_pybind11", "zstandard", "libfastrtps"])
def test_it_ends_while_it_starts(library: str, domain_id: int) -> None:
    """Ctrl-C as soon as a library is loaded, among the imports and before the page is there."""
    with running(Process([COMMAND, "view", "--port", "0"], ROS_DOMAIN_ID=domain_id)) as process:
        loaded = Path(f"/proc/{process.pid}/maps")
        wait_for(lambda: library in loaded.read_text(), 20.0, library)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(20.0) == 0
        assert "Traceback" not in process.text()
