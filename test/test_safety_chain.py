"""The whole chain: an environment, the safety node, and a robot that is not ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapter_tools import make
from driver_tools import driver_processes
from ros_gym_bridge import load_robot
from ros_gym_bridge.kinematics import tip_position
from safety_tools import safety_node

JOINTS = "[shoulder_pan_joint, shoulder_lift_joint, elbow_joint, wrist_1_joint, wrist_2_joint, wrist_3_joint]"
BOX = "workspace: {lower: [0.1, -0.2, 0.1], upper: [0.5, 0.2, 0.8]}"
GROUPS = {
    "positions": f"{{name: arm, joints: {JOINTS}}}",
    "trajectories": f"{{name: arm_controller, kind: joint_trajectory, joints: {JOINTS}}}",
    "velocities": f"{{name: arm, interface: velocity, message: std_msgs/msg/Float64MultiArray, joints: {JOINTS}}}",
}


@pytest.mark.parametrize(
    "name",
    [
        "trajectories",
        pytest.param("positions", marks=pytest.mark.slow),
        pytest.param("velocities", marks=pytest.mark.slow),
    ],
)
def test_reset_and_episodes(domain_id: int, tmp_path: Path, name: str) -> None:
    path = tmp_path / "guarded_arm.yaml"
    path.write_text(
        f"extends: arm\nname: guarded_arm\nreset: {{velocity_fraction: 0.5, settle_s: 0.1}}\n"
        f"safety: {{{BOX}}}\nactuators: [{GROUPS[name]}]\n"
    )
    robot = load_robot(path)
    box, tip = robot.config.safety.workspace, tip_position(robot.model, "tool0", robot.spec.joints)
    assert box is not None
    actions = np.random.default_rng(3)
    action = np.zeros(6, np.float32)
    places: list[Any] = []
    with driver_processes(domain_id, tmp_path) as start, safety_node(domain_id, path) as node:
        start(path, start={"elbow_joint": 1.3, "wrist_1_joint": 1.0})
        env = make(
            "Reach",
            robot=str(path),
            backend="topics",
            attach=True,
            stepping="realtime",
            domain_id=domain_id,
            command_prefix="agent",
            connect_timeout_s=20.0,
            time_limit_s=60.0,
        )
        try:
            env.reset(seed=0)
            state = env.unwrapped.robot._state  # type: ignore[attr-defined]
            assert np.max(np.abs(state.position - robot.spec.home)) <= 0.02, "it has moved home, through the node"
            for step in range(75):
                if step % 15 == 0:
                    action = actions.uniform(-1.0, 1.0, 6).astype(np.float32)
                env.step(action)
                state = env.unwrapped.robot._state  # type: ignore[attr-defined]
                places.append(tip(state.position.tolist()))
        finally:
            env.close()
        assert "Refused" not in node.text()
    slack = 0.05  # by velocity, a driver with lag goes on a little behind the wall; by position, it lags
    assert (np.array(places) >= np.array(box.lower) - slack).all()
    assert (np.array(places) <= np.array(box.upper) + slack).all()
    assert (np.ptp(places, axis=0) > 0.1).any(), "it has moved"
