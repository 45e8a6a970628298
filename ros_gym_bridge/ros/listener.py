"""A subscription that suits whoever publishes, and says why it hears nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSCompatibility, QoSProfile, ReliabilityPolicy, qos_check_compatible

from ros_gym_bridge.errors import MissingDependencyError
from ros_gym_bridge.ros.graph import endpoint_name

_NO_EVENTS = SubscriptionEventCallbacks(use_default_callbacks=False)  # they would log what `trouble` says
_NO_PUBLISHER_EVENTS = PublisherEventCallbacks(use_default_callbacks=False)


def message_class(name: str) -> Any:
    """The class of a message.

    Args:
        name: such as `sensor_msgs/msg/Imu`.

    Raises:
        MissingDependencyError: its package is not installed, or has no such message.
    """
    package, _, kind = name.split("/")
    try:
        return getattr(import_module(f"{package}.msg"), kind)
    except (ImportError, AttributeError) as error:
        raise MissingDependencyError(
            f"the message type '{name}' is not there",
            got=str(error),
            expected=f"the package '{package}' in the sourced ROS 2 installation",
            remedy="Install it, or correct the robot file",
        ) from error


def message_name(kind: Any) -> str:
    """Inverse of `message_class`."""
    package, folder, _ = kind.__module__.split(".")
    return f"{package}/{folder}/{kind.__name__}"


class Listener:
    """Subscribes as soon as it is known what publishers offer, and never anew: a subscription that goes away can leave
    events behind, on which the executor fails.

    Args:
        node: who subscribes.
        message: type, such as `sensor_msgs/msg/Imu`.
        topic: where.
        take: called with each message.
        profile: what is asked for where publishers offer that.
    """

    def __init__(self, node: Node, message: str, topic: str, take: Callable[[Any], None], profile: QoSProfile) -> None:
        self._node, self._message, self._name, self._take = node, message, topic, take
        self._kind, self._profile = message_class(message), profile
        self._subscription: Any = None

    @property
    def topic(self) -> str:
        """Full name."""
        return str(self._node.resolve_topic_name(self._name))

    def adapt(self) -> None:
        """Subscribe where somebody publishes: with best effort where one of them does, which hears both, and to what
        was said before where all of them keep it."""
        if self._subscription is not None:
            return
        offered = [info.qos_profile for info in self._publishers() if info.topic_type == self._message]
        if offered:
            lossy = any(each.reliability == ReliabilityPolicy.BEST_EFFORT for each in offered)
            kept = all(each.durability == DurabilityPolicy.TRANSIENT_LOCAL for each in offered)
            self._subscribe(lossy, kept)

    def settle(self) -> None:
        """Subscribe in any case: whoever comes later is heard, too."""
        if self._subscription is None:
            self._subscribe(lossy=True, kept=False)

    def subscribe(self) -> None:
        """Subscribe with just what is asked for."""
        self._subscription = self._node.create_subscription(
            self._kind, self._name, self._take, self._profile, event_callbacks=_NO_EVENTS
        )

    def trouble(self) -> str:
        """Why nothing has come, after the name of the topic; for an error message."""
        infos = self._publishers()
        if not infos:
            return f"{self.topic}, which nobody publishes"
        alike = [info for info in infos if info.topic_type == self._message]
        if not alike:
            return f"{self.topic}: {_kinds(infos)} there, not {self._message}"
        unsuited = [_reason(info, info.qos_profile, self._profile) for info in alike]
        if all(unsuited):
            return f"{self.topic}: {'; '.join(unsuited)}"
        return f"{self.topic}, where {_names(alike)} has said nothing"

    @property
    def mistaken(self) -> bool:
        """Whether the topic is there, with other types only."""
        infos = self._publishers()
        return bool(infos) and all(info.topic_type != self._message for info in infos)

    def _subscribe(self, lossy: bool, kept: bool) -> None:
        self._profile = QoSProfile(
            depth=self._profile.depth,
            reliability=ReliabilityPolicy.BEST_EFFORT if lossy else self._profile.reliability,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if kept else DurabilityPolicy.VOLATILE,
        )
        self.subscribe()

    def _publishers(self) -> list[Any]:
        return list(self._node.get_publishers_info_by_topic(self.topic))


def publish(node: Node, kind: Any, topic: str, profile: QoSProfile) -> Publisher:
    """A publisher whose troubles are told by `untaken`."""
    return node.create_publisher(kind, topic, profile, event_callbacks=_NO_PUBLISHER_EVENTS)


def untaken(node: Node, topic: str, profile: QoSProfile, message: str) -> str:
    """Why nobody takes what is published, after the name of the topic; for an error message.

    Args:
        node: whose graph is asked.
        topic: full name.
        profile: with which it is published.
        message: type, such as `sensor_msgs/msg/JointState`.
    """
    infos = list(node.get_subscriptions_info_by_topic(topic))
    alike = [info for info in infos if info.topic_type == message]
    if infos and not alike:
        return f"{topic}: {_names(infos)} takes {_types(infos)} there, not {message}"
    unsuited = [_reason(info, profile, info.qos_profile) for info in alike]
    return f"{topic}: {'; '.join(unsuited)}" if unsuited and all(unsuited) else topic


def _reason(info: Any, offered: QoSProfile, wanted: QoSProfile) -> str:
    """Why two ends do not meet; empty when they do. `info` is the other one."""
    if qos_check_compatible(offered, wanted)[0] != QoSCompatibility.ERROR:
        return ""
    reasons = []
    if offered.reliability == ReliabilityPolicy.BEST_EFFORT and wanted.reliability == ReliabilityPolicy.RELIABLE:
        reasons.append("best effort is offered and reliable is wanted")
    if offered.durability == DurabilityPolicy.VOLATILE and wanted.durability == DurabilityPolicy.TRANSIENT_LOCAL:
        reasons.append("volatile is offered and transient local is wanted")
    return f"incompatible QoS with {endpoint_name(info)}: {', '.join(reasons) or 'deadline, liveliness or lease'}"


def _kinds(infos: Iterable[Any]) -> str:
    return f"{_names(infos)} publishes {_types(infos)}"


def _names(infos: Iterable[Any]) -> str:
    return ", ".join(sorted({endpoint_name(info) for info in infos}))


def _types(infos: Iterable[Any]) -> str:
    return ", ".join(sorted({info.topic_type for info in infos}))
