"""The message packages that the set-up builds, or the installation brings: complete, and Fast DDS publishes them."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

rclpy = pytest.importorskip("rclpy", reason="rclpy is not there: neither wheels nor a sourced installation")

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = 1 + os.getpid() % 100
PUBLISHED = [*sorted((ROOT / "interfaces").glob("*/msg/*.msg"))]
SERVICES = [*sorted((ROOT / "interfaces").glob("*/srv/*.srv"))]


def load(file: Path) -> Any:
    """The Python class of a definition."""
    package, kind = file.parts[-3:-1]
    return getattr(importlib.import_module(f"{package}.{kind}"), file.stem)


def module(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def node() -> Iterator[Any]:
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    node = rclpy.create_node("interfaces", context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.stem)
def test_every_message_can_be_published(node: Any, file: Path) -> None:
    kind = load(file)
    publisher = node.create_publisher(kind, f"m{file.stem}", 1)
    publisher.publish(kind())
    node.destroy_publisher(publisher)


@pytest.mark.parametrize("file", SERVICES, ids=lambda file: file.stem)
def test_every_service_can_be_offered(node: Any, file: Path) -> None:
    kind = load(file)
    service = node.create_service(kind, f"s{file.stem}", lambda request, response: response)
    node.destroy_service(service)


def test_the_action_can_be_offered_and_asked_for(node: Any) -> None:
    action = module("rclpy.action")
    kind = module("simulation_interfaces.action").SimulateSteps
    server = action.ActionServer(node, kind, "steps", lambda goal: kind.Result())
    client = action.ActionClient(node, kind, "steps")
    assert client.wait_for_server(timeout_sec=10)
    client.destroy()
    server.destroy()


@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.stem)
def test_constants_are_those_of_the_definition(file: Path) -> None:
    kind = load(file)
    written = re.findall(r"(?m)^\w+ ([A-Z][A-Z_0-9]+) = (\d+)$", file.read_text(encoding="utf-8"))
    assert {name: getattr(kind, name) for name, _ in written} == {name: int(value) for name, value in written}


def test_what_clients_rely_on() -> None:
    srv = module("simulation_interfaces.srv")
    msg = module("simulation_interfaces.msg")
    assert srv.StepSimulation.Request().steps == 1
    assert msg.Result().result == msg.Result.RESULT_FEATURE_UNSUPPORTED
    reset = srv.ResetSimulation.Request
    assert [reset.SCOPE_DEFAULT, reset.SCOPE_TIME, reset.SCOPE_STATE, reset.SCOPE_SPAWNED] == [0, 1, 2, 4]
