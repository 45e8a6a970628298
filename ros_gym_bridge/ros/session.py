"""One rclpy context with one node and one executor, and the waits on it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import rclpy
from rclpy.experimental import EventsExecutor
from rclpy.logging import LoggingSeverity, set_logger_level
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ros_gym_bridge.errors import BridgeError, ForkError, OptionError
from ros_gym_bridge.paths import share_directory

_PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")  # Fast DDS 2, 3
_ROOM = 2**28  # bytes of shared memory; a container often has 2**26, which a few of ours would fill
_used_by: int | None = None  # the process that used ROS first; a forked child inherits the number


def check_process() -> None:
    """To be called before ROS is used: middleware that ran before a fork hangs after it (its threads are gone).

    Raises:
        ForkError: this process was forked from one that had used ROS.
    """
    global _used_by
    _used_by = _used_by or os.getpid()
    if _used_by != os.getpid():
        raise ForkError(
            "ROS 2 cannot be used in this process",
            got=f"process {os.getpid()}, forked from process {_used_by}, which had used ROS 2 before",
            expected="a fork before the first use, or a fresh process",
            remedy="Start worker processes with context='spawn', for example "
            "gym.make_vec(..., vectorization_mode='async', vector_kwargs={'context': 'spawn'})",
        )


def set_ros_environment(pictures: bool = False) -> None:
    """Defaults for this process and its children: discovery on this machine only, and Fast DDS that notices a death
    in 2 s.

    What the user has set stays.

    Args:
        pictures: this process sends large messages. What waits in Fast DDS to be read is lost beyond 0.5 MB, and sent
            again after tenths of seconds; here that becomes 16 MB, where the machine has room for it.
    """
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    usual, large = (str(share_directory() / "config" / name) for name in ("fastdds.xml", "fastdds_pictures.xml"))
    if not os.environ.keys() & set(_PROFILE_VARIABLES):
        os.environ[_PROFILE_VARIABLES[_fast_dds_3()]] = usual
    if pictures and _shared_memory_left() > _ROOM:
        for name in _PROFILE_VARIABLES:
            if os.environ.get(name) == usual:
                os.environ[name] = large


def _shared_memory_left() -> int:
    """Bytes."""
    try:
        state = os.statvfs("/dev/shm")
    except OSError:
        return 0
    return state.f_bavail * state.f_frsize


def _fast_dds_3() -> bool:
    """Whether this is Fast DDS 3 (kilted and newer, rclpy 9), which warns of the name that Fast DDS 2 (jazzy) reads."""
    try:
        return int(version("rclpy").split(".")[0]) >= 8
    except PackageNotFoundError:
        return os.environ.get("ROS_DISTRO") != "jazzy"


def _check_domain(text: str) -> None:
    if not (text.isascii() and text.isdigit() and int(text) <= 232):
        expected, remedy = "an integer from 0 to 232", "Correct it, or unset it"
        raise OptionError("environment variable ROS_DOMAIN_ID", got=repr(text), expected=expected, remedy=remedy)


class Session:
    """A node of its own in a context of its own, so that several live in one process without touching each other.

    Args:
        name: of the node.
        namespace: of the node.
        domain_id: ROS domain; None takes the environment's.
        arguments: ROS arguments, as after `--ros-args`.
        quiet: leave out parameter services and /rosout: fewer entities, quicker discovery.

    Raises:
        ForkError: see `check_process`.
        OptionError: `ROS_DOMAIN_ID` is no domain; Fast DDS would end the process.
    """

    def __init__(
        self,
        name: str,
        namespace: str = "",
        domain_id: int | None = None,
        arguments: Sequence[str] | None = None,
        quiet: bool = False,
    ) -> None:
        check_process()
        if domain_id is None:
            _check_domain(os.environ.get("ROS_DOMAIN_ID") or "0")
        set_ros_environment()
        self.context = rclpy.Context()
        rclpy.init(
            args=list(arguments or []),
            context=self.context,
            domain_id=domain_id,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.node = Node(
            name,
            context=self.context,
            namespace=namespace,
            use_global_arguments=True,
            enable_rosout=not quiet,
            start_parameter_services=not quiet,
        )
        self.executor: Any = EventsExecutor(context=self.context)
        self.executor.add_node(self.node)

    @property
    def domain_id(self) -> int:
        """The ROS domain."""
        return int(self.context.get_domain_id())

    def spin_until(self, done: Callable[[], object], timeout_s: float) -> bool:
        """Serve callbacks until `done()` holds; False after `timeout_s` wall-clock seconds without it."""
        deadline = time.monotonic() + timeout_s
        while not done():
            remaining = deadline - time.monotonic()
            if remaining <= 0.0:
                return False
            self.executor.spin_once(timeout_sec=min(remaining, 0.05))
        return True

    def close(self) -> None:
        """Leave the graph. May be called again."""
        if self.executor is None:
            return
        self.executor.remove_node(self.node)
        self.executor.shutdown()
        self.executor = None
        self.node.destroy_node()
        self.context.try_shutdown()
        self.context.destroy()


def open_session(name: str, arguments: list[str]) -> Session:
    """The session of an executable, started by a user.

    Raises:
        OptionError: ROS arguments that cannot be read, in one line.
        ForkError: see `check_process`.
    """
    set_logger_level("rcl", LoggingSeverity.FATAL)  # it would log what is raised as well
    try:
        return Session(name, arguments=arguments)
    except BridgeError:
        raise
    except Exception as error:  # rclpy has a type of its own for each kind of bad argument
        text = re.sub(r",? at \S+:\d+", "", str(error)).removeprefix("failed to initialize rcl: ")
        raise OptionError("ROS arguments that cannot be used", got=" ".join(text.split()).rstrip(".")) from error
    finally:
        set_logger_level("rcl", LoggingSeverity.UNSET)
