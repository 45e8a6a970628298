"""SDF and MJCF files move as PyBullet's own importers let them move, as far as these read them right.

What they read otherwise than the format says, we do not follow. `loadSDF` replaces the inertia of the file by that of
boxes around the shapes. `loadMJCF` does so, too; besides it ignores densities (its ant weighs 182 kg, MuJoCo's
0.6 kg), default classes, joints and geoms without a type, and moves along an axis that is no unit vector at another
speed. So the files below are those that it reads right, and moments are made equal before the race; that they are
right, and that the ant is, is tested in test_sdf.py and test_mjcf.py, and against MuJoCo in test_mujoco.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pybullet
import pytest
from pybullet_utils.bullet_client import BulletClient

from ros_gym_bridge.model import RobotModel, read_model, resolve_uri
from ros_gym_bridge.physics_text import physics_text

FILES = [
    "kuka_iiwa/model.sdf",
    "kuka_iiwa/kuka_with_gripper2.sdf",
    "gripper/wsg50_one_motor_gripper_new_free_base.sdf",
    "mjcf/hopper.xml",
    "mjcf/walker2d.xml",
    "mjcf/swimmer.xml",
    "mjcf/inverted_pendulum.xml",
    "mjcf/inverted_double_pendulum.xml",
]


@pytest.fixture
def client() -> Iterator[Any]:
    client = BulletClient(pybullet.DIRECT)
    yield client
    client.disconnect()


class Loaded:
    """A body in a world of its own: its links and joints by name, without motors or damping."""

    def __init__(self, client: Any, body: int) -> None:
        self.client, self.body = client, body
        infos = [client.getJointInfo(body, i) for i in range(client.getNumJoints(body))]
        self.links = {info[12].decode(): info[0] for info in infos} | {client.getBodyInfo(body)[0].decode(): -1}
        self.joints = {info[1].decode(): info[0] for info in infos if info[2] != pybullet.JOINT_FIXED}
        client.changeDynamics(body, -1, linearDamping=0.0, angularDamping=0.0)
        for i in range(len(infos)):
            client.changeDynamics(body, i, jointDamping=0.0)
        for i in self.joints.values():
            client.setJointMotorControl2(body, i, pybullet.VELOCITY_CONTROL, force=0.0)

    def masses(self) -> dict[str, float]:
        found = {name: self.client.getDynamicsInfo(self.body, i)[0] for name, i in self.links.items()}
        return {name: mass for name, mass in found.items() if mass > 0.0}

    def weigh(self, masses: dict[str, float]) -> None:
        """Give every link a mass, and moments that are the same about every axis."""
        for name, mass in masses.items():
            self.client.changeDynamics(self.body, self.links[name], mass=mass)
            self.client.changeDynamics(self.body, self.links[name], localInertiaDiagonal=[0.02 * mass] * 3)

    def centres(self) -> dict[str, Any]:
        """Centre of mass of every link that weighs something, m in the world."""
        base = self.client.getBasePositionAndOrientation(self.body)
        indices = {name: self.links[name] for name in self.masses()}
        states = {
            name: base if i < 0 else self.client.getLinkState(self.body, i, computeForwardKinematics=1)
            for name, i in indices.items()
        }
        return {name: np.array(state[0]) for name, state in states.items()}

    def swing(self, start: dict[str, float]) -> Any:
        """Joint positions while it moves freely for a quarter of a second, every other joint with a push."""
        for i, (name, position) in enumerate(start.items()):
            self.client.resetJointState(self.body, self.joints[name], position, float(i % 2))
        positions = []
        for _ in range(60):
            self.client.stepSimulation()
            positions.append([self.client.getJointState(self.body, self.joints[name])[0] for name in start])
        return np.array(positions)


def world(client: Any) -> None:
    client.resetSimulation()
    client.setTimeStep(1 / 240)
    client.setGravity(0.0, 0.0, -9.81)


def theirs(client: Any, path: Path) -> Loaded:
    world(client)
    bodies = client.loadSDF(str(path)) if path.suffix == ".sdf" else client.loadMJCF(str(path))
    moving = max(bodies, key=client.getNumJoints)
    for body in set(bodies) - {moving}:
        client.removeBody(body)
    return Loaded(client, moving)


def ours(client: Any, model: RobotModel, folder: Path, fixed: bool) -> Loaded:
    world(client)
    path = folder / "robot.urdf"
    path.write_text(physics_text(model))
    place = model.position, pybullet.getQuaternionFromEuler(model.rpy)
    flags = pybullet.URDF_USE_INERTIA_FROM_FILE
    return Loaded(client, client.loadURDF(str(path), *place, useFixedBase=fixed, flags=flags))


@pytest.mark.parametrize("file", FILES)
def test_moves_as_what_pybullet_loads_by_itself(file: str, client: Any, tmp_path: Path) -> None:
    path = resolve_uri(f"pybullet_data://{file}", Path("/"))
    model = read_model(path)
    rng = np.random.default_rng(0)
    original = theirs(client, path)
    fixed = client.getDynamicsInfo(original.body, -1)[0] == 0.0
    limits = {name: client.getJointInfo(original.body, i)[8:10] for name, i in original.joints.items()}
    start = {name: float(np.clip(rng.uniform(-0.3, 0.3), *sorted(ends))) for name, ends in limits.items()}
    start |= {name: float(rng.uniform(-0.3, 0.3)) for name, ends in limits.items() if ends[0] >= ends[1]}
    masses = original.masses()
    converted = ours(client, model, tmp_path, fixed)
    assert set(converted.joints) == set(start)
    assert converted.masses() == pytest.approx(masses)
    masses = converted.masses()
    converted.weigh(masses)
    path_of_ours = converted.swing(start)
    centres = converted.centres()
    original = theirs(client, path)
    original.weigh(masses)
    assert np.abs(original.swing(start) - path_of_ours).max() < 1e-4
    assert np.ptp(path_of_ours, axis=0).max() > 0.05, "it moves"
    for name, centre in original.centres().items():
        assert centre == pytest.approx(centres[name], abs=1e-4), name
