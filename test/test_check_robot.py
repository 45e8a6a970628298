"""The contract finds what is wrong, and `ros-gym-bridge check-robot` says it of a live simulator."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapter_tools import Process, running
from fake_robot import FakeRobot
from ros_gym_bridge import RobotState, load_robot
from ros_gym_bridge.check_robot import check_robot
from ros_gym_bridge.contract import CHECKS
from ros_gym_bridge.findings import Verdict, exit_code
from ros_gym_bridge.robot import Command
from test_cli import COMMAND, run

ARM = load_robot("arm")
PROMISES = {check.name: check.promise for check in CHECKS}


class Broken(FakeRobot):
    """Breaks one promise.

    Args:
        fault: the name of the check that must notice.
    """

    def __init__(self, fault: str) -> None:
        super().__init__(ARM)
        self._fault, self._resets, self._shared = fault, 0, np.zeros(len(ARM.spec.joints))

    def has(self, fault: str) -> bool:
        return self._fault == fault

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> RobotState:
        self._resets += 1
        if self.has("reset_moves_time_forward"):
            self._stamp_ns = 0
        if self.has("refuses_unknown_options"):
            options = None
        self._closed &= not self.has("close_twice_and_then_nothing")
        return self._changed(super().reset(seed, options), (options or {}).get("strict", False))

    def step(self, command: Command) -> RobotState:
        if self.has("needs_a_reset_first") and self._state is None:
            self.reset()
        vector = command.vector
        if self.has("refuses_an_answer_to_another_state"):
            command = Command(vector, self._stamp_ns)
        if self.has("refuses_a_command_of_the_wrong_shape"):
            command = Command(np.resize(vector, len(ARM.spec.commands)), command.stamp_ns)
        if self.has("refuses_what_is_no_number"):
            command = Command(np.nan_to_num(vector), command.stamp_ns)
        if self.has("command_moves_its_own_joint"):
            command = Command(ARM.spec.command_home, command.stamp_ns)
        if self.has("stamp_advances_by_one_control_period"):
            self._stamp_ns += 1
            command = Command(vector, self._stamp_ns)
        state = super().step(command)
        if self.has("commands_are_limited_and_told"):
            state = state._replace(command=np.array(vector))
        return self._changed(state, False)

    def _changed(self, state: RobotState, strict: bool) -> RobotState:
        position = np.array(state.position)
        if self.has("starts_at_home"):
            position += 0.1
        if self.has("same_seed_same_episode") or (self.has("strict_reset_gives_the_same_state") and strict):
            position += 1e-9 * self._resets
        if self.has("an_old_state_does_not_change"):
            self._shared[:] = position
            position = self._shared.view()
        if self.has("state_has_the_joints_of_the_spec"):
            position = position.astype(np.float32)
        position.setflags(write=self.has("arrays_are_read_only"))
        return state._replace(position=position)


@pytest.mark.parametrize("fault", [name for name in PROMISES if name != "is_a_robot"])
def test_each_broken_promise_is_found(fault: str) -> None:
    findings = {each.subject: each for each in check_robot(lambda: Broken(fault), exact=True, reach=1.0)}
    assert findings[PROMISES[fault]].verdict is Verdict.BAD, findings[PROMISES[fault]]
    assert findings[PROMISES[fault]].found
    assert exit_code(findings.values()) == 1


def test_a_good_robot_keeps_them_all() -> None:
    findings = list(check_robot(lambda: FakeRobot(ARM), exact=True, reach=1.0))
    assert {each.verdict for each in findings} == {Verdict.GOOD}
    assert exit_code(findings) == 0


def test_gentle_checks_hardly_move_a_robot() -> None:
    """And leave out what holds for simulators only."""
    seen: list[float] = []

    class Watched(FakeRobot):
        def step(self, command: Command) -> RobotState:
            if np.isfinite(command.vector).all() and command.vector.shape == ARM.spec.command_home.shape:
                spec = self.spec
                seen.append(
                    float(np.max(np.abs(command.vector - spec.command_home) / (spec.command_high - spec.command_low)))
                )
            return super().step(command)

    findings = list(check_robot(lambda: Watched(ARM), exact=False, reach=0.02))
    assert 0.0 < max(seen) <= 0.02
    assert {each.verdict for each in findings} == {Verdict.GOOD, Verdict.OPEN}


def test_command_on_a_simulator_of_ours(sim_process: Any, domain_id: int) -> None:
    sim_process("-r", "__ns:=/cell", robot="cartpole", mode="lockstep")
    arguments = ("check-robot", "cartpole", "--stepping", "lockstep", "--namespace", "cell", "--domain", str(domain_id))
    ran = run(*arguments, COLUMNS="200")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("The robot 'cartpole' is moved by 100% of the way from home to its upper bounds.\n")
    assert all(promise in ran.stdout for promise in PROMISES.values())
    assert "BAD" not in ran.stdout


def test_command_on_a_simulator_of_somebody_else(domain_id: int) -> None:
    """Its resets leave time where it is, so two states have one stamp."""
    script = str(Path(__file__).parent / "other_simulators.py")
    with running(Process([sys.executable, script, "letter"], ROS_DOMAIN_ID=domain_id)) as process:
        process.says("stands")
        ran = run("check-robot", "cartpole", "--stepping", "step_service", "--domain", str(domain_id), COLUMNS="250")
    assert ran.returncode == 1
    rows = [line for line in ran.stdout.splitlines() if PROMISES["reset_moves_time_forward"] in line]
    assert len(rows) == 1
    assert "BAD" in rows[0]
    assert "stamps after three resets; got [" in rows[0]
    assert "The simulator has no seed" in ran.stderr


def test_command_on_a_robot(driver: Any, domain_id: int) -> None:
    """One that nobody resets and that shares nothing with us, gently."""
    driver("arm")
    ran = run("check-robot", "arm", "--domain", str(domain_id), COLUMNS="200")
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.startswith("The robot 'arm' is moved by 2% of the way from home to its upper bounds.\n")
    assert ran.stdout.count("holds for simulators only") == sum(check.exact for check in CHECKS)


def test_ctrl_c_ends_it(domain_id: int) -> None:
    """While it looks for the robot; without a traceback."""
    with running(Process([str(COMMAND), "check-robot", "cartpole"], ROS_DOMAIN_ID=domain_id)) as process:
        process.says("is moved by")
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(10.0) == 130
        assert "Traceback" not in process.text()


def test_command_where_nobody_is(domain_id: int) -> None:
    ran = run("check-robot", "cartpole", "--domain", str(domain_id))
    assert ran.returncode == 1
    assert "error: no robot 'cartpole' answered within 5.0 s in ROS domain" in ran.stderr
