"""The command limiter: whatever goes in, what comes out respects every limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_gym_bridge import load_robot
from ros_gym_bridge.safety import CommandLimiter

SPECS = {interface: load_robot("panda", interface=interface).spec for interface in ("position", "velocity", "effort")}
N = len(SPECS["position"].commands)
vectors = st.lists(st.floats(-1e6, 1e6), min_size=N, max_size=N).map(np.array)


@pytest.mark.parametrize("interface", SPECS)
@settings(max_examples=200, deadline=None)
@given(commands=st.lists(vectors, min_size=1, max_size=5))
def test_within_limits_and_rates(interface: str, commands: list[np.ndarray]) -> None:
    spec = SPECS[interface]
    limiter = CommandLimiter(spec)
    last = spec.command_home
    for command in commands:
        applied = limiter(command)
        assert (applied >= spec.command_low).all()
        assert (applied <= spec.command_high).all()
        assert (np.abs(applied - last) <= spec.max_change * (1 + 1e-12)).all()
        last = applied


@settings(max_examples=200, deadline=None)
@given(commands=st.lists(vectors, min_size=1, max_size=5))
def test_limiting_twice_is_limiting_once(commands: list[np.ndarray]) -> None:
    """What lets a client say what the simulator behind a topic will apply, bit for bit."""
    once, twice = CommandLimiter(SPECS["position"]), CommandLimiter(SPECS["position"])
    for command in commands:
        applied = once(command)
        assert np.array_equal(twice(applied), applied)


def test_a_command_within_the_limits_passes_unchanged() -> None:
    spec = SPECS["velocity"]
    command = 0.5 * spec.command_high
    assert np.array_equal(CommandLimiter(spec)(command), command)


def test_reset_forgets() -> None:
    spec = SPECS["position"]
    limiter = CommandLimiter(spec)
    for _ in range(10):
        limiter(spec.command_high)
    limiter.reset()
    assert np.array_equal(limiter.applied, spec.command_home)
    assert (np.abs(limiter(spec.command_high) - spec.command_home) <= spec.max_change + 1e-12).all()
