"""Whatever stands in a robot file or a URDF: it is used, or refused in words. Never another error, never a crash."""

from __future__ import annotations

import copy
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ros_gym_bridge import RobotFile, load_robot
from ros_gym_bridge.errors import ModelError, RobotFileError
from ros_gym_bridge.model import read_model
from ros_gym_bridge.paths import share_directory
from ros_gym_bridge.uris import resolve_uri

SHARE = share_directory()
URDFS = [SHARE / "urdf" / "arm.urdf", SHARE / "urdf" / "rover.urdf", SHARE / "urdf" / "cartpole.urdf"]
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck), derandomize=True)

# what people and machines write by mistake
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(["", " ", "nan", "joint_command", "/abs", "../../etc/passwd", "package://x/../../y", "a" * 5000]),
    st.text(max_size=20),
)
VALUES = st.recursive(
    SCALARS, lambda v: st.one_of(st.lists(v, max_size=4), st.dictionaries(st.text(max_size=8), v, max_size=4))
)


def robot_content(name: str) -> dict[str, Any]:
    """A shipped robot file with its model's path made absolute."""
    content: dict[str, Any] = yaml.safe_load((SHARE / "config" / "robots" / f"{name}.yaml").read_text())
    content["model"]["file"] = str(resolve_uri(content["model"]["file"], SHARE / "config" / "robots"))
    return content


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a nested value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inside for place in places(item, (*path, key)))]


def put(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a place."""
    if not place:
        return value
    changed = copy.deepcopy(content)
    *above, last = place
    part = changed
    for key in above:
        part = part[key]
    part[last] = value
    return changed


def load_or_refuse(path: Path) -> RobotFile | str:
    """The robot file, or why it was refused."""
    try:
        return load_robot(path)
    except RobotFileError as error:
        return str(error)


@pytest.mark.parametrize("name", ["arm", "cartpole"])
@QUICK
@given(data=st.data())
def test_any_value_anywhere_in_a_robot_file(tmp_path_factory: pytest.TempPathFactory, name: str, data: Any) -> None:
    content = robot_content(name)
    for _ in range(data.draw(st.integers(1, 2))):
        if isinstance(content, dict | list):
            content = put(content, data.draw(st.sampled_from(places(content))), data.draw(VALUES))
    path = tmp_path_factory.mktemp("fuzz") / "robot.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8", errors="surrogatepass")
    result = load_or_refuse(path)
    if isinstance(result, str):
        assert result.startswith(str(path)) or "no robot file" in result, result


@QUICK
@given(text=st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_any_text_for_a_robot_file(tmp_path_factory: pytest.TempPathFactory, text: str | bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "robot.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    assert isinstance(load_or_refuse(path), str)


def test_yaml_that_unfolds_is_refused(tmp_path: Path) -> None:
    """Anchors that name each other a few times would make gigabytes of a few lines."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines) + "\nname: *a11\n")
    result = load_or_refuse(path)
    assert isinstance(result, str)
    assert "too large; got more; expected at most 100000 values" in result


# --- URDFs


def broken(text: str, rng: random.Random) -> str:
    """A URDF in which a few things went wrong."""
    for _ in range(rng.randint(1, 3)):
        text = rng.choice(MISHAPS)(text, rng)
    return text


def _spot(text: str, pattern: str, rng: random.Random) -> re.Match[str] | None:
    found = list(re.finditer(pattern, text, re.DOTALL))
    return rng.choice(found) if found else None


def _replace(pattern: str, words: list[str]) -> Any:
    def mishap(text: str, rng: random.Random) -> str:
        spot = _spot(text, pattern, rng)
        return text if spot is None else text[: spot.start(1)] + rng.choice(words) + text[spot.end(1) :]

    return mishap


def _cut(text: str, rng: random.Random) -> str:
    start = rng.randrange(len(text))
    return text[:start] + text[start + rng.randint(1, 60) :]


def _twice(text: str, rng: random.Random) -> str:
    spot = _spot(text, r"(<(link|joint|inertial|origin|axis|limit|geometry)\b.*?(/>|</\2>))", rng)
    return text if spot is None else text[: spot.end()] + spot[0] + text[spot.end() :]


NUMBERS = ["nan", "inf", "-1", "0", "1e400", "1e-400", "1,5", "0 0", "", "x", "-0.0", "1e30", "0x10", "1 2 3 4 5"]
MISHAPS = [
    _replace(r'="([^"]*)"', [*NUMBERS, "base_link", "fixed", "floating", "planar", "spherical", "&lt;", "a" * 4000]),
    _replace(r'="(-?[\d.]+)"', NUMBERS),
    _replace(r'\s(\w+="[^"]*")', [""]),
    _replace(r"(<(?:axis|limit|mass|inertia|parent|child|origin)\b[^>]*/>)", ["", "<axis/>", "<limit/>", "<mass/>"]),
    _twice,
    _cut,
]

def refusal(path: Path) -> str:
    """Why a URDF was refused; empty where it was not."""
    try:
        read_model(path)
    except ModelError as error:
        return str(error)
    return ""


LOADER = """
import sys
from pathlib import Path
from ros_gym_bridge.model import read_model
from ros_gym_bridge.physics_text import physics_text
import pybullet
client = pybullet.connect(pybullet.DIRECT)
for line in sys.stdin:
    path = Path(line.strip())
    print("loading", path, flush=True)
    path.with_suffix(".loaded.urdf").write_text(physics_text(read_model(path)))
    try:
        body = pybullet.loadURDF(str(path.with_suffix(".loaded.urdf")), physicsClientId=client)
        for _ in range(3):
            pybullet.stepSimulation(physicsClientId=client)
        pybullet.removeBody(body, physicsClientId=client)
    except pybullet.error as error:
        print("refused", path, error, flush=True)
print("end", flush=True)
"""


@pytest.mark.parametrize("source", URDFS, ids=lambda path: path.stem)
def test_a_broken_urdf_is_refused_or_loads_without_a_crash(tmp_path: Path, source: Path) -> None:
    good = source.read_text()
    paths = [tmp_path / f"{seed}.urdf" for seed in range(250)]
    for seed, path in enumerate(paths):
        path.write_text(broken(good, random.Random(seed)), encoding="utf-8")
    reasons = {path: refusal(path) for path in paths}
    accepted = [path for path, reason in reasons.items() if not reason]
    assert 20 < len(accepted) < 200, "the mishaps are real ones, and not all of them matter"
    assert all(str(path) in reason for path, reason in reasons.items() if reason)
    names = "".join(f"{path}\n" for path in accepted)
    ran = subprocess.run([sys.executable, "-c", LOADER], input=names, capture_output=True, text=True, check=False)
    assert ran.stdout.endswith("end\n"), f"code {ran.returncode}:\n{ran.stdout[-600:]}\n{ran.stderr[-600:]}"
