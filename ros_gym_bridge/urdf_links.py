"""What the links of a URDF must be, beside the numbers in them: possible inertias, shapes, files that are there."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.errors import MissingFileError, ModelError, UnsupportedFileError
from ros_gym_bridge.urdf_numbers import ATTRIBUTES
from ros_gym_bridge.urdf_tree import Refuse
from ros_gym_bridge.uris import MESH_FORMATS, resolve_mesh

_SHAPES = ("box", "sphere", "cylinder", "capsule", "mesh", "plane")


def check_links(robot: Element, where: str, folder: Path | None, refuse: Refuse) -> None:
    """Inertias, shapes, and the files of meshes and textures. Numbers have been checked.

    Args:
        robot: its links.
        where: the file, for messages.
        folder: where relative names of meshes begin; None for a text that lies nowhere.
        refuse: makes errors.

    Raises:
        ModelError: made by `refuse`.
        MissingFileError, UnsupportedFileError: of a mesh or texture.
    """
    links = _Links(where, folder, refuse)
    for link in robot.findall("link"):
        links.check(link)


class _Links:
    """The checks of one file."""

    def __init__(self, where: str, folder: Path | None, refuse: Refuse) -> None:
        self._where, self._folder, self._refuse = where, folder, refuse

    def check(self, link: Element) -> None:
        """See `check_links`."""
        where = f"link '{link.get('name')}'"
        for inertial in link.findall("inertial"):
            self._inertial(where, inertial)
        for shape in (*link.findall("visual"), *link.findall("collision")):
            self._shape(where, shape)
        for element in link.iter("texture"):
            self._file(where, element)

    def _inertial(self, where: str, inertial: Element) -> None:
        for name in ("mass", "inertia"):
            if inertial.find(name) is None:
                expected, remedy = "<mass> and <inertia>", "Add it, or leave <inertial> out"
                raise self._refuse(f"{where}: <inertial> without <{name}>", expected=expected, remedy=remedy)
        element = inertial.find("inertia")
        assert element is not None
        xx, xy, xz, yy, yz, zz = (float(element.attrib[name]) for name in ATTRIBUTES["inertia"])
        moments = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        if moments[0] < -1e-9 * abs(moments[2]):
            expected, remedy = "principal moments of 0 or more", "Correct the signs or the products of inertia"
            got = f"principal moments {', '.join(f'{moment:.6g}' for moment in moments)}"
            raise self._refuse(f"{where}: impossible <inertia>", got=got, expected=expected, remedy=remedy)

    def _shape(self, where: str, element: Element) -> None:
        geometry = element.find("geometry")
        shape = next(iter(geometry), None) if geometry is not None else None
        if shape is None or shape.tag not in _SHAPES:
            got = "nothing" if shape is None else f"<{shape.tag}>"
            expected = f"<geometry> with one of {', '.join(_SHAPES)}"
            raise self._refuse(
                f"{where}: <{element.tag}> without a shape", got=got, expected=expected, remedy="Add one"
            )
        if shape.tag == "mesh":
            self._file(where, shape)
        for material in element.findall("material"):
            if not material.get("name"):
                expected = '<material name="...">'
                raise self._refuse(f"{where}: a material without name", expected=expected, remedy="Name it")

    def _file(self, where: str, element: Element) -> None:
        """A mesh or texture that is there and not empty."""
        name = element.get("filename", "")
        endings = MESH_FORMATS if element.tag == "mesh" else ("",)
        if not name or not name.lower().endswith(endings):
            what, remedy = f"{where}: <{element.tag}> names no file of a known kind", "Convert it, or correct the name"
            expected = f"a name ending in {', '.join(endings)}" if endings[0] else "a name"
            raise UnsupportedFileError(f"{self._where}: {what}", got=f"'{name}'", expected=expected, remedy=remedy)
        try:
            path = resolve_mesh(name, self._folder)
        except ModelError as error:
            what = f"{where}: the file of its <{element.tag}>, '{name}', was not found"
            raise MissingFileError(f"{self._where}: {what}", expected=error.expected, remedy=error.remedy) from error
        if path.stat().st_size == 0:
            what, expected = f"{where}: {path} is empty", f"a {element.tag}"
            raise MissingFileError(f"{self._where}: {what}", expected=expected, remedy="Get the file again")
