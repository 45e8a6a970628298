"""The simulation as a node sees it: what is commanded, whether time moves, and who moves it. No ROS."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ros_gym_bridge.robot import RobotState, read_only
from ros_gym_bridge.sim.playback import Playback
from ros_gym_bridge.sim.sim_robot import SimRobot


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
    """A simulated robot with a standing command, a playback state and, in lockstep, the rule of when a command steps.

    Args:
        robot: what moves.
        topics: the distinct command topics; in lockstep a step waits for one good command on each.
        lockstep: commands move time.
        publish: called with every state that others should see.
    """

    def __init__(
        self, robot: SimRobot, topics: Iterable[str], lockstep: bool, publish: Callable[[RobotState], None]
    ) -> None:
        self.robot = robot
        self.lockstep = lockstep
        self.playback = Playback.PLAYING
        self._topics = frozenset(topics)
        self._publish = publish
        self._target = np.array(robot.spec.command_home)
        self._arrived: dict[str, tuple[Sequence[int], Sequence[float]]] = {}
        self._answered_ns: int | None = None

    @property
    def stamp_ns(self) -> int:
        """Stamp of the current state."""
        return self.robot.state.stamp_ns

    def command(self, topic: str, stamp_ns: int, indices: Sequence[int], values: Sequence[float]) -> Verdict:
        """Take a good command; in lockstep, step when it is the last that was missing.

        Args:
            topic: where it came.
            stamp_ns: stamp of the state that it answers; looked at in lockstep only.
            indices, values: the numbers of the command vector that it sets; the others keep their last target.

        Raises:
            ResetNeededError: the physics has diverged; time stands until a reset.
        """
        if not self.lockstep or self.playback != Playback.PLAYING:
            self._target[indices] = values
            return Verdict.TAKEN
        verdict = self._judge(stamp_ns)
        if verdict is not None:
            return verdict
        self._arrived[topic] = (indices, values)
        if self._arrived.keys() != self._topics:
            return Verdict.WAITING
        for places, numbers in self._arrived.values():
            self._target[places] = numbers
        self._arrived = {}
        self._answered_ns = stamp_ns
        self.advance(self.robot.spec.steps_per_period)
        return Verdict.STEPPED

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

    def advance(self, physics_steps: int) -> None:
        """Move time on under the standing command, and publish.

        Raises:
            ResetNeededError: the physics has diverged; time stands until a reset.
        """
        self._publish(self.robot.advance(read_only(self._target), physics_steps))

    def publish(self) -> None:
        """Tell the current state again."""
        self._publish(self.robot.state)

    def reset(self, seed: int | None, strict: bool) -> None:
        """Start an episode: every target back at home, and publish its first state."""
        self.robot.reset(seed, {"strict": strict})
        self._target[:] = self.robot.spec.command_home
        self._forget()

    def rewind(self) -> None:
        """Turn time back to the first stamp, and publish."""
        self.robot.rewind()
        self._forget()

    def _forget(self) -> None:
        """No command from before may be answered as a repetition."""
        self._arrived = {}
        self._answered_ns = None
        self.publish()
