"""Which samples a state holds: awaited by their stamps, or the newest of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.robot import RobotState, Sample, read_only
from ros_gym_bridge.ros.inbox import StateInbox

PERIOD_NS = 20_000_000  # of the cart-pole
NOTHING = read_only([])
JOINTS = (NOTHING, NOTHING, NOTHING)
CHANNELS = """
extends: cartpole
channels:
  - {name: scan, kind: lidar, link: cart, rays: 4, rate_hz: 25}
  - {name: late, kind: link_pose, link: cart, latency_s: 0.04, required: false}
  - {name: info, kind: topic, message: sensor_msgs/Range}
  - {name: gps, kind: topic, message: sensor_msgs/Range, required: false}
"""


@pytest.fixture
def inbox(tmp_path: Path) -> StateInbox:
    path = tmp_path / "r.yaml"
    path.write_text(CHANNELS)
    return StateInbox(load_robot(path))


def sample(stamp_ns: int) -> Sample:
    return Sample(stamp_ns, np.zeros(1))


def stamps(state: RobotState | None) -> dict[str, int]:
    assert state is not None
    return {name: each.stamp_ns for name, each in state.channels.items()}


def test_sensors_are_awaited_and_what_is_observed_is_the_newest(inbox: StateInbox) -> None:
    now = 4 * PERIOD_NS
    inbox.put_joints(now, JOINTS)
    assert inbox.missing(now) == ["scan", "late", "info"]
    inbox.put_sample("scan", sample(now - 2 * PERIOD_NS))
    inbox.put_sample("info", sample(5))
    inbox.put_sample("late", sample(PERIOD_NS))
    assert inbox.missing(now) == ["scan", "late"]
    inbox.put_time("late", now, PERIOD_NS)
    assert inbox.take(now, NOTHING) is None
    inbox.put_sample("scan", sample(now))
    assert stamps(inbox.take(now, NOTHING)) == {"scan": now, "late": PERIOD_NS, "info": 5}
    inbox.put_sample("gps", sample(now + 7))
    inbox.put_sample("info", sample(3))
    assert stamps(inbox.take(now, NOTHING)) == {"scan": now, "late": PERIOD_NS, "info": 3, "gps": now + 7}
    assert [inbox.has(name) for name in ("scan", "late", "info", "gps")] == [True] * 4


def test_relaxed_nothing_is_awaited(inbox: StateInbox) -> None:
    now = 4 * PERIOD_NS
    inbox.put_joints(now, JOINTS)
    inbox.put_sample("scan", sample(5))
    inbox.relax()
    assert inbox.missing(now) == ["info"]
    inbox.put_sample("info", sample(6))
    assert stamps(inbox.take(now, NOTHING)) == {"scan": 5, "info": 6}
    inbox.put_sample("scan", sample(now + 9))
    inbox.put_sample("late", sample(1))
    assert stamps(inbox.take(now, NOTHING)) == {"scan": now + 9, "late": 1, "info": 6}


def test_time_that_turns_back(inbox: StateInbox) -> None:
    """A sensor's old samples are gone; what was said once and for all is not."""
    inbox.relax()
    for name in ("scan", "info"):
        inbox.put_sample(name, sample(900))
    inbox.turn_back(100)
    inbox.put_joints(100, JOINTS)
    assert inbox.missing(100) == ["scan"]
    inbox.put_sample("scan", sample(80))
    assert stamps(inbox.take(100, NOTHING)) == {"scan": 80, "info": 100}


def test_refused_messages_are_counted(inbox: StateInbox) -> None:
    before = inbox.received
    for why in ("first", "second"):
        inbox.refuse("scan", why)
    assert inbox.refused == {"scan": (2, "second")}
    assert inbox.received == before + 2
