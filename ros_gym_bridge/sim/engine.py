"""The simulation as a node sees it: what is commanded, whether time moves, and who moves it. No ROS."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence

from ros_gym_bridge.robot import FloatArray, RobotState
from ros_gym_bridge.sim.playback import Playback
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.sim.targets import Order, Targets


class Verdict(enum.Enum):
    """What became of a command."""

    TAKEN = "it stands, time moves otherwise"
    STEPPED = "it was the last that the step waited for"
    WAITING = "the step waits for commands on other topics"
    REPEATED = "it was answered before and is answered again with the same state"
    UNSTAMPED = "a command without a stamp"
    OLD = "a command that answers an older state"
    AHEAD = "a command that answers a state that has not been"


class Engine:
    """A simulation with standing commands, a playback state and, in lockstep, the rule of when a command steps.

    Attributes:
        simulation: what moves.
        lockstep: commands move time.
        playback: whether time moves.

    Args:
        simulation: as above.
        topics: for each distinct command topic the number of the robot that it commands; in lockstep a step waits for
            one good command on each.
        lockstep: as above.
        publish: called with the states that others should see, one for each robot.
    """

    def __init__(
        self,
        simulation: Simulation,
        topics: Mapping[str, int],
        lockstep: bool,
        publish: Callable[[Sequence[RobotState]], None],
    ) -> None:
        self.simulation = simulation
        self.lockstep = lockstep
        self.playback = Playback.PLAYING
        self._robots = dict(topics)
        self._publish = publish
        self._targets = [Targets(robot.body.robot) for robot in simulation.robots]
        self._standing = [robot.spec.command_home for robot in simulation.robots]
        self._arrived: dict[str, Order] = {}
        self._answered_ns: int | None = None

    @property
    def stamp_ns(self) -> int:
        """Stamp of the current states."""
        return self.simulation.stamp_ns

    @property
    def obeys_stamps(self) -> bool:
        """Whether a command counts by the state that it answers; otherwise it counts as soon as it is there."""
        return self.lockstep and self.playback == Playback.PLAYING

    def command(self, topic: str, stamp_ns: int, order: Order) -> Verdict:
        """Take a good command; in lockstep, step when it is the last that was missing.

        Args:
            topic: where it came.
            stamp_ns: stamp of the state that it answers; looked at while `obeys_stamps`.
            order: what is commanded; what it leaves out keeps its last target.

        Raises:
            ResetNeededError: the physics has diverged; time stands until a reset.
        """
        if not self.obeys_stamps:
            self._take(topic, order)
            return Verdict.TAKEN
        verdict = self._judge(stamp_ns)
        if verdict is not None:
            return verdict
        self._arrived[topic] = order
        if self._arrived.keys() != self._robots.keys():
            return Verdict.WAITING
        for where, what in self._arrived.items():
            self._take(where, what)
        for targets in self._targets:
            targets.heard(stamp_ns)
        self._arrived = {}
        self._answered_ns = stamp_ns
        self.advance(self.simulation.steps_per_period)
        return Verdict.STEPPED

    def _take(self, topic: str, order: Order) -> None:
        number = self._robots[topic]
        self._targets[number].take(order, self.stamp_ns, self.simulation.robots[number].state.command)

    def _judge(self, stamp_ns: int) -> Verdict | None:
        """None for the command that the current state waits for."""
        current = self.stamp_ns
        if stamp_ns == current:
            return None
        if stamp_ns == self._answered_ns:
            return Verdict.REPEATED
        if stamp_ns == 0:
            return Verdict.UNSTAMPED
        return Verdict.OLD if stamp_ns < current else Verdict.AHEAD

    def advance(self, physics_steps: int, tell: bool = True) -> None:
        """Move time on under the standing commands, and publish.

        Without `tell` that is left to the method, which must be called at the end of the control period at the latest.

        Raises:
            ResetNeededError: the physics has diverged; time stands until a reset.
        """
        simulation, remaining = self.simulation, physics_steps
        while remaining > 0:
            into = simulation.steps % simulation.steps_per_period
            count = min(remaining, simulation.steps_per_period - into)
            if into == 0:
                self._standing = self._asked()
            simulation.advance(self._standing, count, tell)
            remaining -= count
        if tell:
            self.publish()

    def tell(self) -> None:
        """Renew and publish the states after steps of which nothing was told.

        Raises:
            ResetNeededError: the physics has diverged; time stands until a reset.
        """
        self.simulation.observe()
        self.publish()

    def _asked(self) -> list[FloatArray]:
        """For each robot the target of the control period that begins now."""
        begin_ns = self.stamp_ns
        end_ns = self.simulation.robots[0].spec.next_stamp(begin_ns)
        robots = self.simulation.robots
        return [
            targets.at(begin_ns, end_ns, robot.state.velocity)
            for targets, robot in zip(self._targets, robots, strict=True)
        ]

    def publish(self) -> None:
        """Tell the current states, again if need be."""
        self._publish(self.simulation.states)

    def reset(self, seed: int | None, strict: bool) -> None:
        """Start an episode: every target back at home, and publish its first states."""
        self.simulation.reset(seed, strict)
        for targets in self._targets:
            targets.reset()
        self._forget()

    def rewind(self) -> None:
        """Turn time back to the first stamp, and publish."""
        self.simulation.rewind()
        for targets in self._targets:
            targets.hold(self.stamp_ns)
        self._forget()

    def put(self, number: int, positions: Mapping[int, float], velocities: Mapping[int, float]) -> None:
        """Set joints of a robot by hand; see `SimulatedRobot.put`. Its commands hold from there."""
        held = self.simulation.robots[number].put(positions, velocities)
        self._targets[number].jump(held, self.stamp_ns)
        self.renew()

    def renew(self) -> None:
        """A robot was moved by hand: its state under a stamp of its own, one control period on."""
        self.simulation.renew()
        self._forget()

    def _forget(self) -> None:
        """No command from before may be answered as a repetition."""
        self._arrived = {}
        self._answered_ns = None
        self.publish()
