"""What PyBullet is given: links that are only frames must not weigh anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pybullet
import pytest
from pybullet_utils.bullet_client import BulletClient

from ros_gym_bridge.model import RobotModel, read_model
from ros_gym_bridge.physics_text import physics_text

BODY = """<link name="body">
  <inertial>
    <origin xyz="0.1 0 0"/><mass value="5"/><inertia ixx="0.1" ixy="0" ixz="0" iyy="0.2" iyz="0" izz="0.3"/>
  </inertial>
  <collision><geometry><box size="0.4 0.3 0.2"/></geometry></collision>
</link>"""
FRAMES = """<link name="{root}"/>
<joint name="base_joint" type="fixed"><parent link="{root}"/><child link="body"/></joint>
<joint name="tip_joint" type="fixed"><origin xyz="1 0 0"/><parent link="body"/><child link="tip"/></joint>
<link name="tip"/>"""
ARM = """<link name="root"/><link name="arm"/>
<joint name="hinge" type="continuous"><parent link="root"/><child link="arm"/><axis xyz="0 0 1"/></joint>"""


@pytest.fixture
def client() -> Iterator[Any]:
    client = BulletClient(pybullet.DIRECT)
    yield client
    client.disconnect()


def model(parts: str, folder: Path) -> RobotModel:
    path = folder / "robot.urdf"
    path.write_text(f'<robot name="r">{parts}</robot>')
    return read_model(path)


def load(client: Any, text: str, folder: Path) -> int:
    """Alone in the world. (PyBullet remembers files by name: every text gets one of its own.)"""
    client.resetSimulation()
    client.setTimeStep(1 / 500)
    path = folder / f"{len(list(folder.iterdir()))}.urdf"
    path.write_text(text)
    body = client.loadURDF(str(path), flags=pybullet.URDF_USE_INERTIA_FROM_FILE)
    client.changeDynamics(body, -1, linearDamping=0.0, angularDamping=0.0)
    return int(body)


def tumble(client: Any, body: int) -> Any:
    """Orientation after a second without gravity."""
    client.resetBaseVelocity(body, (0.0, 0.0, 0.0), (1.0, 2.0, 3.0))
    for _ in range(500):
        client.stepSimulation()
    return client.getBasePositionAndOrientation(body)[1]


def masses(client: Any, body: int) -> dict[str, float]:
    names = {-1: client.getBodyInfo(body)[0].decode()}
    names |= {i: client.getJointInfo(body, i)[12].decode() for i in range(client.getNumJoints(body))}
    return {name: client.getDynamicsInfo(body, index)[0] for index, name in names.items()}


def test_a_body_tumbles_as_it_does_without_its_frames(client: Any, tmp_path: Path) -> None:
    alone = tumble(client, load(client, physics_text(model(BODY, tmp_path)), tmp_path))
    framed = load(client, physics_text(model(BODY + FRAMES.format(root="base"), tmp_path)), tmp_path)
    assert masses(client, framed) == {"base": 1e-6, "body": 5.0, "tip": 0.0}
    assert tumble(client, framed) == pytest.approx(alone, abs=1e-4)


def test_pybullet_by_itself_makes_frames_heavy(client: Any, tmp_path: Path) -> None:
    """Why the text is changed."""
    framed = load(client, model(BODY + FRAMES.format(root="base"), tmp_path).text, tmp_path)
    assert masses(client, framed) == {"base": 1.0, "body": 5.0, "tip": 1.0}


def test_a_root_named_world_stays_fixed(client: Any, tmp_path: Path) -> None:
    body = load(client, physics_text(model(BODY + FRAMES.format(root="world"), tmp_path)), tmp_path)
    assert masses(client, body) == {"world": 0.0, "body": 5.0, "tip": 0.0}
    client.setGravity(0.0, 0.0, -9.81)
    for _ in range(10):
        client.stepSimulation()
    assert client.getBasePositionAndOrientation(body)[0] == (0.0, 0.0, 0.0)


def test_links_that_move_against_each_other_keep_what_pybullet_gives_them(client: Any, tmp_path: Path) -> None:
    robot = model(ARM, tmp_path)
    assert physics_text(robot) == robot.text
    assert masses(client, load(client, physics_text(robot), tmp_path)) == {"root": 1.0, "arm": 1.0}
