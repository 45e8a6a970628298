"""Commands to the real node in lockstep, by plain rclpy clients: refused whole, or matched by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState

from conftest import NodeProcess
from plain_client import PlainClient, content, nanoseconds

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

PERIOD = 40_000_000  # of the arm: 25 Hz
PAN, LIFT, ELBOW, WRIST = "shoulder_pan_joint", "shoulder_lift_joint", "elbow_joint", "wrist_1_joint"


Pair = tuple[NodeProcess, PlainClient]


BAD: dict[str, dict[str, Any]] = {
    "unknown_joint": {"names": [PAN, "nose"], "position": [9.0, 0.0]},
    "repeated_joint": {"names": [PAN, ELBOW, PAN], "position": [9.0, 0.0, 9.0]},
    "length": {"names": [PAN, ELBOW], "position": [9.0]},
    "not_finite": {"names": [ELBOW, PAN], "position": [0.0, math.nan]},
    "nothing_commanded": {"names": [PAN]},
    "wrong_interface": {"names": [PAN], "effort": [9.0]},
}
TEXTS = {
    "unknown_joint": "unknown joint; got 'nose'; expected one of shoulder_pan_joint, shoulder_lift_joint, elbow_joint, "
    "wrist_1_joint, wrist_2_joint, wrist_3_joint; ",
    "repeated_joint": "the same joint twice; got 'shoulder_pan_joint'; expected every joint once; ",
    "length": "names and values of different length; got 2 names, 1 values in 'position'; expected one value for each "
    "name; ",
    "not_finite": "position for joint 'shoulder_pan_joint' is not finite; got nan; expected a number; ",
    "nothing_commanded": "nothing is commanded; got 1 names, no values; expected joint names and 'position' values; ",
    "wrong_interface": "effort for joint 'shoulder_pan_joint', which is commanded by position; got 9.0; expected "
    "'position' for it; Leave 'effort' empty, or that joint out; ",
}


def test_bad_commands_are_refused_whole_counted_and_logged_once(pair: Pair) -> None:
    node, client = pair
    heard = client.hear(DiagnosticArray, "/diagnostics")
    before = client.step([PAN], position=[0.02])
    for kind, values in BAD.items():
        for _ in range(8):  # what the queue holds
            client.send(**values)
        assert client.count(heard, f"refused_{kind}", 8) == 8
        lines = node.log(f"Refused a command on 'joint_command': {TEXTS[kind][:20]}")
        assert lines[0].partition("]: ")[2].casefold() == (
            f"Refused a command on 'joint_command': {TEXTS[kind]}the last good command stands.".casefold()
        )
        assert len(lines) == 1, "8 within a second are one line"
    assert content(client.states[-1]) == content(before)
    after = client.step([ELBOW], position=[1.0])
    assert nanoseconds(after.header.stamp) == 3 * PERIOD
    for _ in range(20):
        after = client.step([ELBOW], position=[1.0])
    assert after.position[0] == pytest.approx(0.02, abs=1e-3), "the last good command stands"


def test_infinities_are_refused_too(pair: Pair) -> None:
    _, client = pair
    heard = client.hear(DiagnosticArray, "/diagnostics")
    for value in (math.inf, -math.inf):
        client.send([PAN], position=[value])
    assert client.count(heard, "refused_not_finite", 2) == 2
    assert client.stamp == PERIOD


def test_a_position_for_an_effort_joint_is_refused(sim_process: Start, client: Make) -> None:
    node = sim_process(robot="cartpole", mode="lockstep")
    stranger = client()
    stranger.connect()
    stranger.send(["slider_to_cart"], position=[0.1])
    assert "position for joint 'slider_to_cart', which is commanded by effort" in node.says("Refused")
    stranger.step(["slider_to_cart"], effort=[0.1])


def test_a_name_that_is_no_text_is_refused(pair: Pair) -> None:
    node, client = pair
    heard = client.hear(DiagnosticArray, "/diagnostics")
    message = JointState(name=["abcdefgh"], position=[0.0])
    client.publishers["joint_command"].publish(serialize_message(message).replace(b"abcdefgh", b"\xff\xfe\xfd\xfcefgh"))
    assert client.count(heard, "refused_unknown_joint", 1) == 1
    client.step([PAN], position=[0.1])
    assert node.process.poll() is None


def test_a_message_that_is_cut_short_does_not_end_the_node(pair: Pair) -> None:
    node, client = pair
    client.publishers["joint_command"].publish(serialize_message(JointState(name=["abcdefgh"]))[:24])
    client.listen(0.3)
    client.step([PAN], position=[0.1])
    assert node.process.poll() is None


def test_joints_are_matched_by_name_and_those_left_out_keep_their_target(sim_process: Start, client: Make) -> None:
    sim_process("-r", "__ns:=/a", robot="arm", mode="lockstep", publish_clock=False)
    sim_process("-r", "__ns:=/b", robot="arm", mode="lockstep", publish_clock=False)
    a, b = client(namespace="/a"), client(namespace="/b")
    home = list(a.connect().position)
    b.connect()
    names = [PAN, LIFT, ELBOW, WRIST, "wrist_2_joint", "wrist_3_joint"]
    for step in range(12):
        value = 0.03 * math.sin(step)
        a.step(names, position=[home[0] + value, home[1], home[2] - value, *home[3:]])
        b.step([ELBOW, PAN], position=[home[2] - value, home[0] + value])
        assert content(a.states[-1]) == content(b.states[-1])
