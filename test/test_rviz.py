"""The RViz configurations: classes, topics and frames. RViz itself cannot run where these tests do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tf2_msgs.msg import TFMessage

from conftest import NodeProcess
from plain_client import DEEP, LATCHED, PlainClient
from ros_gym_bridge.config import load_robot

FOLDER = Path(__file__).resolve().parent.parent / "config" / "rviz"
FILES = {path.stem: path for path in sorted(FOLDER.glob("*.rviz"))}

# Of rviz_common and rviz_default_plugins, as their plugins_description.xml names them; for displays, what they show.
PANELS = {f"rviz_common/{name}" for name in ("Displays", "Selection", "Time", "Tool Properties", "Views")}
TOOLS = {f"rviz_default_plugins/{name}" for name in ("Interact", "MoveCamera", "Select", "FocusCamera", "Measure")}
DISPLAYS = {
    "rviz_default_plugins/Grid": None,
    "rviz_default_plugins/RobotModel": "std_msgs/msg/String",
    "rviz_default_plugins/TF": None,
    "rviz_default_plugins/LaserScan": "sensor_msgs/msg/LaserScan",
    "rviz_default_plugins/Image": "sensor_msgs/msg/Image",
    "rviz_default_plugins/Odometry": "nav_msgs/msg/Odometry",
}
POLICIES = {
    "History Policy": {"Keep Last", "Keep All", "System Default"},
    "Reliability Policy": {"Reliable", "Best Effort", "System Default"},
    "Durability Policy": {"Volatile", "Transient Local", "System Default"},
}
EVERY = ["Grid", "RobotModel", "TF"]
SHOWN = {"arm": EVERY, "rover": [*EVERY, "LaserScan", "Image", "Odometry"]}

Make = Callable[..., PlainClient]
Start = Callable[..., NodeProcess]


def content(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILES[name].read_text(encoding="utf-8"))
    return loaded


def topics(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The class of every display that has a topic, and what is said of it."""
    for display in content(name)["Visualization Manager"]["Displays"]:
        topic = display.get("Topic") or display.get("Description Topic")
        if topic is not None:
            yield display["Class"], topic


def test_each_has_a_robot() -> None:
    assert list(FILES) == list(SHOWN)
    assert all(load_robot(name).spec.name == name for name in FILES)


@pytest.mark.parametrize("name", FILES)
def test_classes_are_those_of_rviz(name: str) -> None:
    file = content(name)
    manager = file["Visualization Manager"]
    assert {panel["Class"] for panel in file["Panels"]} <= PANELS
    assert {tool["Class"] for tool in manager["Tools"]} <= TOOLS
    assert manager["Views"]["Current"]["Class"] == "rviz_default_plugins/Orbit"
    assert manager["Transformation"]["Current"]["Class"] == "rviz_default_plugins/TF"
    assert [display["Class"] for display in manager["Displays"]] == [f"rviz_default_plugins/{n}" for n in SHOWN[name]]
    assert all(display["Enabled"] and display["Value"] for display in manager["Displays"])


@pytest.mark.parametrize("name", FILES)
def test_topics_can_be_heard(name: str) -> None:
    """Relative, so that a namespace works; the description as it is latched, sensors with best effort."""
    for kind, topic in topics(name):
        assert not topic["Value"].startswith("/")
        assert all(topic[policy] in choices for policy, choices in POLICIES.items())
        latched = kind == "rviz_default_plugins/RobotModel"
        assert (topic["Durability Policy"] == "Transient Local") is latched
        assert (topic["Reliability Policy"] == "Best Effort") is not latched


@pytest.mark.parametrize("name", FILES)
def test_topics_and_frames_are_there(name: str, sim_process: Start, client: Make) -> None:
    """Of the simulation node that runs this robot, in a namespace."""
    sim_process("-r", "__ns:=/cell", robot=name)
    plain = client(namespace="/cell", commands=())
    plain.until(lambda: plain.states, "a state")
    for kind, topic in topics(name):
        full, types = f"/cell/{topic['Value']}", [DISPLAYS[kind]]
        plain.until(lambda: plain.named("publisher", namespace="/cell").get(full) == types, full)  # noqa: B023
    manager = content(name)["Visualization Manager"]
    wanted = {manager["Global Options"]["Fixed Frame"], manager["Views"]["Current"]["Target Frame"]} - {"<Fixed Frame>"}
    heard: list[TFMessage] = plain.hear(TFMessage, "/tf", DEEP)
    latched: list[TFMessage] = plain.hear(TFMessage, "/tf_static", LATCHED)

    def frames() -> set[str]:
        told = [each for message in (*heard, *latched) for each in message.transforms]
        return {name for each in told for name in (each.header.frame_id, each.child_frame_id)}

    plain.until(lambda: wanted <= frames(), f"the frames {wanted}")
