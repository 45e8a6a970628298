"""The physics: one PyBullet client, its bodies, its snapshot, its steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.geometry import quaternion
from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.sim import client as bullet
from ros_gym_bridge.sim.drawing import open_window
from ros_gym_bridge.sim.frames import Pose, around, placed
from ros_gym_bridge.sim.loader import Loader, damp, let_swing
from ros_gym_bridge.sim.physics import PhysicsSettings
from ros_gym_bridge.sim.robot_body import RobotBody
from ros_gym_bridge.world_file import SpawnedBody, WorldFile


class World:
    """Robots and further bodies in a PyBullet client of their own.

    Physics steps are counted by the caller (`Simulation`); a world has no clock.

    Attributes:
        client: PyBullet, bound to this world.
        loader: makes its bodies.
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
        self.world_file, self.renderer = world, renderer
        self.client: Any = bullet.connect(gui, renderer)
        self.loader = Loader()
        self.step = self.client.stepSimulation
        self.physics = PhysicsSettings(self.client, world.gravity)
        self._spawned: dict[str, SpawnedBody] = {}
        self.robots = tuple(RobotBody(self.client, placed.robot, self.body_pose) for placed in world.robots)
        try:
            self.load()
        except BaseException:  # a process can have one window only: this one must not stay
            self.close()
            raise
        if gui:
            open_window(self.client, *self.bounds())

    # --- loading

    def load(self) -> None:
        """Empty the world and load everything anew: the strict reset. Home position, motors off, snapshot taken."""
        self._empty()
        self.scene = {
            body.name: self._swinging(model, (body.position, quaternion(body.rpy)), body.fixed, body.scale)
            for body, model in self.world_file.bodies
        }
        for robot in self.robots:
            place = robot.robot.config.model
            pose = place.base_position, quaternion(place.base_rpy)
            body = self.loader.load(self.client, robot.robot.model, pose, place.fixed_base)
            damp(self.client, body, place.linear_damping, place.angular_damping)
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
        return self._swinging(body.model, (body.position, body.orientation), body.fixed)

    def _swinging(self, model: RobotModel, pose: Pose, fixed: bool, scale: float = 1.0) -> int:
        return let_swing(self.client, self.loader.load(self.client, model, pose, fixed, scale))

    def _empty(self) -> None:
        self.client.resetSimulation()
        self.client.setTimeStep(1.0 / self.world_file.physics_hz)
        self.physics.begin()

    def _settle_renderer(self) -> None:
        """EGL draws its first two pictures without shadows, and says who made the driver."""
        if self.renderer == "egl":
            with bullet.silenced():
                for _ in range(2):
                    self.client.getCameraImage(16, 16, renderer=self.client.ER_BULLET_HARDWARE_OPENGL)

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

    # --- where bodies are

    def body_pose(self, body: int) -> Pose:
        """Pose of a body's base link frame in the world frame; PyBullet itself tells that of the centre of mass."""
        info = self.client.getDynamicsInfo(body, -1)
        return placed(self.client.getBasePositionAndOrientation(body), around((info[3], info[4])))

    def place_body(self, body: int, pose: Pose) -> None:
        """Put a body's base link frame at a pose in the world frame."""
        info = self.client.getDynamicsInfo(body, -1)
        self.client.resetBasePositionAndOrientation(body, *placed(pose, (info[3], info[4])))

    def bounds(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Lower and upper corner of the box around the robots as they stand, `(3,)` each, m in the world frame."""
        links = [(robot.id, link) for robot in self.robots for link in range(-1, self.client.getNumJoints(robot.id))]
        boxes = np.array([self.client.getAABB(*link) for link in links])
        return boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)

    def close(self) -> None:
        """Disconnect from PyBullet. May be called again."""
        if self.client is not None:
            bullet.disconnect(self.client)
            self.client = None
            self.loader.close()
