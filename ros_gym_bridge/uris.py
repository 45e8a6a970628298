"""Where the files lie that robot files and URDFs name."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.paths import PACKAGE, share_directory

SCHEMES = "a path, package://PACKAGE/PATH, pybullet_data://PATH or file:///PATH"
MESH_FORMATS = (".dae", ".obj", ".stl")  # what PyBullet reads; it refuses every other ending


def resolve_uri(uri: str, relative_to: Path) -> Path:
    """Find the file that a robot file names.

    Args:
        uri: a path, absolute or relative to `relative_to`; `package://PACKAGE/PATH`, looked up in the ament index
            (`share/PACKAGE` under each prefix of AMENT_PREFIX_PATH; our own package also in its checkout);
            `pybullet_data://PATH`, in the folder of the Python package of that name; or `file:///PATH`.
        relative_to: the folder of the file in which `uri` stands.

    Returns:
        The absolute path of an existing file.

    Raises:
        ModelError: no such file, an unknown scheme, or a path that leaves its package through `..`.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return _first_file(uri, [relative_to], uri, "Correct the path, or put the file there")
    if scheme == "file":
        return _first_file(uri, [Path("/")], unquote(rest), "Correct the path, or put the file there")
    if scheme == "package":
        package, _, rest = rest.partition("/")
        folders, remedy = package_folders(package), f"Install '{package}', or source the workspace that holds it"
    elif scheme == "pybullet_data":
        folders, remedy = _pybullet_data(), "Install pybullet, or correct the path"
    else:
        raise ModelError(f"unknown scheme in '{uri}'", got=f"{scheme}://", expected=SCHEMES, remedy="Correct the URI")
    return _first_file(uri, folders, _inside(uri, rest), remedy)


def package_folders(package: str) -> list[Path]:
    """The share folders where the ROS package `package` may lie, first come first served."""
    own = [share_directory()] if package == PACKAGE else []
    prefixes = [Path(prefix) for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    return own + [prefix / "share" / package for prefix in prefixes]


def resolve_mesh(filename: str, folder: Path | None) -> Path:
    """Find a mesh or texture that a model names, by the rules of PyBullet and then by those of ROS.

    PyBullet drops `package://`, `model://` and `file://` and tries what remains in the model's folder and in each
    folder above it. (It tries the working directory before these; we do not: the same model would mean different
    robots.) ROS knows `package://PACKAGE/PATH` by the ament index and percent-encoded `file://`, PyBullet does not.

    Args:
        filename: as the model says it.
        folder: of the model; None for a model that was given as text, and lies in none.

    Returns:
        The absolute path of an existing file.

    Raises:
        ModelError: no such file; the text names every folder that was searched. Or a name that leaves its package.
    """
    scheme, separator, rest = filename.partition("://")
    rest = rest if separator else filename
    above = [Path(os.path.abspath(folder)), *Path(os.path.abspath(folder)).parents] if folder is not None else []
    places = [(each, rest) for each in above]
    if separator and scheme in ("package", "model"):
        package, _, below = rest.partition("/")
        _inside(filename, rest)
        _inside(filename, below)
        places += [(each, below) for each in package_folders(package) if below and scheme == "package"]
    if folder is None and os.path.isabs(rest):
        places = [(Path("/"), rest)]
    if separator and scheme == "file":
        places.append((Path("/"), unquote(rest)))
    for each, path in places:
        if (each / path).is_file():
            return Path(os.path.abspath(each / path))
    if not places:
        raise ModelError(
            f"'{filename}' was not found",
            expected="an absolute path, file:///PATH, or package://PACKAGE/PATH of an installed package: "
            "a model that is given as text lies in no folder",
            remedy="Write such a name, or give the model as a file",
        )
    raise ModelError(
        f"'{filename}' was not found",
        expected=f"a file '{rest}' under {_listed(list(dict.fromkeys(each for each, _ in places)))}",
        remedy="Put the file there, correct its name, or source the ROS 2 workspace of its package",
    )


def _first_file(uri: str, folders: list[Path], rest: str, remedy: str) -> Path:
    for folder in folders:
        path = Path(os.path.abspath(folder / rest))
        if path.is_file():
            return path
    raise ModelError(f"'{uri}' was not found", expected=f"a file '{rest}' under {_listed(folders)}", remedy=remedy)


def _inside(uri: str, rest: str) -> str:
    """The path below a package's folder, refused when it leaves it; links in the tree may lead where they like."""
    path = os.path.normpath(rest)
    if os.path.isabs(path) or path.split(os.sep)[0] == os.pardir:
        raise ModelError(f"'{uri}' leaves its package", got=rest, expected="a path below it", remedy="Remove the '..'")
    return path


def _pybullet_data() -> list[Path]:
    spec = find_spec("pybullet_data")  # pure Python; finding it does not import it
    return [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []


def _listed(folders: list[Path]) -> str:
    return ", ".join(map(str, folders)) or "no folder at all (none is known for it)"
