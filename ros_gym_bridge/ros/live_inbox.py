"""What a robot tells in real time: the newest of everything, on a clock of its own."""

from __future__ import annotations

import time
from collections.abc import Callable

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.joint_gaps import JointGaps
from ros_gym_bridge.response import Heard
from ros_gym_bridge.robot import FloatArray, RobotState
from ros_gym_bridge.robot_clock import RobotClock
from ros_gym_bridge.ros.inbox import JOINT_STATES, Joints, StateInbox


class LiveInbox(StateInbox):
    """A `StateInbox` for stamps of a clock that is not ours: it may differ from this computer's, and jump.

    Attributes:
        clock: the robot's.
        gaps: what the robot does not measure.
        position: `(n_joints,)`, rad or m, of the newest joint states; home before the first.

    Args:
        robot: the robot file.
    """

    def __init__(self, robot: RobotFile) -> None:
        super().__init__(robot)
        self.clock = RobotClock()
        self.gaps = JointGaps(robot.spec)
        self.position = robot.spec.home
        self._watch: Callable[[Heard], None] | None = None

    def put_joints(self, stamp_ns: int, joints: Joints) -> None:
        """Joint states have arrived now."""
        arrived_ns = time.monotonic_ns()
        if self.clock.hear(stamp_ns, arrived_ns):
            self._restart(stamp_ns)
        whole = self.gaps(stamp_ns, joints)
        if whole is not None:
            if stamp_ns >= self.newest_ns:
                self.position = whole[0]
            super().put_joints(stamp_ns, whole)
            if self._watch is not None:
                self._watch(Heard(stamp_ns, arrived_ns, whole[0], whole[1]))
        else:
            self.refuse_positions(self.gaps.positions)

    def watch_joints(self, watch: Callable[[Heard], None]) -> None:
        """Have it called with all joint states from now on."""
        self._watch = watch

    def newest(self, command: FloatArray) -> RobotState | None:
        """The newest joint states with the newest samples of channels; None before all that is required has come.

        Args:
            command: `(n_command,)`, what was applied before.
        """
        return self.take(self.newest_ns, command)

    def lacks(self, since_ns: int) -> str:
        """What is waited for, in words, after an instant of the steady clock."""
        unheard = [name for name in self.missing(self.newest_ns) if name != JOINT_STATES]
        if unheard:
            return f"a first message of {', '.join(unheard)}"
        what = f"joint states{self.refusals(JOINT_STATES)}"
        return f"{what} after {self.clock.stamp_at(since_ns)} ns on the robot's clock"

    def _restart(self, stamp_ns: int) -> None:
        """The robot's clock has jumped: what it told before is of another time."""
        self.gaps.restart()
        if stamp_ns < self.newest_ns:
            self.turn_back(0)
