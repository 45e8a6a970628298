"""The actuator groups of a robot file, one class for each way in which robots are commanded. Topics are named like
those of ros2_control's controllers: the name of a group is the name of the controller."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from ros_gym_bridge.schema_parts import Frozen, Name, Topic, UrdfName

Interface = Literal["position", "velocity", "effort"]


def _check_gains(value: Any) -> Any:
    each = value.values() if isinstance(value, dict) else [value]
    if not all(isinstance(gain, int | float) and 0.0 < gain <= 1.0 for gain in each):
        expected = "a number above 0 and at most 1, or such a number for each joint"
        raise PydanticCustomError("shape", "{expected}", {"expected": expected})
    return value


_Gains = Annotated[float | dict[str, float], BeforeValidator(_check_gains)]
_Diagonal = tuple[float, float, float, float, float, float]

_POSITION_GAIN = "share of the error that the motor takes away in a physics step; one number, or one for each joint"
_VELOCITY_GAIN = "the same of the error in velocity"
_MAX_EFFORT = "N m or N, of every motor of the group; where none is given the joints' limits"
_LATENCY = "simulated: how late commands reach the motors, in whole physics steps; see `ros-gym-bridge measure`"
_JITTER = "standard deviation of that, drawn for every command, which never overtakes the one before"
_NONE_IS_DEFAULT = "where none is given, "


class _Group(Frozen):
    """What every kind of group has: `default_topic` by message."""

    default_topic: ClassVar[dict[str, str]]

    name: Name
    kind: str
    command_latency_s: float = Field(default=0.0, ge=0.0, le=10.0, description=_LATENCY)
    command_jitter_s: float = Field(default=0.0, ge=0.0, le=10.0, description=_JITTER)

    @model_validator(mode="before")
    @classmethod
    def _named_topic(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "topic" in values:
            return values
        template = cls.default_topic.get(str(values.get("message", "")), next(iter(cls.default_topic.values())))
        return {"topic": template.format(values.get("name")), **values}


class _Motors(_Group):
    joints: tuple[UrdfName, ...] = Field(min_length=1)
    position_gain: _Gains = Field(default=0.1, description=_POSITION_GAIN)
    velocity_gain: _Gains = Field(default=1.0, description=_VELOCITY_GAIN)
    max_effort: float | None = Field(default=None, gt=0.0, description=_MAX_EFFORT)

    @property
    def commanded(self) -> tuple[str, ...]:
        """The joints that it moves."""
        return self.joints

    def gain(self, key: Literal["position_gain", "velocity_gain"], joint: str) -> float:
        """Of one joint; one that a mapping leaves out has the default."""
        given: float | dict[str, float] = getattr(self, key)
        if isinstance(given, dict):
            return given.get(joint, float(type(self).model_fields[key].default))
        return given


class JointGroup(_Motors):
    """Joints that are commanded together, each by a position, velocity or effort. In a `sensor_msgs/msg/JointState`
    joints are named, and groups may share a topic: they are one message then. A `std_msgs/msg/Float64MultiArray` has
    one number for each joint in the order of `joints`, as for ros2_control's `forward_command_controller`; it has no
    stamp, so not in lockstep. A group of one joint whose <mimic> followers come along is a gripper."""

    default_topic: ClassVar = {"": "joint_command", "std_msgs/msg/Float64MultiArray": "{}/commands"}

    kind: Literal["joint_group"] = "joint_group"
    interface: Interface = "position"
    message: Literal["sensor_msgs/msg/JointState", "std_msgs/msg/Float64MultiArray"] = "sensor_msgs/msg/JointState"
    topic: Topic = Field(default_factory=str, description=_NONE_IS_DEFAULT + "`joint_command`, or NAME`/commands`")
    nan: Literal["refuse", "hold"] = Field(
        default="refuse", description="what a NaN in a JointState does: the message is refused, or that joint holds"
    )

    @property
    def stamped(self) -> bool:
        """Whether its messages say which state they answer."""
        return self.message == "sensor_msgs/msg/JointState"


class JointTrajectory(_Motors):
    """Joints that follow positions over time, as ros2_control's `joint_trajectory_controller` has it. The command of an
    agent is one position for each joint, reached at the end of the control period."""

    default_topic: ClassVar = {"": "{}/joint_trajectory"}
    interface: ClassVar[Interface] = "position"
    stamped: ClassVar[bool] = True

    kind: Literal["joint_trajectory"]
    message: Literal["trajectory_msgs/msg/JointTrajectory"] = "trajectory_msgs/msg/JointTrajectory"
    topic: Topic = Field(default_factory=str, description=_NONE_IS_DEFAULT + "NAME`/joint_trajectory`")
    allow_partial: bool = Field(default=False, description="a message may leave joints out; they hold their target")


class SpeedLimit(Frozen):
    """Bounds of a speed, and how fast it may change (m/s and m/s², or rad/s and rad/s²)."""

    max_velocity: float = Field(gt=0.0)
    min_velocity: float | None = Field(default=None, lt=0.0, description=_NONE_IS_DEFAULT + "-`max_velocity`")
    max_acceleration: float | None = Field(default=None, gt=0.0, description=_NONE_IS_DEFAULT + "as fast as can be")


class DiffDrive(_Group):
    """Wheels on two sides that drive and steer, as ros2_control's `diff_drive_controller` has it. The command is two
    numbers: linear, ahead (m/s), and angular, to the left (rad/s). A twist older than `cmd_vel_timeout_s` (simulated
    seconds; 0: never) stops the robot. Odometry is integrated from what the wheels have turned, so it drifts as on a
    real robot: `nav_msgs/msg/Odometry` on `odom_topic`, and the transform from `odom_frame_id` to the root link, which
    takes the place of the true one. `RobotState.channels` holds it as NAME`/odom`: float64 `(13,)`, x y z (m),
    quaternion x y z w, linear (m/s) and angular velocity (rad/s). `geometry_msgs/msg/Twist` has no stamp, so not in
    lockstep."""

    default_topic: ClassVar = {"": "{}/cmd_vel"}

    kind: Literal["diff_drive"]
    left_wheels: tuple[UrdfName, ...] = Field(min_length=1)
    right_wheels: tuple[UrdfName, ...] = Field(min_length=1)
    wheel_separation: float = Field(gt=0.0, description="m, between the middles of left and right wheels")
    wheel_radius: float = Field(gt=0.0, description="m")
    linear: SpeedLimit
    angular: SpeedLimit
    message: Literal["geometry_msgs/msg/TwistStamped", "geometry_msgs/msg/Twist"] = "geometry_msgs/msg/TwistStamped"
    topic: Topic = Field(default_factory=str, description=_NONE_IS_DEFAULT + "NAME`/cmd_vel`")
    cmd_vel_timeout_s: float = Field(default=0.5, ge=0.0)
    max_effort: float | None = Field(default=None, gt=0.0, description=_MAX_EFFORT)
    odom_topic: Topic = Field(default_factory=str, description=_NONE_IS_DEFAULT + "NAME`/odom`")
    odom_frame_id: Name = "odom"
    enable_odom_tf: bool = True
    pose_covariance_diagonal: _Diagonal = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    twist_covariance_diagonal: _Diagonal = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    @model_validator(mode="before")
    @classmethod
    def _named_odometry(cls, values: Any) -> Any:
        return {"odom_topic": f"{values.get('name')}/odom", **values} if isinstance(values, dict) else values

    @property
    def commanded(self) -> tuple[str, ...]:
        """The joints that it moves."""
        return (*self.left_wheels, *self.right_wheels)

    @property
    def odometry(self) -> str:
        """Name of its odometry in `RobotState.channels`."""
        return f"{self.name}/odom"

    @property
    def stamped(self) -> bool:
        """Whether its messages say which state they answer."""
        return self.message == "geometry_msgs/msg/TwistStamped"


def _kind(group: Any) -> Any:
    return group.get("kind", "joint_group") if isinstance(group, dict) else getattr(group, "kind", None)


ActuatorGroup = Annotated[
    Annotated[JointGroup, Tag("joint_group")]
    | Annotated[JointTrajectory, Tag("joint_trajectory")]
    | Annotated[DiffDrive, Tag("diff_drive")],
    Discriminator(_kind),
]
