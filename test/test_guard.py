"""The guard between agent and robot: what passes, and when the robot is stopped. A clock of its own, no ROS."""

from __future__ import annotations

import contextlib
import functools
import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kinds
from ros_gym_bridge import RobotFile, load_robot
from ros_gym_bridge.robot import NANOSECONDS, FloatArray
from ros_gym_bridge.ros.guard import Guard, Joints, Mode
from ros_gym_bridge.ros.refused import CommandRefused
from ros_gym_bridge.sim.targets import Motion, Order, Setpoint
from ros_gym_bridge.sim.trajectory import Knot

PERIOD = 0.04


class Bench:
    """A guard, and a robot that goes where it is told at once.

    Args:
        robot: a robot file whose joints are all commanded.
    """

    def __init__(self, robot: RobotFile) -> None:
        self.now, self.stamp = 100.0, 5 * NANOSECONDS
        self.guard = Guard(robot, lambda: self.now)
        self.spec = robot.spec
        self.position = np.array(robot.spec.home)
        self.velocity = np.zeros(len(self.position))

    def state(self, stamp: int | None = None) -> None:
        """The robot tells where it is."""
        self.guard.hear_joints(
            self.stamp if stamp is None else stamp, Joints(self.position, self.velocity, np.zeros(len(self.position)))
        )

    def go(self, seconds: float, states: bool = True) -> list[list[str]]:
        """Time goes on, with joint states and ticks; on which topics was published."""
        told = []
        for _ in range(round(seconds / PERIOD)):
            self.now += PERIOD
            if states:
                self.stamp += round(PERIOD * NANOSECONDS)
                self.state()
            told.append(self.guard.tick())
        return told

    def refused(self, topic: str, order: Order) -> str:
        with pytest.raises(CommandRefused) as caught:
            self.guard.command(topic, order)
        return caught.value.kind

    @property
    def applied(self) -> FloatArray:
        return self.guard.applied


@pytest.fixture
def arm() -> Bench:
    return Bench(load_robot("arm"))


def arm_with(folder: Path, safety: str, interface: str | None = None) -> Bench:
    path = folder / "arm_with.yaml"
    path.write_text(f"extends: arm\nsafety: {{{safety}}}\n")
    return Bench(load_robot(path, interface=interface))


PAN = Setpoint([0], [0.05])


def test_nothing_passes_before_joint_states(arm: Bench) -> None:
    assert arm.guard.mode is Mode.WAITING
    assert arm.refused("joint_command", PAN) == "no_joint_states"
    assert arm.guard.tick() == []
    assert arm.guard.stop("a test") == [], "what could be told a robot whose place is not known?"


def test_a_good_command_passes(arm: Bench) -> None:
    arm.state()
    assert arm.guard.mode is Mode.IDLE
    assert arm.guard.tick() == [], "nobody has commanded; the robot is left alone"
    assert arm.guard.command("joint_command", PAN) == ["joint_command"]
    assert arm.guard.mode is Mode.PASSING
    assert arm.applied.tolist() == [0.05, *arm.spec.home[1:]]


def test_the_first_command_sets_out_from_where_the_robot_is(arm: Bench) -> None:
    arm.position[:] = [1.0, 0.5, 1.0, 0.0, 0.3, -0.3]
    arm.state()
    arm.guard.command("joint_command", Setpoint(range(6), arm.spec.home))
    assert (np.abs(arm.applied - arm.position) <= arm.spec.max_change + 1e-12).all()


def test_a_far_target_is_come_to_at_the_limited_rate(arm: Bench) -> None:
    """Also when nobody says it again, until that is silence."""
    arm.state()
    arm.guard.command("joint_command", Setpoint([0], [3.0]))
    places = [arm.applied[0]]
    for _ in range(10):
        arm.go(PERIOD)
        places.append(arm.applied[0])
    assert np.allclose(np.diff(places), arm.spec.max_change[0])
    assert arm.guard.parts["joint_command"].limited == 1


@pytest.mark.parametrize("burst", [1, 7])
def test_many_commands_at_once_go_no_faster(arm: Bench, burst: int) -> None:
    arm.state()
    arm.guard.command("joint_command", PAN)
    arm.go(PERIOD)
    before = arm.applied[0]
    for _ in range(burst):
        arm.guard.command("joint_command", Setpoint([0], [3.0]))
    assert arm.applied[0] - before <= arm.spec.max_change[0] + 1e-12


def test_silence_stops_and_a_command_goes_on(tmp_path: Path) -> None:
    bench = arm_with(tmp_path, "command_timeout_s: 0.2", "velocity")
    bench.state()
    bench.guard.command("joint_command", Setpoint([0, 1], [0.5, -0.5]))
    assert bench.go(0.16) == [[]] * 4
    assert bench.applied[:2].tolist() == [0.5, -0.5]
    bench.go(PERIOD)
    assert bench.go(0.2) == [["joint_command"]] * 5, "again and again: a message may be lost"
    assert bench.guard.mode is Mode.SILENT
    assert not bench.applied.any()
    bench.guard.command("joint_command", Setpoint([1], [0.3]))
    assert bench.guard.mode is Mode.PASSING
    assert bench.applied[:2].tolist() == [0.0, 0.3], "what was asked before is forgotten"


def test_a_refused_command_breaks_no_silence(arm: Bench) -> None:
    """The reader refuses it before the guard hears of it; here it is refused for want of states."""
    arm.state()
    arm.guard.command("joint_command", PAN)
    arm.now += 0.6
    assert arm.refused("joint_command", PAN) == "no_joint_states"
    arm.stamp += 1
    arm.state()
    arm.guard.tick()
    assert arm.guard.mode is Mode.SILENT


def test_each_topic_is_silent_by_itself(tmp_path: Path) -> None:
    bench = Bench(load_robot(kinds.write(tmp_path, "numbers")))
    bench.state()
    bench.guard.command("wrist_controller/commands", Setpoint([3, 4, 5], [0.1, 0.2, 0.3]))
    for _ in range(20):
        bench.guard.command("arm_controller/commands", Setpoint([0, 1, 2], bench.spec.home[:3]))
        told = bench.go(PERIOD)
    assert told == [["wrist_controller/commands"]]
    assert bench.applied[3:].tolist() == [0.0, 0.0, 0.0]
    assert bench.guard.mode is Mode.SILENT
    assert not bench.guard.parts["arm_controller/commands"].halted


def test_hold_takes_the_place_where_the_robot_is(tmp_path: Path) -> None:
    bench = arm_with(tmp_path, "stop: hold")
    bench.state()
    bench.guard.command("joint_command", PAN)
    bench.position[0] = 0.02
    bench.go(0.6)
    assert bench.applied[0] == 0.02
    bench.position[0] = 0.01
    bench.go(0.2)
    assert bench.applied[0] == 0.02, "it does not creep"


@pytest.mark.parametrize("frozen", [True, False])
def test_old_joint_states_stop_the_robot(tmp_path: Path, frozen: bool) -> None:
    """Those that do not come, and those whose stamps stand."""
    bench = arm_with(tmp_path, "state_timeout_s: 0.2, stop: damp, damping: 3.0", "effort")
    bench.velocity[:] = 1.0
    bench.state()
    bench.guard.command("joint_command", Setpoint([0], [2.0]))
    for _ in range(6):
        bench.now += PERIOD
        if frozen:
            bench.state()
        told = bench.guard.tick()
    assert bench.guard.mode is Mode.STALE
    assert told == ["joint_command"]
    assert not bench.applied.any(), "old velocities are no reason for efforts"
    assert bench.refused("joint_command", PAN) == "no_joint_states"
    bench.stamp += 1
    bench.state()
    bench.guard.tick()
    assert bench.guard.mode is Mode.SILENT, "a new command is needed"
    assert np.allclose(bench.applied, np.clip(-3.0, bench.spec.command_low, bench.spec.command_high))
    bench.guard.command("joint_command", Setpoint([0], [2.0]))
    assert bench.applied[0] == 2.0


def test_after_a_gap_the_robot_is_taken_as_it_is(arm: Bench) -> None:
    arm.state()
    arm.guard.command("joint_command", PAN)
    arm.go(1.0, states=False)
    arm.position[:] = 0.9
    arm.go(PERIOD)
    assert arm.applied.tolist() == [0.9] * 6
    arm.guard.command("joint_command", Setpoint([0], [0.0]))
    assert arm.applied[0] == pytest.approx(0.9 - arm.spec.max_change[0])
    assert arm.applied[1:].tolist() == [0.9] * 5


def test_time_that_goes_back_begins_anew(arm: Bench) -> None:
    arm.state()
    arm.guard.command("joint_command", PAN)
    arm.position[:] = 0.4
    arm.state(stamp=NANOSECONDS)
    arm.guard.tick()
    assert arm.applied.tolist() == [0.4] * 6
    assert arm.guard.mode is Mode.SILENT


def test_a_robot_without_stamps(arm: Bench) -> None:
    arm.state(stamp=0)
    for _ in range(5):
        arm.now += PERIOD
        arm.state(stamp=0)
        before = arm.applied[0]
        arm.guard.command("joint_command", Setpoint([0], [3.0]))
        assert arm.applied[0] - before == pytest.approx(arm.spec.max_change[0])
    assert arm.guard.mode is Mode.PASSING


def test_an_emergency_stop_is_latched(tmp_path: Path) -> None:
    bench = arm_with(tmp_path, "", "velocity")
    bench.state()
    bench.guard.command("joint_command", Setpoint([0], [0.5]))
    assert bench.guard.stop("the first") == ["joint_command"], "at once"
    assert not bench.applied.any()
    assert bench.refused("joint_command", Setpoint([0], [0.5])) == "stopped"
    bench.go(2.0)
    bench.guard.stop("the second")
    assert (bench.guard.mode, bench.guard.latched) == (Mode.LATCHED, "the first")
    bench.guard.reset()
    assert bench.go(0.2) == [["joint_command"]] * 5, "it stays stopped until a command comes"
    assert not bench.applied.any()
    bench.guard.command("joint_command", Setpoint([0], [0.5]))
    assert bench.applied[0] == 0.5


def test_an_emergency_stop_holds_also_whom_nobody_commands(arm: Bench) -> None:
    arm.position[0] = 0.3
    arm.state()
    assert arm.guard.stop("a test") == ["joint_command"]
    assert arm.applied[0] == 0.3
    arm.position[0] = 0.2
    arm.go(0.2)
    assert arm.applied[0] == 0.3
    arm.guard.reset()
    assert arm.go(0.2) == [[]] * 5


def test_a_trajectory_is_sampled_and_is_no_silence_until_its_end(tmp_path: Path) -> None:
    bench = Bench(load_robot(kinds.write(tmp_path, "path")))
    bench.state()
    topic, home = "arm_controller/joint_trajectory", bench.spec.home[:3]
    knots = [Knot(bench.stamp + 2 * NANOSECONDS, home + np.array([0.2, 0.0, 0.0]))]
    assert bench.guard.command(topic, Motion("arm_controller", [0, 1, 2], bench.stamp, knots)) == [topic]
    told, places = [], []
    for _ in range(50):
        told += bench.go(PERIOD)
        places.append(bench.applied[0])
    assert told[:49] == [[topic]] * 49, "a point each period; the other group is left alone"
    assert np.allclose(np.diff(places[:49]), 0.2 * PERIOD / 2.0)
    assert bench.guard.mode is Mode.PASSING
    bench.position[0] = 0.2
    bench.go(0.6)
    assert bench.guard.mode is Mode.SILENT
    assert bench.applied[0] == 0.2


def test_a_joint_whose_place_is_not_told_is_not_commanded(arm: Bench) -> None:
    arm.position[2] = math.nan
    arm.state()
    with pytest.raises(CommandRefused) as caught:
        arm.guard.command("joint_command", PAN)
    assert str(caught.value) == (
        "where the robot is is not known; got no position of joint 'elbow_joint'; expected a position of every joint "
        "that is commanded by one; The last good command stands."
    )


def test_drives(tmp_path: Path) -> None:
    bench = Bench(load_robot(kinds.write(tmp_path, "drive")))
    bench.state()
    topic = "diff_drive_controller/cmd_vel"
    for _ in range(30):
        bench.guard.command(topic, Setpoint([0, 1], [9.0, 1.0]))
        bench.go(PERIOD)
    assert bench.applied.tolist() == [0.5, 1.0]
    bench.go(0.6)
    assert bench.applied.tolist() == [0.0, 0.0]


def test_limits_that_look_at_the_state_are_kept_between_commands(tmp_path: Path) -> None:
    """The agent says it once; the joint comes to its limit, and the speed goes down."""
    bench = arm_with(tmp_path, "stay_within: true, command_timeout_s: 5.0", "velocity")
    bench.state()
    bench.guard.command("joint_command", Setpoint([0], [1.0]))
    for _ in range(100):
        bench.go(PERIOD)
        bench.position[0] += bench.applied[0] * PERIOD
        assert bench.position[0] <= bench.spec.upper[0] + 1e-9
    assert bench.position[0] == pytest.approx(bench.spec.upper[0])


class Chaos:
    """Anything that can happen to a guard, in any order, from a seed."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench, self.rng = bench, np.random.default_rng(seed)
        self.events = [self.command, self.command, self.state, self.state, self.tick, self.tick, self.stop, self.reset]

    def run(self, count: int) -> None:
        for _ in range(count):
            before = self.bench.applied
            event = self.events[self.rng.integers(len(self.events))]
            event()
            self.check(before)

    def command(self) -> None:
        count = len(self.bench.spec.commands)
        columns = self.rng.permutation(count)[: self.rng.integers(1, count + 1)].tolist()
        values = self.rng.choice([1.0, 1e300], p=[0.9, 0.1]) * self.rng.uniform(-4.0, 4.0, len(columns))
        with contextlib.suppress(CommandRefused):
            self.bench.guard.command("joint_command", Setpoint(columns, values.tolist()))

    def state(self) -> None:
        bench, rng = self.bench, self.rng
        bench.position = rng.uniform(-4.0, 4.0, len(bench.position))
        bench.velocity = rng.uniform(-9.0, 9.0, len(bench.position))
        for array in (bench.position, bench.velocity):
            array[rng.random(len(array)) < 0.05] = rng.choice([math.nan, math.inf, -math.inf, 1e300])
        bench.stamp += int(rng.choice([0, 1, 40_000_000, 10**10, -(10**9)], p=[0.2, 0.1, 0.6, 0.05, 0.05]))
        bench.stamp = max(bench.stamp, 1)
        bench.state(stamp=0 if rng.random() < 0.05 else None)

    def tick(self) -> None:
        self.bench.now += float(self.rng.choice([0.0, 0.001, 0.04, 1.0], p=[0.2, 0.2, 0.5, 0.1]))
        self.bench.guard.tick()
        moving = [i for i, entry in enumerate(self.bench.spec.commands) if entry.interface != "position"]
        if self.bench.guard.mode in (Mode.LATCHED, Mode.STALE, Mode.SILENT) and self.bench.guard.stamp_ns:
            assert not self.bench.applied[moving].any(), "who is stopped asks for no velocity and no effort"

    def stop(self) -> None:
        if self.rng.random() < 0.2:
            self.bench.guard.stop("chaos")

    def reset(self) -> None:
        self.bench.guard.reset()

    def check(self, before: FloatArray) -> None:
        spec, applied = self.bench.spec, self.bench.applied
        assert np.isfinite(applied).all()
        position = self.bench.position
        measured = np.where(np.isfinite(position), position, 0.0)  # who stands outside of the limits may be held there
        low, high = (np.minimum(spec.command_low, before), np.maximum(spec.command_high, before))
        held = [i for i, entry in enumerate(spec.commands) if entry.interface == "position"]
        low[held], high[held] = np.minimum(low, measured)[held], np.maximum(high, measured)[held]
        assert (applied >= low).all()
        assert (applied <= high).all()


@pytest.mark.parametrize("interface", ["position", "velocity", "effort"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_happens(interface: str, seed: int) -> None:
    Chaos(Bench(robot_with(interface)), seed).run(60)


@functools.cache
def robot_with(interface: str) -> RobotFile:
    """An arm that is to keep everything that can be asked of it."""
    box = "workspace: {lower: [0.1, -0.4, 0.0], upper: [0.9, 0.4, 1.2]}, " if interface != "effort" else ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arm_with.yaml"
        path.write_text(
            f"extends: arm\nsafety: {{{box}max_acceleration: 9.0, max_effort: 30.0, stay_within: true, "
            f"stop: {'damp' if interface == 'position' else 'hold'}}}\n"
        )
        return load_robot(path, interface=interface)
