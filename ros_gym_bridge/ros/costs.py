"""What sensors cost on the wall clock, and in words when simulated time falls behind for it."""

from __future__ import annotations

from collections.abc import Mapping

from ros_gym_bridge.robot import NANOSECONDS
from ros_gym_bridge.ros.names import under
from ros_gym_bridge.sim.sensors.suite import Cost
from ros_gym_bridge.sim.simulation import Simulation


def costs(simulation: Simulation) -> dict[str, Cost]:
    """Of every sensor's newest sample, by topic relative to the node."""
    return {
        under(placed.namespace, topic): cost
        for placed, robot in zip(simulation.world_file.robots, simulation.robots, strict=True)
        for topic, cost in robot.sensors.costs().items()
    }


def spent(simulation: Simulation) -> dict[str, int]:
    """What reading the sensors of the newest states took, nanoseconds by topic."""
    return {topic: cost.spent_ns for topic, cost in costs(simulation).items() if cost.taken_ns == simulation.stamp_ns}


def dearest(simulation: Simulation, spent: Mapping[str, int]) -> str:
    """A sentence on the sensors that took so long, where that was more than half a control period; empty otherwise."""
    period_ns = simulation.steps_per_period * NANOSECONDS // simulation.world_file.physics_hz
    if 2 * sum(spent.values()) <= period_ns:
        return ""
    topic = max(spent, key=lambda each: spent[each])
    return (
        f" Sensors took {sum(spent.values()) / 1e6:.0f} ms of a control period of {period_ns / 1e6:.0f} ms, "
        f"'{topic}' alone {spent[topic] / 1e6:.0f} ms; a smaller picture, fewer rays or a lower rate_hz costs less."
    )
