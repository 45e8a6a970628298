"""What a robot file may say of safety: limits on what is commanded, and when and how a robot is stopped."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from ros_gym_bridge.schema_parts import BoundsBox, Frozen, Topic, UrdfName

Stop = Literal["hold", "zero", "damp"]


def _check_positive(value: Any) -> Any:
    each = value.values() if isinstance(value, dict) else [value]
    if not all(isinstance(number, int | float) and not isinstance(number, bool) and number > 0.0 for number in each):
        expected = "a number above 0, or such a number for each joint"
        raise PydanticCustomError("shape", "{expected}", {"expected": expected})
    return value


PerJoint = Annotated[float | dict[str, float], BeforeValidator(_check_positive)]


def of_joint(numbers: float | dict[str, float] | None, name: str, otherwise: float = math.inf) -> float:
    """The number of one joint; `otherwise` where none is given."""
    if isinstance(numbers, dict):
        return numbers.get(name, otherwise)
    return otherwise if numbers is None else numbers


_ACCELERATION = "rad/s² or m/s², of what is commanded by position or velocity; one number, or one for each joint"
_EFFORT_RATE = "N m/s or N/s, of what is commanded by effort"
_EFFORT = (
    "N m or N: no larger effort is commanded, and a joint that is measured to push harder goes no further that way"
)
_WITHIN = (
    "velocities and efforts that would lead out of a joint's limits of position and velocity are not commanded; a "
    "joint of which the position is not measured, or for efforts the velocity, is not moved"
)
_WORKSPACE = "a box that a link stays in"
_TIMEOUT = (
    "silence after which a group is stopped; 0: never; default: 0.5, or three control periods when longer, and never "
    "for groups with `nan: hold`, where silence says that all is well"
)
_STOP = (
    "what a stop is. `hold`: positions stay where the robot is, velocities and efforts are 0; `zero`: the same, but "
    "positions stay as commanded; `damp`: positions and velocities come to rest by `max_acceleration`, efforts oppose "
    "the motion by `damping`"
)
_DAMPING = "N m s/rad or N s/m"
_STATES = "age of the joint states at which the robot is stopped; default: 0.5, or three control periods when longer"


class Workspace(BoundsBox):
    """A box that the origin of a link stays in, by forward kinematics of what is commanded. It stands along the axes of
    `frame`, a link that cannot move against the root link. A command that would lead out is obeyed as far as the wall;
    from outside, what leads no further out is obeyed."""

    link: UrdfName | None = Field(default=None, description="where none is given, the `end_effector`")
    frame: UrdfName | None = Field(default=None, description="where none is given, the root link")


class Safety(Frozen):
    """What is not commanded, and when a robot is stopped. Limits of position, velocity and effort stand under `joints`;
    these here come on top. The simulator, the environment and `safety_node` apply them alike. `safety_node` stops the
    robot on silence, on old joint states and in an emergency; the simulator ends velocities and efforts that nobody
    renews."""

    rate_limit: bool = Field(default=True, description="a position target moves at most at the joint's velocity limit")
    max_acceleration: PerJoint | None = Field(default=None, description=_ACCELERATION)
    max_effort: PerJoint | None = Field(default=None, description=_EFFORT)
    max_effort_rate: PerJoint | None = Field(default=None, description=_EFFORT_RATE)
    stay_within: bool = Field(default=False, description=_WITHIN)
    workspace: Workspace | None = Field(default=None, description=_WORKSPACE)
    command_timeout_s: float | None = Field(default=None, ge=0.0, description=_TIMEOUT)
    state_timeout_s: float | None = Field(default=None, gt=0.0, description=_STATES)
    stop: Stop = Field(default="hold", description=_STOP)
    damping: PerJoint | None = Field(default=None, description=_DAMPING)
    stop_topic: Topic = Field(
        default="emergency_stop", description="`std_msgs/msg/Bool`: true stops, false does nothing"
    )
    stop_service: Topic = Field(default="safety/stop", description="`std_srvs/srv/Trigger`")
    reset_service: Topic = Field(
        default="safety/reset", description="`std_srvs/srv/Trigger`: the only way out of an emergency stop"
    )
    heartbeat_topic: Topic = Field(
        default="safety/heartbeat", description="`std_msgs/msg/Bool`: whether commands are passed on"
    )
    heartbeat_hz: float = Field(default=10.0, ge=2.0, le=1000.0)

    def timeout_s(self, control_hz: int) -> float:
        """Silence after which the robot is stopped, seconds; inf: never."""
        if self.command_timeout_s is None:
            return _usual_s(control_hz)
        return self.command_timeout_s or math.inf

    def states_timeout_s(self, control_hz: int) -> float:
        """Age of joint states that are too old, seconds."""
        return self.state_timeout_s or _usual_s(control_hz)


def _usual_s(control_hz: int) -> float:
    return max(0.5, 3.0 / control_hz)
