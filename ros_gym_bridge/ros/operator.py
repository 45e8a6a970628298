"""Asks a person whether the robot may move."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable
from typing import Any

from std_srvs.srv import Trigger

from ros_gym_bridge.errors import ResetTimeoutError, RobotRefusedError
from ros_gym_bridge.ros.link import Link

_SERVICE = "reset_done"
_ASK = "Make its way clear and the scene ready"


class Operator:
    """Whoever answers first: a callable, or otherwise the terminal (enter: yes, `n`: no) and the service `reset_done`.

    Args:
        callback: called with the question; false means no. Then nobody else is asked.
        timeout_s: wall-clock seconds to wait for an answer.
    """

    def __init__(self, callback: Callable[[str], bool] | None, timeout_s: float) -> None:
        self._callback, self._timeout_s = callback, timeout_s
        self._service: tuple[Any, Any] | None = None
        self._answer: bool | None = None

    def ask(self, link: Link, what: str) -> None:
        """Return when the answer is yes.

        Args:
            link: whose node offers the service, and is served meanwhile.
            what: is about to happen, a sentence.

        Raises:
            RobotRefusedError: no.
            ResetTimeoutError: nobody answered.
        """
        if self._callback is not None:
            answer: bool | None = bool(self._callback(f"{what} {_ASK}."))
        else:
            answer = self._wait(link, what)
        if answer is None:
            raise ResetTimeoutError(
                f"no operator answered within {self._timeout_s:g} s",
                expected=f"a call of the service {self._name(link)}, or an answer on the terminal",
                remedy="Answer, raise 'reset.operator_timeout_s', or take 'reset.ask_operator' out of the robot file",
            )
        if not answer:
            raise RobotRefusedError("the operator said no", remedy="Nothing was moved; reset() asks again")

    def _wait(self, link: Link, what: str) -> bool | None:
        self._answer = None
        self._serve(link)
        link.log.info(f"{what} {_ASK}, then call the service {self._name(link)} (std_srvs/srv/Trigger).")
        asked = sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
        if asked:
            sys.stderr.write(f"{what} {_ASK}, then press Enter (n: no): ")
            sys.stderr.flush()
        deadline = time.monotonic() + self._timeout_s
        while self._answer is None and time.monotonic() < deadline:
            link.serve_until(time.monotonic_ns() + 50_000_000)
            if asked and select.select([sys.stdin], [], [], 0.0)[0]:
                self._answer = not sys.stdin.readline().strip().lower().startswith("n")
        return self._answer

    def _serve(self, link: Link) -> None:
        """Offer the service; a new link has a new node."""
        if self._service is None or self._service[0] is not link:
            self._service = (link, link.node.create_service(Trigger, _SERVICE, self._confirm))

    def _confirm(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._answer is None
        response.message = "the robot moves home" if response.success else "nobody asks at present"
        self._answer = True
        return response

    def _name(self, link: Link) -> str:
        return str(link.node.resolve_service_name(_SERVICE))
