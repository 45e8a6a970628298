"""Xacro: its macros expanded by the package `xacro`, in a process of its own.

Where a ROS installation is sourced, this is its own xacro. Expressions in a xacro are Python in all but name: what
limits them is the process (`child.py`), which is no prison. Do not expand the files of those whom you do not trust.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from xml.dom import expatbuilder

from ros_gym_bridge.errors import MissingDependencyError, ModelError
from ros_gym_bridge.formats.result import Converted, Source
from ros_gym_bridge.uris import package_folders
from ros_gym_bridge.xml_text import parse_xml

_NOWHERE = "/nowhere"  # what a text includes by a relative name is not found there


class _Arguments(dict[str, str]):
    """The arguments that are given, and the names of all that are asked for."""

    def __init__(self, given: dict[str, str]) -> None:
        super().__init__(given)
        self.asked: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)


def expand(source: Source) -> Converted:
    """The text in which all macros are expanded; its format is that of the outermost element.

    Changes the XML parser and the package index of this process: call it in a process of its own.

    Raises:
        ModelError: what xacro says about it; or an argument that it does not ask for.
        MissingDependencyError: there is no xacro.
    """
    parse_xml(source.text, source.where)
    packages = _prepare(source.where)
    try:
        import xacro
    except ImportError as error:
        raise MissingDependencyError(
            f"{source.where}: a xacro needs the package xacro",
            got=str(error),
            remedy="Install it: pip install xacro, or apt install ros-DISTRO-xacro",
        ) from error
    arguments = _Arguments(dict(source.arguments))
    try:
        xacro.init_stacks(str(Path(source.folder or _NOWHERE) / Path(source.where).name))
        document = xacro.parse(source.text)
        xacro.process_doc(document, mappings=arguments)
        text = document.toprettyxml(indent="  ")
    except (ModelError, MemoryError):
        raise
    except Exception as error:
        inner: object = error
        while isinstance(getattr(inner, "exc", None), Exception):  # what xacro has wrapped
            inner = getattr(inner, "exc", None)
        if isinstance(inner, MemoryError):
            raise inner from error
        raise _refusal(source, packages, error) from error
    _check_arguments(source.where, arguments)
    return Converted(text, files=tuple(map(str, getattr(xacro, "all_includes", []))))


def _check_arguments(where: str, arguments: _Arguments) -> None:
    unknown = sorted(set(arguments) - arguments.asked)
    if unknown:
        expected = ", ".join(sorted(arguments.asked)) or "none: it asks for none"
        remedy = "Correct its name, or remove it"
        raise ModelError(f"{where}: no such argument", got=f"'{unknown[0]}'", expected=expected, remedy=remedy)


def _refusal(source: Source, packages: list[str], error: Exception) -> ModelError:
    where = source.where
    if packages:
        name = packages[-1]
        folders = ", ".join(map(str, package_folders(name))) or "no folder at all (AMENT_PREFIX_PATH is empty)"
        what, expected = f"{where}: the package of $(find {name}) was not found", f"one of {folders}"
        return ModelError(what, expected=expected, remedy=f"Install '{name}', or source the workspace that holds it")
    got = " ".join(str(error).replace(f"{_NOWHERE}/", "").split()) or type(error).__name__
    expected, remedy = "a xacro file", "Correct it; see https://github.com/ros/xacro/wiki"
    if source.folder is None:
        expected = "a xacro that includes by absolute path or $(find PACKAGE): given as text, it lies in no folder"
    return ModelError(f"{where}: xacro cannot expand it", got=got, expected=expected, remedy=remedy)


def _prepare(where: str) -> list[str]:
    """Refuse document types in included files, too, and find packages as we find them; names of those not found."""

    def doctype(*_: object) -> None:
        expected, remedy = "no <!DOCTYPE>, which can hide entities", "Remove it, and write out what its entities say"
        raise ModelError(f"{where}: it includes a file with a document type", expected=expected, remedy=remedy)

    unknown: list[str] = []

    def share(name: str) -> str:
        for folder in package_folders(name):
            if folder.is_dir():
                return str(folder)
        unknown.append(name)
        raise KeyError(name)

    expatbuilder.ExpatBuilder.start_doctype_decl_handler = doctype  # type: ignore[assignment]
    index = ModuleType("ament_index_python.packages")
    index.get_package_share_directory = share  # type: ignore[attr-defined]
    sys.modules["ament_index_python.packages"] = index
    return unknown
