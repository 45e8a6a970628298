"""Mesh files, as the browser takes them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from trimesh.visual.material import PBRMaterial

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.uris import resolve_uri
from ros_gym_bridge.view.elements import Colour

GREY: Colour = (0.72, 0.74, 0.76, 1.0)
_UNPAINTED = (None, "", "None")  # what programs call the material of a part that was given none


class Mesh:
    """One mesh file.

    Args:
        name: as the description names it: a `file://` or `package://` URI, or an absolute path.

    Raises:
        ModelError: the file is not there, or is no mesh that can be read.
    """

    def __init__(self, name: str) -> None:
        path = resolve_uri(name, Path("/"))
        try:
            self._scene = trimesh.load_scene(path)
            empty = not self._scene.geometry
        except Exception as error:  # a broken file can raise anything
            got = f"{type(error).__name__}: {str(error)[:200]}"
            raise ModelError(f"{path} cannot be read as a mesh", got=got, remedy="Open it in a mesh viewer") from error
        if empty:
            raise ModelError(f"{path} holds no mesh", expected="triangles", remedy="Open it in a mesh viewer")
        if path.suffix.lower() == ".dae" and self._scene.units:  # as RViz does: units are obeyed, the up axis is not
            self._scene.apply_scale(trimesh.units.unit_conversion(self._scene.units, "meters"))

    @cached_property
    def corners(self) -> Any:
        """Lower and upper corner of the box around it, `(2, 3)`, m before the description's scale."""
        return np.asarray(self._scene.bounds, dtype=np.float64)

    def glb(self, colour: Colour | None) -> bytes:
        """As binary glTF. The colour is that of the parts for which the file states none."""
        scene = self._scene.copy()
        for part in scene.geometry.values():
            if not _painted(part.visual):
                part.visual = trimesh.visual.TextureVisuals(material=_material(colour or GREY))
        data: bytes = scene.export(file_type="glb")
        return data


def _painted(visual: Any) -> bool:
    if visual.kind != "texture":
        return bool(visual.defined)
    return visual.material.name not in _UNPAINTED or getattr(visual.material, "image", None) is not None


def _material(colour: Colour) -> PBRMaterial:
    factor = [round(255 * part) for part in colour]
    mode = "OPAQUE" if colour[3] >= 1.0 else "BLEND"
    return PBRMaterial(baseColorFactor=factor, metallicFactor=0.1, roughnessFactor=0.7, alphaMode=mode)
