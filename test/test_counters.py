"""Counting events, and saying each kind once a second."""

from __future__ import annotations

from ros_gym_bridge.ros.counters import Counters


class Watch:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_kind_is_said_once_a_second_with_the_number_since() -> None:
    said: list[str] = []
    watch = Watch()
    counters = Counters(said.append, watch)
    for _ in range(3):
        counters.add("bad", "bad thing")
    counters.add("worse", "worse thing")
    watch.now += 1.0
    counters.add("bad", "bad thing")
    assert said == ["bad thing", "worse thing", "bad thing (3 of this kind since the last report)"]
    assert counters.items() == [("bad", 4), ("worse", 1)]


def test_a_provisional_text_waits_for_a_better_one() -> None:
    said: list[str] = []
    watch = Watch()
    counters = Counters(said.append, watch)
    counters.add("two", "somebody", provisional=True)
    watch.now += 0.05
    counters.add("two", "somebody", provisional=True)
    counters.add("two", "/second", provisional=False)
    assert said == ["/second (3 of this kind since the last report)"]


def test_a_provisional_text_is_said_when_no_better_one_comes() -> None:
    said: list[str] = []
    watch = Watch()
    counters = Counters(said.append, watch)
    counters.add("two", "somebody", provisional=True)
    watch.now += 0.9
    counters.add("two", "somebody", provisional=True)
    assert not said
    watch.now += 0.1
    counters.add("two", "somebody", provisional=True)
    assert said == ["somebody (3 of this kind since the last report)"]
