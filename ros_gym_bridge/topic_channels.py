"""Channels that are only observed: whatever a robot publishes, and no simulator of ours makes."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ros_gym_bridge.channel_parts import Received
from ros_gym_bridge.schema_parts import MessageName, PublicTopic

_FIELDS = "paths in the message, such as `angular_velocity.z`, or beginnings of several; where none are given, all"
_SHAPE = "of the array, where the message type leaves it open"
_JOINTS = "names, for `sensor_msgs/msg/JointState`"
_ANGLES = "of the first and the last ray of a scan, rad; where none are given, any"
_PADDING = "for the points that a cloud has less than `shape`"
_STAMPS = (
    "where a sample's time comes from: the message's header, or the newest state when it arrives, for clocks that "
    "differ; messages without a header are always of the second kind"
)
_MOST = 10_000_000  # numbers in one sample


def _full_name(value: Any) -> Any:
    """`sensor_msgs/Imu` is `sensor_msgs/msg/Imu`."""
    return re.sub(r"^(\w+)/(\w+)$", r"\1/msg/\2", value) if isinstance(value, str) else value


def _small(shape: tuple[int, ...]) -> tuple[int, ...]:
    if math.prod(shape) > _MOST:
        raise PydanticCustomError("shape", "{expected}", {"expected": f"at most {_MOST} numbers"})
    return shape


class TopicChannel(Received):
    """Any topic with a message that can be read (see [messages](#messages-of-topic-channels)). The newest message that
    has arrived counts, and one of another shape is refused and counted. It is not simulated: our simulator publishes
    nothing there, and with `backend="sim"` the channel must be optional to be observed."""

    kind: Literal["topic"]
    message: Annotated[MessageName, BeforeValidator(_full_name)] = Field(description="such as `sensor_msgs/msg/Imu`")
    topic: PublicTopic = Field(default_factory=str, description="where none is given, the channel's name")
    fields: tuple[str, ...] = Field(default=(), description=_FIELDS)
    shape: Annotated[tuple[Annotated[int, Field(ge=1)], ...], AfterValidator(_small)] = Field(
        default=(), description=_SHAPE
    )
    joints: tuple[str, ...] = Field(default=(), description=_JOINTS)
    encoding: str = Field(default="", description="of a picture; where none is given, rgb8")
    angles: tuple[float, float] | None = Field(default=None, description=_ANGLES)
    padding: float = Field(default=0.0, description=_PADDING)
    stamps: Literal["header", "arrival"] = Field(default="header", description=_STAMPS)

    @model_validator(mode="before")
    @classmethod
    def _named_topic(cls, values: Any) -> Any:
        return {"topic": values["name"], **values} if isinstance(values, dict) and "name" in values else values

    @property
    def samples(self) -> tuple[str, ...]:
        """Names of its samples in `RobotState.channels`."""
        return (self.name,)


class TransformChannel(Received):
    """Where one frame of `/tf` and `/tf_static` stands in another. Value: float64 `(7,)`, x y z (m) and quaternion
    x y z w. The newest transforms along the way count; the stamp is the oldest one of those that move, and that of the
    state where none does. Not simulated, as `topic`."""

    kind: Literal["transform"]
    parent: str = Field(min_length=1, max_length=200, description="frame in which the other one is told")
    child: str = Field(min_length=1, max_length=200, description="frame that is told")

    @property
    def samples(self) -> tuple[str, ...]:
        """Names of its samples in `RobotState.channels`."""
        return (self.name,)


ObservedChannel = TopicChannel | TransformChannel
