"""The 2.x wire family, for real: its message package is built, and the tests of services run with it, node and client
alike. Between the packages of one distribution: what the middleware of lyrical or rolling does is not tried here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from machine import ROOT

pytestmark = pytest.mark.slow

ENV = Path(sys.prefix)
CMAKE = ENV / "bin" / "cmake"
TESTS = ["wire", "features", "result_codes", "entity_services", "spawn_services", "world_services", "interventions"]
TESTS += ["refusals", "fuzz_services"]
CHECK = "from simulation_interfaces.srv import SetEntityState; SetEntityState.Request().set_pose"


def run(*command: str | Path, environ: dict[str, str]) -> str:
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, f"{command}:\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of processes in which `simulation_interfaces` is that of the 2.x family."""
    if not CMAKE.exists():
        pytest.skip("the environment has no cmake: it is not made from wheels")
    folder = tmp_path_factory.mktemp("simulation_interfaces_2x")
    source, build, prefix = (folder / name for name in ("source", "build", "prefix"))
    shutil.copytree(ROOT / "interfaces" / "simulation_interfaces", source)
    shutil.copytree(ROOT / "test" / "interfaces_2x", source, dirs_exist_ok=True)
    paths = {"AMENT_PREFIX_PATH": str(ENV), "CMAKE_PREFIX_PATH": str(ENV)}
    environ = {**os.environ, **paths, "PATH": f"{ENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    options = [f"-DCMAKE_INSTALL_PREFIX={prefix}", f"-DPython3_EXECUTABLE={sys.executable}", "-DBUILD_TESTING=OFF"]
    run(CMAKE, "-G", "Ninja", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release", *options, environ=environ)
    run(CMAKE, "--build", build, environ=environ)
    run(CMAKE, "--install", build, environ=environ)
    packages = prefix / Path(sysconfig.get_path("purelib")).relative_to(ENV)
    first = {"PYTHONPATH": packages, "LD_LIBRARY_PATH": prefix / "lib", "AMENT_PREFIX_PATH": prefix}
    then = {**os.environ, "AMENT_PREFIX_PATH": os.environ.get("AMENT_PREFIX_PATH", str(ENV))}
    both = {name: (str(path), then.get(name, "")) for name, path in first.items()}
    return {**then, **{name: os.pathsep.join(filter(None, pair)) for name, pair in both.items()}}


@pytest.mark.parametrize("name", TESTS)
def test_services_with_the_messages_of_2x(overlay: dict[str, str], name: str) -> None:
    run(sys.executable, "-c", CHECK, environ=overlay)
    said = run(sys.executable, "-m", "pytest", "-q", "-x", f"test/test_{name}.py", environ=overlay)
    assert " passed" in said
    assert " skipped" not in said
