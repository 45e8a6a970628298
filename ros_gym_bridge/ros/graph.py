"""Who is there: names from the ROS graph."""

from __future__ import annotations

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
    return sorted(
        NAMELESS if info.node_name == _UNKNOWN else f"{info.node_namespace.rstrip('/')}/{info.node_name}"
        for info in infos
    )
