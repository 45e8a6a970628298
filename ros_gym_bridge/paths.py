"""Where the package's own files lie: in the installed share directory, or in the checkout."""

from __future__ import annotations

import os
import sysconfig
from functools import lru_cache
from pathlib import Path

PACKAGE = "ros_gym_bridge"


@lru_cache(maxsize=1)
def share_directory() -> Path:
    """The folder that holds `config/`, `urdf/` and `launch/`.

    The checkout or source tree comes first, so that an editable install sees its own files; then the prefixes of
    the ROS 2 environment; then the prefix of this Python.
    """
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    prefixes.append(Path(sysconfig.get_path("data")))
    candidates = [Path(__file__).resolve().parent.parent, *(prefix / "share" / PACKAGE for prefix in prefixes)]
    return next((path for path in candidates if (path / "config" / "robots").is_dir()), candidates[0])
