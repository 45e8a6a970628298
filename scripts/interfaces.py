"""Building the message packages of `interfaces/` into an environment made from wheels."""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from preflight import python_name
from shell import run

PACKAGES = ("tf2_msgs", "simulation_interfaces")
FOREIGN = re.compile(r"/opt/python/cp\d+-cp\d+/(include/python[\d.]+|lib/python[\d.]+/site-packages)")


def build(source: Path, env: Path, log: Path, environ: Mapping[str, str]) -> None:
    """Generate, compile and install every package into the environment's own prefix."""
    repair_exports(env)
    tools = {"PATH": f"{env / 'bin'}{os.pathsep}{environ.get('PATH', os.defpath)}"}
    ament = {"AMENT_PREFIX_PATH": str(env), "CMAKE_PREFIX_PATH": str(env)}
    for name in PACKAGES:
        work = env / "interfaces-build" / name
        shutil.rmtree(work, ignore_errors=True)
        _build_one(source / name, work, env, log, {**environ, **tools, **ament})
    shutil.rmtree(env / "interfaces-build")
    modules = ", ".join(f"{name}.msg" for name in PACKAGES)
    run([env / "bin" / "python", "-c", f"import {modules}"], log, environ)


def _build_one(source: Path, work: Path, env: Path, log: Path, environ: Mapping[str, str]) -> None:
    cmake = env / "bin" / "cmake"
    python = env / "bin" / "python"
    settings = {
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_INSTALL_PREFIX": env,
        "Python3_EXECUTABLE": python,
        "BUILD_TESTING": "OFF",
    }
    flags = [f"-D{key}={value}" for key, value in settings.items()]
    run([cmake, "-G", "Ninja", "-S", source, "-B", work, *flags], log, environ)
    run([cmake, "--build", work], log, environ)
    run([cmake, "--install", work], log, environ)


def repair_exports(env: Path) -> None:
    """Put this environment's paths where the wheels' CMake files name those of the machine that built them."""
    here = {"include": sysconfig.get_path("include"), "lib": str(env / "lib" / python_name() / "site-packages")}
    for file in (env / "share").glob("*/cmake/*.cmake"):
        text = file.read_text(encoding="utf-8")
        repaired = FOREIGN.sub(lambda match: here[match[1].split("/")[0]], text)
        if repaired != text:
            file.write_text(repaired, encoding="utf-8")
