"""What every group of services works with."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from simulation_interfaces.msg import Result

from ros_gym_bridge.ros.host import Host
from ros_gym_bridge.ros.services.answers import Handler, LateService, Refused, answering
from ros_gym_bridge.ros.services.background import Question
from ros_gym_bridge.ros.stage import Stage

MAX_QUESTIONS = 8


class Desk:
    """Where services are offered, and what they ask of the simulator.

    Attributes:
        node: what serves.
        host: what obeys.
    """

    def __init__(self, node: Node, host: Host) -> None:
        self.node, self.host = node, host

    def offer(self, kind: Any, name: str, handler: Handler) -> None:
        """Serve; the answer is OK unless the handler raises `Refused` or one of our errors."""
        self.node.create_service(kind, name, answering(handler))

    def offer_late(self, kind: Any, name: str, handler: Handler) -> LateService:
        """Serve, with answers that may come later."""
        return LateService(self.node, kind, name, handler)

    def offer_aside(self, kind: Any, name: str, handler: Handler) -> None:
        """Serve what takes long and changes nothing: the handler runs in a thread, and touches neither ROS nor the
        world."""

        def start(request: Any, response: Any) -> None:
            if len(self.host.questions) >= MAX_QUESTIONS:
                text = f"{MAX_QUESTIONS} questions wait for answers already; ask again later"
                raise Refused(Result.RESULT_OPERATION_FAILED, text)
            kept = service.keep(response)
            self.host.questions.append(Question(name, kept, lambda: handler(request, response)))

        service = self.offer_late(kind, name, start)

    def stage(self) -> Stage:
        """The world that is loaded.

        Raises:
            Refused: there is none.
        """
        if self.host.stage is None:
            raise Refused(Result.RESULT_INCORRECT_STATE, "no world is loaded; call load_world first")
        return self.host.stage

    def idle_stage(self) -> Stage:
        """The world that is loaded, when nothing else is under way.

        Raises:
            Refused: there is none, or it is busy.
        """
        self.check_idle(Result.RESULT_INCORRECT_STATE)
        return self.stage()

    def check_idle(self, code: int) -> None:
        """Refuse with this code while something is under way."""
        if self.host.job is not None:
            raise Refused(code, self.host.under_way)
