"""Each kind of sensor message, drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ros_gym_bridge.view.frames import Matrix, matrix
from ros_gym_bridge.view.panel import Panel
from ros_gym_bridge.view.readings import cloud_points, picture, scan_points
from ros_gym_bridge.view.stage import Stage

Place = Callable[[str], Matrix | None]


class SensorView:
    """Draws messages on the stage and in the panel.

    Args:
        stage, panel: the page's.
    """

    def __init__(self, stage: Stage, panel: Panel) -> None:
        self._stage, self._panel = stage, panel

    def draw(self, topic: str, kind: str, message: Any, place: Place, fixed: str) -> str:
        """Show a message.

        Args:
            kind: name of its type: `Image`, or one of those in `PLACED`.
            place: tells where a frame stands in the fixed one; None when nobody knows.
            fixed: name of that frame, for the words.

        Returns:
            Why it is not shown, in words; empty when it is.
        """
        try:
            if kind == "Image":
                self._panel.picture(topic, picture(message))
                return ""
            frame = message.header.frame_id
            pose = place(frame)
            if pose is None:
                self._stage.hide(topic)
                return f"not shown: no transform from '{frame}' to '{fixed}'"
            PLACED[kind](self._stage, topic, message, pose)
        except ValueError as error:
            self.hide(topic)
            return f"not shown: {error}"
        return ""

    def hide(self, topic: str) -> None:
        """Take everything of a sensor away."""
        self._stage.hide(topic)
        self._panel.hide_picture(topic)


def _scan(stage: Stage, topic: str, message: Any, pose: Matrix) -> None:
    stage.points(topic, scan_points(message), None, pose)


def _cloud(stage: Stage, topic: str, message: Any, pose: Matrix) -> None:
    stage.points(topic, *cloud_points(message), pose)


def _pose(stage: Stage, topic: str, message: Any, pose: Matrix) -> None:
    stage.axes(topic, pose @ _matrix(message.pose))


def _odometry(stage: Stage, topic: str, message: Any, pose: Matrix) -> None:
    stage.axes(topic, pose @ _matrix(message.pose.pose))


def _matrix(pose: Any) -> Matrix:
    p, q = pose.position, pose.orientation
    return matrix((p.x, p.y, p.z), (q.x, q.y, q.z, q.w))


PLACED = {"LaserScan": _scan, "PointCloud2": _cloud, "PoseStamped": _pose, "Odometry": _odometry}
