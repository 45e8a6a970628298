"""Requests that are answered later: what takes long is done beside the node, what changes the world between its
callbacks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from simulation_interfaces.msg import Result

from ros_gym_bridge.errors import BridgeError
from ros_gym_bridge.ros.services.answers import Kept, Refused, tell
from ros_gym_bridge.sim.playback import Playback

Prepared = TypeVar("Prepared")

_ENDING_S = 1.0


class Background(Generic[Prepared]):
    """A job in two parts: files are read and converted in a thread, which can take seconds; then the world changes. The
    thread starts with the first slice.

    Args:
        name, state: see `Job`.
        kept: who waits.
        prepare: the first part; touches neither ROS nor the world.
        finish: the second part.
    """

    still = False

    def __init__(
        self,
        name: str,
        state: Playback | None,
        kept: Kept,
        prepare: Callable[[], Prepared],
        finish: Callable[[Prepared], None],
    ) -> None:
        self.name, self.state = name, state
        self._kept, self._prepare, self._finish = kept, prepare, finish
        self._prepared: list[Prepared] = []
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def work(self) -> bool:
        """See `Job`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        if self._thread.is_alive():
            return False
        result = self._kept.response.result
        try:
            if self._error is not None:
                raise self._error
            self._finish(self._prepared[0])
        except Refused as refusal:
            tell(result, refusal.code, refusal.text)
        except BridgeError as error:
            tell(result, Result.RESULT_OPERATION_FAILED, str(error))
        self._kept.send()
        return True

    def abandon(self) -> None:
        """See `Job`."""
        if self._thread is not None:
            self._thread.join(_ENDING_S)
        self._give_up()

    def _give_up(self) -> None:
        tell(self._kept.response.result, Result.RESULT_OPERATION_FAILED, "the simulator is ending")
        self._kept.send()

    def _run(self) -> None:
        try:
            self._prepared.append(self._prepare())
        except BaseException as error:  # raised again where it is answered
            self._error = error


class Question(Background[object]):
    """A job that changes nothing, beside which everything goes on.

    Args:
        name, kept: see `Background`.
        answer: fills in the response; touches neither ROS nor the world.
    """

    def __init__(self, name: str, kept: Kept, answer: Callable[[], object]) -> None:
        super().__init__(name, None, kept, answer, lambda _: None)

    def abandon(self) -> None:
        """See `Job`. Nobody waits for the thread."""
        self._give_up()
