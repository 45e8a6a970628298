"""What stands as commanded: trajectories begin, replace each other and stop; twists grow old. On the real physics,
without ROS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_gym_bridge.config import RobotFile, load_robot
from ros_gym_bridge.robot import NANOSECONDS, FloatArray, RobotState, read_only
from ros_gym_bridge.sim.engine import Engine, Verdict
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.sim.targets import Motion, Setpoint, Targets
from ros_gym_bridge.sim.trajectory import Knot
from ros_gym_bridge.world_file import world_of

ARM = """extends: arm
name: arm_on_a_path
actuators:
  - {name: wrist, joints: [wrist_1_joint, wrist_2_joint, wrist_3_joint]}
  - {name: arm, kind: joint_trajectory, allow_partial: true,
     joints: [shoulder_pan_joint, shoulder_lift_joint, elbow_joint]}
"""
ROVER = """extends: rover
name: driven_rover
actuators:
  - name: base
    kind: diff_drive
    left_wheels: [left_wheel_joint]
    right_wheels: [right_wheel_joint]
    wheel_separation: 0.34
    wheel_radius: 0.08
    linear: {max_velocity: 0.5, max_acceleration: 1.0}
    angular: {max_velocity: 1.5}
"""
PERIOD = NANOSECONDS // 25
HOME = np.array([0.0, -0.2, 1.6])


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> RobotFile:
    path = tmp_path_factory.mktemp("arm") / "arm_on_a_path.yaml"
    path.write_text(ARM)
    return load_robot(path)


@pytest.fixture(scope="module")
def rover(tmp_path_factory: pytest.TempPathFactory) -> RobotFile:
    path = tmp_path_factory.mktemp("rover") / "driven_rover.yaml"
    path.write_text(ROVER)
    return load_robot(path)


class Line:
    """Targets of the arm's first three joints, period after period; what is asked counts as applied."""

    def __init__(self, robot: RobotFile) -> None:
        self.targets = Targets(robot)
        self.now_ns = PERIOD
        self.applied = np.array(robot.spec.command_home)

    def go(
        self, *points: tuple[float, Sequence[float]], begin: float = 0.0, columns: Sequence[int] = (0, 1, 2)
    ) -> None:
        """Send points `(seconds, positions)`, to begin so many periods from now."""
        begin_ns = self.now_ns + round(begin * PERIOD)
        knots = [Knot(begin_ns + round(s * NANOSECONDS), np.array(values)) for s, values in points]
        self.targets.take(Motion("arm", columns, begin_ns, knots), self.now_ns, self.applied)

    def step(self, periods: int = 1) -> list[float]:
        """The positions that the last of some periods aims at."""
        for _ in range(periods):
            end_ns = self.now_ns + PERIOD
            self.applied = np.array(self.targets.at(self.now_ns, end_ns, np.zeros(6)))
            self.now_ns = end_ns
        assert self.applied[:3].tolist() == [1.2, 0.0, 0.0], "the other group holds"
        positions: list[float] = self.applied[3:].tolist()
        return positions


@pytest.fixture
def line(arm: RobotFile) -> Line:
    return Line(arm)


def test_nothing_commanded_is_home(line: Line) -> None:
    assert line.step(5) == HOME.tolist()


def test_a_point_one_period_away_is_the_target_of_that_period(line: Line) -> None:
    for value in (0.1, 0.123456789, -0.05):
        line.go((0.04, [value, -0.3, 1.5]))
        assert line.step() == [value, -0.3, 1.5]
    assert line.step(10) == [-0.05, -0.3, 1.5], "the last point is held"


def test_positions_are_sampled_at_the_end_of_each_period(line: Line) -> None:
    line.go((0.4, [0.4, -0.2, 1.6]))
    assert [line.step()[0] for _ in range(12)] == pytest.approx([*np.arange(0.04, 0.41, 0.04), 0.4, 0.4])


def test_one_that_begins_later_begins_later(line: Line) -> None:
    line.go((0.2, [0.5, -0.2, 1.6]), begin=5.0)
    assert line.step(5) == HOME.tolist()
    assert [line.step()[0] for _ in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5])


def test_until_it_begins_the_one_before_goes_on(line: Line) -> None:
    line.go((0.4, [0.4, -0.2, 1.6]))
    line.go((0.2, [0.2, -0.2, 1.6]), begin=5.0)
    assert [line.step()[0] for _ in range(7)] == pytest.approx([0.04, 0.08, 0.12, 0.16, 0.2, 0.2, 0.2])


def test_a_new_one_replaces_both_the_present_and_the_one_to_come(line: Line) -> None:
    line.go((0.4, [0.4, -0.2, 1.6]))
    line.go((0.2, [0.9, -0.2, 1.6]), begin=5.0)
    line.step(2)
    line.go((0.16, [0.0, -0.2, 1.6]))
    assert [line.step()[0] for _ in range(6)] == pytest.approx([0.06, 0.04, 0.02, 0.0, 0.0, 0.0])


def test_one_without_points_stops_and_holds(line: Line) -> None:
    line.go((0.4, [0.4, -0.2, 1.6]))
    line.go((0.2, [0.9, -0.2, 1.6]), begin=9.0)
    line.step(3)
    line.go()
    assert line.step(12)[0] == pytest.approx(0.12)


def test_what_is_past_is_left_out(line: Line) -> None:
    line.step(10)
    line.go((0.06, [9.0, 9.0, 9.0]), (0.2, [0.2, -0.2, 1.6]), begin=-2.5)
    assert [line.step()[0] for _ in range(4)] == pytest.approx([0.08, 0.16, 0.2, 0.2], abs=1e-9)


def test_a_first_point_at_the_beginning_is_where_it_begins(line: Line) -> None:
    line.go((0.0, [0.2, -0.2, 1.6]), (0.08, [0.4, -0.2, 1.6]))
    assert [line.step()[0] for _ in range(2)] == pytest.approx([0.3, 0.4])
    line.go((0.0, [0.1, -0.2, 1.6]))
    assert line.step() == [0.1, -0.2, 1.6]


def test_joints_left_out_hold_their_target(line: Line) -> None:
    line.go((0.08, [0.4, -0.4, 1.0]))
    line.step()
    line.go((0.04, [0.9]), columns=[2])
    assert line.step() == pytest.approx([0.2, -0.3, 0.9])
    assert line.step(3) == pytest.approx([0.2, -0.3, 0.9])


def test_a_velocity_carries_over_from_the_one_before(line: Line) -> None:
    """Replaced in the middle by a cubic, position and velocity go on without a jump."""
    line.go((0.4, [0.4, -0.2, 1.6]))
    line.step(5)
    still = np.zeros(3)
    end = Knot(line.now_ns + 4 * PERIOD, np.array([0.3, -0.2, 1.6]), still, None)
    line.targets.take(Motion("arm", [0, 1, 2], line.now_ns, [end]), line.now_ns, line.applied)
    t, length = 0.04, 0.16
    way, v = 0.1, 1.0
    expected = 0.2 + v * t + (3 * way / length - 2 * v) / length * t**2 + (-2 * way / length + v) / length**2 * t**3
    assert line.step()[0] == pytest.approx(expected)


def test_after_a_reset_everything_is_home(line: Line) -> None:
    line.go((0.4, [0.4, -0.2, 1.6]))
    line.go((0.4, [0.9, -0.2, 1.6]), begin=3.0)
    line.step(2)
    line.targets.reset()
    assert line.step(6) == HOME.tolist()


def test_when_time_turns_back_what_moves_stops(line: Line) -> None:
    line.go((0.4, [0.4, -0.2, 1.6]))
    line.go((0.4, [0.9, -0.2, 1.6]), begin=3.0)
    line.step(2)
    line.now_ns = PERIOD
    line.targets.hold(PERIOD)
    assert line.step(9)[0] == pytest.approx(0.08)


orders = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.floats(-4.0, 4.0),
        st.lists(st.tuples(st.floats(0.001, 1.0), st.floats(-3.0, 3.0)), max_size=3),
        st.sampled_from([[0], [1], [0, 1, 2], [2, 0]]),
    ),
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(orders=orders)
def test_lines_stay_between_the_points_whatever_replaces_what(
    arm: RobotFile, orders: list[tuple[int, float, list[tuple[float, float]], list[int]]]
) -> None:
    line = Line(arm)
    low, high = np.array(HOME), np.array(HOME)
    for periods, begin, points, columns in orders:
        times = np.cumsum([gap for gap, _ in points])
        ahead = [
            (float(t) + max(0.0, -begin) * 0.04, [v] * len(columns)) for t, (_, v) in zip(times, points, strict=True)
        ]
        line.go(*ahead, begin=begin, columns=columns)
        for _, value in points:
            low[columns], high[columns] = np.minimum(low[columns], value), np.maximum(high[columns], value)
        for _ in range(periods):
            after = np.array(line.step())
            assert (low - 1e-9 <= after).all()
            assert (after <= high + 1e-9).all()


class Bench:
    """An engine and what it published."""

    def __init__(self, robot: RobotFile, lockstep: bool) -> None:
        self.simulation = Simulation(world_of(robot))
        self.simulation.rewind()
        self.published: list[RobotState] = []
        topics = {group.topic: 0 for group in robot.config.actuators}
        self.engine = Engine(self.simulation, topics, lockstep, self.published.extend)

    @property
    def command(self) -> FloatArray:
        return self.published[-1].command


@pytest.fixture
def path_bench(arm: RobotFile) -> Iterator[Bench]:
    bench = Bench(arm, lockstep=True)
    yield bench
    bench.simulation.close()


def motion(begin_ns: int, after_ns: int, *values: float) -> Motion:
    return Motion("arm", range(3), begin_ns, [Knot(begin_ns + after_ns, read_only(values))])


def test_in_lockstep_the_step_waits_for_both_kinds(path_bench: Bench) -> None:
    engine = path_bench.engine
    assert engine.command("arm/joint_trajectory", PERIOD, motion(PERIOD, PERIOD, 0.02, -0.2, 1.6)) is Verdict.WAITING
    assert engine.command("joint_command", PERIOD, Setpoint([1], [0.03])) is Verdict.STEPPED
    assert path_bench.command.tolist() == [1.2, 0.03, 0.0, 0.02, -0.2, 1.6]


def test_a_trajectory_keeps_the_limits_of_the_joints(path_bench: Bench) -> None:
    engine, spec = path_bench.engine, path_bench.simulation.robots[0].spec
    engine.lockstep = False
    engine.command("arm/joint_trajectory", 0, motion(PERIOD, PERIOD, 99.0, -0.2, 1.6))
    before = spec.command_home[3]
    for _ in range(400):
        engine.advance(20)
        assert path_bench.command[3] - before <= spec.max_change[3] + 1e-12
        before = path_bench.command[3]
    assert before == spec.command_high[3]


def test_many_periods_at_once_are_sampled_one_by_one(arm: RobotFile) -> None:
    benches = [Bench(arm, lockstep=False) for _ in range(2)]
    for bench in benches:
        bench.engine.command("arm/joint_trajectory", 0, motion(PERIOD, 5 * PERIOD, 0.3, -0.5, 1.3))
    benches[0].engine.advance(7 * 20)
    for steps in (20, 7, 13, 60, 40):
        benches[1].engine.advance(steps)
    first, second = (bench.published[-1] for bench in benches)
    assert first.stamp_ns == second.stamp_ns
    assert first.position.tobytes() == second.position.tobytes()
    for bench in benches:
        bench.simulation.close()


@pytest.fixture
def rover_bench(rover: RobotFile) -> Iterator[Bench]:
    bench = Bench(rover, lockstep=False)
    yield bench
    bench.simulation.close()


def test_a_twist_that_is_too_old_stops_the_robot_as_fast_as_it_may(rover_bench: Bench) -> None:
    engine = rover_bench.engine
    engine.command("base/cmd_vel", 0, Setpoint([0, 1], [0.4, 1.0]))
    commands = []
    for _ in range(60):
        engine.advance(10)
        commands.append(rover_bench.command.tolist())
    linear, angular = np.array(commands).T
    assert linear[:25] == pytest.approx([min(0.4, 0.02 * i) for i in range(1, 26)])
    assert linear[26:47] == pytest.approx([max(0.0, 0.4 - 0.02 * i) for i in range(1, 22)])
    assert angular[25] == 1.0
    assert angular[26] == 0.0
    assert not linear[47:].any()


def test_a_fresh_twist_keeps_it_going(rover_bench: Bench) -> None:
    engine = rover_bench.engine
    for _ in range(10):
        engine.command("base/cmd_vel", 0, Setpoint([0, 1], [0.1, 0.0]))
        engine.advance(10 * 20)  # 0.4 s
    assert rover_bench.command.tolist() == [0.1, 0.0]


def test_a_timeout_of_0_is_none(rover: RobotFile, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("rover") / "driven_rover.yaml"
    path.write_text(ROVER + "    cmd_vel_timeout_s: 0.0\n")
    bench = Bench(load_robot(path), lockstep=False)
    bench.engine.command("base/cmd_vel", 0, Setpoint([0, 1], [0.1, 0.0]))
    bench.engine.advance(10 * 200)
    assert bench.command.tolist() == [0.1, 0.0]
    bench.simulation.close()


def test_after_time_has_turned_back_a_twist_is_as_new(rover_bench: Bench) -> None:
    engine = rover_bench.engine
    engine.advance(10 * 100)
    engine.command("base/cmd_vel", 0, Setpoint([0, 1], [0.1, 0.0]))
    engine.rewind()
    engine.advance(10 * 20)
    assert rover_bench.command.tolist() == [0.1, 0.0]
    engine.advance(10 * 20)
    assert rover_bench.command.tolist() == [0.0, 0.0]
