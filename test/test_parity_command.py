"""Recordings, what two of them differ in, and `ros-gym-bridge parity`."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.backends import make_robot
from ros_gym_bridge.errors import BridgeError, MissingDependencyError, OptionError
from ros_gym_bridge.findings import Finding, Verdict, exit_code
from ros_gym_bridge.parity import compare, pair
from ros_gym_bridge.parity_plot import plot
from ros_gym_bridge.recording import Recording, check_fits, load, record, save, waves
from ros_gym_bridge.sim.sim_robot import SimRobot
from test_cli import run

ARM, CARTPOLE = load_robot("arm"), load_robot("cartpole")
NAMES = ("before", "after")


@pytest.fixture(scope="module")
def recorded() -> Recording:
    """Two seconds of the arm."""
    robot = SimRobot(ARM)
    yield record(robot, 3, waves(ARM.spec, 3, 50, 0.2))
    robot.close()


def late(recording: Recording, seconds: float) -> Recording:
    """The same robot, with a delay."""
    times = np.maximum(recording.seconds - seconds, 0.0)
    moved = [
        np.stack([np.interp(times, recording.seconds, column) for column in values.T], axis=1)
        for values in (recording.positions, recording.velocities)
    ]
    return dataclasses.replace(recording, positions=moved[0], velocities=moved[1])


def rows(first: Recording, second: Recording, position: float = 0.0, velocity: float = 0.0) -> dict[str, Finding]:
    return {each.subject: each for each in compare(pair(first, second, NAMES), position, velocity)}


# --- recordings


def test_waves_stay_near_home_and_begin_there() -> None:
    for file in (ARM, CARTPOLE, load_robot("panda"), load_robot("rover")):
        spec = file.spec
        actions = waves(spec, 0, 200, 0.1)
        assert actions.shape == (200, len(spec.commands))
        assert np.array_equal(actions[0], spec.command_home)
        assert (np.abs(actions - spec.command_home) <= 0.1 * (spec.command_high - spec.command_low) + 1e-9).all()
        assert (np.ptp(actions, axis=0) > 0.0).all()
        assert np.array_equal(actions, waves(spec, 0, 200, 0.1))
        assert not np.array_equal(actions, waves(spec, 1, 200, 0.1))


@pytest.mark.parametrize("suffix", [".npz", ".jsonl"])
def test_a_file_holds_every_bit(recorded: Recording, tmp_path: Path, suffix: str) -> None:
    trips = recorded.round_trips_s.copy()
    trips[1:3] = 0.0012345678901234567, np.nan
    velocities = recorded.velocities.copy()
    velocities[4, 2] = np.nan
    mine = dataclasses.replace(recorded, round_trips_s=trips, velocities=velocities)
    path = tmp_path / f"arm{suffix}"
    save(mine, path)
    again = load(path)
    for field in dataclasses.fields(Recording):
        one, other = getattr(mine, field.name), getattr(again, field.name)
        same = np.array_equal(one, other, equal_nan=True) if isinstance(one, np.ndarray) else one == other
        assert same, field.name


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", "", r"x\.csv: recordings of this kind are not known; expected \.npz or \.jsonl\."),
        ("none.npz", None, r"none\.npz: no recording that can be read; got FileNotFoundError: .*"),
        ("x.npz", "no archive", r"x\.npz: no recording that can be read; got .*"),
        ("x.jsonl", "{", r"x\.jsonl: no recording that can be read; got JSONDecodeError: .*"),
        ("y.jsonl", '{"robot": "arm"}\n', r"y\.jsonl: no recording that can be read; got KeyError: 'joints'\."),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(OptionError) as caught:
        load(tmp_path / name)
    assert re.search(message + "$", str(caught.value)), caught.value


def test_arrays_that_do_not_fit(recorded: Recording, tmp_path: Path) -> None:
    save(dataclasses.replace(recorded, positions=recorded.positions[:-1]), tmp_path / "short.npz")
    with pytest.raises(OptionError, match=r"'positions' does not fit the stamps; got \(50, 6\); expected \(51, 6\)\."):
        load(tmp_path / "short.npz")


def test_another_robot_is_refused(recorded: Recording) -> None:
    with pytest.raises(OptionError, match=r"a\.npz was recorded with other joints; got .*; expected .*; Use the robot"):
        check_fits(recorded, CARTPOLE.spec, "a.npz")
    check_fits(recorded, ARM.spec, "a.npz")


# --- what is found


def test_nothing_where_nothing_differs(recorded: Recording) -> None:
    found = rows(recorded, recorded)
    assert exit_code(found.values()) == 0
    assert {each.found for name, each in found.items() if " of 's" in name} == {"equal, to the last bit"}
    assert found["delay of after"].found == "none can be seen in the positions"


def test_a_joint_that_parts(recorded: Recording) -> None:
    positions = recorded.positions.copy()
    positions[20:, 2] += np.linspace(0.0, 0.3, 31)
    found = rows(recorded, dataclasses.replace(recorded, positions=positions), position=0.095)
    row = found["position of 'elbow_joint'"]
    assert row.verdict is Verdict.BAD
    assert row.found == "0.3 rad or m apart at most, at 2.000 s (step 50); RMS 0.136; beyond 0.095 from step 30 on"
    assert [name for name, each in found.items() if each.verdict is Verdict.BAD] == ["position of 'elbow_joint'"]
    assert exit_code(rows(recorded, dataclasses.replace(recorded, positions=positions), position=0.31).values()) == 0


def test_a_delay_is_measured(recorded: Recording) -> None:
    for seconds in (0.06, 0.1):
        found = rows(recorded, late(recorded, seconds))["delay of after"].found
        assert re.match(rf"{1e3 * seconds:.0f} ms after before, by the positions: RMS [0-9.e-]+ as it is", found), found


def test_other_times_are_interpolated(recorded: Recording) -> None:
    """The second tells more often, and for longer."""
    times = np.linspace(0.0, 3.0, 301)
    positions = np.stack([np.interp(times, recorded.seconds, column) for column in recorded.positions.T], axis=1)
    second = dataclasses.replace(
        recorded,
        stamps_ns=(times * 1e9).astype(np.int64) + 7_000_000_000,
        positions=positions,
        velocities=np.full_like(positions, np.nan),
    )
    found = rows(recorded, second, position=1e-6)
    assert found["time"].found == "states at other times (2.000 s, 3.000 s): interpolated"
    assert found["position of 'elbow_joint'"].verdict is Verdict.GOOD
    assert found["velocity of 'elbow_joint'"].found == "one of the two does not tell it"
    assert exit_code(found.values()) == 0


def test_a_robot_that_lags(driver: Any, domain_id: int) -> None:
    """A driver that shares nothing with us, whose commands take 80 ms: later than the simulation, and as far."""
    driver("arm", command_delay_s=0.08)
    actions = waves(ARM.spec, 1, 60, 0.1)
    connection = {"attach": True, "domain_id": domain_id, "stepping": "realtime"}
    both = []
    for backend, options in (("sim", {}), ("topics", connection)):
        robot = make_robot(ARM, backend, options)
        both.append(record(robot, 1, actions))
        robot.close()
    found = rows(*both, position=0.5, velocity=2.0)
    assert exit_code(found.values()) == 0
    delay = re.match(r"(\d+) ms after before, by the positions", found["delay of after"].found)
    assert delay is not None, found
    assert 60 <= int(delay[1]) <= 250
    assert found["round trip of after"].found.startswith("median ")


# --- plots


def test_plot(recorded: Recording, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    two = pair(recorded, late(recorded, 0.1), NAMES)
    plot(two, tmp_path / "two.svg")
    text = (tmp_path / "two.svg").read_text()
    assert "<svg" in text
    assert (tmp_path / "two.svg").stat().st_size > 20_000
    with pytest.raises(BridgeError, match=r"two\.nothing: cannot be written; got .*; Choose another place or suffix\."):
        plot(two, tmp_path / "two.nothing")


def test_plots_need_matplotlib(recorded: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError) as caught:
        plot(pair(recorded, recorded, NAMES), tmp_path / "two.png")
    assert str(caught.value) == (
        "plots need matplotlib; got import of matplotlib.figure halted; None in sys.modules; Install it: pip install "
        "matplotlib, or leave out --plot."
    )


# --- the command


def test_command_over_topics_and_from_a_file(tmp_path: Path) -> None:
    """Equal bit for bit; then the recording itself, and one in which a joint was moved."""
    path = tmp_path / "cartpole.jsonl"
    ran = run("parity", "cartpole", "--steps", "30", "--seed", "5", "--save", str(path), COLUMNS="160")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("equal, to the last bit") == 4
    assert "round trip of topics" in ran.stdout
    assert run("parity", "cartpole", "--second", str(path)).returncode == 0
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[9]["position"][0] += 1.0
    path.write_text("\n".join(map(json.dumps, lines)))
    ran = run("parity", "cartpole", "--second", str(path), "--position-tolerance", "0.5", COLUMNS="250")
    assert ran.returncode == 1
    assert "; beyond 0.5 from step 8 on" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--namespace", "/a"),
            "--namespace, --simulator and --command-prefix; expected --attach too; A node of its own is alone.",
        ),
        (("--second", "nothing"), "nothing: recordings of this kind are not known; expected .npz or .jsonl."),
    ],
)
def test_command_refuses(arguments: tuple[Any, ...], message: str) -> None:
    ran = run("parity", "cartpole", *arguments)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"error: {message}\n")
