"""What a robot file may contain: frozen models that refuse what they do not know."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from ros_gym_bridge.channels import Channel, SensorChannel
from ros_gym_bridge.groups import ActuatorGroup, DiffDrive
from ros_gym_bridge.noise import JointNoise
from ros_gym_bridge.schema_parts import (
    BoundsBox,
    Frozen,
    Gravity,
    Name,
    Namespace,
    Tags,
    Text,
    Topic,
    UrdfName,
    Vector3,
)
from ros_gym_bridge.schema_safety import Safety

Category = Literal["object", "robot", "human", "dynamic_object", "static_object"]

_CHANNELS = (
    "sensors; beside a channel with `latency_s` or `dropout` the topic `TOPIC/sample_time` "
    "(`sensor_msgs/TimeReference`) says at every state which sample it shows"
)
_RENDERER = (
    "draws what cameras see: OpenGL without a window (`egl`), or TinyRenderer (`tiny`); `auto` takes the first "
    "where it works"
)
_MEASURED = (
    "file that `ros-gym-bridge measure` has written, relative to this one: latencies of groups and noise of joint "
    "states, where this file does not state them"
)
_ASK = (
    "before each motion: by the keyword `operator` of the environment, or on the terminal and by the service "
    "`reset_done` (`std_srvs/srv/Trigger`) in the robot's namespace, whoever answers first"
)


def _argument(value: object) -> str:
    if not isinstance(value, bool | int | float | str):
        raise PydanticCustomError("argument", "text, a number, true or false")
    return str(value).lower() if isinstance(value, bool) else str(value)


Argument = Annotated[str, BeforeValidator(_argument)]


class ModelFile(Frozen):
    """Which model is meant; see `ModelConfig`."""

    file: str
    arguments: dict[str, Argument] = Field(default={})
    model_name: UrdfName | None = None


class ModelConfig(ModelFile):
    """Which model is loaded (`file`: URDF, xacro, SDF or MJCF; `arguments`: of a xacro, by name; `model_name`: which
    one, where an SDF or MJCF file holds several), and where it stands in the world frame (m, rad; rpy about fixed
    axes)."""

    fixed_base: bool = True
    base_position: Vector3 = (0.0, 0.0, 0.0)
    base_rpy: Vector3 = (0.0, 0.0, 0.0)
    linear_damping: float = Field(default=0.0, ge=0.0)
    angular_damping: float = Field(default=0.0, ge=0.0)


class Rates(Frozen):
    """Physics steps and control periods per second of simulated time; the first is a multiple of the second."""

    physics_hz: int = Field(gt=0, le=100_000)
    control_hz: int = Field(gt=0, le=10_000)


class JointConfig(Frozen):
    """One joint: where it starts, and limits narrower than the URDF's (rad or m, rad/s or m/s, N m or N). Where the
    URDF says 0 for velocity or effort, which means that nobody knew, any limit may be given."""

    name: UrdfName
    home: float | None = Field(default=None, description="where none is given, 0, or where a <mimic> follower follows")
    home_noise: float = Field(default=0.0, ge=0.0)
    velocity_noise: float = Field(default=0.0, ge=0.0)
    position: tuple[float, float] | None = None
    velocity: float | None = Field(default=None, gt=0.0)
    effort: float | None = Field(default=None, gt=0.0)


class JointStates(Frozen):
    """Where the joint states are published, and how noisy positions and velocities are."""

    topic: Topic = "joint_states"
    noise: JointNoise = JointNoise()
    bias: JointNoise = JointNoise()


class SceneBody(ModelFile):
    """A further body in the world (m, rad), of any format that `model` may have. Without a category it is a static
    object when fixed, else a dynamic one."""

    name: Name
    position: Vector3 = (0.0, 0.0, 0.0)
    rpy: Vector3 = (0.0, 0.0, 0.0)
    fixed: bool = False
    scale: float = Field(default=1.0, gt=0.0)
    category: Category | None = None
    description: Text = ""
    tags: Tags = ()


class NamedPose(Frozen):
    """A place in the world frame (m, rad) for others to know by name, and how much room there is around it."""

    name: Name
    position: Vector3 = (0.0, 0.0, 0.0)
    rpy: Vector3 = (0.0, 0.0, 0.0)
    description: Text = ""
    tags: Tags = ()
    bounds: BoundsBox | None = None


class Reset(Frozen):
    """How a robot, which nobody can put back as a simulator can, gets to the start of an episode: it moves home.
    Positions, and velocities by a controller on the position, are led along a smooth motion that begins and ends at
    rest. Efforts and drives are 0 meanwhile, and nobody waits for what they move."""

    velocity_fraction: float = Field(default=0.2, gt=0.0, le=1.0, description="of the joints' velocity limits, at most")
    velocity_gain: float = Field(default=4.0, gt=0.0, description="1/s, of joints that are commanded by velocity")
    tolerance: float = Field(default=0.02, gt=0.0, description="rad or m, of every joint from its home position")
    settle_s: float = Field(default=0.2, ge=0.0, description="for so long within the tolerance")
    timeout_s: float = Field(default=10.0, gt=0.0, description="after the end of the motion; then the reset fails")
    ask_operator: bool = Field(default=False, description=_ASK)
    operator_timeout_s: float = Field(default=600.0, gt=0.0)


class RobotConfig(Frozen):
    """The content of a robot file."""

    name: Name
    model: ModelConfig
    rates: Rates
    joints: tuple[JointConfig, ...] = Field(min_length=1)
    actuators: tuple[ActuatorGroup, ...] = Field(min_length=1)
    end_effector: UrdfName | None = None
    gravity: Gravity = (0.0, 0.0, -9.81)
    joint_states: JointStates = JointStates()
    channels: tuple[Channel, ...] = Field(default=(), description=_CHANNELS)
    renderer: Literal["auto", "egl", "tiny"] = Field(default="auto", description=_RENDERER)
    scene: tuple[SceneBody, ...] = ()
    poses: tuple[NamedPose, ...] = ()
    safety: Safety = Safety()
    reset: Reset = Reset()
    measured: str | None = Field(default=None, description=_MEASURED)

    @property
    def sensors(self) -> tuple[SensorChannel, ...]:
        """The channels that a simulator makes; the others are only observed."""
        return tuple(channel for channel in self.channels if isinstance(channel, SensorChannel))

    @property
    def drives(self) -> tuple[DiffDrive, ...]:
        """The groups that tell odometry."""
        return tuple(group for group in self.actuators if isinstance(group, DiffDrive))


class WorldRobot(Frozen):
    """A robot of a world: which robot file, in which namespace, and where its base stands (m, rad; default: as in that
    file)."""

    robot: str
    namespace: Namespace = ""
    base_position: Vector3 | None = None
    base_rpy: Vector3 | None = None


class WorldConfig(Frozen):
    """The content of a world file. Without robots, the robot that the simulator was started with stands in it."""

    name: Name
    description: Text = ""
    tags: Tags = ()
    gravity: Gravity = (0.0, 0.0, -9.81)
    bodies: tuple[SceneBody, ...] = ()
    poses: tuple[NamedPose, ...] = ()
    robots: tuple[WorldRobot, ...] = ()
