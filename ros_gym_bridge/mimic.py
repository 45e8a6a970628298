"""Joints that follow others: what <mimic> comes down to."""

from __future__ import annotations

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.robot_model import Joint, Mimic, RobotModel


def followers(model: RobotModel) -> dict[str, Mimic]:
    """For each movable joint that follows a movable one: the leader at the end of the chain, which follows none, and
    how.

    Raises:
        ModelError: joints that follow each other in a circle.
    """
    movable = {joint.name: joint for joint in model.movable}
    found = {joint.name: _resolve(model, joint, movable) for joint in model.movable if joint.mimic is not None}
    return {name: mimic for name, mimic in found.items() if mimic.joint in movable}


def _resolve(model: RobotModel, joint: Joint, movable: dict[str, Joint]) -> Mimic:
    seen, at, multiplier, offset = [joint.name], joint, 1.0, 0.0
    while at.mimic is not None:
        offset += multiplier * at.mimic.offset
        multiplier *= at.mimic.multiplier
        name = at.mimic.joint
        if name in seen:
            raise ModelError(
                f"{model.path}: joints mimic each other in a circle",
                got=" -> ".join([*seen, name]),
                expected="one joint that mimics no other",
                remedy="Remove <mimic> from the joint that leads",
            )
        seen.append(name)
        if name not in movable:
            return Mimic(name, multiplier, offset)
        at = movable[name]
    return Mimic(at.name, multiplier, offset)
