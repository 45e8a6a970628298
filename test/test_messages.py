"""Commands as messages: taken whole or refused whole, each refusal in words; states there and back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sensor_msgs.msg import JointState

from ros_gym_bridge.robot import RobotState, read_only
from ros_gym_bridge.ros.joint_commands import JointStateCommands, Slot
from ros_gym_bridge.ros.messages import (
    JointStateReader,
    fill_joint_state,
    to_ns,
    to_time,
)
from ros_gym_bridge.ros.refused import CommandRefused

reader = JointStateCommands({name: Slot(i, "position") for i, name in enumerate("abc")})
STANDS = "The last good command stands."


def command(names: list[str], **values: list[float]) -> JointState:
    message = JointState(name=names)
    for interface, numbers in values.items():
        setattr(message, interface, numbers)
    return message


def test_joints_are_matched_by_name_in_any_order() -> None:
    assert reader(command(["c", "a"], position=[3.0, 1.0])) == ([2, 0], [3.0, 1.0])


def test_indices_are_those_of_the_command_vector() -> None:
    assert JointStateCommands({"x": Slot(7, "effort")})(command(["x"], effort=[2.5])) == ([7], [2.5])


NONE_GIVEN = "joint names and 'position' values"
REFUSED = [
    (["a", "z"], [0.0, 0.0], "unknown_joint", "unknown joint; got 'z'; expected one of a, b, c"),
    (["a\n[ERROR]"], [0.0], "unknown_joint", r"unknown joint; got 'a\n[ERROR]'; expected one of a, b, c"),
    (["b", "a", "b"], [0.0] * 3, "repeated_joint", "the same joint twice; got 'b'; expected every joint once"),
    (["a", "b"], [0.0], "length", "got 2 names, 1 values in 'position'; expected one value for each name"),
    (["a"], [0.0, 1.0], "length", "got 1 names, 2 values in 'position'; expected one value for each name"),
    (["a", "b"], [0.0, math.nan], "not_finite", "position for joint 'b' is not finite; got nan; expected a number"),
    (["a"], [math.inf], "not_finite", "position for joint 'a' is not finite; got inf; expected a number"),
    (["c"], [-math.inf], "not_finite", "position for joint 'c' is not finite; got -inf; expected a number"),
    ([], [], "nothing_commanded", f"nothing is commanded; got no names; expected {NONE_GIVEN}"),
    ([], [1.0], "nothing_commanded", f"nothing is commanded; got no names; expected {NONE_GIVEN}"),
    (["a", "b"], [], "nothing_commanded", f"nothing is commanded; got 2 names, no values; expected {NONE_GIVEN}"),
]


@pytest.mark.parametrize(("names", "values", "kind", "text"), REFUSED)
def test_bad_commands_are_refused_whole(names: list[str], values: list[float], kind: str, text: str) -> None:
    with pytest.raises(CommandRefused) as refusal:
        reader(command(names, position=values))
    what = "names and values of different length; " if kind == "length" else ""
    assert str(refusal.value) == f"{what}{text}; {STANDS}"
    assert refusal.value.kind == kind


@pytest.mark.parametrize(
    ("interface", "given", "named"),
    [
        ("effort", ["position"], "position"),
        ("position", ["position", "velocity"], "velocity"),
        ("velocity", ["effort"], "effort"),
    ],
)
def test_another_interface_is_refused(interface: str, given: list[str], named: str) -> None:
    with pytest.raises(CommandRefused) as refusal:
        JointStateCommands({"a": Slot(0, interface)})(command(["a"], **{each: [1.0] for each in given}))
    assert str(refusal.value) == (
        f"{named} for joint 'a', which is commanded by {interface}; got 1.0; expected '{interface}' for it; "
        f"Leave '{named}' empty, or that joint out; the last good command stands."
    )
    assert refusal.value.kind == "wrong_interface"


def test_a_long_name_is_cut() -> None:
    with pytest.raises(CommandRefused, match=r"unknown joint; got '(y{80})'; expected one of a, b, c; The last"):
        reader(command(["y" * 10_000], position=[0.0]))


@pytest.mark.parametrize("stamp_ns", [0, 1, 999_999_999, 10**9, 1_000_000_001, 123_456_789_000_000_005])
def test_stamps_there_and_back(stamp_ns: int) -> None:
    time = to_time(stamp_ns)
    assert (time.sec, time.nanosec) == (stamp_ns // 10**9, stamp_ns % 10**9)
    assert to_ns(time) == stamp_ns


def state(*values: float) -> RobotState:
    array = read_only(values)
    return RobotState(2_040_000_000, array, read_only(-array), read_only(10.0 * array), read_only([]), {})


def test_a_state_comes_back_bit_for_bit_in_another_order_and_among_other_joints() -> None:
    message = fill_joint_state(JointState(name=["a", "b", "c"]), state(0.1, math.pi, 5e-324))
    assert to_ns(message.header.stamp) == 2_040_000_000
    read = JointStateReader(["c", "a"])(message)
    assert not isinstance(read, list)
    for got, expected in zip(read, ([5e-324, 0.1], [-5e-324, -0.1], [5e-323, 1.0]), strict=True):
        assert got.tolist() == expected
        assert not got.flags.writeable


def test_missing_joints_are_named() -> None:
    message = fill_joint_state(JointState(name=["a", "b"]), state(1.0, 2.0))
    assert JointStateReader(["z", "b", "y"])(message) == ["z", "y"]


def test_what_a_state_leaves_out_is_nan() -> None:
    read = JointStateReader(["b"])(command(["a", "b"], position=[1.0, 2.0]))
    assert read[0][0] == 2.0
    assert np.isnan(read[1]).all()
    assert np.isnan(read[2]).all()


def test_the_order_is_read_again_when_the_names_change() -> None:
    read = JointStateReader(["a", "b"])
    assert read(command(["a", "b"], position=[1.0, 2.0]))[0].tolist() == [1.0, 2.0]
    assert read(command(["b", "a"], position=[1.0, 2.0]))[0].tolist() == [2.0, 1.0]
