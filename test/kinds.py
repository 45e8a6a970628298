"""Robot files that are commanded in every way that there is, for the tests of commands."""

from __future__ import annotations

from pathlib import Path

from test_mimic import urdf

_DRIVE = """  - name: diff_drive_controller
    kind: diff_drive
    left_wheels: [left_wheel_joint]
    right_wheels: [right_wheel_joint]
    wheel_separation: 0.34
    wheel_radius: 0.08
    linear: {max_velocity: 0.5, max_acceleration: 2.0}
    angular: {max_velocity: 1.5, max_acceleration: 6.0}
"""
_HAND = """name: hand
model: {file: hand.urdf}
rates: {physics_hz: 500, control_hz: 25}
gravity: [0.0, 0.0, 0.0]
joints:
  - {name: finger_joint, home: 0.3}
  - {name: thumb_joint}
actuators:
"""
_ARM = "[shoulder_pan_joint, shoulder_lift_joint, elbow_joint]"
_WRIST = "[wrist_1_joint, wrist_2_joint, wrist_3_joint]"

FILES = {
    "path": f"""extends: arm
name: path
actuators:
  - {{name: arm_controller, kind: joint_trajectory, joints: {_ARM}}}
  - {{name: wrist_controller, kind: joint_trajectory, allow_partial: true, joints: {_WRIST}}}
""",
    "numbers": f"""extends: arm
name: numbers
actuators:
  - {{name: arm_controller, joints: {_ARM}, message: std_msgs/msg/Float64MultiArray}}
  - {{name: wrist_controller, interface: velocity, joints: {_WRIST}, message: std_msgs/msg/Float64MultiArray}}
""",
    "kinds": f"""extends: arm
name: kinds
actuators:
  - {{name: arm_controller, kind: joint_trajectory, joints: {_ARM}}}
  - {{name: wrist_1, joints: [wrist_1_joint]}}
  - {{name: wrist_2, interface: velocity, joints: [wrist_2_joint]}}
  - {{name: wrist_3, interface: effort, joints: [wrist_3_joint], topic: wrist_3/command}}
""",
    "drive": f"extends: rover\nname: drive\nactuators:\n{_DRIVE}",
    "rover": "extends: rover\n",
    "twist": f"extends: rover\nname: twist\nactuators:\n{_DRIVE}    message: geometry_msgs/msg/Twist\n",
    "gripper": _HAND + "  - {name: hand, joints: [finger_joint], max_effort: 15.0}\n",
    "pushed_gripper": _HAND + "  - {name: hand, interface: effort, joints: [finger_joint], max_effort: 0.5}\n",
}


def write(folder: Path, name: str) -> Path:
    """Write a robot file, and the URDF that it may need."""
    (folder / "hand.urdf").write_text(urdf("prismatic"))
    path = folder / f"{name}.yaml"
    path.write_text(FILES[name])
    return path
