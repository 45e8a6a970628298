"""Rows about joint states: who tells them, which joints, how often, and by which clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ros_gym_bridge.findings import Finding, Verdict, judged
from ros_gym_bridge.robot import RobotSpec
from ros_gym_bridge.ros.doctor.watch import Look, Track

_SLOW = 0.9  # of the control rate: less than that is too slow
_AGE_S = 0.5  # clocks that are further apart differ
_SIMULATED_NS = 10**15  # a stamp below eleven days counts from a start, not from 1970


def joint_states(look: Look) -> Iterator[Finding]:
    """All of them."""
    track = look.states
    subject = f"joint states {track.topic}"
    if track.newest is None:
        found = track.listener.trouble().removeprefix(track.topic).lstrip(":, ").removeprefix("which ")
        yield Finding(subject, Verdict.BAD, found + _elsewhere(look, track), _SILENT)
        return
    names = track.publishers
    yield judged(subject, len(names) < 2, f"{track.message} from {', '.join(names)}", _TWO)
    yield _joints(track.newest, look.robot.spec)
    yield _values(track.newest, look.robot.spec)
    yield _rate(look)
    yield _stamps(look)


def clock(look: Look) -> Iterator[Finding]:
    """Who makes time, where anybody does."""
    track, subject = look.clock, "/clock"
    names = track.publishers
    if not names:
        yield Finding(subject, Verdict.OPEN, "nobody publishes it: time is the computer's")
        return
    yield judged(subject, len(names) < 2, f"from {', '.join(names)}", _TWO_CLOCKS)
    if track.went_back:
        yield Finding(subject, Verdict.BAD, f"went back by {track.went_back / 1e9:.3f} s", _BACK)


def _joints(message: Any, spec: RobotSpec) -> Finding:
    names = list(message.name)
    missing = [name for name in spec.joints if name not in names]
    twice = sorted({name for name in names if names.count(name) > 1})
    subject = "joints"
    if missing:
        extra = [name for name in names if name not in spec.joints]
        there = f"; others are there: {', '.join(extra)}" if extra else ""
        return Finding(subject, Verdict.BAD, f"missing: {', '.join(missing)}{there}", _MISSING)
    if twice:
        return Finding(subject, Verdict.BAD, f"named twice: {', '.join(twice)}", "Correct the driver")
    mine = [name for name in names if name in spec.joints]
    order = "in the robot file's order" if mine == list(spec.joints) else "in another order, which does not matter"
    more = len(names) - len(spec.joints)
    return Finding(subject, Verdict.GOOD, f"all {len(spec.joints)}, {order}" + (f"; {more} more" if more else ""))


def _values(message: Any, spec: RobotSpec) -> Finding:
    """Numbers for all positions, and within the limits."""
    subject, names = "positions", list(message.name)
    if len(message.position) != len(names):
        found = f"{len(message.position)} positions for {len(names)} joints"
        return Finding(subject, Verdict.BAD, found, "Correct the driver: one position for each name")
    positions = dict(zip(names, message.position, strict=True))
    here = [name for name in spec.joints if name in positions]
    nan = [name for name in here if not np.isfinite(positions[name])]
    if nan:
        return Finding(subject, Verdict.BAD, f"no number for {', '.join(nan)}", _NO_POSITION)
    beyond = []
    for name in here:
        i = spec.joints.index(name)
        if not spec.lower[i] - 1e-3 <= positions[name] <= spec.upper[i] + 1e-3:
            beyond.append(f"{name} at {positions[name]:.4g}, outside [{spec.lower[i]:.4g}, {spec.upper[i]:.4g}]")
    without = "" if len(message.velocity) == len(names) and np.isfinite(_of(message, spec)).all() else _NO_VELOCITY
    return judged(subject, not beyond, "; ".join(beyond) or f"within the limits{without}", _BEYOND)


def _of(message: Any, spec: RobotSpec) -> Any:
    return np.array([v for name, v in zip(message.name, message.velocity, strict=False) if name in spec.joints])


def _rate(look: Look) -> Finding:
    track, wanted, subject = look.states, look.robot.spec.control_hz, "rate of joint states"
    if track.stands:
        if look.simulator.offered() & {"step_simulation", "set_simulation_state", "simulate_steps"}:
            return Finding(
                subject, Verdict.OPEN, "time stands still: the simulation waits for a command, a step or to play"
            )
        return Finding(subject, Verdict.BAD, f"{len(track.stamps)} messages carry one stamp", _FROZEN)
    rate = track.stamp_rate_hz or track.rate_hz
    found = f"{rate:.1f} Hz, for control at {wanted} Hz"
    return judged(subject, rate >= _SLOW * wanted, found, _TOO_SLOW.format(wanted=wanted))


def _stamps(look: Look) -> Finding:
    track, subject = look.states, "stamps of joint states"
    if not all(track.stamps):
        return Finding(subject, Verdict.BAD, "0, which means none", _UNSTAMPED)
    if track.went_back:
        return Finding(subject, Verdict.BAD, f"went back by {track.went_back / 1e9:.4g} s", _STAMPS_BACK)
    if look.clock.stamps:
        behind = (look.clock.stamps[-1] - track.stamps[-1]) / 1e9
        found = f"{abs(behind):.3f} s {'behind' if behind >= 0.0 else 'ahead of'} /clock"
        return judged(subject, abs(behind) < _AGE_S, found, _OTHER_CLOCK)
    if max(track.stamps) < _SIMULATED_NS:
        return Finding(
            subject, Verdict.OPEN, f"{track.stamps[-1] / 1e9:.3f} s: simulated time, and nobody tells /clock"
        )
    age = float(np.median(track.ages_s))
    found = f"{1e3 * age:.1f} ms old when they come" if abs(age) < _AGE_S else _apart(age)
    return judged(subject, abs(age) < _AGE_S, found, _CLOCKS_DIFFER)


def _apart(age_s: float) -> str:
    return f"the robot's clock is {abs(age_s):.2f} s {'behind' if age_s > 0.0 else 'ahead of'} this computer's"


def _elsewhere(look: Look, track: Track) -> str:
    """Where else such messages are published."""
    topics = look.session.node.get_topic_names_and_types()
    count = look.session.node.count_publishers
    names = sorted(name for name, kinds in topics if track.message in kinds and name != track.topic and count(name))
    return f"; {track.message} comes on {', '.join(names[:5])}" if names else ""


_SILENT = (
    "Start the driver, or activate joint_state_broadcaster; or correct joint_states.topic in the robot file, remap, or "
    "pass --namespace"
)
_TWO = "End all but one: their states would be taken for one robot's"
_TWO_CLOCKS = "Let one node tell the time: publish_clock:=false for all others of ours"
_BACK = "Nobody else may reset time while an agent runs; or two nodes publish /clock"
_MISSING = "Correct 'joints' in the robot file, or have the driver (joint_state_broadcaster) tell them"
_NO_POSITION = "Give the joint a state interface 'position' in the driver, or take it out of the robot file"
_NO_VELOCITY = "; velocities are not told"
_BEYOND = "Move the joint inside before an agent starts, or correct the limits or the driver's zero"
_TOO_SLOW = "Raise the driver's rate to {wanted} Hz or more, or lower rates.control_hz in the robot file"
_FROZEN = "The driver tells old data: check that it is connected to the hardware, and running"
_UNSTAMPED = "Have the driver stamp its messages (header.stamp)"
_STAMPS_BACK = "Two publishers, a clock that was set, or messages out of order: let one node publish, by a steady clock"
_OTHER_CLOCK = "Have the driver use simulated time (use_sim_time:=true), or end the simulator that tells /clock"
_CLOCKS_DIFFER = "Set both clocks by the same source (chrony or NTP); for a simulator, publish /clock"
