"""Who is there: names from the ROS graph."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node

NAMELESS = "a node whose name is not known yet"
_UNKNOWN = "_NODE_NAME_UNKNOWN_"  # rmw's word for an endpoint that was discovered before its node


def publishers(node: Node, topic: str) -> list[str]:
    """Full names of the nodes that publish on a topic, sorted; `NAMELESS` for one that has not told its name yet.

    Args:
        node: whose graph is asked.
        topic: absolute, or relative to the node; remapped as the node's own.
    """
    infos = node.get_publishers_info_by_topic(node.resolve_topic_name(topic))
    return sorted(endpoint_name(info) for info in infos)


def endpoint_name(info: Any) -> str:
    """Full name of the node that an endpoint of the graph belongs to, or `NAMELESS`."""
    return NAMELESS if info.node_name == _UNKNOWN else f"{info.node_namespace.rstrip('/')}/{info.node_name}"
