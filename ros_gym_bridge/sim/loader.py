"""From models to bodies."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ros_gym_bridge.errors import ModelError, StorageError
from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.physics_text import physics_text
from ros_gym_bridge.sim.client import PyBulletError, silenced
from ros_gym_bridge.sim.frames import Pose


class Loader:
    """Loads models from files of its own, with absolute mesh paths: PyBullet looks in the working directory first, and
    knows no ROS packages.

    Raises:
        StorageError: no file can be written; from `load`, too.
    """

    def __init__(self) -> None:
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="ros_gym_bridge_")
        except OSError as error:
            raise _unwritable(error) from error
        self._files: dict[RobotModel, Path] = {}

    def load(self, client: Any, model: RobotModel, pose: Pose, fixed: bool, scale: float = 1.0) -> int:
        """PyBullet's number of the body.

        Args:
            client: in which it appears.
            model: what it is.
            pose: of its root link, world frame.
            fixed: the root link cannot move.
            scale: of all lengths.

        Raises:
            ModelError: PyBullet refuses the model.
        """
        file = self._file(model)
        try:
            with silenced():
                body: int = client.loadURDF(
                    file,
                    *pose,
                    useFixedBase=fixed,
                    globalScaling=scale,
                    flags=client.URDF_USE_INERTIA_FROM_FILE,
                )
        except PyBulletError as error:
            raise ModelError(
                f"{model.path}: PyBullet cannot load it",
                got=str(error),
                expected="a URDF with one root link and readable meshes",
                remedy="Load it with PyBullet's window to see its warnings",
            ) from error
        return body

    def _file(self, model: RobotModel) -> str:
        if model not in self._files:
            path = self._files[model] = Path(self._folder.name) / f"{len(self._files)}.urdf"
            text = physics_text(model)
            try:
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                del self._files[model]
                raise _unwritable(error) from error
        return str(self._files[model])

    def close(self) -> None:
        """Remove the files. May be called again."""
        self._folder.cleanup()


def _unwritable(error: OSError) -> StorageError:
    return StorageError(
        "a model cannot be written for PyBullet to read",
        got=str(error),
        remedy="Make room for temporary files, or name a folder that has some in the variable TMPDIR",
    )


def damp(client: Any, body: int, linear: float, angular: float) -> None:
    """Bullet damps every body by itself: free fall is 9.5 % slow after 0.8 s. (As a whole: a call of `changeDynamics`
    with damping means the base, whatever link it names, so it must not change a link's mass.)"""
    client.changeDynamics(body, -1, linearDamping=linear, angularDamping=angular)


def let_swing(client: Any, body: int) -> int:
    """A body that nobody commands, undamped. PyBullet starts with a motor on every joint; what remains of it is the
    friction that the model states.

    Returns:
        the body.
    """
    damp(client, body, 0.0, 0.0)
    joints = [client.getJointInfo(body, joint) for joint in range(client.getNumJoints(body))]
    free = {info[0]: info[7] for info in joints if info[2] != client.JOINT_FIXED}
    if free:
        indices, forces, zeros = list(free), list(free.values()), [0.0] * len(free)
        mode = client.VELOCITY_CONTROL
        client.setJointMotorControlArray(body, indices, mode, targetVelocities=zeros, forces=forces)
    return body
