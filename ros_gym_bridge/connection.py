"""How a robot behind ROS 2 topics is found and stepped: the keywords of `backend="topics"`. No ROS here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Connection:
    """How a robot behind ROS 2 topics is found and stepped.

    Attributes:
        attach: use a running simulator or robot; otherwise one is started for this environment and ended with it.
        namespace: of the robot's topics and services; None: a private one, or none when attaching.
        simulator: namespace of the services where it is another, such as `''` for the robot `/left` of a world of
            several. In lockstep their time waits for a command to each robot.
        domain_id: ROS domain; None: a private one, or that of the environment variable `ROS_DOMAIN_ID` when attaching.
        stepping: `lockstep`, `step_service` or `realtime`.
        connect_timeout_s: wall-clock seconds to find everybody.
        step_timeout_s: wall-clock seconds of silence after which the robot counts as lost.
        command_prefix: put before the command topics: `agent`, where `safety_node` stands before the robot.
        ros_arguments: ROS arguments of the environment's own node, such as `--ros-args -r joint_states:=/arm/states`.
        stop: asked about every 50 ms while waiting; true ends the wait as if the robot were lost.
        reset_by: how an episode begins: the simulator's `service`, or a `motion` of the robot to its home position;
            `auto`: in `realtime` where nobody offers the service `reset_simulation` the motion, otherwise the service.
        operator: where the robot file has `ask_operator`: called with a question before the robot moves home; false
            keeps it from that.
        max_missed_deadlines: in `realtime` on a robot, with more control periods without a command than this the
            episode ends (`truncated`); None: it goes on.
    """

    attach: bool = False
    namespace: str | None = None
    simulator: str | None = None
    domain_id: int | None = None
    stepping: Literal["lockstep", "step_service", "realtime"] = "lockstep"
    connect_timeout_s: float = 5.0
    step_timeout_s: float = 5.0
    command_prefix: str = ""
    ros_arguments: Sequence[str] = ()
    stop: Callable[[], bool] = lambda: False
    reset_by: Literal["auto", "service", "motion"] = "auto"
    operator: Callable[[str], bool] | None = None
    max_missed_deadlines: int | None = None
