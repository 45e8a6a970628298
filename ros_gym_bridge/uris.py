"""Where the files lie that robot files and URDFs name."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from ros_gym_bridge.errors import MissingFileError, ModelError
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
    folders, rest, remedy = _places(uri, relative_to)
    for folder in folders:
        path = Path(os.path.abspath(folder / rest))
        if os.path.isfile(path):  # Path.is_file raises when a name is too long
            return path
    expected = f"a file '{rest}' under {_listed(folders)}"
    raise MissingFileError(f"'{uri}' was not found", expected=expected, remedy=remedy)


def resolve_folder(uri: str) -> Path:
    """Find a folder that a client names: an absolute path or a URI, as in `resolve_uri`.

    Raises:
        ModelError: no such folder, an unknown scheme, a relative path, or one that leaves its package through `..`.
    """
    if "://" not in uri and not os.path.isabs(uri):
        remedy = "Write the whole path: the simulator runs in a folder of its own"
        raise ModelError(f"'{uri}' is a relative path", expected=SCHEMES, remedy=remedy)
    folders, rest, remedy = _places(uri, Path("/"))
    for folder in folders:
        path = Path(os.path.abspath(folder / rest))
        if os.path.isdir(path):
            return path
    expected = f"a folder '{rest}' under {_listed(folders)}"
    raise MissingFileError(f"'{uri}' was not found", expected=expected, remedy=remedy)


def _places(uri: str, relative_to: Path) -> tuple[list[Path], str, str]:
    """The folders to look in, the path below them, and what to do when it is not there.

    Raises:
        ModelError: an unknown scheme, or a path that leaves its package.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return [relative_to], uri, "Correct the path, or put the file there"
    if scheme == "file":
        return [Path("/")], unquote(rest), "Correct the path, or put the file there"
    if scheme == "package":
        package, _, rest = rest.partition("/")
        remedy = f"Install '{package}', or source the workspace that holds it"
        return package_folders(package), _inside(uri, rest), remedy
    if scheme == "pybullet_data":
        return _pybullet_data(), _inside(uri, rest), "Install pybullet, or correct the path"
    raise ModelError(f"unknown scheme in '{uri}'", got=f"{scheme}://", expected=SCHEMES, remedy="Correct the URI")


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
    places = [(each, path) for each in above for path in dict.fromkeys((rest, rest.lstrip("/")))]
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
        if os.path.isfile(each / path):
            return Path(os.path.abspath(each / path))
    if not places:
        raise MissingFileError(
            f"'{filename}' was not found",
            expected="an absolute path, file:///PATH, or package://PACKAGE/PATH of an installed package: "
            "a model that is given as text lies in no folder",
            remedy="Write such a name, or give the model as a file",
        )
    raise MissingFileError(
        f"'{filename}' was not found",
        expected=f"a file '{rest}' under {_listed(list(dict.fromkeys(each for each, _ in places)))}",
        remedy="Put the file there, correct its name, or source the ROS 2 workspace of its package",
    )


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
