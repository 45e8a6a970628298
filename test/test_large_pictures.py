"""Pictures of megabytes in lockstep: the same bits as in process, every step answered, memory that does not grow."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sensor_msgs.msg import Image

from adapter_tools import Process, resident_mb, running, script
from ros_gym_bridge import load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.robot import Command, Robot, read_only
from ros_gym_bridge.ros import session
from ros_gym_bridge.ros.topic_robot import TopicRobot
from ros_gym_bridge.sim.sim_robot import SimRobot
from sensor_tools import PENDULUM, Lab
from test_camera import scene
from test_parity import assert_equal

CONFIG = Path(__file__).resolve().parent.parent / "config"
CAMERA = """
  - {name: camera/image, kind: camera, link: rod, position: [0, 0, 1], rpy: [-1.5707963, 0, -1.5707963], width: 640,
     height: 480, depth: true, rate_hz: RATE}
"""

AGENT = """
    import json, sys, time
    from ros_gym_bridge import load_robot
    from ros_gym_bridge.connection import Connection
    from ros_gym_bridge.robot import Command, read_only
    from ros_gym_bridge.ros.topic_robot import TopicRobot

    path, steps = sys.argv[1], int(sys.argv[2])
    robot = TopicRobot(load_robot(path), Connection())
    state, command = robot.reset(seed=1), read_only([0.0])
    print("node", robot.node_pid, flush=True)
    worst, begun, stamps = 0.0, time.monotonic(), set()
    for i in range(steps):
        state = robot.step(Command(command, state.stamp_ns))
        timing = robot.timing()
        worst = max(worst, timing["round_trip_s"])
        stamps.add(state.channels["camera/depth/image"].stamp_ns)
        if i in (steps // 10, steps - 1):
            print("reached", i, flush=True)
            sys.stdin.readline()
    seconds = time.monotonic() - begun
    print("result", json.dumps({"resent": timing["resent"], "worst_s": worst, "pictures": len(stamps),
                                "steps_per_s": steps / seconds}), flush=True)
    robot.close()
"""


@pytest.fixture
def seeing(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a robot file: a pendulum that swings, with a camera on it that looks at a cube and a wall."""
    lab = Lab(tmp_path)

    def make(rate_hz: int) -> Path:
        more = scene(lab, "auto").replace("gravity: [0, 0, 0]\n", "")
        return lab.file(PENDULUM, CAMERA.replace("RATE", str(rate_hz)), home=0.3, more=more)

    yield make
    lab.close()


def test_large_pictures_are_equal(seeing: Callable[[int], Path]) -> None:
    """640 x 480 in colour and depth, 2.1 MB for each picture."""
    robot = load_robot(seeing(100))
    both: tuple[Robot, Robot] = SimRobot(robot), TopicRobot(robot, Connection())
    seen = set()
    try:
        for seed in (1, None):
            states = [each.reset(seed) for each in both]
            for _ in range(8):
                assert_equal(*states)
                seen.add(states[1].channels["camera/image"].value.tobytes())
                command = Command(read_only([20.0]), states[0].stamp_ns)
                states = [each.step(command) for each in both]
        assert_equal(*states)
        assert states[1].channels["camera/image"].value.shape == (480, 640, 3)
        assert states[1].channels["camera/depth/image"].value.nbytes == 4 * 640 * 480
    finally:
        for each in both:
            each.close()
    assert len(seen) > 6


def test_a_large_picture_is_told_again_twice_a_second(
    seeing: Callable[[int], Path], sim_process: Callable[..., Any], client: Callable[..., Any]
) -> None:
    """While the rest of the state is told ten times."""
    sim_process(robot=seeing(100), mode="lockstep")
    stranger = client(commands=())
    pictures = stranger.hear(Image, "camera/image")
    stranger.connect()
    stranger.until(lambda: pictures, "a picture")
    pictures.clear()
    stranger.listen(2.0)
    assert 1 <= len(pictures) <= 5


def test_both_profiles_of_fast_dds_say_the_same() -> None:
    """But for the memory that is shared."""
    usual, large = (ET.parse(CONFIG / f"fastdds{kind}.xml").getroot() for kind in ("", "_pictures"))
    for above in list(large.iter()):
        for child in list(above):
            if child.tag.rpartition("}")[2] in ("transport_descriptors", "userTransports", "useBuiltinTransports"):
                above.remove(child)
    assert content(large) == content(usual)


def content(element: ET.Element) -> object:
    """Tags, attributes and texts, whatever the white space."""
    return element.tag, element.attrib, (element.text or "").strip(), [content(child) for child in element]


@pytest.mark.parametrize(("left", "file"), [(2**30, "fastdds_pictures.xml"), (2**26, "fastdds.xml")])
def test_memory_is_shared_where_there_is_room(left: int, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
    monkeypatch.setattr(session, "_shared_memory_left", lambda: left)
    for given, expected in ((None, str(CONFIG / file)), ("/own.xml", "/own.xml")):
        for name in names:
            monkeypatch.delenv(name, raising=False)
        if given is not None:
            monkeypatch.setenv(names[0], given)
        session.set_ros_environment()
        session.set_ros_environment(pictures=True)
        session.set_ros_environment()
        assert [os.environ[name] for name in names if name in os.environ] == [expected]


@pytest.mark.slow
def test_memory_stays(seeing: Callable[[int], Path], record_property: Callable[[str, object], None]) -> None:
    steps = 3000
    with running(script(AGENT, str(seeing(100)), str(steps))) as agent:
        node = int(agent.says("node "))
        warm, end = (_memory(agent, node, at, 60.0 + steps) for at in (steps // 10, steps - 1))
        result = json.loads(agent.says("result "))
        assert agent.wait(10.0) == 0, agent.text()
    figures = {**result, "agent_mb": (warm[0], end[0]), "node_mb": (warm[1], end[1])}
    record_property("figures", figures)
    print(figures)
    assert result["pictures"] == steps
    for before, after in zip(warm, end, strict=True):
        assert after - before < 10.0, figures  # MB; of 6,400 MB that went over the wire


def _memory(agent: Process, node: int, step: int, timeout_s: float) -> tuple[float, float]:
    """MB of agent and node when a step has been reached; then the agent goes on."""
    agent.says(f"reached {step}", timeout_s)
    memory = resident_mb(agent.pid), resident_mb(node)
    agent.tell("")
    return memory
