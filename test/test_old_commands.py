"""Silence: in the simulator, velocities and efforts that nobody renews grow old. On the real physics, without ROS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ros_gym_bridge.config import load_robot
from ros_gym_bridge.sim.engine import Engine
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.sim.targets import Setpoint
from ros_gym_bridge.world_file import world_of

ELBOW, STEPS, PERIOD = 2, 20, 40_000_000  # of the arm: 500 physics steps, 25 control periods a second
Make = Callable[..., Engine]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Make]:
    made: list[Engine] = []

    def make(safety: str = "", interface: str = "velocity", lockstep: bool = False, groups: str = "") -> Engine:
        path = tmp_path / "arm_with.yaml"
        path.write_text(f"extends: arm\nsafety: {{{safety}}}\n{groups}")
        simulation = Simulation(world_of(load_robot(path, interface=None if groups else interface)))
        topics = {group.topic: 0 for group in simulation.robots[0].body.robot.config.actuators}
        made.append(Engine(simulation, topics, lockstep, lambda states: None))
        return made[-1]

    yield make
    for each in made:
        each.simulation.close()


def applied(engine: Engine, value: float, periods: int) -> list[float]:
    """One command to the elbow, and what is applied to it in the periods that follow."""
    engine.command("joint_command", 0, Setpoint([ELBOW], [value]))
    told = []
    for _ in range(periods):
        engine.advance(STEPS)
        told.append(float(engine.simulation.states[0].command[ELBOW]))
    return told


@pytest.mark.parametrize("interface", ["velocity", "effort"])
def test_what_is_old_is_zero(engine: Make, interface: str) -> None:
    told = applied(engine(interface=interface), 0.5, 20)
    assert told[:13] == [0.5] * 13, "0.5 s"
    assert told[13:] == [0.0] * 7


def test_the_joint_is_at_rest_then(engine: Make) -> None:
    it = engine()
    applied(it, -0.5, 20)
    assert abs(it.simulation.states[0].velocity[ELBOW]) < 1e-3


def test_a_position_holds(engine: Make) -> None:
    assert applied(engine(interface="position"), 1.7, 30)[-1] == 1.7


def test_a_timeout_of_0_is_none(engine: Make) -> None:
    assert applied(engine("command_timeout_s: 0"), 0.1, 50) == [0.1] * 50


def test_braking_keeps_the_acceleration(engine: Make) -> None:
    told = applied(engine("command_timeout_s: 0.08, max_acceleration: 2.5"), 0.3, 8)
    assert told == pytest.approx([0.1, 0.2, 0.3, 0.2, 0.1, 0.0, 0.0, 0.0])


def test_damping_opposes_the_motion(engine: Make) -> None:
    it = engine("stop: damp, damping: 2.0", "effort")
    applied(it, 5.0, 13)
    for _ in range(3):
        velocity = it.simulation.states[0].velocity
        it.advance(STEPS)
        command = it.simulation.states[0].command
        spec = it.simulation.robots[0].spec
        assert np.array_equal(command, np.clip(-2.0 * velocity, spec.command_low, spec.command_high))


def test_in_lockstep_nothing_grows_old(engine: Make) -> None:
    """Also not what a command leaves out: time moves by commands alone."""
    it = engine(lockstep=True)
    stamp = it.stamp_ns
    it.command("joint_command", stamp, Setpoint([ELBOW], [0.1]))
    for _ in range(30):
        stamp += PERIOD
        it.command("joint_command", stamp, Setpoint([0], [0.2]))
    assert it.stamp_ns == stamp + PERIOD
    assert it.simulation.states[0].command[[0, ELBOW]].tolist() == [0.2, 0.1]


def test_where_silence_says_that_all_is_well_it_must_be_asked_for(engine: Make) -> None:
    groups = "actuators: [{name: elbow, interface: velocity, joints: [elbow_joint], nan: hold}]\n"
    it = engine(groups=groups)
    it.command("joint_command", 0, Setpoint([0], [0.1]))
    it.advance(STEPS * 30)
    assert it.simulation.states[0].command.tolist() == [0.1]
    it = engine("command_timeout_s: 0.5", groups=groups)
    it.command("joint_command", 0, Setpoint([0], [0.1]))
    it.advance(STEPS * 30)
    assert it.simulation.states[0].command.tolist() == [0.0]
