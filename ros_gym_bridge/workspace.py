"""How far a link stands outside of its box, from the positions of the joints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ros_gym_bridge.groups import DiffDrive, Interface
from ros_gym_bridge.kinematics import tip_position
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.robot_model import Mimic, RobotModel
from ros_gym_bridge.schema import RobotConfig

Excess = Callable[[Sequence[float]], float]


def movers(config: RobotConfig, model: RobotModel, followers: Mapping[str, Mimic]) -> dict[str, Interface]:
    """The commanded joints that move the link of the workspace, with how they are commanded.

    Args:
        config: of a robot with a workspace.
        model: its own.
        followers: the joints that follow others.
    """
    chain = [joint.name for joint in model.chain(_link(config))]
    moving = {followers[name].joint if name in followers else name for name in chain}
    return {
        name: group.interface
        for group in config.actuators
        if not isinstance(group, DiffDrive)
        for name in group.joints
        if name in moving
    }


def make_excess(config: RobotConfig, model: RobotModel, followers: Mapping[str, Mimic]) -> Excess:
    """Make the function that tells how far the link is outside of the box.

    Args:
        config, model, followers: as above.

    Returns:
        A function of one position for each joint of the robot file, in its order, rad or m: the distance along the axis
        on which it is largest, m; 0 or less inside; NaN where a position that counts is NaN.
    """
    box = config.safety.workspace
    assert box is not None
    names = [joint.name for joint in config.joints]
    leading = [i for i, name in enumerate(names) if name not in followers]
    tip = tip_position(model, _link(config), [names[i] for i in leading])
    rotation, origin = _frame(model, box.frame or model.root)
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation.T.tolist()
    ox, oy, oz = origin.tolist()
    (lx, ly, lz), (ux, uy, uz) = box.lower, box.upper

    def excess(positions: Sequence[float]) -> float:
        x, y, z = tip([positions[i] for i in leading])
        x, y, z = x - ox, y - oy, z - oz
        x, y, z = xx * x + xy * y + xz * z, yx * x + yy * y + yz * z, zx * x + zy * y + zz * z
        return max(lx - x, x - ux, ly - y, y - uy, lz - z, z - uz) if x + y + z == x + y + z else float("nan")

    return excess


def _link(config: RobotConfig) -> str:
    box = config.safety.workspace
    assert box is not None
    return box.link or str(config.end_effector)


def _frame(model: RobotModel, link: str) -> tuple[FloatArray, FloatArray]:
    """Rotation and origin of a link that is fixed to the root link, in the frame of that."""
    rotation: FloatArray = np.eye(3)
    origin: FloatArray = np.zeros(3)
    for joint in model.chain(link):
        origin = origin + rotation @ joint.xyz
        rotation = rotation @ np.array(joint.rotation)
    return rotation, origin
