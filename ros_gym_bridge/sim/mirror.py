"""Pictures: a second world that only shows what a robot does, wherever that robot lives."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.sim import drawing
from ros_gym_bridge.sim.drawing import FIELD_OF_VIEW, MARKER_COLOUR
from ros_gym_bridge.sim.frames import Pose, placed
from ros_gym_bridge.sim.world import World
from ros_gym_bridge.tasks.base import Marker
from ros_gym_bridge.world_file import world_of

_ASPECT = 4.0 / 3.0
_MARGIN = 0.98  # share of the picture that the box around robot and markers fills
_BEHIND = 0.4  # how much of a marker shines through what hides it
_SLOPE = 0.4  # of the view: metres down for each metre along


class Mirror:
    """A world that is posed, never stepped, so that looking at a simulation cannot change it.

    The camera looks at the broad side of the robot and stands where the robot at home and all markers fill the
    picture; it moves only when the markers do. A robot without a scene of its own gets a floor to stand on.

    Args:
        robot: the robot file.
        gui: show PyBullet's own window.

    Raises:
        MissingDependencyError: `gui` without a display.
    """

    def __init__(self, robot: RobotFile, gui: bool = False) -> None:
        self._world = World(world_of(robot), gui)
        self._robot = self._world.robots[0]
        self._gui = gui
        self._period_s = 1.0 / robot.spec.control_hz
        self._shown_s = 0.0
        self._markers: tuple[Marker, ...] = ()
        self._bodies: list[int] = []
        self._low, self._high = _range(self._world)
        if not robot.config.scene:
            centre, size = 0.5 * (self._low + self._high), float(np.linalg.norm(self._high - self._low))
            drawing.add_floor(self._world.client, (centre[0], centre[1], self._low[2]), 0.65 * size)
        self._aim()

    def show(self, position: FloatArray, poses: Mapping[str, Pose], markers: Sequence[Marker]) -> None:
        """Pose everything. In a window no faster than real time, so that an eye can follow.

        Args:
            position: `(n_joints,)`, rad or m.
            poses: of scene bodies by name in the world frame, `''` for the robot's base; those left out stay.
            markers: spheres in the robot's base frame.
        """
        world = self._world
        self._robot.set_joints(position.tolist(), [0.0] * len(position))
        for name, pose in poses.items():
            world.place_body(world.scene[name] if name else self._robot.id, pose)
        if tuple(markers) != self._markers:
            for body in self._bodies:
                world.client.removeBody(body)
            self._markers, self._bodies = tuple(markers), [self._mark(marker) for marker in markers]
            self._aim()
        if self._gui:
            time.sleep(max(0.0, self._shown_s + self._period_s - time.monotonic()))
            self._shown_s = time.monotonic()

    def picture(self, width: int = 480, height: int = 360, shadow: bool = False) -> npt.NDArray[np.uint8]:
        """The scene in RGB, uint8 `(height, width, 3)`. A marker that something hides shines through it.

        Args:
            width, height: pixels; the camera's distance is made for 4 : 3.
            shadow: the robot casts one; the picture takes three times as long.
        """
        eye, centre = self._eye.tolist(), self._centre.tolist()
        picture = drawing.picture(self._world.client, (width, height), eye, centre, shadow)
        image = picture.astype(np.float64)
        rows, columns = np.mgrid[0:height, 0:width] + 0.5
        for (x, y, z), radius in self._spheres():
            scale = 0.5 * height / math.tan(0.5 * math.radians(FIELD_OF_VIEW)) / z
            away = np.hypot(columns - 0.5 * width - scale * x, rows - 0.5 * height + scale * y)
            image[away <= scale * radius] *= 1.0 - _BEHIND
            image[away <= scale * radius] += _BEHIND * 255.0 * np.array(MARKER_COLOUR)
        return image.astype(np.uint8)

    def close(self) -> None:
        """Disconnect from PyBullet. May be called again."""
        self._world.close()

    def _mark(self, marker: Marker) -> int:
        """A sphere, in the robot's base frame, in the world."""
        place, _ = placed(self._robot.base_pose(), (marker.position, (0.0, 0.0, 0.0, 1.0)))
        return drawing.add_marker(self._world.client, place, marker.radius)

    def _aim(self) -> None:
        """Place the camera."""
        low, high = self._low, self._high
        for body, marker in zip(self._bodies, self._markers, strict=True):
            place = np.array(self._world.body_pose(body)[0])
            low, high = np.minimum(low, place - marker.radius), np.maximum(high, place + marker.radius)
        self._axes = _axes(self._high - self._low)
        self._centre, half = 0.5 * (low + high), 0.5 * (high - low)
        corners = half * np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
        across, up, back = self._axes @ corners.T
        most = _MARGIN * math.tan(0.5 * math.radians(FIELD_OF_VIEW))
        distance = float(np.max(back + np.maximum(np.abs(across) / (most * _ASPECT), np.abs(up) / most)))
        self._eye = self._centre + distance * self._axes[2]
        if self._gui:
            drawing.look_at(self._world.client, distance, self._axes[2].tolist(), self._centre.tolist())

    def _spheres(self) -> list[tuple[FloatArray, float]]:
        """Centre (right, up, ahead of the camera) and radius of every marker, m."""
        places = [np.array(self._world.body_pose(body)[0]) for body in self._bodies]
        seen = [self._axes @ (place - self._eye) * (1.0, 1.0, -1.0) for place in places]
        return [(place, marker.radius) for place, marker in zip(seen, self._markers, strict=True)]


def _range(world: World) -> tuple[FloatArray, FloatArray]:
    """Lower and upper corner of the box that holds the robot at home and wherever its slides take it, `(3,)` each."""
    robot = world.robots[0]
    spec, model = robot.robot.spec, robot.robot.model
    poses = [spec.home.tolist()]
    for i, name in enumerate(spec.joints):
        if model.joint(name).type == "prismatic":
            poses += [[*spec.home[:i], end, *spec.home[i + 1 :]] for end in (spec.lower[i], spec.upper[i])]
    boxes = []
    for pose in poses:
        robot.set_joints(pose, [0.0] * len(pose))
        boxes.append(world.bounds())
    robot.set_joints(poses[0], [0.0] * len(poses[0]))
    return np.min([box[0] for box in boxes], axis=0), np.max([box[1] for box in boxes], axis=0)


def _axes(size: FloatArray) -> FloatArray:
    """The camera's directions to the right, up and back, `(3, 3)`, for the extent `(3,)` of what it looks at."""
    broad = 0.3 * float(np.hypot(size[0], size[1]))
    back = np.array([size[1] + broad, -size[0] - broad, 0.0])
    back[2] = _SLOPE * np.linalg.norm(back)
    back /= np.linalg.norm(back)
    right = np.cross((0.0, 0.0, 1.0), back)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(back, right), back])
