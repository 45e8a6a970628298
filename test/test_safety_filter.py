"""The safety filter: whatever goes in, in whatever state, at whatever time, what comes out respects every limit."""

from __future__ import annotations

import functools
import math
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_gym_bridge import RobotFile, load_robot
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.safety import CommandLimiter, SafetyFilter, limiter
from ros_gym_bridge.workspace import make_excess

BOX = "workspace: {lower: [0.2, -0.3, 0.1], upper: [0.9, 0.3, 1.2]}"
SECTIONS = {
    "plain": ("position", "rate_limit: true"),
    "smooth": ("position", "max_acceleration: 4.0"),
    "yielding": ("position", "max_effort: 30.0, max_acceleration: {elbow_joint: 3.0}"),
    "boxed": ("position", BOX),
    "smoothly boxed": ("position", f"max_acceleration: 6.0, {BOX}"),
    "turned": ("velocity", "max_acceleration: 5.0, stay_within: true, max_effort: 40.0"),
    "turned at will": ("velocity", "stay_within: true"),
    "turned in a box": ("velocity", f"max_acceleration: 5.0, stay_within: true, {BOX}"),
    "pushed": ("effort", "max_effort_rate: 100.0, stay_within: true, max_effort: 20.0"),
}
JOINTS, PERIOD = 6, 0.04


class State(NamedTuple):
    """What a filter looks at."""

    position: FloatArray
    velocity: FloatArray
    effort: FloatArray


class Call(NamedTuple):
    """One command with the state in which it comes and the time since the one before."""

    vector: FloatArray
    state: State
    seconds: FloatArray


@functools.cache
def robot_with(name: str) -> RobotFile:
    """An arm with one of the sections."""
    interface, section = SECTIONS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arm_with.yaml"
        path.write_text(f"extends: arm\nsafety: {{{section}}}\n")
        return load_robot(path, interface=interface)


def numbers(rng: np.random.Generator, most: float, *special: float) -> FloatArray:
    """Some within, some at the edge, some beyond all reason."""
    values = rng.uniform(-most, most, JOINTS)
    odd = rng.choice([0.0, -most, most, 1e300, -1e300, *special], JOINTS)
    return np.where(rng.random(JOINTS) < rng.choice([0.0, 0.3, 1.0]), odd, values)


def call(rng: np.random.Generator) -> Call:
    state = State(
        numbers(rng, 4.0, math.nan, math.inf),
        numbers(rng, 5.0, math.nan, math.inf),
        numbers(rng, 100.0, math.nan, -math.inf),
    )
    seconds = rng.choice([np.full(JOINTS, PERIOD), rng.uniform(0.0, 0.08, JOINTS), np.zeros(JOINTS)])
    return Call(numbers(rng, 5.0), state, seconds)


class Story(NamedTuple):
    """Where a filter starts, and what it is asked then."""

    start: FloatArray | None
    calls: list[Call]


def story(seed: int) -> Story:
    rng = np.random.default_rng(seed)
    start = rng.uniform(-4.0, 4.0, JOINTS) if rng.random() < 0.5 else None
    return Story(start, [call(rng) for _ in range(rng.integers(1, 6))])


stories = st.builds(story, st.integers(0, 2**32))


def walks(most: float, length: int) -> st.SearchStrategy[FloatArray]:
    """Commands `(length, JOINTS)` that jump about, or stay for a while."""

    def make(seed: int, stay: int) -> FloatArray:
        rng = np.random.default_rng(seed)
        return np.repeat(rng.uniform(-most, most, (length, JOINTS)), stay, axis=0)[:length]

    return st.builds(make, st.integers(0, 2**32), st.integers(1, 30))


def steady(robot: RobotFile, position: FloatArray | None = None) -> State:
    zeros = np.zeros(JOINTS)
    return State(robot.spec.home if position is None else position, zeros, zeros)


@pytest.mark.parametrize("name", SECTIONS)
@settings(max_examples=40, deadline=None)
@given(told=stories)
def test_every_limit_holds(name: str, told: Story) -> None:
    robot = robot_with(name)
    spec, safety = robot.spec, robot.config.safety
    make = SafetyFilter(robot)
    make.reset(told.start)
    for vector, state, seconds in told.calls:
        before = make.applied
        applied = make(vector, state, seconds)
        assert np.isfinite(applied).all()
        slack = 1e-9 * (1.0 + np.abs(before))
        out = np.maximum(np.maximum(spec.command_low - before, before - spec.command_high), 0.0)
        assert (applied >= spec.command_low - out).all(), "within bounds; from outside, no further out"
        assert (applied <= spec.command_high + out).all()
        change = np.abs(applied - before)
        rate = spec.max_change * spec.control_hz
        inside = np.ones(JOINTS, bool) if safety.workspace is None else rate == np.inf
        yields = safety.stay_within or safety.max_effort is not None  # these go before acceleration
        if not (yields and SECTIONS[name][0] != "position"):
            assert (change[inside] <= (rate * seconds + slack)[inside]).all()
        if SECTIONS[name][0] == "position":
            assert (change <= rate * seconds + slack).all()
        check_guards(robot, name, before, applied, state)


def check_guards(robot: RobotFile, name: str, before: FloatArray, applied: FloatArray, state: State) -> None:
    """What depends on the state."""
    spec, safety = robot.spec, robot.config.safety
    interface = SECTIONS[name][0]
    most = safety.max_effort
    if most is not None and interface != "effort":
        held = before if interface == "position" else np.zeros(JOINTS)
        assert (applied <= held)[state.effort > most].all(), "no further the way in which it pushes too hard"
        assert (applied >= held)[state.effort < -most].all()
    if safety.stay_within:
        with np.errstate(all="ignore"):
            place = state.position + (applied if interface == "velocity" else state.velocity) * PERIOD
        above, below = state.position >= spec.upper, state.position <= spec.lower
        assert (applied[above] <= 0.0).all()
        assert (applied[below] >= 0.0).all()
        assert (applied[np.isnan(state.position)] == 0.0).all(), "what is not known is not moved"
        if interface == "velocity":
            assert (place <= spec.upper + 1e-9)[~above & np.isfinite(state.position)].all()
            assert (place >= spec.lower - 1e-9)[~below & np.isfinite(state.position)].all()
        else:
            assert (applied[state.velocity >= spec.max_velocity] <= 0.0).all()
            assert (applied[state.velocity <= -spec.max_velocity] >= 0.0).all()
    if safety.workspace is not None and interface == "position":
        excess = make_excess(robot.config, robot.model, robot.followers)
        assert excess(applied.tolist()) <= max(0.0, excess(before.tolist())), "in the box, or no further out"


@pytest.mark.parametrize("name", SECTIONS)
@settings(max_examples=40, deadline=None)
@given(told=stories)
def test_limiting_twice_is_limiting_once(name: str, told: Story) -> None:
    """What lets a client say what the other side will apply, bit for bit."""
    once, twice = SafetyFilter(robot_with(name)), SafetyFilter(robot_with(name))
    once.reset(told.start)
    twice.reset(told.start)
    for vector, state, seconds in told.calls:
        applied = once(vector, state, seconds)
        assert np.array_equal(twice(applied, state, seconds), applied)


@settings(max_examples=40, deadline=None)
@given(told=stories)
def test_without_further_limits_it_is_the_plain_one(told: Story) -> None:
    plain, full = CommandLimiter(robot_with("plain").spec), SafetyFilter(robot_with("plain"))
    for vector, state, _ in told.calls:
        assert np.array_equal(plain(vector), full(vector, state))


def test_the_quickest_that_does_it_is_chosen() -> None:
    chosen = {name: type(limiter(robot)) for name, robot in ((name, robot_with(name)) for name in SECTIONS)}
    assert {name for name, kind in chosen.items() if kind is CommandLimiter} == {"plain"}
    assert type(limiter(load_robot("panda"))) is CommandLimiter
    assert type(limiter(load_robot("rover"))) is CommandLimiter


@settings(max_examples=40, deadline=None)
@given(sequence=walks(5.0, 100), even=st.booleans())
def test_positions_keep_acceleration_and_limits(sequence: FloatArray, even: bool) -> None:
    """Whatever is asked, at irregular times: there is always room to come to rest."""
    robot = robot_with("smooth")
    make, speed = SafetyFilter(robot), np.zeros(JOINTS)
    for i, vector in enumerate(sequence):
        seconds = np.full(JOINTS, PERIOD) if even else 0.08 * np.random.default_rng(i).random(JOINTS)
        before = make.applied
        applied = make(vector, steady(robot), seconds)
        moved = seconds > 1e-6
        now = np.where(moved, (applied - before) / np.maximum(seconds, 1e-6), speed)
        assert (np.abs(now - speed)[moved] <= 4.0 * seconds[moved] + 1e-6).all()
        assert (applied <= robot.spec.command_high).all()
        assert (applied >= robot.spec.command_low).all()
        speed = now


@settings(max_examples=30, deadline=None)
@given(target=walks(5.0, 1).map(lambda rows: rows[0]))
def test_a_standing_target_is_reached_and_kept(target: FloatArray) -> None:
    robot = robot_with("smooth")
    make = SafetyFilter(robot)
    goal = np.clip(target, robot.spec.command_low, robot.spec.command_high)
    history = [make(goal, steady(robot)) for _ in range(400)]
    assert np.allclose(history[-1], goal, atol=1e-6)
    home = robot.spec.command_home
    over = np.max((np.array(history) - goal) * np.sign(goal - home), axis=0)
    assert (over <= 6.0 * 4.0 * PERIOD**2).all(), "no further beyond than a few periods' worth of acceleration"


@pytest.mark.parametrize("name", ["turned", "turned at will"])
@settings(max_examples=30, deadline=None)
@given(sequence=walks(5.0, 100))
def test_velocities_never_lead_past_the_limits(name: str, sequence: FloatArray) -> None:
    robot = robot_with(name)
    make, place = SafetyFilter(robot), np.array(robot.spec.home)
    for vector in sequence:
        before = make.applied
        applied = make(vector, steady(robot, place))
        if name == "turned":
            assert (np.abs(applied - before) <= 5.0 * PERIOD + 1e-9).all(), "and there is always time to brake"
        place = place + applied * PERIOD
        assert (place <= robot.spec.upper + 1e-9).all()
        assert (place >= robot.spec.lower - 1e-9).all()


@pytest.mark.parametrize("name", ["boxed", "smoothly boxed", "turned in a box"])
@settings(max_examples=40, deadline=None)
@given(sequence=walks(3.0, 60))
def test_the_link_stays_in_its_box(name: str, sequence: FloatArray) -> None:
    robot = robot_with(name)
    excess = make_excess(robot.config, robot.model, robot.followers)
    make, place = SafetyFilter(robot), np.array(robot.spec.home)
    for vector in sequence:
        applied = make(vector, steady(robot, place))
        place = applied if SECTIONS[name][0] == "position" else place + applied * PERIOD
        assert excess(place.tolist()) <= 1e-9


def test_the_wall_is_reached() -> None:
    """The box does not merely stop everything: the arm goes as far as the wall, and comes back."""
    robot = robot_with("boxed")
    excess = make_excess(robot.config, robot.model, robot.followers)
    make = SafetyFilter(robot)
    out = np.array(robot.spec.home)
    out[0] = 1.5  # to the left, through the wall
    for _ in range(100):
        make(out, steady(robot))
    assert -1e-3 < excess(make.applied.tolist()) <= 0.0
    for _ in range(100):
        make(robot.spec.home, steady(robot))
    assert np.allclose(make.applied, robot.spec.home)


def test_from_outside_of_the_box_the_way_back_is_open() -> None:
    robot = robot_with("boxed")
    excess = make_excess(robot.config, robot.model, robot.followers)
    make = SafetyFilter(robot)
    start = np.array(robot.spec.home)
    start[0] = 1.5
    make.reset(start)
    further = np.array(start)
    further[0] = 1.6
    assert np.allclose(make(further, steady(robot)), start, atol=1e-6)
    outs = []
    for _ in range(200):
        outs.append(excess(make(robot.spec.home, steady(robot)).tolist()))
    assert outs == sorted(outs, reverse=True) or outs[-1] <= 0.0
    assert np.allclose(make.applied, robot.spec.home)


@pytest.mark.parametrize(("stop", "expected"), [("hold", 0.3), ("zero", 0.5)])
def test_a_stop_of_positions(tmp_path: Path, stop: str, expected: float) -> None:
    path = tmp_path / "stopped.yaml"
    path.write_text(f"extends: arm\nsafety: {{stop: {stop}}}\n")
    robot = load_robot(path)
    make, seconds = SafetyFilter(robot), np.full(JOINTS, PERIOD)
    make.reset(np.full(JOINTS, 0.5))
    held = make.halt([0, 1], steady(robot, np.full(JOINTS, 0.3)), seconds, first=True)
    assert held.tolist() == [expected, expected, 0.5, 0.5, 0.5, 0.5]
    later = make.halt([0, 1], steady(robot, np.full(JOINTS, 0.2)), seconds, first=False)
    assert later.tolist() == held.tolist(), "the place of a stop is that where it began"
    unknown = make.halt(range(6), steady(robot, np.full(JOINTS, math.nan)), seconds, first=True)
    assert unknown.tolist() == held.tolist(), "without a measured position, the last target"


def test_damping_brakes_and_opposes(tmp_path: Path) -> None:
    path = tmp_path / "damped.yaml"
    path.write_text("extends: arm\nsafety: {stop: damp, damping: 2.0, max_acceleration: 5.0}\n")
    seconds, moving = np.full(JOINTS, PERIOD), np.full(JOINTS, 1.5)
    turned, pushed, held = (load_robot(path, interface=each) for each in ("velocity", "effort", "position"))
    make = SafetyFilter(turned)
    make.reset(np.full(JOINTS, 1.0))
    speeds = [make.halt(range(6), steady(turned), seconds, i == 0)[0] for i in range(6)]
    assert np.allclose(speeds, [0.8, 0.6, 0.4, 0.2, 0.0, 0.0])
    make = SafetyFilter(pushed)
    assert make.halt(range(6), steady(pushed)._replace(velocity=moving), seconds, True).tolist() == [-3.0] * 6
    unknown = steady(pushed)._replace(velocity=np.full(JOINTS, math.nan))
    assert make.halt(range(6), unknown, seconds, True).tolist() == [0.0] * 6
    make = SafetyFilter(held)
    for _ in range(5):
        make(held.spec.command_high, steady(held))
    places = np.array([make.halt(range(6), steady(held), seconds, i == 0) for i in range(8)])
    steps = np.diff(places[:, 0])
    assert (steps >= 0.0).all()
    assert steps[0] > 0.0
    assert np.allclose(np.diff(steps)[:2], -5.0 * PERIOD**2)
    assert steps[-1] == 0.0
