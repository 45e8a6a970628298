"""What ends a node: signals, and the end of the process that it belongs to."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType


class Stop:
    """SIGINT and SIGTERM, from the first moment on. Before the node stands they are kept in mind: an exception at any
    point of C++ libraries that start would leave them half-made.

    Attributes:
        asked: whether a signal has come.
    """

    def __init__(self) -> None:
        self._quit: Callable[[], None] | None = None
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    def then(self, quit_: Callable[[], None]) -> None:
        """What a signal does from now on."""
        self._quit = quit_
        if self.asked:
            quit_()

    def ignore(self) -> None:
        """From now on, on the way out: Ctrl-C reaches a node once from the terminal and once from `ros2 launch`, and
        Python gives up its handlers before it has ended, so that the second one would kill it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if self._quit is not None:
            self._quit()


def end_with_stdin() -> None:
    """Whoever started this node holds the other end; it closes when that process ends, however it ends."""
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
