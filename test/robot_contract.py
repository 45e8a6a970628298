"""What every `Robot` must pass. Run it on a driver of your own:

    from robot_contract import RobotContract

    class TestMyRobot(RobotContract):
        @pytest.fixture
        def robot(self):
            robot = MyRobot(load_robot("my_robot.yaml"))
            yield robot
            robot.close()
"""

from __future__ import annotations

import numpy as np
import pytest

from ros_gym_bridge.errors import CommandError, OptionError, ResetNeededError, RobotClosedError
from ros_gym_bridge.robot import Command, Robot, RobotState, read_only


def home(robot: Robot, state: RobotState) -> Command:
    """A good command for a state: stay at home."""
    return Command(robot.spec.command_home, state.stamp_ns)


class RobotContract:
    """Inherit, and give a fixture `robot`. Exact for robots whose time moves with the steps (simulators)."""

    def test_is_a_robot(self, robot: Robot) -> None:
        assert isinstance(robot, Robot)

    def test_state_has_the_joints_of_the_spec(self, robot: Robot) -> None:
        state = robot.reset(1)
        n = len(robot.spec.joints)
        for name in ("position", "velocity", "effort"):
            array = getattr(state, name)
            assert (array.shape, array.dtype) == ((n,), np.float64), name
        assert state.command.shape == (len(robot.spec.commands),)

    def test_starts_at_home(self, robot: Robot) -> None:
        state = robot.reset(1)
        assert np.abs(state.position - robot.spec.home).max() <= 0.06  # the noise of our robot files is 0.05 at most
        assert np.array_equal(state.command, robot.spec.command_home)

    def test_arrays_are_read_only(self, robot: Robot) -> None:
        state = robot.step(home(robot, robot.reset(1)))
        for name in ("position", "velocity", "effort", "command"):
            with pytest.raises(ValueError, match="read-only"):
                getattr(state, name)[0] = 1.0
        for sample in state.channels.values():
            with pytest.raises(ValueError, match="read-only"):
                sample.value[0] = 1.0

    def test_an_old_state_does_not_change(self, robot: Robot) -> None:
        first = robot.reset(1)
        copy = first.position.copy()
        state = first
        for _ in range(5):
            state = robot.step(Command(robot.spec.command_high, state.stamp_ns))
        assert np.array_equal(first.position, copy)

    def test_stamp_advances_by_one_control_period(self, robot: Robot) -> None:
        state = robot.reset(1)
        assert state.stamp_ns > 0
        for _ in range(5):
            following = robot.step(home(robot, state))
            assert following.stamp_ns == robot.spec.next_stamp(state.stamp_ns)
            state = following

    def test_reset_moves_time_forward(self, robot: Robot) -> None:
        stamps = [robot.reset(1).stamp_ns for _ in range(3)]
        assert stamps == sorted(set(stamps))

    def test_command_moves_its_own_joint(self, robot: Robot) -> None:
        state = robot.reset(1)
        entry = robot.spec.commands[0]
        if entry.joint not in robot.spec.joints:
            pytest.skip("the first number commands no single joint")
        joint = robot.spec.joints.index(entry.joint)
        before = state.position[joint]
        vector = np.array(robot.spec.command_home)
        vector[0] = entry.high
        for _ in range(5):
            state = robot.step(Command(read_only(vector), state.stamp_ns))
        assert state.position[joint] > before

    def test_same_seed_same_episode(self, robot: Robot) -> None:
        def episode() -> list[RobotState]:
            states = [robot.reset(7)]
            for i in range(5):
                vector = read_only(robot.spec.command_home * (1.0 + 0.01 * i))
                states.append(robot.step(Command(vector, states[-1].stamp_ns)))
            return states

        for a, b in zip(episode(), episode(), strict=True):
            for name in ("position", "velocity", "effort", "command"):
                assert np.array_equal(getattr(a, name), getattr(b, name)), name

    def test_commands_are_limited_and_told(self, robot: Robot) -> None:
        state = robot.reset(1)
        state = robot.step(Command(read_only(robot.spec.command_high * 10.0 + 10.0), state.stamp_ns))
        assert (state.command <= robot.spec.command_high).all()
        assert (np.abs(state.command - robot.spec.command_home) <= robot.spec.max_change + 1e-12).all()

    def test_refuses_a_command_of_the_wrong_shape(self, robot: Robot) -> None:
        state = robot.reset(1)
        n = len(robot.spec.commands)
        for size in (n - 1, n + 1):
            with pytest.raises(CommandError, match=r"command of the wrong shape; got .* Nothing was applied"):
                robot.step(Command(read_only([0.0] * size), state.stamp_ns))
        assert robot.step(home(robot, state)).stamp_ns == robot.spec.next_stamp(state.stamp_ns)

    @pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
    def test_refuses_what_is_no_number(self, robot: Robot, bad: float) -> None:
        state = robot.reset(1)
        vector = np.array(robot.spec.command_home)
        vector[-1] = bad
        with pytest.raises(CommandError, match=f"command for {robot.spec.commands[-1].name} is not finite; got {bad}"):
            robot.step(Command(read_only(vector), state.stamp_ns))
        assert np.isfinite(robot.step(home(robot, state)).position).all()

    def test_refuses_an_answer_to_another_state(self, robot: Robot) -> None:
        first = robot.reset(1)
        second = robot.step(home(robot, first))
        with pytest.raises(CommandError, match=f"got stamp_ns {first.stamp_ns}; expected stamp_ns {second.stamp_ns}"):
            robot.step(home(robot, first))
        assert robot.step(home(robot, second)).stamp_ns == robot.spec.next_stamp(second.stamp_ns)

    def test_needs_a_reset_first(self, robot: Robot) -> None:
        with pytest.raises(ResetNeededError, match="step before the first reset"):
            robot.step(Command(robot.spec.command_home, 1))

    def test_refuses_unknown_options(self, robot: Robot) -> None:
        with pytest.raises(OptionError, match="unknown reset option 'speed'; expected 'strict'"):
            robot.reset(1, {"speed": 2})
        with pytest.raises(OptionError, match="reset option 'strict'; got 'yes'; expected True or False"):
            robot.reset(1, {"strict": "yes"})

    def test_strict_reset_gives_the_same_state(self, robot: Robot) -> None:
        default, strict = robot.reset(5), robot.reset(5, {"strict": True})
        assert np.array_equal(default.position, strict.position)
        assert np.array_equal(default.velocity, strict.velocity)

    def test_close_twice_and_then_nothing(self, robot: Robot) -> None:
        state = robot.reset(1)
        robot.close()
        robot.close()
        with pytest.raises(RobotClosedError, match="the robot is closed"):
            robot.step(home(robot, state))
        with pytest.raises(RobotClosedError, match="the robot is closed"):
            robot.reset(1)
