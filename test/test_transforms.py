"""Frames in frames, as a robot tells them on `/tf`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import TransformStamped
from tf2_msgs.msg import TFMessage

from ros_gym_bridge.geometry import quaternion
from ros_gym_bridge.ros.transforms import Transforms
from ros_gym_bridge.view.frames import Frames, matrix, wxyz

NAN = math.nan


def told(parent: str, child: str, place: Any = (0, 0, 0), rpy: Any = (0, 0, 0), stamp_ns: int = 0) -> TransformStamped:
    made = TransformStamped(child_frame_id=child)
    made.header.frame_id = parent
    made.header.stamp.sec, made.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    p, q = made.transform.translation, made.transform.rotation
    p.x, p.y, p.z = map(float, place)
    q.x, q.y, q.z, q.w = quaternion(rpy)
    return made


def transforms(*moving: TransformStamped, static: tuple[TransformStamped, ...] = ()) -> Transforms:
    made = Transforms()
    made.put(TFMessage(transforms=list(moving)), static=False)
    made.put(TFMessage(transforms=list(static)), static=True)
    return made


def test_up_down_and_across() -> None:
    """Against the matrices of the viewer, for a tree of random poses."""
    rng = np.random.default_rng(1)
    tree = {"a": "root", "b": "a", "c": "b", "d": "a", "e": "d"}
    links = [told(parent, child, rng.normal(size=3), rng.normal(size=3)) for child, parent in tree.items()]
    found, frames = transforms(*links), Frames()
    for each in links:
        p, q = each.transform.translation, each.transform.rotation
        frames.set(each.child_frame_id, each.header.frame_id, matrix((p.x, p.y, p.z), (q.x, q.y, q.z, q.w)))
    for parent in ("root", *tree):
        for child in ("root", *tree):
            sample, expected = found.find(parent, child, 5), frames.pose(child, parent)
            assert sample is not None
            assert expected is not None
            assert sample.value[:3] == pytest.approx(expected[:3, 3], abs=1e-9)
            x, y, z, w = sample.value[3:] * math.copysign(1.0, sample.value[6])
            assert (w, x, y, z) == pytest.approx(wxyz(expected), abs=1e-9)
            assert not sample.value.flags.writeable


def test_the_stamp_is_the_oldest_one_between_the_frames() -> None:
    found = transforms(
        told("map", "odom", stamp_ns=3),
        told("odom", "base", stamp_ns=70),
        told("base", "arm", stamp_ns=50),
        static=(told("base", "/camera"), told("arm", "tool")),
    )

    def stamp(parent: str, child: str) -> int:
        sample = found.find(parent, child, 99)
        assert sample is not None
        return sample.stamp_ns

    assert stamp("map", "tool") == 3
    assert stamp("odom", "tool") == 50
    assert stamp("camera", "tool") == 50, "what both have above them does not count"
    assert stamp("odom", "/camera") == 70
    assert stamp("base", "camera") == 99, "nothing moves"
    found.put(TFMessage(transforms=[told("map", "odom", stamp_ns=90)]), static=False)
    assert stamp("map", "tool") == 50


def test_what_is_missing_or_no_transform() -> None:
    found = transforms(told("map", "base"), told("elsewhere", "tool"))
    assert found.find("map", "tool", 1) is None
    assert found.find("map", "nobody", 1) is None
    assert found.missing("map", "nobody", "tool") == ["nobody"]
    broken = told("map", "base", (NAN, 0, 0))
    empty = told("map", "base", (5, 0, 0))
    empty.transform.rotation.w = 0.0
    found.put(TFMessage(transforms=[broken, empty]), static=False)
    sample = found.find("map", "base", 1)
    assert sample is not None
    assert sample.value.tolist() == [0, 0, 0, 0, 0, 0, 1]
    ring = transforms(told("a", "b"), told("b", "a"))
    assert ring.find("a", "c", 1) is None
    assert ring.find("a", "b", 1) is None
