"""Which format a model is written in."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from ros_gym_bridge.errors import UnsupportedFileError
from ros_gym_bridge.formats.result import Format
from ros_gym_bridge.xml_text import parse_xml

_ROOTS: dict[str, Format] = {"robot": "urdf", "sdf": "sdf", "mujoco": "mjcf"}


def detect(text: str, where: str) -> Format:
    """By the outermost element, and by the ending `.xacro` or what a xacro holds.

    Raises:
        ModelError: not XML.
        UnsupportedFileError: none of the formats.
    """
    root = parse_xml(text, where)
    if where.endswith(".xacro"):
        return "xacro"
    if root.tag not in _ROOTS:
        expected, remedy = "<robot>, <sdf> or <mujoco> outermost", "Name a URDF, a xacro, an SDF or an MJCF file"
        what = f"{where}: no model in a known format"
        raise UnsupportedFileError(what, got=f"<{root.tag}>", expected=expected, remedy=remedy)
    return "xacro" if root.tag == "robot" and any(map(_is_xacro, root.iter())) else _ROOTS[root.tag]


def _is_xacro(element: Element) -> bool:
    inside = element.tag.startswith("{http") and "xacro" in element.tag
    return inside or any("$(" in value or "${" in value for value in element.attrib.values())
