"""What must be there for an environment to connect, and what to say when it is not."""

from __future__ import annotations

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import RobotNotFoundError
from ros_gym_bridge.ros.wires import Wires

RESET = "reset_simulation"
NEEDED = {
    "lockstep": (RESET,),
    "realtime": (RESET,),
    "step_service": (RESET, "step_simulation"),
}


def may_move(connection: Connection) -> bool:
    """Whether the robot may have to be reset by a motion."""
    if connection.reset_by != "auto":
        return connection.reset_by == "motion"
    return connection.stepping == "realtime" and connection.attach and connection.simulator is None


def nobody(wires: Wires, robot: RobotFile, connection: Connection, timeout_s: float) -> RobotNotFoundError:
    """The error that says what was looked for, where, and what to start.

    Args:
        wires: of the node that looked.
        robot, connection: as they were asked for.
        timeout_s: for how long.
    """
    domain = wires.session.domain_id
    namespace = wires.session.node.get_namespace()
    extra = "" if namespace == "/" else f" --namespace {namespace}"
    services = wires.simulator.names()
    return RobotNotFoundError(
        f"no robot '{robot.config.name}' answered within {timeout_s} s in ROS domain {domain}",
        got="missing: " + "; ".join(wires.absent()),
        expected=f"the topics {', '.join(wires.topics())}"
        + (f" and the services {', '.join(services)}" if services else ""),
        remedy=f"Start it, for example with: ROS_DOMAIN_ID={domain} ros-gym-bridge sim "
        f"--robot {robot.config.name} --mode {mode_for(robot, connection)}{extra}",
    )


def mode_for(robot: RobotFile, connection: Connection) -> str:
    """The mode that our node must run for a stepping; stepping by service needs none, but in lockstep every command has
    a stamp."""
    if connection.stepping == "realtime":
        return "realtime"
    return "lockstep" if all(group.stamped for group in robot.config.actuators) else "realtime"
