"""Noise, bias, drop-out and latency: as large as they say, from the seed, and nowhere else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sensor_tools import PENDULUM, Lab, link, states, value

STILL = "gravity: [0, 0, 0]\n"
PERIOD_NS = 10_000_000


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def imu(**keys: str) -> str:
    return f"  - {{name: s, kind: imu, link: rod, {', '.join(f'{key}: {text}' for key, text in keys.items())}}}"


def test_noise_is_as_large_as_it_says(lab: Lab) -> None:
    noise = "{angular_velocity: 0.1, linear_acceleration: 0.5, rotation: 0.02}"
    found = np.array([value(state) for state in states(lab.robot(PENDULUM, imu(noise=noise), more=STILL), 1500)])
    assert found[:, 4:7].mean() == pytest.approx(0.0, abs=4 * 0.1 / np.sqrt(4500))
    assert found[:, 4:7].std(axis=0) == pytest.approx(0.1, rel=0.08)
    assert found[:, 7:].std(axis=0) == pytest.approx(0.5, rel=0.08)
    assert (2 * found[:, :3]).std(axis=0) == pytest.approx(0.02, rel=0.08)  # half the angle is in a quaternion
    assert np.linalg.norm(found[:, :4], axis=1) == pytest.approx(1.0, abs=1e-12)
    assert np.corrcoef(found[:, 4:].T)[np.triu_indices(6, 1)] == pytest.approx(0.0, abs=0.12)


def test_bias_stays_for_an_episode(lab: Lab) -> None:
    robot = lab.robot(PENDULUM, imu(bias="{angular_velocity: 0.1}"), more=STILL)
    biases = []
    for episode in range(200):
        found = np.array([value(state)[4:7] for state in states(robot, 2, seed=episode)])
        assert np.ptp(found, axis=0) == pytest.approx(0.0, abs=1e-12)
        biases.append(found[0])
    assert np.array(biases).std() == pytest.approx(0.1, rel=0.12)
    assert np.array(biases).mean() == pytest.approx(0.0, abs=4 * 0.1 / np.sqrt(600))


def test_joint_states_may_be_noisy_too_and_hide_nothing_else(lab: Lab) -> None:
    keys = "joint_states: {noise: {position: 0.01, velocity: 0.2}, bias: {position: 0.5}}\n"
    robot = lab.robot(PENDULUM, "  - {name: s, kind: link_pose, link: rod}", more=STILL + keys)
    found = list(states(robot, 1000))
    positions, velocities = (np.array([getattr(s, name)[0] for s in found]) for name in ("position", "velocity"))
    assert positions.std() == pytest.approx(0.01, rel=0.1)
    assert velocities.std() == pytest.approx(0.2, rel=0.1)
    assert abs(positions.mean()) > 0.02  # the bias
    assert all(value(state)[:3].tolist() == [0.0, 0.0, 0.0] for state in found)
    assert robot.simulation.robots[0].body.joint_states()[0][0] == 0.0
    assert all(not state.position.flags.writeable for state in found)


def test_rays_err_each_by_itself_and_together_by_their_bias(lab: Lab) -> None:
    wall = lab.body("wall", link("wall", 1, shape='<box size="0.1 40 40"/>'))
    scene = f"scene: [{{name: wall, file: {wall}, fixed: true, position: [2.05, 0, 0]}}]\n"
    angles = "min_angle: -0.001, max_angle: 0.001"
    channels = f"  - {{name: s, kind: lidar, link: base, rays: 500, {angles}, noise: {{range: 0.02}}}}\n"
    channels += f"  - {{name: b, kind: lidar, link: base, rays: 500, {angles}, bias: {{range: 0.02}}}}\n"
    found = list(states(lab.robot(PENDULUM, channels, more=STILL + scene), 20))
    distances = np.array([value(state) for state in found])
    assert distances.std() == pytest.approx(0.02, rel=0.05)
    assert distances.mean() == pytest.approx(2.0, abs=1e-3)
    biased = np.array([value(state, "b") for state in found])
    assert np.ptp(biased) < 1e-5
    assert abs(biased.mean() - 2.0) > 1e-3


def test_lost_samples_leave_the_one_before(lab: Lab) -> None:
    channels = "  - {name: s, kind: link_pose, link: rod, dropout: 0.3}\n  - {name: true, kind: link_pose, link: rod}"
    found = list(states(lab.robot(PENDULUM, channels.replace("true", "truth"), home=1.0), 2000))
    taken = {state.stamp_ns: value(state, "truth").tobytes() for state in found}
    lost = 0
    for before, state in itertools.pairwise(found):
        sample = state.channels["s"]
        if sample.stamp_ns != state.stamp_ns:
            lost += 1
            assert sample is before.channels["s"]
        assert sample.value.tobytes() == taken[sample.stamp_ns]
    assert found[0].channels["s"].stamp_ns == found[0].stamp_ns, "the first one is never lost"
    assert lost / 2000 == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 2000))


@pytest.mark.parametrize(("latency_s", "periods"), [(0.03, 3), (0.034, 3), (0.004, 0), (0.2, 20)])
def test_latency_is_exact(lab: Lab, latency_s: float, periods: int) -> None:
    channels = f"  - {{name: s, kind: link_pose, link: rod, latency_s: {latency_s}}}\n"
    channels += "  - {name: truth, kind: link_pose, link: rod}"
    found = list(states(lab.robot(PENDULUM, channels, home=1.0), 50))
    for i, state in enumerate(found):
        then = found[max(i - periods, 0)]
        assert state.channels["s"].stamp_ns == then.stamp_ns
        assert state.channels["s"].value.tobytes() == value(then, "truth").tobytes()


def test_latency_of_a_slow_channel(lab: Lab) -> None:
    """25 Hz of 100, 30 ms late: samples of every fourth period, three periods later."""
    channels = "  - {name: s, kind: link_pose, link: rod, latency_s: 0.03, rate_hz: 25}"
    found = list(states(lab.robot(PENDULUM, channels, home=1.0), 40))
    for i, state in enumerate(found[4:], 4):
        period = state.stamp_ns // PERIOD_NS - 3
        expected = max(period - period % 4, found[0].stamp_ns // PERIOD_NS)
        assert state.channels["s"].stamp_ns // PERIOD_NS == expected, i


def test_a_reset_forgets_what_is_late(lab: Lab) -> None:
    robot = lab.robot(PENDULUM, "  - {name: s, kind: link_pose, link: rod, latency_s: 0.05, dropout: 0.9}", home=1.0)
    list(states(robot, 30))
    for strict in (False, True):
        state = robot.reset(1, {"strict": strict})
        assert state.channels["s"].stamp_ns == state.stamp_ns


def episode(robot: object, seed: int | None, count: int = 60) -> list[tuple[int, bytes]]:
    found = list(states(robot, count, seed=seed))  # type: ignore[arg-type]
    return [(s.channels["s"].stamp_ns - found[0].stamp_ns, s.channels["s"].value.tobytes()) for s in found]


def test_the_seed_decides(lab: Lab) -> None:
    keys = {"noise": "{angular_velocity: 0.1}", "bias": "{angular_velocity: 0.1}", "dropout": "0.4"}
    robot, other = (lab.robot(PENDULUM, imu(**keys), home=1.0) for _ in range(2))
    first = episode(robot, 7)
    second = episode(robot, None)
    assert first != second
    assert (episode(robot, 7), episode(robot, None)) == (first, second)
    assert (episode(other, 7), episode(other, None)) == (first, second)
    assert episode(robot, 8) != first


def test_each_sensor_draws_for_itself(lab: Lab) -> None:
    """One more noisy sensor behind does not change what those before it see."""
    keys = {"noise": "{angular_velocity: 0.1}", "dropout": "0.4"}
    more = "\n  - {name: t, kind: link_pose, link: rod, noise: {position: 1.0}, dropout: 0.5}"
    one, two = lab.robot(PENDULUM, imu(**keys), home=1.0), lab.robot(PENDULUM, imu(**keys) + more, home=1.0)
    assert episode(one, 7) == episode(two, 7)


def test_without_errors_nothing_is_drawn(lab: Lab) -> None:
    """The generator that other things are drawn from goes on as without sensors."""
    plain, seen = (
        lab.robot(PENDULUM, "  - {name: s, kind: link_pose, link: base}"),
        lab.robot(PENDULUM, imu(), home=0.0),
    )
    assert not plain.simulation.robots[0].random
    assert not seen.simulation.robots[0].random
