"""Ctrl-C, for commands that hold what an exception in the middle would leave half-made."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

from ros_gym_bridge.errors import BridgeError


@contextlib.contextmanager
def until_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Tells whether Ctrl-C was pressed: an exception at any point of C++ libraries would leave them half-made. What
    ends because of it ends as if it had been interrupted there."""
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        yield lambda: bool(asked)
    except BridgeError as error:
        if asked:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, before)
