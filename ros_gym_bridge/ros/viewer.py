"""The viewer: a node that hears a robot, and a page in the browser that shows it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from queue import Empty

from ros_gym_bridge.ros.hearing import Hearing
from ros_gym_bridge.ros.remote import Remote
from ros_gym_bridge.ros.sensor_topics import SensorTopics
from ros_gym_bridge.ros.session import Session
from ros_gym_bridge.ros.slider_commands import SliderCommands
from ros_gym_bridge.ros.stop import Stop
from ros_gym_bridge.view.frames import Matrix
from ros_gym_bridge.view.options import ViewOptions
from ros_gym_bridge.view.panel import Panel, Wish, can_be_commanded
from ros_gym_bridge.view.sensors import SensorView
from ros_gym_bridge.view.server import is_local, serve
from ros_gym_bridge.view.stage import Stage

_FRAME_S = 1.0 / 30.0  # how often is drawn
_WORDS_S = 0.2  # how often words and sliders follow
_LOOK_S = 1.0  # how often the graph is looked at
_PATIENCE_S = 5.0  # when a robot that has not shown itself is missed


class Viewer:
    """Ties what is heard to what is shown. ROS is served on the caller's thread; what the user does on the page comes
    through a queue.

    Args:
        session: an open session in the robot's namespace.
        options: where the robot is, and where the page goes.
        say: tells the user a line, in the terminal.

    Raises:
        PageError: the page cannot be served there.
        MissingDependencyError: viser is not installed.
    """

    def __init__(self, session: Session, options: ViewOptions, say: Callable[[str], None]) -> None:
        self._session, self._node, self._options, self._say = session, session.node, options, say
        self._server = serve(options.host, options.port)
        self._stage = Stage(self._server)
        self._panel = Panel(self._server, self._full(options.joint_command))
        self._views = SensorView(self._stage, self._panel)
        self._hearing = Hearing(self._node, options)
        self._remote = Remote(self._node)
        self._sensors = SensorTopics(self._node, options.namespace)
        self._commands = SliderCommands(self._node, options.joint_command)
        self._building: Iterator[str] = iter(())
        self._described, self._framed = 0, True
        self._shape_notes: list[str] = []
        self._fixed, self._links = "", dict[str, Matrix]()
        self._begun = time.monotonic()
        self._words_at = self._looked_at = 0.0
        self._missed = ""
        say(f"The page: http://{options.host}:{self._server.get_port()} (Ctrl-C ends it)")
        if not is_local(options.host):
            say(f"warning: served at {options.host}: anybody on the network who opens it can command the robot.")

    def run(self, stop: Stop) -> None:
        """Show the robot until somebody asks to quit."""
        due = time.monotonic()
        while not stop.asked:
            rest = due - time.monotonic()
            if rest > 0.0:
                self._session.executor.spin_once(timeout_sec=rest)
            else:
                due = time.monotonic() + _FRAME_S
                self._tick(time.monotonic())

    def close(self) -> None:
        """Take the page away. May be called again."""
        self._server.stop()

    def _tick(self, now: float) -> None:
        self._obey()
        answer = self._remote.work()
        if answer is not None:
            self._panel.answer(answer.text, answer.good)
        if now - self._looked_at > _LOOK_S:
            self._looked_at = now
            self._look(now)
        self._build()
        if not self._server.get_clients():
            return  # nobody sees it; what is missed now is drawn when somebody does
        with self._server.atomic():
            self._draw(now)
        if now - self._words_at > _WORDS_S:
            self._words_at = now
            self._write()

    # --- what the user does

    def _obey(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                wish = self._panel.wishes.get_nowait()
                if wish.kind != "command":
                    self._do(wish)
                elif self._commands.on:
                    self._commands.set(wish.name, self._panel.within(wish.name, wish.value))
        self._commands.send()

    def _do(self, wish: Wish) -> None:
        if wish.kind == "commanding":
            self._commands.turn(bool(wish.value))
            self._panel.command(bool(wish.value))
        elif wish.kind == "axes":
            self._stage.show_axes(bool(wish.value))
        elif wish.kind == "look":
            self._stage.look()
        elif wish.kind == "sensor":
            self._sensors.listen(wish.name, bool(wish.value))
            if not wish.value:
                self._views.hide(wish.name)
        else:
            answer = self._remote.ask(wish.kind, int(wish.value))
            self._panel.answer(answer.text if answer else "", answer is None)

    # --- what is seen

    def _look(self, now: float) -> None:
        """Once a second: the graph, and the simulator's state."""
        self._remote.look()
        for sensor in self._sensors.look():
            self._panel.sensor(sensor.topic, sensor.kind.rpartition("/")[2])
        if self._hearing.posture is None and not self._missed and now - self._begun > _PATIENCE_S:
            self._missed = self._nobody()
            self._say(f"warning: {self._missed}")

    def _nobody(self) -> str:
        kind = "std_msgs/msg/String"
        seen = [topic for topic, kinds in self._node.get_topic_names_and_types() if kind in kinds]
        seen = [topic for topic in seen if self._node.count_publishers(topic)]
        return (
            f"no robot_description within {_PATIENCE_S:.0f} s on {self._full(self._options.robot_description)}, in ROS "
            f"domain {self._session.domain_id}; topics of that type that are published: {', '.join(seen) or 'none'}. "
            "Start one: ros-gym-bridge sim; or say where it is: --namespace, --robot-description, ROS_DOMAIN_ID. "
            "It is shown as soon as it is there."
        )

    def _build(self) -> None:
        """Draw another part of a robot that was described anew."""
        posture = self._hearing.posture
        if posture is None:
            return
        if self._described != self._hearing.described:
            self._described, self._framed = self._hearing.described, False
            self._building = self._stage.robot(posture.description)
            self._shape_notes = []
            self._panel.joints([joint for joint in posture.description.joints if can_be_commanded(joint)])
        until = time.monotonic() + _FRAME_S
        while time.monotonic() < until:
            note = next(self._building, None)
            if note is None:
                self._frame()
                return
            self._shape_notes += [note] if note else []

    def _frame(self) -> None:
        """The robot is complete: look at it."""
        if not self._framed:
            self._framed = True
            self._draw_robot()
            self._stage.look()

    def _draw(self, now: float) -> None:
        if self._hearing.moved:
            self._draw_robot()
        for sensor in self._sensors.found.values():
            message = sensor.take(now)
            if message is not None and sensor.subscription is not None:
                note = self._views.draw(sensor.topic, sensor.kind.rpartition("/")[2], message, self._place, self._fixed)
                self._panel.sensor_note(sensor.topic, note)

    def _draw_robot(self) -> None:
        self._hearing.moved = False
        posture = self._hearing.posture
        self._fixed = self._options.fixed_frame or (posture.fixed_frame() if posture is not None else "")
        if posture is not None:
            self._links = posture.links(self._fixed)
            self._stage.pose(self._links)

    def _place(self, frame: str) -> Matrix | None:
        if self._hearing.posture is not None:
            return self._hearing.posture.place(frame, self._fixed, self._links)
        return self._hearing.frames.pose(frame, self._fixed or self._hearing.frames.top(frame))

    # --- what is said

    def _write(self) -> None:
        self._panel.facts(self._facts())
        self._panel.notes(self._notes())
        self._panel.simulation(self._remote.state, self._remote.ready())
        self._panel.diagnostics(self._hearing.statuses)
        posture = self._hearing.posture
        if posture is not None and not self._panel.commanding:
            joints = {joint.name: posture.position(joint.name) for joint in posture.description.joints}
            self._panel.follow({name: position for name, position in joints.items() if position is not None})

    def _facts(self) -> dict[str, str]:
        hearing = self._hearing
        return {
            "robot": hearing.posture.description.name if hearing.posture is not None else "none yet",
            "namespace": self._node.get_namespace(),
            "ROS domain": str(self._session.domain_id),
            "fixed frame": self._fixed or "none",
            "simulated time": "no /clock" if hearing.clock_s is None else f"{hearing.clock_s:.3f} s",
            "real-time factor": "not published" if hearing.factor is None else f"{hearing.factor:.2f}",
        }

    def _notes(self) -> list[str]:
        posture = self._hearing.posture
        if posture is None:
            return [text for text in (self._hearing.refused, self._missed) if text]
        notes = [self._hearing.refused] if self._hearing.refused else []
        if self._commands.waiting:
            notes.append(f"nobody hears {self._full(self._commands.topic)}: the command is kept until somebody does")
        if not posture.connected(self._fixed):
            notes.append(f"no transform from the robot to '{self._fixed}': it is drawn at the origin")
        return [*notes, *posture.description.notes, *self._shape_notes]

    def _full(self, topic: str) -> str:
        return str(self._node.resolve_topic_name(topic))


def view(options: ViewOptions, say: Callable[[str], None]) -> int:
    """Show a robot until SIGINT or SIGTERM. Exit code 0, 1 for a page that cannot be served.

    Args:
        options: where the robot is, and where the page goes.
        say: tells the user a line, in the terminal.
    """
    stop = Stop()
    session: Session | None = None
    viewer: Viewer | None = None
    try:
        session = Session(f"viewer_{os.getpid()}", options.namespace, quiet=True)
        if not stop.asked:
            viewer = Viewer(session, options, say)
            viewer.run(stop)
    finally:
        if viewer is not None:
            viewer.close()
        if session is not None:
            session.close()
        stop.ignore()
    return 0
