"""PyBullet itself: clients, and what it prints kept off the terminal. The only file that imports it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

from ros_gym_bridge.errors import MissingDependencyError
from ros_gym_bridge.sim.renderer import GlContext

_descriptors = threading.Lock()


@contextlib.contextmanager
def silenced() -> Iterator[None]:
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


with silenced():
    import pybullet
    from pybullet_utils.bullet_client import BulletClient

PyBulletError: type[Exception] = pybullet.error

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


class Client(BulletClient):  # type: ignore[misc]
    """PyBullet's functions and constants, bound to one physics server; it notes whether something was called that a
    snapshot does not undo, and draws in its own OpenGL context, if it has one.

    Attributes:
        changed: such a call was made; whoever takes a snapshot sets it back.
        graphics: that context.
    """

    changed = False
    graphics: GlContext | None = None

    def __getattr__(self, name: str) -> Any:
        if name in _NOT_RESTORED:
            self.changed = True
        attribute = super().__getattr__(name)
        return attribute if self.graphics is None else self.graphics.around(name, attribute)


def connect(gui: bool = False, renderer: str = "") -> Any:
    """A `Client` of a physics server of its own, which is empty.

    Args:
        gui: show PyBullet's own window.
        renderer: `egl` makes an OpenGL context for cameras.

    Raises:
        MissingDependencyError: `gui` without a display, `egl` that does not work.
    """
    if gui and not os.environ.get("DISPLAY"):
        raise MissingDependencyError(
            "PyBullet's window needs an X display",
            got="DISPLAY is not set",
            remedy="Run on a desktop or under Xvfb, or leave the window off (render_mode='rgb_array')",
        )
    with silenced():
        client = Client(pybullet.GUI if gui else pybullet.DIRECT)
        if renderer == "egl":
            client.graphics = GlContext(client)
    return client


def disconnect(client: Any) -> None:
    """End its physics server, which may be gone already."""
    with contextlib.suppress(PyBulletError), contextlib.nullcontext() if client.graphics is None else silenced():
        client.disconnect()
