"""The sensors of a robot file, one class for each kind of channel. Values are what `RobotState.channels` holds."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ros_gym_bridge.channel_parts import Observe, Received
from ros_gym_bridge.noise import ImageNoise, ImuNoise, OdometryNoise, PoseNoise, RangeNoise, WrenchNoise
from ros_gym_bridge.schema_parts import Name, Topic, UrdfName, Vector3
from ros_gym_bridge.topic_channels import TopicChannel, TransformChannel

_LATENCY = "simulated seconds, rounded to control periods: a state shows the sample that was taken so long ago"
_DROPOUT = "probability that a sample is lost: the one before stays, with its stamp"
_RATE = "samples per simulated second, dividing `control_hz`; where none is given, one every control period"
_FRAME = "name of the sensor's frame; where none is given the link's, or NAME`_frame` with a pose of its own"


class _Channel(Received):
    topic: Topic = Field(default_factory=str, description="where none is given, the channel's name")
    rate_hz: int | None = Field(default=None, gt=0, description=_RATE)
    latency_s: float = Field(default=0.0, ge=0.0, le=60.0, description=_LATENCY)
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0, description=_DROPOUT)

    @model_validator(mode="before")
    @classmethod
    def _named_topic(cls, values: Any) -> Any:
        return {"topic": values["name"], **values} if isinstance(values, dict) and "name" in values else values

    def divisor(self, control_hz: int) -> int:
        """Control periods from one sample to the next."""
        return control_hz // (self.rate_hz or control_hz)

    def delay(self, control_hz: int) -> int:
        """Control periods from when a sample is taken to the state that shows it."""
        return round(self.latency_s * control_hz)

    @property
    def punctual(self) -> bool:
        """Whether a state at which a sample is due always shows that very sample."""
        return self.latency_s == 0.0 and self.dropout == 0.0

    @property
    def samples(self) -> tuple[str, ...]:
        """Names of its samples in `RobotState.channels`."""
        return (self.name,)

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic that it takes."""
        return (self.topic,) if self.punctual else (self.topic, self.time_topic)

    @property
    def time_topic(self) -> str:
        """Where it is told which sample a state shows, unless the channel is punctual."""
        return f"{self.topic}/sample_time"


class _Framed(_Channel):
    position: Vector3 = Field(default=(0.0, 0.0, 0.0), description="of the sensor on its link, m")
    rpy: Vector3 = Field(default=(0.0, 0.0, 0.0), description="of the sensor on its link, rad about fixed axes")
    frame_id: Name | None = Field(default=None, description=_FRAME)

    @property
    def moved(self) -> bool:
        """Whether it has a pose of its own on the link."""
        return any((*self.position, *self.rpy))


class _Mounted(_Framed):
    link: UrdfName = Field(description="of the robot, where the sensor sits")


class _Watching(_Framed):
    link: UrdfName | None = Field(default=None, description="of the robot; either this or `body`")
    body: Name | None = Field(default=None, description="of the scene; either this or `link`")


class LinkPose(_Watching):
    """Ground truth: the pose of a link of the robot, or of a body of the scene, in the world frame. Value: float64
    `(7,)`, x y z (m) and quaternion x y z w. Message: `geometry_msgs/PoseStamped` in the frame `world`."""

    kind: Literal["link_pose"]
    noise: PoseNoise = PoseNoise()
    bias: PoseNoise = PoseNoise()


class Odometry(_Watching):
    """Ground truth: the pose of a link or body in the world frame and its velocity in its own frame. Value: float64
    `(13,)`, x y z (m), quaternion x y z w, linear (m/s) and angular velocity (rad/s) of the frame. Message:
    `nav_msgs/Odometry`, frame `world`, `child_frame_id` the sensor's, covariances from the noise. Never a transform."""

    kind: Literal["odometry"]
    noise: OdometryNoise = OdometryNoise()
    bias: OdometryNoise = OdometryNoise()


class Imu(_Mounted):
    """An inertial measurement unit (REP 145). Value: float64 `(10,)`, quaternion x y z w of the sensor in the world
    frame, angular velocity (rad/s) and specific force (m/s², +g upwards at rest, 0 in free fall) in the sensor's frame.
    Message: `sensor_msgs/Imu`, covariances from the noise. `orientation: false`: it has no orientation, the quaternion
    is 0 0 0 1 and the first element of its covariance -1. The specific force is the mean over the last physics step; in
    the first state after a reset no step has been, and it is that of a body without acceleration."""

    kind: Literal["imu"]
    orientation: bool = True
    noise: ImuNoise = ImuNoise()
    bias: ImuNoise = ImuNoise()


class ForceTorque(_Framed):
    """A sensor in a joint, fixed or not: what the child link does to its parent through it, motor torque included,
    during the last physics step; a weight that hangs pulls along gravity. Value: float64 `(6,)`, force (N) and torque
    (N m) about the sensor's origin, in its frame, which is the child link's unless it is moved. 0 in the first state
    after a reset. Message: `geometry_msgs/WrenchStamped`."""

    kind: Literal["force_torque"]
    joint: UrdfName = Field(description="of the robot, movable or fixed")
    noise: WrenchNoise = WrenchNoise()
    bias: WrenchNoise = WrenchNoise()


class Contact(_Mounted):
    """What everything that touches a link does to it, friction included, during the last physics step. Value: float64
    `(6,)`, force (N) and torque (N m) about the sensor's origin, in its frame; all 0 when nothing touches, and in the
    first state after a reset. Message: `geometry_msgs/WrenchStamped`."""

    kind: Literal["contact"]
    noise: WrenchNoise = WrenchNoise()
    bias: WrenchNoise = WrenchNoise()


class Lidar(_Mounted):
    """A laser scanner by rays against collision shapes; angles about the sensor's z axis from its x axis, elevations
    towards z. Its robot is transparent unless `sees_robot`. One layer: value float32 `(rays,)`, m, +inf for nothing in
    range and -inf for too close (REP 117); message `sensor_msgs/LaserScan`. Several layers: value float32 `(layers,
    rays, 3)`, points x y z (m) in the sensor's frame, NaN where there is none; message `sensor_msgs/PointCloud2`,
    organized, with the fields x, y, z and ring."""

    kind: Literal["lidar"]
    rays: int = Field(default=360, ge=1, le=16384, description="in a layer")
    min_angle: float = Field(default=-math.pi, ge=-2 * math.pi, le=2 * math.pi, description="rad, of the first ray")
    max_angle: float = Field(default=math.pi, ge=-2 * math.pi, le=2 * math.pi, description="rad, of the last ray")
    layers: int = Field(default=1, ge=1, le=256)
    min_elevation: float = Field(default=0.0, ge=-math.pi / 2, le=math.pi / 2, description="rad, of the first layer")
    max_elevation: float = Field(default=0.0, ge=-math.pi / 2, le=math.pi / 2, description="rad, of the last layer")
    range_min: float = Field(default=0.05, ge=0.0, description="m")
    range_max: float = Field(default=10.0, gt=0.0, description="m")
    sees_robot: bool = False
    noise: RangeNoise = RangeNoise()
    bias: RangeNoise = RangeNoise()


class Range(_Mounted):
    """The distance of what is nearest in a cone about the sensor's x axis, by `rays` rays: one ahead, the others spread
    evenly. Value: float32 `(1,)`, m, +inf for nothing in range and -inf for too close. Message: `sensor_msgs/Range`."""

    kind: Literal["range"]
    radiation: Literal["ultrasound", "infrared"] = "infrared"
    field_of_view: float = Field(default=0.0, ge=0.0, le=math.pi, description="rad, full angle of the cone")
    rays: int = Field(default=1, ge=1, le=4096)
    range_min: float = Field(default=0.02, ge=0.0, description="m")
    range_max: float = Field(default=4.0, gt=0.0, description="m")
    sees_robot: bool = False
    noise: RangeNoise = RangeNoise()
    bias: RangeNoise = RangeNoise()


class Camera(_Mounted):
    """A camera without distortion. It looks along the z axis of its frame, x to the right, y down (an optical frame of
    REP 103; `rpy: [-1.5708, 0, -1.5708]` turns a link whose x points ahead into one). Value: uint8 `(height, width,
    3)`, RGB. Messages: `sensor_msgs/Image` (rgb8), and `sensor_msgs/CameraInfo` beside it: topic `camera/image_raw` has
    `camera/camera_info`. `depth: true` adds a second image under `depth/`: `camera/depth/image_raw` and its
    `camera_info`, 32FC1; value float32 `(height, width)`, m along z, +inf beyond `far` (REP 118). The robot file's
    `renderer` draws both."""

    kind: Literal["camera"]
    width: int = Field(default=320, ge=1, le=4096, description="pixels")
    height: int = Field(default=240, ge=1, le=4096, description="pixels")
    horizontal_fov: float = Field(default=1.2, gt=0.0, lt=math.pi, description="rad")
    near: float = Field(default=0.05, gt=0.0, description="m; what is nearer is not seen")
    far: float = Field(default=20.0, gt=0.0, description="m; what is farther is not seen")
    depth: bool = False
    observe_depth: Observe = Observe()
    noise: ImageNoise = ImageNoise()
    bias: ImageNoise = ImageNoise()

    @property
    def samples(self) -> tuple[str, ...]:
        """Name of the picture, and of the depth where there is one."""
        return (self.name, _below(self.name)) if self.depth else (self.name,)

    @property
    def topics(self) -> tuple[str, ...]:
        """Pictures and camera infos."""
        return (*super().topics, *self.image_topics[1:], *map(info_topic, self.image_topics))

    @property
    def focal_length(self) -> float:
        """In pixels, the same for columns and rows."""
        return 0.5 * self.width / math.tan(0.5 * self.horizontal_fov)

    @property
    def principal_point(self) -> tuple[float, float]:
        """Column and row of the picture's middle; the middle of the first pixel is (0, 0)."""
        return (self.width - 1) / 2, (self.height - 1) / 2

    @property
    def image_topics(self) -> tuple[str, ...]:
        """Of the picture, and of the depth where there is one."""
        return (self.topic, _below(self.topic)) if self.depth else (self.topic,)


SensorChannel = LinkPose | Odometry | Imu | ForceTorque | Contact | Lidar | Range | Camera
Channel = Annotated[
    LinkPose | Odometry | Imu | ForceTorque | Contact | Lidar | Range | Camera | TopicChannel | TransformChannel,
    Field(discriminator="kind"),
]


def info_topic(image_topic: str) -> str:
    """Where the camera info of an image is, by the convention of `image_transport`."""
    return f"{image_topic.rpartition('/')[0]}/camera_info".removeprefix("/")


def _below(name: str) -> str:
    """`depth/image` for `image`, `a/depth/image` for `a/image`."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}depth/{last}"
