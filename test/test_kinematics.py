"""Forward kinematics against matrices worked out here in another way, and against PyBullet."""

from __future__ import annotations

import functools
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pybullet
import pytest
from pybullet_utils.bullet_client import BulletClient

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.kinematics import joint_transform, tip_jacobian, tip_position
from ros_gym_bridge.model import Joint, RobotModel, read_model, resolve_uri

Matrix = npt.NDArray[np.float64]
ROBOTS = {
    "panda": ("pybullet_data://franka_panda/panda.urdf", "panda_grasptarget"),
    "arm": ("package://ros_gym_bridge/urdf/arm.urdf", "tool0"),
    "cartpole": ("package://ros_gym_bridge/urdf/cartpole.urdf", "pole"),
}
# PyBullet hands out link states with the precision of a 32-bit float.
SINGLE = 2e-7


@functools.cache
def robot(name: str) -> RobotModel:
    return read_model(resolve_uri(ROBOTS[name][0], Path("/")))


def names(model: RobotModel) -> list[str]:
    return [joint.name for joint in model.movable]


def random_positions(model: RobotModel, count: int) -> Iterator[list[float]]:
    generator = np.random.default_rng(7)
    for _ in range(count):
        yield [float(generator.uniform(max(joint.lower, -7), min(joint.upper, 7))) for joint in model.movable]


def turned(axis: Sequence[float], angle: float) -> Matrix:
    """A rotation by Rodrigues' formula."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross)


def frame(joint: Joint, position: float) -> Matrix:
    """Parent to child as a 4x4 matrix."""
    roll, pitch, yaw = joint.rpy
    fixed = turned((0, 0, 1), yaw) @ turned((0, 1, 0), pitch) @ turned((1, 0, 0), roll)
    matrix, axis = np.eye(4), np.array(joint.axis)
    matrix[:3, :3] = fixed @ turned(joint.axis, position if joint.type in ("revolute", "continuous") else 0)
    matrix[:3, 3] = joint.xyz + fixed @ axis * (position if joint.type == "prismatic" else 0)
    return matrix


def frames(model: RobotModel, tip: str, at: dict[str, float]) -> list[tuple[Joint, Matrix]]:
    """Every joint from the root to the tip with its child frame in the root's."""
    matrix, found = np.eye(4), []
    for joint in model.chain(tip):
        matrix = matrix @ frame(joint, at.get(joint.name, 0.0))
        found.append((joint, matrix))
    return found


def chain(folder: Path, seed: int) -> RobotModel:
    """Eight joints of all types with arbitrary frames and axes."""
    generator = np.random.default_rng(seed)
    text = '<robot name="snake"><link name="l0"/>\n'
    for i, kind in enumerate(generator.permutation(["revolute", "continuous", "prismatic", "fixed"] * 2)):
        x, y, z, *rpy = generator.uniform(-2, 2, 6)
        axis = generator.normal(size=3)
        axis /= np.linalg.norm(axis)
        text += (
            f'<link name="l{i + 1}"/><joint name="j{i}" type="{kind}"><parent link="l{i}"/><child link="l{i + 1}"/>'
            f'<origin xyz="{x} {y} {z}" rpy="{rpy[0]} {rpy[1]} {rpy[2]}"/><axis xyz="{axis[0]} {axis[1]} {axis[2]}"/>'
            '<limit lower="-3" upper="3" velocity="1" effort="1"/></joint>\n'
        )
    path = folder / f"snake{seed}.urdf"
    path.write_text(text + "</robot>")
    return read_model(path)


@pytest.mark.parametrize("name", ROBOTS)
def test_tip_position_agrees_with_matrices(name: str) -> None:
    model, tip = robot(name), ROBOTS[name][1]
    function = tip_position(model, tip, names(model))
    for positions in random_positions(model, 50):
        expected = frames(model, tip, dict(zip(names(model), positions, strict=True)))[-1][1][:3, 3]
        # what counts as zero costs up to 1e-11 a joint
        assert function(positions) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("seed", range(20))
def test_tip_position_of_arbitrary_chains(seed: int, tmp_path: Path) -> None:
    model = chain(tmp_path, seed)
    for tip in model.links[1:]:
        function = tip_position(model, tip, names(model))
        for positions in random_positions(model, 3):
            expected = frames(model, tip, dict(zip(names(model), positions, strict=True)))[-1][1][:3, 3]
            assert function(positions) == pytest.approx(expected, abs=1e-12)


@pytest.fixture
def client() -> Iterator[Any]:
    bullet = BulletClient(connection_mode=pybullet.DIRECT)
    yield bullet
    bullet.disconnect()


@pytest.mark.parametrize("name", ROBOTS)
def test_pybullet_sees_every_link_where_we_see_it(name: str, client: Any) -> None:
    model = robot(name)
    body = client.loadURDF(str(model.path), useFixedBase=True)
    # PyBullet reports the frame of the base's centre of mass and the URDF frames of all other links
    shift, turn = client.getDynamicsInfo(body, -1)[3:5]
    client.resetBasePositionAndOrientation(body, shift, turn)
    info = [client.getJointInfo(body, index) for index in range(client.getNumJoints(body))]
    joint_index = {each[1].decode(): each[0] for each in info}
    link_index = {each[12].decode(): each[0] for each in info}
    functions = {link: tip_position(model, link, names(model)) for link in link_index}
    for positions in random_positions(model, 20):
        at = dict(zip(names(model), positions, strict=True))
        for joint, position in at.items():
            client.resetJointState(body, joint_index[joint], position)
        for link, index in link_index.items():
            xyz, xyzw = client.getLinkState(body, index, computeForwardKinematics=1)[4:6]
            assert functions[link](positions) == pytest.approx(xyz, abs=SINGLE)
            translation, rotation = composed(model, link, at)
            assert translation == pytest.approx(xyz, abs=SINGLE)
            assert abs(float(np.dot(rotation, xyzw))) == pytest.approx(1, abs=SINGLE)


def composed(model: RobotModel, tip: str, at: dict[str, float]) -> tuple[Matrix, Matrix]:
    """The chain of `joint_transform`: what a listener of `/tf` works out."""
    translation, rotation = np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0])
    for joint in model.chain(tip):
        step, turn = joint_transform(joint, at.get(joint.name, 0.0))
        translation = translation + matrix_of(rotation) @ step
        rotation = multiplied(rotation, np.array(turn))
    return translation, rotation


def multiplied(a: Matrix, b: Matrix) -> Matrix:
    vector = a[3] * b[:3] + b[3] * a[:3] + np.cross(a[:3], b[:3])
    return np.append(vector, a[3] * b[3] - a[:3] @ b[:3])


def matrix_of(quaternion: Sequence[float] | Matrix) -> Matrix:
    x, y, z, w = quaternion
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + 2 * w * cross + 2 * cross @ cross)


@pytest.mark.parametrize("seed", range(5))
def test_joint_transform_is_the_joint_s_frame(seed: int, tmp_path: Path) -> None:
    for joint in chain(tmp_path, seed).joints:
        for position in (0.0, 0.3, -2.5, 9.0):
            translation, rotation = joint_transform(joint, position)
            expected = frame(joint, position)
            assert translation == pytest.approx(expected[:3, 3], abs=1e-14)
            assert matrix_of(rotation) == pytest.approx(expected[:3, :3], abs=1e-14)
            assert math.hypot(*rotation) == pytest.approx(1, abs=1e-15)
            assert {type(value) for value in (*translation, *rotation)} == {float}


def test_a_fixed_joint_ignores_its_position(tmp_path: Path) -> None:
    fixed = next(joint for joint in chain(tmp_path, 0).joints if joint.type == "fixed")
    assert joint_transform(fixed, 1.0) == joint_transform(fixed) == (fixed.xyz, fixed.quaternion)


def test_joints_that_are_not_listed_stand_at_zero() -> None:
    model, tip = robot("arm"), "tool0"
    some = ["elbow_joint", "shoulder_pan_joint"]
    reference = tip_position(model, tip, names(model))
    assert tip_position(model, tip, some)([0.7, 0.4]) == pytest.approx(reference([0.4, 0, 0.7, 0, 0, 0]), abs=1e-15)
    assert tip_position(model, tip, [])([]) == pytest.approx(reference([0.0] * 6), abs=1e-15)


def test_joints_that_do_not_move_the_tip_are_taken_and_ignored() -> None:
    model = robot("arm")
    elbow = tip_position(model, "forearm_link", names(model))
    assert elbow([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) == elbow([0.1, 0.2, -1.0, 0.0, 0.0, 0.0])
    assert tip_position(model, "base_link", names(model))([1.0] * 6) == (0.0, 0.0, 0.0)


def test_positions_may_be_any_sequence() -> None:
    model = robot("panda")
    function = tip_position(model, "panda_hand", names(model))
    positions = next(random_positions(model, 1))
    assert function(tuple(positions)) == function(positions) == function(np.array(positions))  # type: ignore[arg-type]


def test_another_number_of_positions_is_refused() -> None:
    function = tip_position(robot("arm"), "tool0", names(robot("arm")))
    with pytest.raises(ValueError, match=r"^not enough values to unpack \(expected 6, got 5\)$"):
        function([0.0] * 5)
    with pytest.raises(ValueError, match=r"^too many values to unpack \(expected 6.*\)$"):
        function([0.0] * 7)


def test_unknown_and_repeated_names_are_refused() -> None:
    model = robot("arm")
    joints, links = ", ".join(joint.name for joint in model.joints), ", ".join(model.links)
    with pytest.raises(ModelError) as joint:
        tip_position(model, "tool0", ["elbow"])
    with pytest.raises(ModelError) as link:
        tip_position(model, "tool", [])
    with pytest.raises(ModelError) as twice:
        tip_position(model, "tool0", ["elbow_joint", "wrist_1_joint", "elbow_joint"])
    assert str(joint.value) == (
        f"{model.path}: no such joint; got 'elbow'; expected one of {joints}; Perhaps 'elbow_joint' is meant."
    )
    assert str(link.value) == (
        f"{model.path}: no such link; got 'tool'; expected one of {links}; Perhaps 'tool0' is meant."
    )
    assert str(twice.value) == (
        f"{model.path}: a joint is named twice; got 'elbow_joint'; expected every joint once; Remove one of them."
    )


BITS = """
import sys
from pathlib import Path
from ros_gym_bridge.kinematics import tip_position
from ros_gym_bridge.model import read_model
model = read_model(Path(sys.argv[1]))
function = tip_position(model, sys.argv[2], [joint.name for joint in model.movable])
print(*(x.hex() for k in range(50) for x in function([0.1 * k - 0.3 * i for i in range(len(model.movable))])))
"""


@pytest.mark.parametrize("name", ROBOTS)
def test_the_same_bits_in_every_process(name: str) -> None:
    def bits(seed: str) -> str:
        command = [sys.executable, "-c", BITS, str(robot(name).path), ROBOTS[name][1]]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    first = bits("1")
    assert len(set(first.split())) > 1
    assert bits("2") == first


@pytest.mark.parametrize("name", ROBOTS)
def test_jacobian_agrees_with_geometry(name: str) -> None:
    model, tip = robot(name), ROBOTS[name][1]
    function = tip_jacobian(model, tip, names(model))
    for positions in random_positions(model, 10):
        chain = frames(model, tip, dict(zip(names(model), positions, strict=True)))
        expected = np.zeros((3, len(positions)))
        for joint, matrix in chain:
            if joint.name in names(model):
                axis, arm = matrix[:3, :3] @ joint.axis, chain[-1][1][:3, 3] - matrix[:3, 3]
                column = axis if joint.type == "prismatic" else np.cross(axis, arm)
                expected[:, names(model).index(joint.name)] = column
        found = function(positions)
        assert found.shape == (3, len(positions))
        assert found.dtype == np.float64
        assert found == pytest.approx(expected, abs=1e-9)


def test_what_is_constant_is_worked_out_beforehand() -> None:
    """The last joint turns about the line through the tip: no sine is spent on it, nor on what comes after it."""
    from ros_gym_bridge.kinematics import _source

    source = _source(robot("panda"), "panda_grasptarget", names(robot("panda")))
    assert source.count("sin(q") == source.count("cos(q") == 6
    assert source.count("*") <= 24
