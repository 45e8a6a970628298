"""Commands that reach the motors late, as they were measured on a robot; the same in process and over topics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapter_tools import episodes, first_difference, make
from ros_gym_bridge import load_robot
from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.measurement import (
    MeasuredGroup,
    MeasuredStates,
    Measurement,
    Statistics,
    read_measurement,
    write_measurement,
)
from ros_gym_bridge.noise import JointNoise
from ros_gym_bridge.robot import Command, read_only
from ros_gym_bridge.sim.late_commands import LateCommands
from ros_gym_bridge.sim.sim_robot import SimRobot

SPREAD = Statistics(count=20, mean=0.05, std=0.002, p50=0.05, p95=0.052, p99=0.053)
MEASURED = Measurement(
    robot="arm",
    measured_at="2026-11-25T08:00:00+00:00",
    groups={
        "arm": MeasuredGroup(
            joint="shoulder_pan_joint", move=0.02, command_latency_s=0.05, command_jitter_s=0.002, round_trip_s=SPREAD
        )
    },
    joint_states=MeasuredStates(rate_hz=250.0, period_s=SPREAD, noise=JointNoise(position=1e-4, velocity=1e-3)),
)


def arm(folder: Path, keys: str, name: str = "late") -> Path:
    """The arm at 250 Hz, so that a control period is one step of 4 ms, with keys for its group."""
    names = ", ".join(load_robot("arm").spec.joints)
    path = folder / f"{name}.yaml"
    path.write_text(
        f"extends: arm\nname: late\nrates: {{physics_hz: 500, control_hz: 250}}\n"
        f"actuators:\n  - {{name: arm, joints: [{names}]{keys}}}\n"
    )
    return path


def first_to_show(robot: SimRobot, seed: int = 0) -> int:
    """After how many control periods a joint has begun to move."""
    state = robot.reset(seed=seed)
    home = np.array(robot.spec.command_home)
    home[0] += 0.01
    for period in range(1, 200):
        state = robot.step(Command(read_only(home), state.stamp_ns))
        if abs(state.position[0]) > 1e-5:
            return period
    raise AssertionError("it has not moved")


@pytest.mark.parametrize(
    ("latency_s", "period"), [(0.0, 1), (0.004, 2), (0.005, 2), (0.0069, 2), (0.02, 6), (0.05, 13)]
)
def test_the_first_state_that_shows_a_command(tmp_path: Path, latency_s: float, period: int) -> None:
    """A command is there after whole physics steps of 2 ms: 6.9 ms are three, and the fourth shows it."""
    robot = SimRobot(load_robot(arm(tmp_path, f", command_latency_s: {latency_s}")))
    assert first_to_show(robot) == period
    assert first_to_show(robot) == period, "nothing of an episode reaches the next"
    robot.close()


def test_no_command_overtakes_another(tmp_path: Path) -> None:
    file = load_robot(arm(tmp_path, ", command_latency_s: 0.02, command_jitter_s: 0.02"))
    late = LateCommands(file)
    assert late.random
    late.begin(file.spec.command_home, np.random.default_rng(5))
    arrived, waits = [], []
    for step in range(2000):
        if step % 2 == 0:
            late.put(np.full(6, float(step)))
        news = late.step()
        if news is not None:
            arrived.append(news[0])
            waits.append(step - news[0])
    assert arrived == sorted(arrived)
    assert min(waits) >= 0.0
    assert np.std(waits) > 1.0, "it is drawn"


def test_groups_are_late_each_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        "extends: arm\nactuators:\n"
        "  - {name: a, joints: [shoulder_pan_joint, shoulder_lift_joint, elbow_joint], command_latency_s: 0.01}\n"
        "  - {name: b, joints: [wrist_1_joint, wrist_2_joint, wrist_3_joint]}\n"
    )
    late = LateCommands(load_robot(path))
    late.begin(np.zeros(6), None)
    late.put(np.ones(6))
    seen = []
    for _ in range(6):
        news = late.step()
        seen.append(None if news is None else news.tolist())
    assert seen == [[0.0, 0.0, 0.0, 1.0, 1.0, 1.0], None, None, None, None, [1.0] * 6]


def test_a_measurement_is_read(tmp_path: Path) -> None:
    write_measurement(tmp_path / "measured.yaml", MEASURED)
    assert read_measurement(tmp_path / "measured.yaml") == MEASURED
    path = tmp_path / "robot.yaml"
    path.write_text("extends: arm\nmeasured: measured.yaml\n")
    config = load_robot(path).config
    assert (config.actuators[0].command_latency_s, config.actuators[0].command_jitter_s) == (0.05, 0.002)
    assert config.joint_states.noise == JointNoise(position=1e-4, velocity=1e-3)
    assert config.measured is None, "it is part of the file now, which two sides compare"
    below = tmp_path / "elsewhere" / "robot.yaml"
    below.parent.mkdir()
    below.write_text("extends: ../robot.yaml\njoint_states: {noise: {position: 0.5}}\n")
    config = load_robot(below).config
    assert config.joint_states.noise == JointNoise(position=0.5), "what a robot file says itself goes before"
    assert config.actuators[0].command_latency_s == 0.05


def test_a_measurement_of_another_robot(tmp_path: Path) -> None:
    write_measurement(tmp_path / "measured.yaml", MEASURED)
    path = tmp_path / "robot.yaml"
    path.write_text("extends: kuka\nmeasured: measured.yaml\n")
    name = load_robot("kuka").config.actuators[0].name
    (tmp_path / "measured.yaml").write_text((tmp_path / "measured.yaml").read_text().replace("  arm:", "  legs:"))
    with pytest.raises(RobotFileError) as error:
        load_robot(path)
    expected = f"{tmp_path / 'measured.yaml'}: groups; got 'legs'; expected a group of {path}; Use one of {name}."
    assert str(error.value) == expected


def test_no_measurement(tmp_path: Path) -> None:
    path = tmp_path / "robot.yaml"
    path.write_text("extends: arm\nmeasured: nowhere.yaml\n")
    with pytest.raises(RobotFileError, match=r"nowhere\.yaml: not readable; got .*No such file"):
        load_robot(path)


@pytest.mark.parametrize("jitter", ["", ", command_jitter_s: 0.01"])
def test_in_process_equals_over_topics(tmp_path: Path, jitter: str) -> None:
    path = str(arm(tmp_path, f", command_latency_s: 0.03{jitter}"))
    seen = []
    for backend in ("sim", "topics"):
        env = make("Reach", robot=path, backend=backend, time_limit_s=0.4)
        seen.append(episodes(env, [(3, False), (None, False), (3, True)]))
        env.close()
    assert first_difference(*seen) == ""
