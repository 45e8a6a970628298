"""Who draws the pictures of cameras: OpenGL without a window (EGL), or PyBullet's TinyRenderer on the processor.

Their pictures differ, so a world has one of them from its beginning to its end.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ros_gym_bridge.channels import Camera
from ros_gym_bridge.errors import MissingDependencyError, OptionError
from ros_gym_bridge.world_file import WorldFile

NAMES = {"egl": "OpenGL (EGL)", "tiny": "TinyRenderer"}
_PLUGIN, _ENTRY = "eglRenderer", "_eglRendererPlugin"
_PROBE_S = 60.0
_DRAW, _READ = 0x3059, 0x305A  # EGL_DRAW, EGL_READ
# What makes, changes or draws what is seen
_DRAWING = frozenset(
    [
        "changeTexture",
        "changeVisualShape",
        "createMultiBody",
        "createVisualShape",
        "createVisualShapeArray",
        "disconnect",
        "getCameraImage",
        "loadBullet",
        "loadMJCF",
        "loadSDF",
        "loadSoftBody",
        "loadTexture",
        "loadURDF",
        "removeBody",
        "resetSimulation",
        "resetVisualShapeData",
    ]
)


def choose_renderer(world: WorldFile, gui: bool) -> str:
    """`egl` or `tiny` for a world whose robots have cameras, empty for any other. The same on one machine for every
    process.

    Args:
        world: what stands in it; the robot files say which renderer is wanted.
        gui: PyBullet shows its own window, which leaves TinyRenderer only.

    Raises:
        OptionError: two robots want different ones, or EGL beside a window.
        MissingDependencyError: EGL is wanted and does not work here.
    """
    configs = [placed.robot.config for placed in world.robots]
    wanted = {config.renderer for config in configs if any(isinstance(c, Camera) for c in config.channels)}
    asked = sorted(wanted - {"auto"})
    if len(asked) > 1:
        remedy = "Say the same in their robot files, or 'auto'"
        raise OptionError("robots of one world ask for different renderers", got=" and ".join(asked), remedy=remedy)
    if "egl" in asked and gui:
        remedy = "Leave the window off, or use renderer: tiny"
        raise OptionError("renderer: egl beside PyBullet's window", remedy=remedy)
    if not wanted or gui or "tiny" in asked:
        return "tiny" if wanted else ""
    failure = _egl_failure()
    if failure and asked:
        raise MissingDependencyError(
            "renderer: egl does not work here",
            got=failure,
            expected="EGL and an OpenGL driver, on Debian and Ubuntu libegl1 and libgl1-mesa-dri",
            remedy="Install them, or use renderer: auto or tiny",
        )
    return "tiny" if failure else "egl"


@functools.cache
def _egl_failure() -> str:
    """Why EGL does not work, or nothing. Tried in a process of its own: PyBullet ends the process where it does not."""
    plugin = _plugin()
    if not plugin:
        return f"PyBullet comes without its plugin {_PLUGIN}"
    code = (
        f"import pybullet; pybullet.connect(pybullet.DIRECT); assert pybullet.loadPlugin({plugin!r}, {_ENTRY!r}) >= 0; "
        "pybullet.getCameraImage(8, 8, renderer=pybullet.ER_BULLET_HARDWARE_OPENGL); print('\\ndrawn')"
    )
    try:
        tried = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=_PROBE_S, check=False)
    except subprocess.TimeoutExpired:
        return f"no picture within {_PROBE_S:.0f} s"
    if tried.returncode == 0 and b"\ndrawn" in tried.stdout:
        return ""
    said = (tried.stderr + tried.stdout).decode(errors="replace").split("\n")
    return next((line.strip() for line in said if "EGL" in line), f"exit code {tried.returncode}")


def _plugin() -> str:
    found = importlib.util.find_spec(_PLUGIN)
    return str(found.origin) if found is not None else ""


class GlContext:
    """OpenGL of one client. PyBullet leaves the context of whichever client was made last current and draws every
    picture there; this makes the right one current for each call, in whatever thread.

    Args:
        client: in which the plugin is loaded.

    Raises:
        MissingDependencyError: it cannot be loaded.
    """

    def __init__(self, client: Any) -> None:
        if client.loadPlugin(_plugin(), _ENTRY) < 0:
            raise MissingDependencyError("PyBullet cannot load its plugin for EGL", remedy="Use renderer: tiny")
        egl = ctypes.CDLL("libEGL.so.1")
        for name in ("eglGetCurrentDisplay", "eglGetCurrentSurface", "eglGetCurrentContext"):
            getattr(egl, name).restype = ctypes.c_void_p
        self._make_current = egl.eglMakeCurrent
        self._make_current.argtypes = [ctypes.c_void_p] * 4
        self._display = egl.eglGetCurrentDisplay()
        surfaces = egl.eglGetCurrentSurface(_DRAW), egl.eglGetCurrentSurface(_READ)
        self._mine = (self._display, *surfaces, egl.eglGetCurrentContext())
        self._release()

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """A function of PyBullet with this context current, if it draws."""
        if name not in _DRAWING:
            return call

        @functools.wraps(call)
        def held(*arguments: Any, **keywords: Any) -> Any:
            with self._current():
                return call(*arguments, **keywords)

        return held

    @contextlib.contextmanager
    def _current(self) -> Iterator[None]:
        self._make_current(*self._mine)
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        self._make_current(self._display, None, None, None)
