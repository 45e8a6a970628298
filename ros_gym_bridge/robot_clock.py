"""A robot's clock beside this computer's steady one: how far apart, and whether it has jumped. No ROS."""

from __future__ import annotations

from collections import deque

_WINDOW_NS = 1_000_000_000
_PAUSE_NS = 50_000_000  # a longer silence, such as an agent that learns, does not make what was heard before older
_JUMP_NS = 100_000_000
_BACK_NS = 50_000_000  # what a wire may put in the wrong order
_WARMING_UP = 5  # the first messages may have waited somewhere


class RobotClock:
    """Learns from every stamp and its time of arrival.

    A message arrives some time after it was stamped, so stamp minus arrival is the offset of the two clocks minus that
    time. The largest difference of the last second is of the quickest message, and nearest to the offset. A clock that
    runs a little faster or slower is followed; one that jumps is noticed and learned anew. From one that stands, since
    the same state comes again and again, nothing is learned: that state gets older.

    Attributes:
        jumps: how often it has jumped, by more than 0.1 s ahead or 0.05 s back.
        newest_ns: the newest stamp since the last jump.
    """

    def __init__(self) -> None:
        self.jumps = 0
        self._seen_ns = 0  # steady time without pauses
        self._arrived_ns = 0
        self._forget()

    def _forget(self) -> None:
        self._best: deque[tuple[int, int]] = deque()  # falling offsets, each with the time when it was seen
        self._heard = 0
        self.newest_ns = 0

    def hear(self, stamp_ns: int, arrived_ns: int) -> bool:
        """A message has arrived.

        Args:
            stamp_ns: on the robot's clock.
            arrived_ns: on this computer's steady clock.

        Returns:
            whether the robot's clock has jumped since the message before: what came earlier is of another time.
        """
        self._seen_ns += min(arrived_ns - self._arrived_ns, _PAUSE_NS) if self._arrived_ns else 0
        self._arrived_ns = arrived_ns
        offset_ns = stamp_ns - arrived_ns
        jumped = self._jumps(stamp_ns, offset_ns)
        if jumped:
            self.jumps += self._heard >= _WARMING_UP
            self._forget()
        self._heard += 1
        if self._best and stamp_ns == self.newest_ns:
            return jumped
        self.newest_ns = max(self.newest_ns, stamp_ns) if self._best else stamp_ns
        self._keep(offset_ns)
        return jumped

    def stamp_at(self, steady_ns: int) -> int:
        """What the robot's clock says at an instant of the steady clock, nanoseconds; behind by the time that its
        quickest messages take."""
        return steady_ns + (self._best[0][1] if self._best else 0)

    def _jumps(self, stamp_ns: int, offset_ns: int) -> bool:
        return bool(self._best) and (offset_ns - self._best[0][1] > _JUMP_NS or stamp_ns < self.newest_ns - _BACK_NS)

    def _keep(self, offset_ns: int) -> None:
        best = self._best
        while best and best[-1][1] <= offset_ns:
            best.pop()
        best.append((self._seen_ns, offset_ns))
        while best[0][0] < self._seen_ns - _WINDOW_NS:
            best.popleft()
