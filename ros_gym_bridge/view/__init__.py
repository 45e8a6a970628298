"""A page in the browser that shows a robot. Nothing here knows ROS: messages are looked at, not imported.

Importing it says what is missing where the packages of the page are not installed.
"""

from __future__ import annotations

from importlib.util import find_spec

from ros_gym_bridge.errors import MissingDependencyError

_MISSING = [name for name in ("viser", "trimesh") if find_spec(name) is None]
if _MISSING:
    raise MissingDependencyError(
        "the page in the browser cannot be made",
        got=f"no package {' and no package '.join(_MISSING)}",
        expected="viser, trimesh and pycollada",
        remedy="Run 'make view', or: pip install viser trimesh pycollada",
    )
