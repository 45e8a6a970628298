"""The page's panel: buttons, sliders, pictures, words. What the user does is put into a queue; nothing is done here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from viser import Icon

from ros_gym_bridge.robot_model import ROTARY, Joint
from ros_gym_bridge.view import texts
from ros_gym_bridge.view.readings import Picture
from ros_gym_bridge.view.server import Server

MOST_STEPS = 10_000
_LONGEST_SLIDE = 1.0  # m, each way, for a prismatic joint without limits
_COMMANDING = (
    "Off, this page only looks. On, it publishes on {topic}: each slider that you move is a position command without "
    "a stamp. In lockstep a simulator refuses these, and everybody's while there are two publishers."
)
_SERVICES = {  # what is wished for: the service that it takes
    "play": "set_simulation_state",
    "pause": "set_simulation_state",
    "step": "step_simulation",
    "reset": "reset_simulation",
}


@dataclass(frozen=True)
class Wish:
    """What the user did.

    Attributes:
        kind: `play`, `pause`, `step` (value: how many), `reset`, `look`, `command` (name: the joint, value: rad or
            m), `commanding`, `axes` (value: 1 on, 0 off) or `sensor` (name: the topic, value: 1 shown, 0 not).
    """

    kind: str
    name: str = ""
    value: float = 0.0


class Panel:
    """Builds the panel once, and changes what has changed.

    Args:
        server: the page's.
        command_topic: by full name, for the words on the page.
    """

    def __init__(self, server: Server, command_topic: str) -> None:
        self._gui = server.gui
        self.wishes: SimpleQueue[Wish] = SimpleQueue()
        self._sliders: dict[str, Any] = {}
        self._joints: dict[str, Joint] = {}
        self._sensors: dict[str, Any] = {}
        self._pictures: dict[str, Any] = {}
        self._facts = self._gui.add_html("")
        self._notes = self._gui.add_html("", visible=False)
        self._gui.add_button("Look at the robot", icon=Icon.EYE).on_click(self._clicked("look"))
        self._build_simulation()
        self._build_joints(command_topic)
        with self._gui.add_folder("Sensors") as self._sensor_folder:
            self._no_sensors = self._gui.add_html(texts.facts({"none": "no topic of a kind that is shown"}))
            self._wish("axes", "", self._gui.add_checkbox("Frames of the links", False))
        with self._gui.add_folder("Diagnostics"):
            self._diagnostics = self._gui.add_html(texts.diagnostics({}))
        self._gui.main_panel.dock_right()

    def _build_simulation(self) -> None:
        with self._gui.add_folder("Simulation"):
            self._state = self._gui.add_html("")
            self._buttons = {
                "play": self._gui.add_button("Play", icon=Icon.PLAYER_PLAY, disabled=True),
                "pause": self._gui.add_button("Pause", icon=Icon.PLAYER_PAUSE, disabled=True),
                "step": self._gui.add_button("Step", icon=Icon.PLAYER_TRACK_NEXT, disabled=True),
                "reset": self._gui.add_button("Reset", icon=Icon.REFRESH, disabled=True),
            }
            self._steps = self._gui.add_number("Physics steps", 1, min=1, max=MOST_STEPS, step=1)
            self._answer = self._gui.add_html("", visible=False)
        for kind, button in self._buttons.items():
            button.on_click(self._clicked(kind))

    def _clicked(self, kind: str) -> Any:
        async def clicked(_: Any) -> None:
            self.wishes.put(Wish(kind, value=float(self._steps.value)))

        return clicked

    def _build_joints(self, topic: str) -> None:
        with self._gui.add_folder("Joints") as self._joint_folder:
            self._commanding = self._gui.add_checkbox("Command joints", False)
            self._gui.add_html(texts.notes([_COMMANDING.format(topic=topic)], colour="inherit"))
        self._wish("commanding", "", self._commanding)

    def _wish(self, kind: str, name: str, handle: Any) -> None:
        """Put what the user does with a control into the queue; what this program does with it is not."""

        async def updated(event: Any) -> None:
            if event.client_id is not None:
                self.wishes.put(Wish(kind, name, float(event.target.value)))

        handle.on_update(updated)

    # --- words

    def facts(self, rows: Mapping[str, str]) -> None:
        """What is shown, at the top."""
        self._facts.content = texts.facts(rows)

    def notes(self, lines: Sequence[str]) -> None:
        """What is wrong or missing; nothing: no room is taken."""
        self._notes.content, self._notes.visible = texts.notes(lines), bool(lines)

    def diagnostics(self, entries: Mapping[str, texts.Status]) -> None:
        """The newest of each name."""
        self._diagnostics.content = texts.diagnostics(entries)

    # --- the simulator

    def simulation(self, state: str, ready: Mapping[str, bool]) -> None:
        """What the simulator is doing, and which of its services are there; buttons without one are grey."""
        lacking = [name for name in dict.fromkeys(_SERVICES.values()) if not ready[name]]
        rows = {"state": state} if state else {}
        if lacking:
            rows["no service"] = ", ".join(lacking)
        self._state.content = texts.facts(rows)
        for kind, service in _SERVICES.items():
            self._buttons[kind].disabled = not ready[service]
        self._steps.disabled = not ready["step_simulation"]

    def answer(self, text: str, good: bool) -> None:
        """What a service said."""
        self._answer.content, self._answer.visible = texts.answer(text, good), bool(text)

    # --- joints

    def joints(self, joints: Sequence[Joint]) -> None:
        """A slider for each joint that can be commanded, in place of those before."""
        for slider in self._sliders.values():
            slider.remove()
        self._joints = {joint.name: joint for joint in joints}
        self._sliders = {}
        with self._joint_folder:
            for joint in joints:
                low, high = limits(joint)
                unit = "rad" if joint.type in ROTARY else "m"
                slider = self._gui.add_slider(
                    joint.name,
                    min=low,
                    max=high,
                    step=0.001,
                    initial_value=fit(joint, 0.0),
                    disabled=not self.commanding,
                    hint=f"{low:.4g} to {high:.4g} {unit}",
                )
                self._wish("command", joint.name, slider)
                self._sliders[joint.name] = slider

    @property
    def commanding(self) -> bool:
        """Whether the user has taken over the joints."""
        return bool(self._commanding.value)

    def command(self, on: bool) -> None:
        """Let the sliders be moved, or only follow the robot."""
        for slider in self._sliders.values():
            slider.disabled = not on

    def within(self, name: str, position: float) -> float:
        """A wish for a joint, rad or m, as its limits allow it."""
        return fit(self._joints[name], position)

    def follow(self, positions: Mapping[str, float]) -> None:
        """Put the sliders where the joints are, rad or m."""
        for name, position in positions.items():
            if name in self._sliders:
                self._sliders[name].value = round(fit(self._joints[name], position), 3)

    # --- sensors

    def sensor(self, topic: str, kind: str) -> None:
        """A topic that can be shown, with a tick."""
        self._no_sensors.visible = False
        with self._sensor_folder:
            box = self._gui.add_checkbox(f"{topic} ({kind})", True)
            self._sensors[topic] = self._gui.add_html("", visible=False)
        self._wish("sensor", topic, box)

    def sensor_note(self, topic: str, text: str) -> None:
        """What is to be said of a sensor; empty: nothing."""
        note = self._sensors[topic]
        note.content, note.visible = texts.notes([text], "#e67700"), bool(text)

    def picture(self, topic: str, picture: Picture) -> None:
        """What a camera sees."""
        handle = self._pictures.get(topic)
        if handle is None:
            with self._sensor_folder:
                self._pictures[topic] = self._gui.add_image(picture, label=topic, jpeg_quality=80)
        else:
            handle.image = picture
            handle.visible = True

    def hide_picture(self, topic: str) -> None:
        """Take a camera's picture away, until it is heard again."""
        if topic in self._pictures:
            self._pictures[topic].visible = False


def limits(joint: Joint) -> tuple[float, float]:
    """Lower and upper end of a joint's slider, rad or m: its limits; without any, half a turn or a metre each way."""
    most = math.pi if joint.type in ROTARY else _LONGEST_SLIDE
    low = joint.lower if math.isfinite(joint.lower) else -most
    high = joint.upper if math.isfinite(joint.upper) else most
    return low, high


def fit(joint: Joint, position: float) -> float:
    """A position as the slider can show it: a continuous joint's within one turn, others' within the limits."""
    if joint.type == "continuous":
        position = math.remainder(position, 2 * math.pi)
    low, high = limits(joint)
    return min(max(position, low), high)


def can_be_commanded(joint: Joint) -> bool:
    """Whether a joint gets a slider: it moves, follows no other, and has room to move."""
    low, high = limits(joint)
    return joint.type in (*ROTARY, "prismatic") and joint.mimic is None and low < high
