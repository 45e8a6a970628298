"""Hears everything that a robot file names, for some seconds, and commands nothing."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.qos import QoSProfile, ReliabilityPolicy

from ros_gym_bridge.channel_readings import Reading, readings
from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.graph import endpoint_name
from ros_gym_bridge.ros.listener import Listener
from ros_gym_bridge.ros.messages import to_ns
from ros_gym_bridge.ros.names import place_below
from ros_gym_bridge.ros.session import Session
from ros_gym_bridge.ros.simulator import SimulatorClient
from ros_gym_bridge.ros.transforms import Transforms

_DEEP = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
_GRAPH_S = 4.0  # to discover who is there
_SURVEY_S = 1.0
_ANSWER_S = 3.0


class Track:
    """What came on one topic.

    Attributes:
        listener: the subscription.
        newest: the message that came last; None before the first.
        stamps: of all messages with a header or a clock, nanoseconds, in the order in which they came.
        ages_s: how old each was when it came, by the computer's clock.
    """

    def __init__(self, session: Session, message: str, topic: str, profile: QoSProfile = _DEEP) -> None:
        self.message = message
        self.listener = Listener(session.node, message, topic, self.hear, profile)
        self._session = session
        self.newest: Any = None
        self.stamps: list[int] = []
        self.ages_s: list[float] = []
        self._arrivals: list[float] = []

    @property
    def topic(self) -> str:
        """Full name."""
        return self.listener.topic

    def hear(self, message: Any) -> None:
        """A message has come."""
        now, self.newest = time.time(), message
        self._arrivals.append(time.monotonic())
        stamp = getattr(message, "clock", None) or getattr(getattr(message, "header", None), "stamp", None)
        if stamp is not None:
            self.stamps.append(to_ns(stamp))
            self.ages_s.append(now - self.stamps[-1] / 1e9)

    @property
    def publishers(self) -> list[str]:
        """Who publishes, by full name."""
        infos = self._session.node.get_publishers_info_by_topic(self.topic)
        return sorted(endpoint_name(info) for info in infos)

    @property
    def rate_hz(self) -> float:
        """Messages per second; 0 before there are three."""
        if len(self._arrivals) < 3:
            return 0.0
        return (len(self._arrivals) - 1) / max(1e-9, self._arrivals[-1] - self._arrivals[0])

    @property
    def stamp_rate_hz(self) -> float:
        """Different stamps per second of the robot's own time; 0 before there are three."""
        stamps = sorted(set(self.stamps))
        return (len(stamps) - 1) * 1e9 / (stamps[-1] - stamps[0]) if len(stamps) > 2 else 0.0

    @property
    def stands(self) -> bool:
        """Whether all messages carry one stamp."""
        return len(set(self.stamps)) == 1

    @property
    def went_back(self) -> int:
        """By how many nanoseconds stamps went back at most; 0 when they never did."""
        moves = (before - after for before, after in zip(self.stamps, self.stamps[1:], strict=False))
        return max(0, max(moves, default=0))


class Frames:
    """Transforms, and under which parents each frame was told."""

    def __init__(self, session: Session) -> None:
        self.transforms, self.count = Transforms(), 0
        self.parents: dict[str, Counter[str]] = {}
        self.listeners = [
            Listener(session.node, "tf2_msgs/msg/TFMessage", topic, partial(self._take, static), profile)
            for topic, static, profile in (
                ("/tf", False, qos.ANY_TRANSFORMS),
                ("/tf_static", True, qos.LATCHED_TRANSFORMS),
            )
        ]

    def _take(self, static: bool, message: Any) -> None:
        self.count += 1
        self.transforms.put(message, static)
        for each in message.transforms:
            self.parents.setdefault(each.child_frame_id.lstrip("/"), Counter())[each.header.frame_id.lstrip("/")] += 1


@dataclass(frozen=True)
class Look:
    """What was heard, for the rows to judge.

    Attributes:
        robot: the robot file.
        place: of the robot among others of one simulator; empty for one that is alone.
        command_prefix: before the command topics, where a safety node stands before the robot.
        stepping: how it is to be stepped; None: not said.
        session: whose graph is asked.
        states, clock, description: of the robot.
        samples: of every sample that has a topic.
        frames: transforms.
        simulator: its services.
    """

    robot: RobotFile
    place: str
    command_prefix: str
    stepping: str | None
    session: Session
    states: Track
    clock: Track
    description: Track
    samples: tuple[tuple[Reading, Track], ...]
    frames: Frames
    simulator: SimulatorClient

    @property
    def adapting(self) -> list[Listener]:
        """The subscriptions that are to suit whoever publishes."""
        tracks = (self.states, self.clock, self.description, *(track for _, track in self.samples))
        return [*(track.listener for track in tracks), *self.frames.listeners]


def watch(
    robot: RobotFile,
    namespace: str,
    simulator: str | None,
    domain_id: int | None,
    command_prefix: str,
    stepping: str | None,
    seconds: float,
    stop: Callable[[], bool],
) -> Look:
    """Look for everybody, then listen for so many wall-clock seconds. Its session is the caller's to close.

    Args:
        robot: the robot file.
        namespace: of the robot's topics.
        simulator: of a simulator's services; None: the same.
        domain_id: ROS domain; None: that of the environment.
        command_prefix, stepping: see `Look`.
        seconds: how long.
        stop: true ends it early.
    """
    session = Session(f"doctor_{os.getpid()}", namespace, domain_id, quiet=True)
    look = _subscribe(robot, session, simulator, place_below(namespace, simulator), command_prefix, stepping)
    session.spin_until(lambda: _discovered(look) or stop(), _GRAPH_S)
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stop():
        for listener in look.adapting:
            listener.adapt()
        session.spin_until(stop, 0.25)
    if not stop():
        look.simulator.look(_SURVEY_S)
    return look


def _subscribe(
    robot: RobotFile, session: Session, simulator: str | None, place: str, command_prefix: str, stepping: str | None
) -> Look:
    return Look(
        robot,
        place,
        command_prefix,
        stepping,
        session,
        Track(session, "sensor_msgs/msg/JointState", robot.config.joint_states.topic),
        Track(session, "rosgraph_msgs/msg/Clock", "/clock"),
        Track(session, "std_msgs/msg/String", "robot_description", qos.LATCHED),
        tuple((each, Track(session, each.message, each.topic)) for each in readings(robot.config) if each.message),
        Frames(session),
        SimulatorClient(session, simulator, (), _ANSWER_S, lambda: ""),
    )


def _discovered(look: Look) -> bool:
    """Whether there is something to hear. Who is not there by then is waited for while listening."""
    return bool(look.states.publishers) and all(track.publishers for _, track in look.samples)
