"""A differential drive is offered where a model is one beyond doubt, and then it drives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.drives import DriveGuess, guess_drive
from ros_gym_bridge.groups import DiffDrive
from ros_gym_bridge.guesses import guess_joints
from ros_gym_bridge.model import RobotModel, model_from_text
from ros_gym_bridge.new_robot import NewRobot, of_robot, write
from ros_gym_bridge.robot import Command, read_only
from ros_gym_bridge.sim.sim_robot import SimRobot

LIMIT = '<limit velocity="5" effort="3"/>'
RANGE = '<limit lower="-1" upper="1" velocity="5" effort="3"/>'
DISC = '<cylinder radius="0.1" length="0.04"/>'
TURNED = "1.5707963267948966 0 0"  # a cylinder's axis lies along y then


def link(name: str, shape: str = "", rpy: str = "0 0 0", at: str = "0 0 0", seen: bool = False) -> str:
    tag = "visual" if seen else "collision"
    inertia = '<inertia ixx="0.1" iyy="0.1" izz="0.1" ixy="0" ixz="0" iyz="0"/>'
    body = f'<{tag}><origin xyz="{at}" rpy="{rpy}"/><geometry>{shape}</geometry></{tag}>' if shape else ""
    return f'<link name="{name}"><inertial><mass value="1"/>{inertia}</inertial>{body}</link>'


def joint(
    name: str, parent: str, at: str, axis: str = "0 1 0", kind: str = "continuous", limit: str = LIMIT, rpy: str = ""
) -> str:
    """A joint that holds the link of its own name."""
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{name}"/><axis xyz="{axis}"/>'
        f'<origin xyz="{at}" rpy="{rpy or "0 0 0"}"/>{limit}</joint>'
    )


def turned(name: str, at: str) -> str:
    """A wheel that turns about the z axis of its frame, which points to the left."""
    return link(name, DISC) + joint(name, "base", at, "0 0 1", rpy="-1.5707963267948966 0 0")


def wheel(name: str, at: str, shape: str = DISC, axis: str = "0 1 0", rpy: str = TURNED, seen: bool = False) -> str:
    return link(name, shape, rpy, seen=seen) + joint(name, "base", at, axis)


LEFT, RIGHT = wheel("left", "0 0.2 0.1"), wheel("right", "0 -0.2 0.1")


def guessed(*parts: str) -> DriveGuess | None:
    model: RobotModel = model_from_text(f'<robot name="r">{link("base")}{"".join(parts)}</robot>')
    return guess_drive(model, guess_joints(model, True))


def test_two_wheels_are_a_drive() -> None:
    """Half of what they can do for each of the two speeds: 5 rad/s of 0.1 m, 0.4 m apart."""
    drive = guessed(LEFT, RIGHT)
    assert drive is not None
    assert (drive.left, drive.right, drive.casters) == (("left",), ("right",), ())
    assert (drive.separation, drive.radius) == pytest.approx((0.4, 0.1))
    assert (drive.linear, drive.angular) == pytest.approx((0.25, 1.25))


@pytest.mark.parametrize(
    "wheels",
    [
        (RIGHT, LEFT),
        [wheel(name, f"0 {y} 0", '<sphere radius="0.1"/>') for name, y in (("a", 0.2), ("b", -0.2))],
        [wheel(name, f"0 {y} 0", seen=True) for name, y in (("a", 0.2), ("b", -0.2))],
        [wheel(f"w{i}", f"{x} {y} 0") for i, (x, y) in enumerate([(0.3, 0.2), (-0.3, 0.2), (0.3, -0.2), (-0.3, -0.2)])],
        (turned("a", "0 0.2 0"), turned("b", "0 -0.2 0")),
        [LEFT, RIGHT, link("mast") + joint("mast", "base", "0 0 1", "0 0 1"), "<!-- a scanner turns upright -->"],
        [LEFT, RIGHT, link("lift") + joint("lift", "base", "0 0 1", "0 0 1", "prismatic", RANGE)],
    ],
    ids=["order", "spheres", "seen", "four", "turned", "scanner", "lift"],
)  # fmt: skip
def test_other_drives(wheels: Sequence[str]) -> None:
    drive = guessed(*wheels)
    assert drive is not None
    assert len(drive.left) == len(drive.right) == len([part for part in wheels if part.count("radius")]) / 2
    assert (drive.separation, drive.radius, drive.casters) == (pytest.approx(0.4), pytest.approx(0.1), ())


def fork(kind: str = "continuous", limit: str = "") -> str:
    """A wheel behind a swivel."""
    wheels = link("roll", DISC, TURNED) + joint("roll", "fork", "-0.05 0 -0.1", limit="")
    return link("fork") + joint("fork", "base", "-0.3 0 0", "0 0 1", kind, limit) + wheels


def test_casters_have_no_motors(tmp_path: Path) -> None:
    drive = guessed(LEFT, RIGHT, fork())
    assert drive is not None
    assert drive.casters == ("fork", "roll")
    path = tmp_path / "model.urdf"
    path.write_text(f'<robot name="r">{link("base")}{LEFT}{RIGHT}{fork()}</robot>')
    text = write(NewRobot(str(path)), tmp_path / "new.yaml").read_text()
    assert "  - {name: fork, home: 0.0}  # no motor: of a caster\n" in text
    assert [group.commanded for group in load_robot(tmp_path / "new.yaml").config.actuators] == [("left", "right")]


@pytest.mark.parametrize(
    "parts",
    [
        (LEFT,),
        (LEFT, wheel("right", "0 0.3 0.1")),
        (LEFT, wheel("right", "0 -0.25 0.1")),
        (LEFT, wheel("right", "0.1 -0.2 0.1")),
        (LEFT, wheel("right", "0 -0.2 0.15")),
        (LEFT, wheel("right", "0 -0.2 0.1", '<cylinder radius="0.12" length="0.04"/>')),
        (LEFT, wheel("right", "0 -0.2 0.1", '<box size="0.2 0.2 0.2"/>')),
        (LEFT, wheel("right", "0 -0.2 0.1", rpy="0 0 0")),
        (LEFT, wheel("right", "0 -0.2 0.1", axis="0 -1 0")),
        [wheel(name, f"{x} 0 0", axis="1 0 0", rpy="0 1.5707963267948966 0") for name, x in (("a", 0.2), ("b", -0.2))],
        (LEFT, RIGHT, wheel("middle", "0.3 0 0.1")),
        (LEFT, RIGHT, link("tip") + joint("tip", "left", "0 0 0.1", kind="revolute", limit=RANGE)),
        (LEFT, RIGHT, fork("revolute", RANGE)),
        (LEFT, RIGHT, fork(limit=LIMIT)),
    ],
    ids=[
        *("one", "both left", "lopsided", "askew", "uneven", "of two sizes", "square", "flat", "backwards", "sideways"),
        *("a third", "more than a wheel", "steered", "steered without end"),
    ],
)
def test_where_there_is_doubt_there_is_none(parts: Sequence[str]) -> None:
    assert guessed(*parts) is None


def heading(robot: SimRobot) -> tuple[float, float, float]:
    """x, y (m) and yaw (rad) of the root link."""
    (x, y, _), (qx, qy, qz, qw) = robot.body_poses()[""]
    return x, y, math.atan2(2.0 * (qw * qz + qx * qy), 1.0 - 2.0 * (qy * qy + qz * qz))


@pytest.mark.parametrize(("model", "share"), [("rover", 0.8), ("pybullet_data://husky/husky.urdf", 0.05)])
def test_a_new_robot_drives_ahead_and_turns_left(model: str, share: float, tmp_path: Path) -> None:
    """Four wheels slip when they turn: then the share of what the wheels say is small."""
    new = of_robot(model) if "/" not in model else NewRobot(model)
    robot_file = load_robot(write(new, tmp_path / "new.yaml"))
    (group,) = robot_file.config.actuators
    assert isinstance(group, DiffDrive)
    robot = SimRobot(robot_file)
    spec = robot.spec
    assert [entry.name for entry in spec.commands] == ["diff_drive_controller/linear", "diff_drive_controller/angular"]

    def drive(linear: float, angular: float, seconds: float) -> None:
        command, state = read_only([linear, angular]), robot.reset(seed=0)
        for _ in range(round(seconds * spec.control_hz)):
            state = robot.step(Command(command, state.stamp_ns))
            assert np.isfinite(state.position).all()

    try:
        linear, angular = 0.5 * spec.command_high
        drive(linear, 0.0, 2.0)
        x, y, yaw = heading(robot)
        assert x == pytest.approx(2.0 * linear, rel=0.25), "it speeds up first"
        assert (y, yaw) == pytest.approx((0.0, 0.0), abs=0.02)
        drive(0.0, angular, 0.8)
        x, y, yaw = heading(robot)
        assert share * 0.8 * angular < yaw < 0.8 * angular
        assert math.hypot(x, y) < 0.3
    finally:
        robot.close()
