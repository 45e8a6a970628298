"""What our reading of MJCF gives is what MuJoCo computes: masses, places, and the inertia that every joint feels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pybullet
import pytest
from pybullet_utils.bullet_client import BulletClient

from ros_gym_bridge.model import read_model, resolve_uri
from ros_gym_bridge.physics_text import physics_text

pytestmark = pytest.mark.slow

OURS = """<mujoco>
  <compiler eulerseq="zyx"/>
  <default><geom density="700"/><default class="leg"><geom type="capsule" size="0.05 0.2"/></default></default>
  <worldbody>
    <body name="base" pos="0 0 1" euler="10 20 30">
      <geom type="box" size="0.2 0.3 0.1" euler="0 45 0"/><geom size="0.1" pos="0.3 0 0" mass="2"/>
      <body name="arm" pos="0.2 0.1 0" axisangle="1 2 3 40" childclass="leg">
        <joint name="a" axis="1 1 0" pos="0.1 0.2 0.3"/><joint name="b" type="slide" axis="0 1 1" ref="0.1"/>
        <joint name="c" axis="0 0 1" pos="0 0.1 0"/>
        <geom zaxis="1 1 0" pos="0 0 0.1"/><geom type="cylinder" size="0.03 0.2" fromto="0 0 0 0.1 0.2 0.3"/>
        <frame pos="0 0 0.4" euler="0 0 50">
          <body name="hand" pos="0.1 0 0" xyaxes="0 1 0 0 0 1">
            <joint name="d" range="-40 40" axis="1 0 0"/>
            <inertial pos="0.1 0 0" quat="1 2 3 4" mass="1.5" diaginertia="0.02 0.03 0.04"/><geom/>
          </body>
        </frame>
        <body name="fork"><joint name="e" axis="0 1 0"/>
          <inertial pos="0 0.1 0" mass="1" fullinertia="0.02 0.03 0.04 0.001 0.002 0.003"/>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>"""
FILES = ["ant", "humanoid", "humanoid_symmetric_no_ground", "inverted_pendulum", "inverted_double_pendulum"]


@pytest.fixture(params=["ours", *FILES])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param != "ours":
        return resolve_uri(f"pybullet_data://mjcf/{request.param}.xml", Path("/"))
    path = tmp_path / "ours.xml"
    path.write_text(OURS)
    return path


def test_masses_places_and_inertia_are_those_of_mujoco(path: Path, tmp_path: Path) -> None:
    import mujoco

    theirs = mujoco.MjModel.from_xml_path(str(path))
    data = mujoco.MjData(theirs)
    model = read_model(path)
    urdf = tmp_path / "robot.urdf"
    urdf.write_text(physics_text(model))
    client: Any = BulletClient(pybullet.DIRECT)
    try:
        place = model.position, pybullet.getQuaternionFromEuler(model.rpy)
        flags = pybullet.URDF_USE_INERTIA_FROM_FILE
        body = client.loadURDF(str(urdf), *place, useFixedBase=True, flags=flags)
        every = [client.getJointInfo(body, i) for i in range(client.getNumJoints(body))]
        infos = {info[1].decode(): info for info in every}
        moving = {name: info for name, info in infos.items() if info[2] != pybullet.JOINT_FIXED}
        rng = np.random.default_rng(0)
        positions = dict(zip(moving, rng.uniform(-0.5, 0.5, len(moving)).tolist(), strict=True))
        joints = {name: mujoco.mj_name2id(theirs, mujoco.mjtObj.mjOBJ_JOINT, name) for name in moving}
        for name, position in positions.items():
            client.resetJointState(body, moving[name][0], position)
            at = theirs.jnt_qposadr[joints[name]]
            data.qpos[at] = theirs.qpos0[at] + position
            if theirs.jnt_limited[joints[name]]:
                ends = theirs.jnt_range[joints[name]] - theirs.qpos0[at]
                assert moving[name][8:10] == pytest.approx(ends, abs=1e-9), name
        mujoco.mj_forward(theirs, data)
        for info in infos.values():
            link = mujoco.mj_name2id(theirs, mujoco.mjtObj.mjOBJ_BODY, info[12].decode())
            if link > 0:
                assert client.getDynamicsInfo(body, info[0])[0] == pytest.approx(theirs.body_mass[link], rel=1e-9)
                centre = client.getLinkState(body, info[0], computeForwardKinematics=1)[0]
                assert centre == pytest.approx(data.xipos[link], abs=1e-9), info[12]
        full = np.zeros((theirs.nv, theirs.nv))
        mujoco.mj_fullM(theirs, full, data.qM)
        rows = [theirs.jnt_dofadr[joint] for joint in joints.values()]
        felt = (full - np.diag(theirs.dof_armature))[np.ix_(rows, rows)]
        matrix = np.array(client.calculateMassMatrix(body, list(positions.values())))
        assert matrix == pytest.approx(felt, abs=1e-9 * np.abs(felt).max())
    finally:
        client.disconnect()
