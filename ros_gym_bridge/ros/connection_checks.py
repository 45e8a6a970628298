"""What no connection to a robot can be, said before anything is started."""

from __future__ import annotations

import re

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.ros.facts import unstamped
from ros_gym_bridge.ros.names import is_relative

_NAMESPACE = re.compile(r"/?([A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*)?")


def check_connection(robot: RobotFile, connection: Connection) -> None:
    """Refuse what no connection can be.

    Args:
        robot: the robot file, whose commands may need another stepping.
        connection: what was asked for.

    Raises:
        OptionError: names the keyword, its value and what was expected.
    """
    _check_values(connection)
    _check_reset(connection)
    _check_places(connection)
    _check_stamps(robot, connection.stepping)


def _check_values(connection: Connection) -> None:
    known = ("lockstep", "step_service", "realtime")
    if connection.stepping not in known:
        raise OptionError("stepping", got=repr(connection.stepping), expected="one of " + ", ".join(map(repr, known)))
    for name in ("connect_timeout_s", "step_timeout_s"):
        value = getattr(connection, name)
        if not (isinstance(value, int | float) and value > 0.0):
            raise OptionError(name, got=repr(value), expected="seconds above 0")
    most = connection.max_missed_deadlines
    if most is not None and not (type(most) is int and most >= 0):
        raise OptionError("max_missed_deadlines", got=repr(most), expected="an integer from 0 on, or None")


def _check_reset(connection: Connection) -> None:
    if connection.reset_by not in ("auto", "service", "motion"):
        expected = "one of 'auto', 'service', 'motion'"
        raise OptionError("reset_by", got=repr(connection.reset_by), expected=expected)
    if connection.reset_by == "motion" and not (connection.stepping == "realtime" and connection.attach):
        raise OptionError(
            "reset_by='motion' is for robots",
            got=f"stepping={connection.stepping!r}, attach={connection.attach!r}",
            expected="stepping='realtime', attach=True",
        )


def _check_places(connection: Connection) -> None:
    domain = connection.domain_id
    if domain is not None and not (type(domain) is int and 0 <= domain <= 232):
        raise OptionError("domain_id", got=repr(domain), expected="an integer from 0 to 232")
    if not isinstance(connection.attach, bool):
        raise OptionError("attach", got=repr(connection.attach), expected="True or False")
    for name in ("namespace", "simulator"):
        value = getattr(connection, name)
        if value is not None and not (isinstance(value, str) and _NAMESPACE.fullmatch(value)):
            raise OptionError(name, got=repr(value), expected="names of letters, digits and _ with / between them")
    prefix = connection.command_prefix
    if prefix != "" and not (isinstance(prefix, str) and connection.attach and is_relative(prefix)):
        expected = "a relative name such as 'agent', with attach=True"
        raise OptionError("command_prefix", got=repr(prefix), expected=expected)


def _check_stamps(robot: RobotFile, stepping: str) -> None:
    """In lockstep a command says which state it answers."""
    if stepping == "lockstep" and (text := unstamped(robot)):
        raise OptionError(
            "stepping='lockstep' needs commands with a stamp",
            got=text,
            expected="stepping='step_service' or stepping='realtime'",
            remedy="Choose one of the two, or another 'message' for the group",
        )
