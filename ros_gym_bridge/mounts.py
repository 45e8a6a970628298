"""Where the sensors of a robot file sit, and how their frames are called."""

from __future__ import annotations

from typing import NamedTuple

from ros_gym_bridge.channels import ForceTorque, LinkPose, Odometry, SensorChannel
from ros_gym_bridge.geometry import Quaternion, quaternion
from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.schema_parts import Vector3


class Mount(NamedTuple):
    """Where one sensor sits.

    Attributes:
        link: of the robot, or name of a body of the scene.
        on_robot: it is a link.
        position, rotation: on the link, m and quaternion x y z w.
        frame: its name, without any prefix.
        own: the frame is the sensor's own, and no link of the model.
    """

    link: str
    on_robot: bool
    position: Vector3
    rotation: Quaternion
    frame: str
    own: bool

    @property
    def moved(self) -> bool:
        """Whether it sits elsewhere than the link's frame."""
        return self.position != (0.0, 0.0, 0.0) or self.rotation != (0.0, 0.0, 0.0, 1.0)


def mount(channel: SensorChannel, model: RobotModel) -> Mount:
    """Where a channel's sensor sits on a robot of this model.

    Raises:
        ModelError: a joint that the model lacks.
    """
    body = channel.body if isinstance(channel, LinkPose | Odometry) else None
    link = model.joint(channel.joint).child if isinstance(channel, ForceTorque) else body or channel.link
    own_name = f"{channel.name.replace('/', '_')}_frame"
    frame = channel.frame_id or (own_name if channel.moved else str(link))
    own = body is None and frame not in model.links
    return Mount(str(link), body is None, channel.position, quaternion(channel.rpy), frame, own)
