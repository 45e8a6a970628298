"""A node as a program, from its start to its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

from ros_gym_bridge.errors import BridgeError
from ros_gym_bridge.ros.session import Session, open_session
from ros_gym_bridge.ros.stop import Stop
from ros_gym_bridge.shared_memory import sweep


class Runnable(Protocol):
    """What a program makes and runs."""

    def run(self) -> None:
        """Until it is done or told to stop."""

    def close(self) -> None:
        """Give everything back."""


def run_program(name: str, arguments: list[str], make: Callable[[Session, Stop], Runnable]) -> int:
    """Run a node until it is done, or until SIGINT or SIGTERM.

    Args:
        name: of the node, and before the line that says what went wrong.
        arguments: ROS arguments.
        make: the node, in an open session; tells `Stop.then` how it is ended, or asks `Stop.asked` by itself.

    Returns:
        the exit code: 0, 1 for a failure, 2 for a user's mistake.
    """
    stop = Stop()
    with ExitStack() as closing:
        closing.callback(stop.ignore)
        try:
            sweep()
            session = open_session(name, arguments)
            closing.callback(session.close)
            if stop.asked:
                return 0
            node = make(session, stop)
            closing.callback(node.close)
            node.run()
        except BridgeError as error:
            if stop.asked:
                return 0
            print(f"{name}: {error}", file=sys.stderr)
            return error.exit_code
    return 0
