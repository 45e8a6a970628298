"""The physics: one PyBullet client, its bodies, its snapshot, its steps. The only file that imports PyBullet."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.errors import MissingDependencyError, ModelError
from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.physics_text import physics_text
from ros_gym_bridge.sim.frames import Pose, around, placed
from ros_gym_bridge.sim.physics import PhysicsSettings
from ros_gym_bridge.sim.renderer import GlContext
from ros_gym_bridge.sim.robot_body import RobotBody
from ros_gym_bridge.world_file import SpawnedBody, WorldFile

_descriptors = threading.Lock()


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keep what PyBullet's C++ side prints while it loads off the terminal; one thread at a time."""
    flush = ctypes.CDLL(None).fflush
    with _descriptors:
        sys.stdout.flush()
        flush(None)
        saved = [os.dup(fd) for fd in (1, 2)]
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.close(null)
        try:
            yield
        finally:
            flush(None)
            for fd, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, fd)
                os.close(copy)


with _silenced():
    import pybullet
    from pybullet_utils.bullet_client import BulletClient

FIELD_OF_VIEW = 40.0  # degrees, from top to bottom of a picture
MARKER_COLOUR = (0.1, 0.8, 0.2)
_FLOOR_COLOUR = (0.72, 0.76, 0.8, 1.0)
LIGHT = (-0.6, -1.0, 2.0)  # from where


# What a snapshot does not undo
_NOT_RESTORED = frozenset(
    [
        "changeDynamics",
        "setGravity",
        "setTimeStep",
        "setPhysicsEngineParameter",
        "setDefaultContactERP",
        "resetSimulation",
        "setCollisionFilterPair",
        "setCollisionFilterGroupMask",
        "createConstraint",
        "changeConstraint",
        "removeConstraint",
        "createMultiBody",
        "removeBody",
        "loadURDF",
        "loadSDF",
        "loadMJCF",
        "loadBullet",
        "loadSoftBody",
        "createSoftBodyAnchor",
    ]
)


def _turned(rpy: Sequence[float]) -> tuple[float, float, float, float]:
    x, y, z, w = pybullet.getQuaternionFromEuler(rpy)
    return x, y, z, w


class _Client(BulletClient):  # type: ignore[misc]
    """A client that notes whether something was called that a snapshot does not undo, and that draws in its own OpenGL
    context, if it has one."""

    changed = False
    graphics: GlContext | None = None

    def __getattr__(self, name: str) -> Any:
        if name in _NOT_RESTORED:
            self.changed = True
        attribute = super().__getattr__(name)
        return attribute if self.graphics is None else self.graphics.around(name, attribute)


class World:
    """Robots and further bodies in a PyBullet client of their own.

    Physics steps are counted by the caller (`Simulation`); a world has no clock.

    Attributes:
        client: PyBullet, bound to this world.
        robots: in the order of the world file.
        scene: further bodies by name.
        physics: gravity, solver and friction.
        spawned: those that came while it ran, by name; a reset of the state keeps them.
        renderer: who draws for cameras, `egl` or `tiny`; empty where there are none.

    Args:
        world: what stands in it.
        gui: show PyBullet's own window.
        renderer: as above.

    Raises:
        ModelError: PyBullet refuses a model, or its joints are not those of the URDF.
        MissingDependencyError: `gui` without a display, `egl` that does not work.
    """

    def __init__(self, world: WorldFile, gui: bool = False, renderer: str = "") -> None:
        if gui and not os.environ.get("DISPLAY"):
            raise MissingDependencyError(
                "PyBullet's window needs an X display",
                got="DISPLAY is not set",
                remedy="Run on a desktop or under Xvfb, or leave the window off (render_mode='rgb_array')",
            )
        self.world_file, self.renderer = world, renderer
        with _silenced():
            self.client: Any = _Client(pybullet.GUI if gui else pybullet.DIRECT)
            if renderer == "egl":
                self.client.graphics = GlContext(self.client)
        self._folder = tempfile.TemporaryDirectory(prefix="ros_gym_bridge_")
        self._files: dict[RobotModel, Path] = {}
        self.step = self.client.stepSimulation
        self.physics = PhysicsSettings(self.client, world.gravity)
        self._spawned: dict[str, SpawnedBody] = {}
        self.robots = tuple(RobotBody(self.client, placed.robot, self.body_pose) for placed in world.robots)
        self.load()
        if gui:
            self.client.configureDebugVisualizer(pybullet.COV_ENABLE_GUI, 0)  # the key 'g' brings the panels back
            low, high = self.bounds()
            self.look_at(1.2 * float(np.linalg.norm(high - low)), (0.7, -0.6, 0.39), (0.5 * (low + high)).tolist())

    # --- loading

    def load(self) -> None:
        """Empty the world and load everything anew: the strict reset. Home position, motors off, snapshot taken."""
        self._empty()
        self.scene = {
            body.name: self._rest(self.load_body(model, body.position, _turned(body.rpy), body.fixed, body.scale))
            for body, model in self.world_file.bodies
        }
        for robot in self.robots:
            place = robot.robot.config.model
            orientation = _turned(place.base_rpy)
            body = self.load_body(robot.robot.model, place.base_position, orientation, place.fixed_base)
            self._damp(body, place.linear_damping, place.angular_damping)
            robot.take(body)
        self.spawned = {name: self._appear(body) for name, body in self._spawned.items()}
        for i in range(self.client.getNumBodies()):
            self.physics.take(self.client.getBodyUniqueId(i))
        self._settle_renderer()
        self._snapshot = self.client.saveState()
        self.client.changed = False

    def spawn(self, body: SpawnedBody) -> None:
        """Let one more body appear, at rest.

        Raises:
            ModelError: PyBullet refuses the model; nothing has changed.
        """
        changed = self.client.changed
        try:
            number = self.spawned[body.name] = self._appear(body)
        except ModelError:
            self.client.changed = changed
            raise
        self.physics.take(number)
        self._spawned[body.name] = body

    def remove(self, name: str) -> None:
        """Take a further body away; one of the world file comes back with the next reset of the state."""
        self._spawned.pop(name, None)
        where = self.spawned if name in self.spawned else self.scene
        body = where.pop(name)
        self.physics.drop(body)
        self.client.removeBody(body)

    def _appear(self, body: SpawnedBody) -> int:
        return self._rest(self.load_body(body.model, body.position, body.orientation, body.fixed))

    def _rest(self, body: int) -> int:
        """Undamped. PyBullet starts with a motor on every joint; what remains of it is the friction that the model
        states."""
        self._damp(body, 0.0, 0.0)
        joints = [self.client.getJointInfo(body, joint) for joint in range(self.client.getNumJoints(body))]
        free = {info[0]: info[7] for info in joints if info[2] != pybullet.JOINT_FIXED}
        if free:
            indices, forces, zeros = list(free), list(free.values()), [0.0] * len(free)
            mode = pybullet.VELOCITY_CONTROL
            self.client.setJointMotorControlArray(body, indices, mode, targetVelocities=zeros, forces=forces)
        return body

    def _empty(self) -> None:
        self.client.resetSimulation()
        self.client.setTimeStep(1.0 / self.world_file.physics_hz)
        self.physics.begin()

    def _settle_renderer(self) -> None:
        """EGL draws its first two pictures without shadows, and says who made the driver."""
        if self.renderer == "egl":
            with _silenced():
                for _ in range(2):
                    self.client.getCameraImage(16, 16, renderer=pybullet.ER_BULLET_HARDWARE_OPENGL)

    def _file(self, model: RobotModel) -> str:
        """A copy with absolute mesh paths: PyBullet looks in the working directory first, and knows no ROS packages."""
        if model not in self._files:
            path = self._files[model] = Path(self._folder.name) / f"{len(self._files)}.urdf"
            path.write_text(physics_text(model), encoding="utf-8")
        return str(self._files[model])

    def load_body(
        self,
        model: RobotModel,
        position: Sequence[float],
        orientation: Sequence[float],
        fixed: bool,
        scale: float = 1.0,
        client: Any = None,
    ) -> int:
        """PyBullet's number of a model that was loaded into this world or another `client`.

        Raises:
            ModelError: PyBullet refuses the model.
        """
        file = self._file(model)
        client = client or self.client
        try:
            with _silenced():
                body: int = client.loadURDF(
                    file,
                    position,
                    orientation,
                    useFixedBase=fixed,
                    globalScaling=scale,
                    flags=pybullet.URDF_USE_INERTIA_FROM_FILE,
                )
        except pybullet.error as error:
            raise ModelError(
                f"{model.path}: PyBullet cannot load it",
                got=str(error),
                expected="a URDF with one root link and readable meshes",
                remedy="Load it with PyBullet's window to see its warnings",
            ) from error
        return body

    def another_client(self) -> Any:
        """An empty PyBullet without a window, for the caller to disconnect."""
        with _silenced():
            return _Client(pybullet.DIRECT)

    def _damp(self, body: int, linear: float, angular: float) -> None:
        """Bullet damps every body by itself: free fall is 9.5 % slow after 0.8 s. (As a whole: a call of
        `changeDynamics` with damping means the base, whatever link it names, so it must not change a link's mass.)"""
        self.client.changeDynamics(body, -1, linearDamping=linear, angularDamping=angular)

    # --- reset

    def restore(self) -> None:
        """Back to the snapshot: every body where it was after `load`. Motor targets are the caller's to set.

        `restoreState` keeps pending external forces: a step that is thrown away uses them up. What else it keeps, such
        as changed dynamics, and a body that is gone, on which it fails, make it a `load`.
        """
        if self.client.changed:
            self.load()
            return
        self._part()
        self.step()
        self.client.restoreState(self._snapshot)
        for robot in self.robots:
            robot.quiet_motors()

    def _part(self) -> None:
        """Put all bodies far from each other. Convex shapes that are close keep a guess of where they touch, which a
        snapshot does not restore, and which changes the next contact a little; what parts forgets it."""
        for i in range(self.client.getNumBodies()):
            body = self.client.getBodyUniqueId(i)
            self.client.resetBasePositionAndOrientation(body, (0.0, 0.0, 1e4 * (i + 1)), (0.0, 0.0, 0.0, 1.0))

    # --- reading

    def body_pose(self, body: int) -> Pose:
        """Pose of a body's base link frame in the world frame; PyBullet itself tells that of the centre of mass."""
        info = self.client.getDynamicsInfo(body, -1)
        return placed(self.client.getBasePositionAndOrientation(body), around((info[3], info[4])))

    # --- the window and pictures

    def place_body(self, body: int, pose: Pose) -> None:
        """Put a body's base link frame at a pose in the world frame."""
        info = self.client.getDynamicsInfo(body, -1)
        self.client.resetBasePositionAndOrientation(body, *placed(pose, (info[3], info[4])))

    def add_marker(self, position: Sequence[float], radius: float) -> int:
        """A sphere to look at, m in the first robot's base frame; it touches nothing."""
        shape = self.client.createVisualShape(pybullet.GEOM_SPHERE, radius=radius, rgbaColor=(*MARKER_COLOUR, 1.0))
        place, _ = pybullet.multiplyTransforms(*self.robots[0].base_pose(), position, (0.0, 0.0, 0.0, 1.0))
        marker: int = self.client.createMultiBody(baseVisualShapeIndex=shape, basePosition=place)
        return marker

    def add_floor(self, position: Sequence[float], half: float) -> None:
        """A square to look at, the middle of its upper side at a position (m, world frame); it touches nothing."""
        size = (half, half, 0.005)
        shape = self.client.createVisualShape(pybullet.GEOM_BOX, halfExtents=size, rgbaColor=_FLOOR_COLOUR)
        x, y, z = position
        self.client.createMultiBody(baseVisualShapeIndex=shape, basePosition=(x, y, z - size[2]))

    def bounds(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Lower and upper corner of the box around the robots as they stand, `(3,)` each, m in the world frame."""
        links = [(robot.id, link) for robot in self.robots for link in range(-1, self.client.getNumJoints(robot.id))]
        boxes = np.array([self.client.getAABB(*link) for link in links])
        return boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)

    def picture(
        self, width: int, height: int, eye: Sequence[float], target: Sequence[float], shadow: bool
    ) -> npt.NDArray[np.uint8]:
        """What a camera at `eye` that looks at `target` (m, world frame) sees: uint8 `(height, width, 3)`, RGB."""
        view = pybullet.computeViewMatrix(eye, target, (0.0, 0.0, 1.0))
        projection = pybullet.computeProjectionMatrixFOV(FIELD_OF_VIEW, width / height, 0.02, 20.0)
        image = self.client.getCameraImage(
            width, height, view, projection, LIGHT, shadow=int(shadow), renderer=pybullet.ER_TINY_RENDERER
        )
        return np.array(image[2], dtype=np.uint8).reshape(height, width, 4)[:, :, :3]

    def look_at(self, distance: float, back: Sequence[float], target: Sequence[float]) -> None:
        """Put the camera of PyBullet's window `distance` from `target` (m, world frame) in the direction `back`."""
        x, y, z = back
        yaw, pitch = math.degrees(math.atan2(x, -y)), -math.degrees(math.asin(z))
        self.client.resetDebugVisualizerCamera(distance, yaw, pitch, target)

    def close(self) -> None:
        """Disconnect from PyBullet. May be called again."""
        if self.client is not None:
            with contextlib.suppress(pybullet.error), _silenced() if self.renderer else contextlib.nullcontext():
                self.client.disconnect()
            self.client = None
            self._folder.cleanup()
