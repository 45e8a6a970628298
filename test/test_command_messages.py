"""Commands of every kind as messages: taken whole or refused whole, each refusal in words; whatever comes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Twist, TwistStamped, Vector3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from ros_gym_bridge import load_robot
from ros_gym_bridge.robot import read_only
from ros_gym_bridge.ros.command_messages import Reader, command_readers
from ros_gym_bridge.ros.command_writers import command_writers
from ros_gym_bridge.ros.joint_commands import JointStateCommands, Slot
from ros_gym_bridge.ros.number_commands import ArrayCommands, TwistCommands
from ros_gym_bridge.ros.refused import CommandRefused
from ros_gym_bridge.ros.trajectory_commands import TrajectoryCommands
from ros_gym_bridge.sim.targets import Motion, Setpoint, Targets
from test_groups import ARM, DRIVE, HEAD, URDF

NAN, INF = math.nan, math.inf
STANDS = "The last good command stands."
NOW = 5 * 10**9


def refusal(reader: Reader, message: Any, now_ns: int | None = None) -> tuple[str, str]:
    """Kind and text of a refusal."""
    with pytest.raises(CommandRefused) as caught:
        reader(message, now_ns)
    return caught.value.kind, str(caught.value).removesuffix(f"; {STANDS}")


# --- JointState with mixed interfaces, as topic-based ros2_control fills it

SLOTS = {"a": Slot(0, "position"), "b": Slot(1, "velocity"), "c": Slot(2, "position")}
mixed = JointStateCommands(SLOTS, {"f": "position"}, ["a", "b", "c", "f", "free"])
holding = JointStateCommands(SLOTS, {"f": "position"}, ["a", "b", "c", "f", "free"], nan_holds=True)


def joints(*names: str, **values: list[float]) -> JointState:
    message = JointState(name=list(names))
    for interface, numbers in values.items():
        setattr(message, interface, numbers)
    return message


@pytest.mark.parametrize(
    ("message", "indices", "values"),
    [
        (joints("a", "b", "c", position=[0.1, 0.3], velocity=[0.2]), [0, 2, 1], [0.1, 0.3, 0.2]),
        (joints("c", "b", "a", position=[0.3, 0.1], velocity=[0.2]), [2, 0, 1], [0.3, 0.1, 0.2]),
        (joints("a", "b", "f", "c", position=[0.1, 0.3], velocity=[0.2]), [0, 2, 1], [0.1, 0.3, 0.2]),
        (joints("a", "b", "f", "c", position=[0.1, 7.0, 0.3], velocity=[0.2]), [0, 2, 1], [0.1, 0.3, 0.2]),
        (joints("a", "free", "b", position=[0.1], velocity=[0.2]), [0, 1], [0.1, 0.2]),
        (joints("a", "c", position=[0.1, 0.3]), [0, 2], [0.1, 0.3]),
        (joints("b", velocity=[0.2]), [1], [0.2]),
        (joints("a", "b", "c", position=[0.1, 0.3]), [0, 2], [0.1, 0.3]),
    ],
)
def test_arrays_may_be_shorter_than_the_names(message: JointState, indices: list[int], values: list[float]) -> None:
    assert mixed(message) == Setpoint(indices, values)
    assert holding(message) == Setpoint(indices, values)


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        (
            joints("a", "b", "c", position=[0.1], velocity=[0.2]),
            "length",
            "names and values of different length; got 3 names, 1 values in 'position'; expected one value for each "
            "name, or one for each of the 2 joints with that interface",
        ),
        (
            joints("a", "b", "c", position=[0.1, 0.2, 0.3], velocity=[0.2]),
            "wrong_interface",
            "position for joint 'b', which is commanded by velocity; got 0.2; expected 'velocity' for it; Leave "
            "'position' empty, or that joint out; the last good command stands.",
        ),
        (
            joints("a", "free", position=[0.1, 0.2]),
            "unknown_joint",
            "position for joint 'free', which is not commanded here; got 0.2; expected one of a, b, c; Leave "
            "'position' empty, or that joint out; the last good command stands.",
        ),
        (
            joints("a", "b", position=[NAN], velocity=[0.2]),
            "not_finite",
            "position for joint 'a' is not finite; got nan; expected a number",
        ),
        (
            joints("f", "free", position=[0.1]),
            "nothing_commanded",
            "nothing is commanded; got 2 names, no values; expected joint names and 'position' or 'velocity' values",
        ),
        (joints("a", "z", position=[0.1]), "unknown_joint", "unknown joint; got 'z'; expected one of a, b, c"),
    ],
)
def test_mixed_messages_are_refused_whole(message: JointState, kind: str, text: str) -> None:
    assert refusal(mixed, message) == (kind, text)


def test_where_nan_holds_it_says_nothing() -> None:
    assert holding(joints("a", "b", "c", position=[NAN, 0.3], velocity=[NAN])) == Setpoint([2], [0.3])
    assert holding(joints("a", "b", "c", position=[0.1, NAN, NAN])) == Setpoint([0], [0.1])
    assert holding(joints("a", "b", position=[NAN], velocity=[NAN])) == Setpoint([], [])
    for value in (INF, -INF):
        text = f"position for joint 'a' is not finite; got {value}; expected a number"
        assert refusal(holding, joints("a", "b", position=[value])) == ("not_finite", text)


# --- Float64MultiArray

array = ArrayCommands(3, ["x", "y"], "velocity")


def test_numbers_are_in_the_order_of_the_group() -> None:
    assert array(Float64MultiArray(data=[0.1, 0.2])) == Setpoint([3, 4], [0.1, 0.2])


@pytest.mark.parametrize("data", [[], [0.1], [0.1, 0.2, 0.3]])
def test_another_number_of_numbers_is_refused(data: list[float]) -> None:
    text = f"another number of values than joints; got {len(data)} values; expected 2: velocity of x, y"
    assert refusal(array, Float64MultiArray(data=data)) == ("length", text)


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    text = f"velocity for joint 'y' is not finite; got {value}; expected a number"
    assert refusal(array, Float64MultiArray(data=[0.1, value])) == ("not_finite", text)


# --- Twist

stamped, bare = TwistCommands(4, True, 0.5), TwistCommands(4, False, 0.5)


def twist(x: float, z: float, stamp_ns: int = 0, **more: float) -> TwistStamped:
    seconds, nanoseconds = divmod(stamp_ns, 10**9)
    message = TwistStamped(header=Header(stamp=Time(sec=seconds, nanosec=nanoseconds)))
    message.twist.linear = Vector3(x=x, y=more.get("y", 0.0))
    message.twist.angular.z = z
    return message


def test_a_drive_takes_the_speed_ahead_and_to_the_left() -> None:
    assert stamped(twist(0.1, 0.2, y=7.0), NOW) == Setpoint([4, 5], [0.1, 0.2])
    assert bare(Twist(linear=Vector3(x=0.1), angular=Vector3(z=0.2)), NOW) == Setpoint([4, 5], [0.1, 0.2])


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_twist_that_is_no_number_is_refused(value: float) -> None:
    for message, where in ((twist(value, 0.0), "linear.x"), (twist(0.0, 0.0, y=value), "linear.y")):
        assert refusal(stamped, message) == ("not_finite", f"{where} is not finite; got {value}; expected a number")


def test_a_twist_that_is_too_old_is_refused_where_time_goes_on() -> None:
    late = twist(0.1, 0.2, NOW - 500_000_000)
    assert refusal(stamped, late, NOW) == (
        "old_stamp",
        "the twist is older than cmd_vel_timeout_s; got stamp 4500000000 ns; expected a stamp after 4500000000 ns, "
        "or 0",
    )
    assert stamped(late, None) == stamped(twist(0.1, 0.2, NOW - 499_999_999), NOW) == Setpoint([4, 5], [0.1, 0.2])
    assert stamped(twist(0.1, 0.2, 10 * NOW), NOW) == Setpoint([4, 5], [0.1, 0.2]), "a clock that is ahead"
    assert TwistCommands(4, True, 0.0)(late, NOW) == Setpoint([4, 5], [0.1, 0.2])


# --- JointTrajectory

path, part = TrajectoryCommands("arm", ["a", "b"], False), TrajectoryCommands("arm", ["a", "b"], True)


def point(seconds: float, *rows: list[float]) -> JointTrajectoryPoint:
    """Positions, velocities, accelerations and efforts, as far as they are given."""
    nanoseconds = round(seconds * 10**9)
    message = JointTrajectoryPoint(time_from_start=Duration(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9))
    for field, row in zip(("positions", "velocities", "accelerations", "effort"), rows, strict=False):
        setattr(message, field, row)
    return message


def trajectory(names: str, *points: JointTrajectoryPoint, stamp_ns: int = 0) -> JointTrajectory:
    seconds, nanoseconds = divmod(stamp_ns, 10**9)
    message = JointTrajectory(joint_names=list(names), points=list(points))
    message.header.stamp = Time(sec=seconds, nanosec=nanoseconds)
    return message


def test_a_trajectory_is_read_in_any_order_of_its_joints() -> None:
    motion = path(trajectory("ba", point(0.5, [2.0, 1.0], [0.2, 0.1]), point(1.0, [3.0, 4.0])), NOW)
    assert (motion.group, motion.columns, motion.begin_ns) == ("arm", [1, 0], NOW)
    first, second = motion.knots
    assert (first.time_ns, second.time_ns) == (NOW + 500_000_000, NOW + 10**9)
    assert first.position.tolist() == [2.0, 1.0]
    assert first.velocity is not None
    assert first.velocity.tolist() == [0.2, 0.1]
    assert (first.acceleration, second.velocity) == (None, None)


def test_it_begins_now_or_when_its_stamp_says() -> None:
    assert path(trajectory("ab", point(1.0, [0.0, 0.0])), NOW).begin_ns == NOW
    assert path(trajectory("ab", point(1.0, [0.0, 0.0]), stamp_ns=NOW + 7), NOW).begin_ns == NOW + 7
    assert path(trajectory("ab", point(1.0, [0.0, 0.0]), stamp_ns=NOW - 7), NOW).begin_ns == NOW - 7
    assert path(trajectory("ab", point(1.0, [0.0, 0.0]), stamp_ns=7), None).begin_ns == 7


def test_without_points_it_stops_the_group() -> None:
    for message in (trajectory(""), trajectory("ab"), trajectory("a")):
        assert path(message, NOW) == Motion("arm", (), NOW, ())


def test_joints_may_be_left_out_where_that_is_allowed() -> None:
    assert part(trajectory("b", point(1.0, [2.0])), NOW).columns == [1]
    text = "joints are missing; got no a; expected all joints of 'arm'"
    assert refusal(path, trajectory("b", point(1.0, [2.0])), NOW) == ("missing_joint", text)


GOOD = point(1.0, [0.1, 0.2])
BAD: dict[str, tuple[JointTrajectory, str, str]] = {
    "unknown": (trajectory("az", GOOD), "unknown_joint", "unknown joint; got 'z'; expected one of a, b"),
    "twice": (trajectory("aa", GOOD), "repeated_joint", "the same joint twice; got 'a'; expected every joint once"),
    "no names": (
        trajectory("", GOOD),
        "missing_joint",
        "points without joint names; got no a, b; expected all joints of 'arm'",
    ),
    "too few positions": (
        trajectory("ab", GOOD, point(2.0, [0.1])),
        "length",
        "names and positions of point 1 of different length; got 2 names, 1 positions; expected one value for each "
        "name",
    ),
    "too many velocities": (
        trajectory("ab", point(1.0, [0.1, 0.2], [0.0, 0.0, 0.0])),
        "length",
        "names and velocities of point 0 of different length; got 2 names, 3 velocities; expected one value for each "
        "name",
    ),
    "no positions": (
        trajectory("ab", point(1.0, [], [0.1, 0.2])),
        "length",
        "point 0 lacks positions; got 0 positions, 2 velocities, 0 accelerations; expected positions, and velocities "
        "where there are accelerations",
    ),
    "accelerations alone": (
        trajectory("ab", point(1.0, [0.1, 0.2], [], [0.1, 0.2])),
        "length",
        "point 0 lacks velocities; got 2 positions, 0 velocities, 2 accelerations; expected positions, and velocities "
        "where there are accelerations",
    ),
    "efforts": (
        trajectory("ab", point(1.0, [0.1, 0.2], [], [], [1.0, 1.0])),
        "wrong_interface",
        "point 0 has efforts, and 'arm' is commanded by position; got 2 values; expected 'effort' to be empty",
    ),
    "NaN": (
        trajectory("ab", GOOD, point(2.0, [0.1, NAN])),
        "not_finite",
        "positions of joint 'b' in point 1 is not finite; got nan; expected a number",
    ),
    "infinite acceleration": (
        trajectory("ab", point(1.0, [0.1, 0.2], [0.0, 0.0], [-INF, 0.0])),
        "not_finite",
        "accelerations of joint 'a' in point 0 is not finite; got -inf; expected a number",
    ),
    "equal times": (
        trajectory("ab", GOOD, GOOD),
        "times",
        "time_from_start of point 1 is not later than that of the point before; got 1.0 s; expected more than 1.0 s",
    ),
    "times that go back": (
        trajectory("ab", point(2.0, [0.1, 0.2]), GOOD),
        "times",
        "time_from_start of point 1 is not later than that of the point before; got 1.0 s; expected more than 2.0 s",
    ),
    "a negative time": (
        trajectory("ab", point(-0.5, [0.1, 0.2])),
        "times",
        "time_from_start of point 0 is negative; got -0.5 s; expected 0 s or more",
    ),
    "an end in motion": (
        trajectory("ab", point(1.0, [0.1, 0.2], [0.0, -0.3])),
        "moving_end",
        "joint 'b' does not stand still at the last point; got velocity -0.3; expected velocity 0, since the last "
        "point is held",
    ),
    "the past": (
        trajectory("ab", GOOD, stamp_ns=NOW - 1_000_000_001),
        "past",
        "all points of the trajectory are in the past; got an end at 4999999999 ns; expected an end after 5000000000 "
        "ns, or header.stamp 0 to begin now",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_trajectories_are_refused_whole(case: str) -> None:
    message, kind, text = BAD[case]
    assert refusal(path, message, NOW) == (kind, text)


# --- there and back, and whatever comes


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A robot with a group of every kind."""
    path = tmp_path_factory.mktemp("cart") / "cart.yaml"
    path.with_suffix(".urdf").write_text(URDF)
    hand = "  - {name: hand, interface: effort, joints: [finger_joint], message: std_msgs/msg/Float64MultiArray}\n"
    path.write_text(HEAD + hand + ARM + DRIVE)
    return load_robot(path)


def test_what_is_written_is_read(everything: Any) -> None:
    command = read_only([0.1 + 0.2, 1.0 / 3.0, math.pi, -math.e])
    targets = Targets(everything)
    writers, readers = command_writers(everything, realtime=False), command_readers(everything)
    assert writers.keys() == readers.keys() == {"hand/commands", "arm/joint_trajectory", "base/cmd_vel"}
    stamp_ns = everything.spec.next_stamp(NOW)
    end_ns = everything.spec.next_stamp(stamp_ns)
    for topic, write in writers.items():
        assert write.kind is readers[topic].kind
        targets.take(readers[topic](write(command, stamp_ns)), stamp_ns, everything.spec.command_home)
    assert targets.at(stamp_ns, end_ns, everything.spec.home).tobytes() == command.tobytes()


def test_mixed_interfaces_on_one_topic_are_written_as_they_are_read(everything: Any) -> None:
    path: Path = everything.path.with_name("mixed.yaml")
    groups = "  - {name: one, joints: [shoulder]}\n  - {name: two, interface: velocity, joints: [finger_joint]}\n"
    path.write_text(HEAD + groups)
    robot = load_robot(path)
    (writer,), (reader,) = command_writers(robot, False).values(), command_readers(robot).values()
    message = writer(read_only([0.1, 0.2]), NOW)
    assert list(message.name) == ["shoulder", "finger_joint"]
    assert (message.position.tolist(), message.velocity.tolist(), len(message.effort)) == ([0.1], [0.2], 0)
    assert reader(message) == Setpoint([0, 1], [0.1, 0.2])


def test_in_real_time_a_trajectory_begins_when_it_arrives(everything: Any) -> None:
    write = command_writers(everything, realtime=True)["arm/joint_trajectory"]
    message = write(everything.spec.command_home, NOW)
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (0, 0)
    assert message.points[0].time_from_start.nanosec == 50_000_000


numbers = st.floats(width=64) | st.sampled_from([NAN, INF, -INF, 1e308, -1e308, 5e-324, 0.0])
rows = st.lists(numbers, max_size=3)
names = st.lists(
    st.sampled_from(["shoulder", "finger_joint", "thumb_joint", "left_wheel", "x"]) | st.text(max_size=5), max_size=3
)
stamps = st.builds(Time, sec=st.integers(-(2**31), 2**31 - 1), nanosec=st.integers(0, 2**32 - 1))
durations = st.builds(Duration, sec=st.integers(-(2**31), 2**31 - 1), nanosec=st.integers(0, 2**32 - 1))
headers = st.builds(Header, stamp=stamps | st.just(Time()))
vectors = st.builds(Vector3, x=numbers, y=numbers, z=numbers)
twists = st.builds(Twist, linear=vectors, angular=vectors)
points = st.builds(
    JointTrajectoryPoint,
    positions=rows,
    velocities=rows,
    accelerations=rows,
    effort=st.just([]) | rows,
    time_from_start=durations | st.builds(Duration, sec=st.integers(0, 3)),
)
MESSAGES: dict[type, st.SearchStrategy[Any]] = {
    JointState: st.builds(JointState, header=headers, name=names, position=rows, velocity=rows, effort=rows),
    Float64MultiArray: st.builds(Float64MultiArray, data=rows),
    TwistStamped: st.builds(TwistStamped, header=headers, twist=twists),
    Twist: twists,
    JointTrajectory: st.builds(
        JointTrajectory, header=headers, joint_names=st.just(["shoulder"]) | names, points=st.lists(points, max_size=3)
    ),
}


@pytest.fixture(scope="module")
def all_readers(everything: Any) -> list[tuple[Any, Reader]]:
    """Every reader that a robot file can ask for, with its robot."""
    folder = everything.path.parent
    groups = {
        "named": "  - {name: one, joints: [shoulder]}\n  - {name: two, interface: velocity, joints: [finger_joint]}\n",
        "holding": "  - {name: one, joints: [shoulder, finger_joint], nan: hold}\n",
        "twist": DRIVE + "    message: geometry_msgs/msg/Twist\n",
        "partial": ARM.replace("[shoulder]", "[shoulder, finger_joint], allow_partial: true"),
    }
    found = [(everything, reader) for reader in command_readers(everything).values()]
    for name, text in groups.items():
        (folder / f"{name}.yaml").write_text(HEAD + text)
        robot = load_robot(folder / f"{name}.yaml")
        found += [(robot, reader) for reader in command_readers(robot).values()]
    return found


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), now_ns=st.none() | st.integers(0, 10**11))
def test_whatever_comes_is_obeyed_or_refused(
    all_readers: list[tuple[Any, Reader]], data: st.DataObject, now_ns: int | None
) -> None:
    """Nothing but CommandRefused is raised, and what is obeyed are numbers."""
    robot, reader = data.draw(st.sampled_from(all_readers))
    message = data.draw(MESSAGES[reader.kind])
    targets, begin_ns = Targets(robot), now_ns or NOW
    try:
        order = reader(message, now_ns)
    except CommandRefused:
        return
    if isinstance(order, Motion) and now_ns is None and order.begin_ns != begin_ns:
        return  # in lockstep the engine refuses the stamp
    targets.take(order, begin_ns, robot.spec.command_home)
    for _ in range(3):
        end_ns = robot.spec.next_stamp(begin_ns)
        assert np.isfinite(targets.at(begin_ns, end_ns, robot.spec.home)).all()
        begin_ns = end_ns


def count_obeyed(readers: list[tuple[Any, Reader]], make: Callable[[Reader], Any]) -> int:
    obeyed = 0
    for _, reader in readers:
        try:
            reader(make(reader), None)
            obeyed += 1
        except CommandRefused:
            pass
    return obeyed


def test_the_readers_of_the_fuzz_test_do_obey(all_readers: list[tuple[Any, Reader]]) -> None:
    """So that it cannot hold by refusing everything."""
    good = {
        JointState: joints("shoulder", position=[0.1]),
        Float64MultiArray: Float64MultiArray(data=[0.1]),
        TwistStamped: twist(0.1, 0.1),
        Twist: Twist(),
        JointTrajectory: JointTrajectory(joint_names=["shoulder"], points=[point(1.0, [0.1])]),
    }
    assert count_obeyed(all_readers, lambda reader: good[reader.kind]) == len(all_readers) == 7
