"""What `ros-gym-bridge measure` finds out on a robot that is not ours, and that the simulator then does the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import JointState

import kinds
from conftest import NodeProcess
from driver_tools import DriverProcess
from ros_gym_bridge import load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import MeasurementError
from ros_gym_bridge.measurement import Measurement, read_measurement
from ros_gym_bridge.response import Heard, Onset, of_states, spread, statistics
from ros_gym_bridge.robot import read_only
from ros_gym_bridge.ros.measure import Moves, measure
from ros_gym_bridge.sim.sim_robot import SimRobot
from test_late_commands import arm, first_to_show

Start = Callable[..., DriverProcess]
DELAY_S = 0.06
COMMAND = Path(sys.executable).with_name("ros-gym-bridge")
MS = 1_000_000


def states(count: int, rng: np.random.Generator, creep: float = 0.0) -> list[Heard]:
    """At 250 Hz, two joints; noise of 1e-4 rad and 0.01 rad/s."""
    return [
        Heard(
            4 * i * MS + 7,
            4 * i * MS,
            read_only(1e-4 * rng.standard_normal(2) + creep * i),
            read_only(0.01 * rng.standard_normal(2)),
        )
        for i in range(count)
    ]


def test_noise_and_rate() -> None:
    rest = states(2000, np.random.default_rng(1), creep=1e-6)
    found = of_states(rest)
    assert found.rate_hz == pytest.approx(250.0)
    assert found.period_s.std == pytest.approx(0.0, abs=1e-12)
    assert found.noise.position == pytest.approx(1e-4, rel=0.05), "a creep of 2 mrad does not count"
    assert found.noise.velocity == pytest.approx(0.01, rel=0.05)
    assert spread(rest)[0].shape == (2,)


def test_onset() -> None:
    rest = states(10, np.random.default_rng(2))
    onset = Onset(rest, 1, 1e-4, 0.02)
    still, moved = (
        Heard(0, i, read_only([0.5, place]), read_only([0.0, 0.0])) for i, place in enumerate((5e-4, -1e-3))
    )
    assert onset.find([still]) is None, "within the noise; the other joint does not count"
    assert onset.find([still, moved]) is moved, "in either direction"


def test_statistics() -> None:
    found = statistics(np.arange(1, 101) / 100)
    assert (found.count, found.mean, found.p50) == (100, pytest.approx(0.505), pytest.approx(0.505))
    assert (found.p95, found.p99) == (pytest.approx(0.9505), pytest.approx(0.9901))
    assert found.std == pytest.approx(np.sqrt((100**2 - 1) / 12) / 100)


def attached(process: DriverProcess) -> Connection:
    domain = process.client.context.get_domain_id()
    return Connection(attach=True, stepping="realtime", reset_by="motion", domain_id=domain, connect_timeout_s=20.0)


def measured(robot: Any, connection: Connection, **moves: Any) -> Measurement:
    return measure(load_robot(robot), connection, Moves(**{"count": 8, "rest_s": 1.0, **moves}), lambda _: None)


def test_from_a_robot_to_the_simulator(
    driver: Start, sim_process: Callable[..., NodeProcess], tmp_path: Path, domain_id: int
) -> None:
    """A robot that is late is measured by the command; the simulator reads the file and is as late, in process and
    when it is measured itself."""
    late = arm(tmp_path, "", name="robot")  # control at 250 Hz: a fine grid to see the latency on
    robot = driver(late, command_delay_s=DELAY_S, position_noise=5e-5, velocity_noise=2e-3, joint={"lag_s": 0.01})
    command = [COMMAND, "measure", late, "--moves", "10", "--rest", "1", "--output", tmp_path / "measured.yaml"]
    done = subprocess.run(
        [*map(str, command), "--domain", str(domain_id)], capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Group 'arm': elbow_joint/position is changed by " in done.stdout
    assert "command to first state" in done.stdout
    assert "Fault" not in robot.text()
    robot.end()
    found = read_measurement(tmp_path / "measured.yaml")
    group = found.groups["arm"]
    assert DELAY_S <= group.round_trip_s.p50 <= DELAY_S + 0.03
    assert found.joint_states.rate_hz == pytest.approx(250.0, rel=0.05)
    assert found.joint_states.noise.position == pytest.approx(5e-5, rel=0.2)
    assert found.joint_states.noise.velocity == pytest.approx(2e-3, rel=0.2)

    twin = tmp_path / "twin.yaml"
    twin.write_text("extends: robot.yaml\nmeasured: measured.yaml\njoint_states: {noise: {}}\n")
    simulated = SimRobot(load_robot(twin))
    shown_s = np.mean([first_to_show(simulated, seed) for seed in range(20)]) / 250
    simulated.close()
    tolerance_s = 0.008 + 2.0 * group.command_jitter_s
    assert shown_s == pytest.approx(group.command_latency_s, abs=tolerance_s)

    sim_process(robot=str(twin), mode="realtime")
    connection = Connection(
        attach=True, stepping="realtime", reset_by="motion", domain_id=domain_id, connect_timeout_s=20.0
    )
    again = measured(twin, connection).groups["arm"].round_trip_s
    assert group.command_latency_s - tolerance_s <= again.p50 <= group.command_latency_s + 0.03 + tolerance_s


def test_every_kind_of_group_is_moved(driver: Start, tmp_path: Path) -> None:
    path = kinds.write(tmp_path, "kinds")
    robot = driver(path, command_delay_s=0.04)
    found = measured(path, attached(robot), count=4)
    assert list(found.groups) == ["arm_controller", "wrist_1", "wrist_2"], "an effort is left alone"
    assert all(0.04 <= group.round_trip_s.p50 <= 0.1 for group in found.groups.values())
    assert "Refused" not in robot.text()


def test_a_drive(driver: Start, tmp_path: Path) -> None:
    path = kinds.write(tmp_path, "drive")
    text = path.read_text()
    path.write_text(text + "channels: []\n")
    robot = driver(path, command_delay_s=0.04)
    found = measured(path, attached(robot), count=4)
    assert 0.04 <= found.groups["diff_drive_controller"].round_trip_s.p50 <= 0.12


def test_a_joint_that_does_not_move(driver: Start) -> None:
    robot = driver("arm", stuck="elbow_joint")
    with pytest.raises(MeasurementError) as error:
        measured("arm", attached(robot))
    assert str(error.value) == (
        "group 'arm': joint 'elbow_joint' did not move; got no state within 3 s in which it had; expected "
        "elbow_joint/position to be obeyed, a way of 0.02; Look whether its controller is active and the robot "
        "enabled, or move it further: --size."
    )


def test_somebody_else_commands(driver: Start) -> None:
    robot = driver("arm")
    publisher = robot.client.node.create_publisher(JointState, "joint_command", 10)
    robot.client.until(publisher.get_subscription_count, "the robot")
    with pytest.raises(MeasurementError) as error:
        measured("arm", attached(robot))
    assert str(error.value) == (
        "somebody else commands the robot; got /driver_client; expected nobody; End the other program while you "
        "measure."
    )
