"""Answers: what was done or refused, at once or later than the callback ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from simulation_interfaces.msg import Result

from ros_gym_bridge.errors import BridgeError, NoEntityError

Handler = Callable[[Any, Any], object]

MAX_ANSWER = 8000  # characters


class Refused(Exception):
    """A request that is answered with a code and a text; nothing was done.

    Args:
        code: of simulation_interfaces/Result, or of the service.
        text: what, got, expected, remedy.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def tell(result: Any, code: int, text: str = "") -> None:
    """Fill in a Result."""
    result.result = code
    result.error_message = shortened(text)


def shortened(text: str) -> str:
    """What a client sent comes back in a refusal, but not all of it when it was millions of characters."""
    return text if len(text) <= MAX_ANSWER else f"{text[:MAX_ANSWER]} ... and {len(text) - MAX_ANSWER} characters more"


def answering(handler: Handler) -> Callable[[Any, Any], Any]:
    """A callback whose answer is OK unless the handler refuses: none can forget to say so."""

    def callback(request: Any, response: Any) -> Any:
        tell(response.result, Result.RESULT_OK)
        try:
            handler(request, response)
        except Refused as refusal:
            tell(response.result, refusal.code, refusal.text)
        except NoEntityError as error:
            tell(response.result, Result.RESULT_NOT_FOUND, str(error))
        except BridgeError as error:
            tell(response.result, Result.RESULT_OPERATION_FAILED, str(error))
        return response

    return callback


class Kept:
    """An answer that is sent when the work is done."""

    def __init__(self, response: Any, send: Callable[[Any, Any], None]) -> None:
        self.response, self.header = response, None
        self._send = send

    def send(self) -> None:
        """Now."""
        self._send(self.response, self.header)


class LateService:
    """A service whose handler may keep the answer back.

    rclpy answers when the callback returns, and its events executor has no way to wait in one: what was kept is not
    sent then, but by `Kept.send`.

    Args:
        node: what serves.
        kind, name: of the service.
        handler: fills in the response, or calls `keep` with it.
    """

    def __init__(self, node: Node, kind: Any, name: str, handler: Handler) -> None:
        service = node.create_service(kind, name, answering(handler))
        self._send = service.send_response
        self._keeping: Kept | None = None
        service.send_response = self._send_or_keep

    def keep(self, response: Any) -> Kept:
        """From within the handler: this answer comes later."""
        self._keeping = Kept(response, self._send)
        return self._keeping

    def _send_or_keep(self, response: Any, header: Any) -> None:
        kept, self._keeping = self._keeping, None
        if kept is not None and kept.response is response:
            kept.header = header
        else:
            self._send(response, header)
