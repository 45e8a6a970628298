"""Channels in observations: finite, bounded, of one shape and type; how old they are; the same on both backends."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import yaml
from gymnasium.utils.env_checker import check_env
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter_tools import make
from ros_gym_bridge import load_robot
from ros_gym_bridge.channel_readings import readings
from ros_gym_bridge.channel_views import ChannelView
from ros_gym_bridge.errors import OptionError, RobotFileError, StaleChannelError
from ros_gym_bridge.robot import RobotState, Sample, read_only
from ros_gym_bridge.ros.facts import facts
from ros_gym_bridge.senses import Senses

INF, NAN = math.inf, math.nan

ARM = """
extends: arm
renderer: tiny
channels:
  - {name: scan, kind: lidar, link: tool0, rays: 30, range_max: 3.0}
  - {name: tip, kind: link_pose, link: tool0, rate_hz: 5, latency_s: 0.2, max_age_s: 0.3}
  - {name: felt, kind: force_torque, joint: tool0_joint, observe: {scale: 0.01, clip: [-1, 1]}}
  - {name: eye/image, kind: camera, link: base_link, position: [1.2, 0, 0.4], rpy: [-1.57, 0, 1.57],
     width: 16, height: 12, depth: true, rate_hz: 5}
  - {name: gps, kind: topic, message: std_msgs/Float64MultiArray, shape: [2], required: false, max_age_s: 1.0,
     observe: {fill: -0.5, clip: [[-1, 1], [-2, 2]]}}
  - {name: base, kind: transform, parent: map, child: base_link}
"""
EVERYTHING = ("scan", "tip", "felt", "eye/image", "eye/depth/image", "gps")


@pytest.fixture
def arm(tmp_path: Path) -> Path:
    path = tmp_path / "seeing.yaml"
    path.write_text(ARM)
    return path


def view(tmp_path: Path, keys: str) -> ChannelView:
    """Of a channel in a robot file."""
    path = tmp_path / "r.yaml"
    path.write_text(f"extends: cartpole\nchannels: [{{name: a, kind: topic, {keys}}}]\n")
    return ChannelView(readings(load_robot(path).config)[0])


SCAN = "message: sensor_msgs/LaserScan, shape: [4]"


@pytest.mark.parametrize(
    ("observe", "value", "expected", "bounds"),
    [
        ("", [0.5, INF, -INF, NAN], [0.5, 1000, 0, 0], (0, 1000)),
        ("clip: [0.1, 8]", [0.5, INF, -INF, NAN], [0.5, 8, 0.1, 0.1], (0.1, 8)),
        ("clip: [0, 8], nan: 8, minus_inf: 0.3, plus_inf: 7", [9, INF, -INF, NAN], [8, 7, 0.3, 8], (0, 8)),
        ("scale: 0.1, clip: [0, 1]", [5, INF, -INF, NAN], [0.5, 1, 0, 0], (0, 1)),
        ("scale: -1, offset: 10", [4, INF, -INF, NAN], [6, -990, 10, 10], (-990, 10)),
        ("scale: [1, 2, 3, 4], offset: [0, 0, 0, 1]", [1, 1, 1, 1], [1, 2, 3, 5], ([0, 0, 0, 1], None)),
        ("clip: [[0, 1], [0, 2], [0, 3], [0, 4]]", [9, 9, 9, 9], [1, 2, 3, 4], (None, [1, 2, 3, 4])),
        ("dtype: float64", [0.5, 1, 2, 3], [0.5, 1, 2, 3], (0, 1000)),
        ("scale: 25.5, dtype: uint8, clip: [0, 255]", [0.99, INF, -INF, 1.01], [25, 255, 0, 26], (0, 255)),
    ],
)
def test_rep_117_scale_and_clip(tmp_path: Path, observe: str, value: Any, expected: Any, bounds: Any) -> None:
    made = view(tmp_path, f"{SCAN}, observe: {{{observe}}}")
    found = made(np.array(value, np.float32))
    assert found == pytest.approx(expected, rel=1e-6)
    assert found.dtype == made.dtype
    for end, limit in zip((made.low, made.high), bounds, strict=True):
        assert limit is None or np.asarray(end) == pytest.approx(np.asarray(limit))
    assert (found >= np.asarray(made.low, made.dtype)).all()
    assert (found <= np.asarray(made.high, made.dtype)).all()


def test_types_are_kept(tmp_path: Path) -> None:
    def of(keys: str) -> tuple[str, Any, Any]:
        made = view(tmp_path, keys)
        return str(made.dtype), made.low, made.high

    picture = "message: sensor_msgs/Image, shape: [2, 3]"
    assert of(picture) == ("uint8", 0, 255)
    assert of(f"{picture}, encoding: 16UC1") == ("uint16", 0, 65535)
    assert of(f"{picture}, encoding: 32FC1, observe: {{clip: [0, 5]}}") == ("float32", 0, 5)
    assert of(f"{picture}, observe: {{scale: 0.00392156862745098}}") == ("float32", 0, pytest.approx(1))
    assert of(f"{picture}, observe: {{dtype: float64}}") == ("float64", 0, 255)
    value = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    value.setflags(write=False)
    entry = view(tmp_path, picture)(value)
    assert (entry == value).all()
    assert entry.flags.writeable
    low = view(tmp_path, "message: sensor_msgs/Imu, fields: [orientation.w, angular_velocity.x]").low
    assert np.asarray(low).tolist() == [-1, -1000]


@pytest.mark.parametrize(
    ("observe", "message"),
    [
        (
            "scale: [1, 2]",
            "observe.scale; got '2 values'; expected one value, or one for each of the 4 numbers of the last axis; "
            "Correct the list.",
        ),
        (
            "dtype: uint8",
            "observe.clip; got [0.0, 1000.0]; expected bounds that uint8 can hold; Give other bounds, or another "
            "dtype.",
        ),
        (
            "clip: [0, 5], fill: -1",
            "observe.fill; got -1.0; expected a number within the bounds 0 to 5; Change it, or 'clip'.",
        ),
        (
            "scale: 0",
            "observe; got {'scale': 0}; expected a scale other than 0; Change the value of 'channels[0].observe'.",
        ),
        (
            "clip: [1, 1]",
            "observe; got {'clip': (1, 1)}; expected lower bounds below upper ones in 'clip'; Change the value of "
            "'channels[0].observe'.",
        ),
        (
            "scale: big",
            "observe.scale; got 'big'; expected a number, or a list of numbers; Change the value of "
            "'channels[0].observe.scale'.",
        ),
        (
            "clip: [1, 2, 3]",
            "observe.clip; got [1, 2, 3]; expected a pair of numbers, or a list of pairs; Change the value of "
            "'channels[0].observe.clip'.",
        ),
        (
            "max_age_s: 1",
            "observe.max_age_s: unknown key; got 1; expected one of scale, offset, clip, nan, minus_inf, plus_inf, "
            "fill, dtype; Remove it.",
        ),
    ],
    ids=lambda text: text[:30],
)
def test_refused_views(tmp_path: Path, observe: str, message: str) -> None:
    with pytest.raises(RobotFileError) as caught:
        view(tmp_path, f"{SCAN}, observe: {{{observe}}}")
    assert str(caught.value) == f"{tmp_path}/r.yaml: channels[0].{message}"


NUMBERS = st.floats(-1e300, 1e300) | st.floats(-300, 300) | st.integers(-70000, 70000)
PAIRS = st.tuples(NUMBERS, NUMBERS).map(sorted)
SOURCES = st.sampled_from(
    [
        {"message": "sensor_msgs/Imu"},
        {"message": "sensor_msgs/LaserScan", "shape": [4]},
        {"message": "sensor_msgs/Image", "shape": [2, 4]},
        {"message": "sensor_msgs/Image", "shape": [2, 4], "encoding": "16UC1"},
        {"message": "sensor_msgs/Image", "shape": [2, 4], "encoding": "32FC1"},
        {"message": "std_msgs/Float64MultiArray", "shape": [2, 4]},
    ]
)
VIEWS = st.fixed_dictionaries(
    {},
    optional={
        "scale": NUMBERS | st.lists(NUMBERS, min_size=4, max_size=4),
        "offset": NUMBERS | st.lists(NUMBERS, min_size=4, max_size=4),
        "clip": PAIRS | st.lists(PAIRS, min_size=4, max_size=4),
        **dict.fromkeys(("nan", "minus_inf", "plus_inf", "fill"), NUMBERS),
        "dtype": st.sampled_from(["uint8", "uint16", "int32", "float32", "float64"]),
    },
)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(source=SOURCES, observe=VIEWS)
def test_whatever_is_declared_is_refused_or_stays_within_its_space(
    tmp_path: Path, source: dict[str, Any], observe: dict[str, Any]
) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump({"extends": "cartpole", "channels": [{"name": "a", "kind": "topic", **source}]}))
    read = readings(load_robot(path).config)[0].read
    channel = {"name": "a", "kind": "topic", **source, "observe": observe}
    path.write_text(yaml.safe_dump({"extends": "cartpole", "channels": [channel]}))
    try:
        senses = Senses(load_robot(path), ("a",), simulated=False)
    except RobotFileError:
        return
    value = (np.random.default_rng(0).standard_normal(read.shape) * 100).astype(read.dtype)
    if read.dtype.kind == "f":
        value.ravel()[:4] = [NAN, INF, -INF, 3e38]
    nothing = read_only([])
    for channels in ({}, {"a": Sample(1, value)}):
        entry = senses.entries(RobotState(1, nothing, nothing, nothing, nothing, channels))["a"]
        assert senses.spaces()["a"].contains(entry)


# --- environments


def test_gymnasium_s_checker_with_every_kind(arm: Path) -> None:
    env = make("Reach", robot=arm, channels=EVERYTHING)
    check_env(env.unwrapped, skip_render_check=True)
    spaces = env.observation_space.spaces
    assert list(spaces) == ["state", *EVERYTHING]
    assert {name: (space.shape, str(space.dtype)) for name, space in spaces.items()} == {
        "state": ((21,), "float32"),
        "scan": ((30,), "float32"),
        "tip": ((7,), "float32"),
        "felt": ((6,), "float32"),
        "eye/image": ((12, 16, 3), "uint8"),
        "eye/depth/image": ((12, 16), "float32"),
        "gps": ((2,), "float32"),
    }
    assert all(np.isfinite(space.low).all() and np.isfinite(space.high).all() for space in spaces.values())
    plain = make("Reach", robot=arm)
    both = [each.reset(seed=3)[0] for each in (env, plain)]
    assert both[0]["state"].tobytes() == both[1].tobytes()
    assert both[0]["gps"].tolist() == [-0.5, -0.5]
    assert both[0]["scan"].max() == 3.0
    flat = gym.wrappers.FlattenObservation(env)
    assert flat.observation_space.shape == (21 + 30 + 7 + 6 + 12 * 16 * 3 + 12 * 16 + 2,)
    assert flat.observation_space.contains(flat.reset(seed=3)[0])
    for each in (flat, plain):
        each.close()


def test_ages_and_flags_in_info(arm: Path) -> None:
    """A sensor five times a second and 0.2 s late: at 25 Hz, ages go from 0.2 s to 0.36 s."""
    env = make("Reach", robot=arm, channels=("gps",))
    _, info = env.reset(seed=1)
    found = []
    for _ in range(30):
        *_, truncated, info = env.step(np.zeros(env.action_space.shape, np.float32))
        found.append((round(info["timing"]["tip.age_s"], 6), info["stale"], info["absent"]))
        assert info["timing"]["stamp_ns"] - info["timing"]["tip.stamp_ns"] == pytest.approx(found[-1][0] * 1e9)
        assert not truncated
    ages = [age for age, _, _ in found[10:]]
    assert (min(ages), max(ages)) == (0.2, 0.36)
    assert all(stale == {"tip": age > 0.3} for age, stale, _ in found)
    assert all(absent == {"gps": True} for _, _, absent in found)
    assert "gps.age_s" not in info["timing"]
    env.close()


def test_without_channels_nothing_is_added() -> None:
    env = make("Balance")
    _, info = env.reset(seed=1)
    assert set(info) == {"success", "applied_command", "timing"}
    assert dict(info["timing"]) == {"stamp_ns": info["timing"]["stamp_ns"]}
    env.close()


@pytest.mark.parametrize("stale", ["truncate", "raise"])
def test_stale_channels_end_an_episode(arm: Path, stale: str) -> None:
    arm.write_text(ARM.replace("max_age_s: 0.3}", f"max_age_s: 0.3, when_stale: {stale}}}"))
    env = make("Reach", robot=arm)
    env.reset(seed=1)
    steps = 0
    try:
        while True:
            *_, truncated, info = env.step(np.zeros(env.action_space.shape, np.float32))
            steps += 1
            if truncated:
                break
    except StaleChannelError as error:
        assert stale == "raise"
        text = str(error)
        assert text.startswith("the newest sample of channel 'tip' is too old; got 0.320 s, of ")
        assert text.endswith(
            "; expected at most max_age_s: 0.3; Look whether its publisher still runs, and whether it stamps with the "
            "robot's clock."
        )
    else:
        assert stale == "truncate"
        assert info["stale"] == {"tip": True}
    assert steps < 20
    env.close()


def test_observations_with_channels_are_equal_on_both_backends(arm: Path) -> None:
    """Bit for bit, in lockstep: entries, flags and ages."""

    def run(**keywords: Any) -> list[Any]:
        env = make("Reach", robot=arm, channels=EVERYTHING[:-1], time_limit_s=1.0, **keywords)
        rows = []
        try:
            for seed in (3, 4):
                observation, info = env.reset(seed=seed)
                for step in range(13):
                    action = np.full(env.action_space.shape, 0.3 * math.sin(step), np.float32)
                    entries = {name: entry.tobytes() for name, entry in observation.items()}
                    ages = {name: info["timing"][f"{name}.age_s"] for name in EVERYTHING[:-1]}
                    rows.append((entries, ages, info["stale"], info["absent"]))
                    observation, *_, info = env.step(action)
        finally:
            env.close()
        return rows

    arm.write_text(ARM[: ARM.index("  - {name: gps")])
    direct, topics = run(), run(backend="topics")
    assert len(direct) == len(topics) == 26
    for number, (a, b) in enumerate(zip(direct, topics, strict=True)):
        assert a == b, number
    assert len({row[0]["eye/image"] for row in direct}) > 2


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (
            ("scam",),
            "channels; got 'scam'; expected channels of the robot file: scan, tip, felt, eye/image, eye/depth/image, "
            "gps, base; Did you mean 'scan'?",
        ),
        (("scan", "scan"), "channels; got 'scan'; expected every name once, and none 'state'."),
        ("scan", "channels; got 'scan'; expected a sequence of names; Write ('scan',)."),
        (
            ("base",),
            "channel 'base' is not simulated; got backend='sim'; expected backend='topics', for channels of the kinds "
            "topic and transform; Say 'required: false' in the robot file; its 'fill' is observed then.",
        ),
    ],
)
def test_refused_names(arm: Path, channels: Any, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        make("Reach", robot=arm, channels=channels)
    assert str(caught.value) == message


def test_the_channels_of_the_readme(tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "readme.yaml"
    path.write_text(text.partition("```yaml\n")[2].partition("```")[0])
    senses = Senses(load_robot(path), ("scan", "imu", "view", "place"), simulated=False)
    assert {name: space.shape for name, space in senses.spaces().items()} == {
        "scan": (360,),
        "imu": (5,),
        "view": (120, 160, 3),
        "place": (7,),
    }


def test_what_is_only_observed_makes_no_other_robot(arm: Path) -> None:
    """A node that simulates the same need not know what a client makes of it."""

    def digest() -> object:
        return {fact.name: fact.value for fact in facts(load_robot(arm))}["robot_digest"]

    whole = digest()
    arm.write_text(ARM[: ARM.index("  - {name: gps")].replace("max_age_s: 0.3", "required: false"))
    assert digest() == whole
    arm.write_text(ARM.replace("latency_s: 0.2", "latency_s: 0.16"))
    assert digest() != whole


def test_the_odometry_of_a_drive_can_be_observed() -> None:
    name = "diff_drive_controller/odom"
    senses = Senses(load_robot("rover"), (name,), simulated=True)
    value = read_only([float(i) for i in range(13)])
    nothing = read_only([])
    state = RobotState(10**9, nothing, nothing, nothing, nothing, {name: Sample(10**9 - 5 * 10**7, value)})
    assert senses.entries(state)[name].tolist() == [0, 1, 2, 1, 1, 1, 1, 7, 8, 9, 10, 11, 12]
    assert senses.judge(state).ages == {f"{name}.stamp_ns": 950_000_000, f"{name}.age_s": 0.05}
