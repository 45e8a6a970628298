"""Every fault that tests inject, in one place, and what a test has to say about it: the rows of `docs/faults.md`.

A test takes the fixture `fault` before all others, and tells what it saw:

    def test_loss(fault, ...):
        with fault("lockstep.loss") as row:
            ...
            row.raised(caught.value)

The row must stand in `docs/faults.md`, word for word; `python docs/faults.py` writes that page from a run of all tests.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

WRITE = "ROS_GYM_BRIDGE_FAULTS"  # names a file that rows are written to, in place of being compared
PAGE = Path(__file__).resolve().parent.parent / "docs" / "faults.md"
HEAD = ("fault", "injected into", "what you see", "what comes then", "steps", "within")

WIRE = "wire, both ways"
STATES = "wire, joint states"
COMMANDS = "wire, commands"
NODE, AGENT, GRAPH, DISK = "simulation node", "environment", "graph", "disk"
OWN, ATTACHED, ROBOT = "node of the environment's own", "node it is attached to", "robot"


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        title: what goes wrong.
        where: into what it is injected.
        within_s: wall-clock seconds after which nothing hangs any more.
        slow: tests that inject it are marked so.
    """

    title: str
    where: str
    within_s: float
    slow: bool = False


SECTIONS: dict[str, dict[str, Fault]] = {
    "lockstep": {
        "loss": Fault("a fifth of all messages is lost", WIRE, 10.0),
        "delay": Fault("every message takes 0.06 s, more than until it is sent again", WIRE, 10.0),
        "jitter": Fault("messages take up to 0.1 s, each its own time, and overtake each other", WIRE, 10.0),
        "order": Fault("messages are overtaken by the next one, half of them", WIRE, 10.0),
        "double": Fault("messages come twice, half of them", WIRE, 10.0),
        "all": Fault("all of these at once, on two command topics and three of states", WIRE, 10.0),
        "cut": Fault("nothing comes through any more", WIRE, 1.0),
        "nan": Fault("a position is NaN in a third of all messages", STATES, 10.0),
        "nan_always": Fault("a position is NaN in all messages", STATES, 1.0),
        "nan_command": Fault("a number is NaN in a third of all messages", COMMANDS, 10.0),
        "frozen": Fault("the same old state comes again and again", STATES, 1.0),
        "back": Fault("stamps go back by 5 s", STATES, 1.0),
        "publisher": Fault("a second publisher of commands", GRAPH, 1.0),
        "states": Fault("a second publisher of joint states, with stamps of its own", GRAPH, 1.0),
        "reset": Fault("somebody else resets the simulation", GRAPH, 1.0),
        "time": Fault("somebody else turns the simulation's time back", GRAPH, 1.0),
        "stopped": Fault("the process stands still for half a second (SIGSTOP, SIGCONT)", NODE, 10.0),
        "hangs": Fault("the process stands still (SIGSTOP)", NODE, 1.0),
        "service": Fault("the same, with `stepping='step_service'`", NODE, 1.0),
        "between": Fault("somebody else resets and steps between two episodes", GRAPH, 10.0),
        "action": Fault("an action with NaN", AGENT, 1.0),
    },
    "processes": {
        "own": Fault("kill -9 in mid-episode", OWN, 1.0),
        "own_between": Fault("kill -9 between two episodes", OWN, 30.0),
        "own_start": Fault("the process cannot start", OWN, 30.0),
        "attached": Fault("kill -9 in mid-episode, and a new one is started", ATTACHED, 1.0),
        "attached_away": Fault("kill -9, and no new one comes", ATTACHED, 10.0),
        "agent": Fault("kill -9 of an environment with a node of its own", AGENT, 2.0),
        "successor": Fault("kill -9 of an attached environment, and another one takes over", AGENT, 3.0),
        "agent_node": Fault("kill -9 of the simulation under an `agent_node`", ATTACHED, 10.0),
        "late": Fault("the simulation starts 5 s after `reset()` was called", ATTACHED, 20.0),
        "too_late": Fault("nobody is there within `connect_timeout_s=1`", ATTACHED, 1.0),
        "restarts": Fault("5 restarts in a row, every other one after kill -9", OWN, 30.0),
        "many_restarts": Fault("50 restarts in a row, every other one after kill -9", OWN, 30.0, slow=True),
    },
    "robot": {
        "loss": Fault("7 of 10 messages are lost, at 50 states a second", WIRE, 10.0),
        "delay": Fault("every message takes 0.2 s, from one moment on", STATES, 10.0),
        "jitter": Fault("messages take up to 0.04 s, each its own time, and overtake each other", WIRE, 10.0),
        "far": Fault("messages take up to 0.3 s, so that older ones come more than 0.05 s late", STATES, 10.0),
        "order": Fault("messages are overtaken by the next one, half of them", WIRE, 10.0),
        "double": Fault("messages come twice, half of them", WIRE, 10.0),
        "cut": Fault("nothing comes through any more", WIRE, 1.5),
        "nan": Fault("a position is NaN in half of all messages", STATES, 10.0),
        "nan_always": Fault("a position is NaN in all messages", STATES, 1.5),
        "frozen": Fault("the same old state comes again and again", STATES, 1.5),
        "stuck": Fault("a joint does not move, and stamps go on", ROBOT, 10.0),
        "back": Fault("stamps go back by 5 s", STATES, 10.0),
        "commander": Fault("a second publisher of commands", GRAPH, 10.0),
        "teller": Fault("a second publisher of joint states", GRAPH, 10.0),
        "killed": Fault("kill -9 in mid-episode, and it is started again", ROBOT, 1.5),
        "guard": Fault("kill -9 of the safety node, and it is started again", "safety node", 5.0),
        "agent": Fault("kill -9 of an environment while the robot moves, and another one takes over", AGENT, 10.0),
        "late": Fault("the robot starts 5 s after `reset()` was called", ROBOT, 20.0),
    },
    "disk": {
        "log": Fault("no file can be written to, and no console (as on a full disk)", NODE, 10.0),
        "own": Fault("no file can be written to (as on a full disk)", AGENT, 5.0),
    },
}


def fault_of(key: str) -> Fault:
    """The fault with a key `SECTION.NAME`."""
    section, _, name = key.partition(".")
    return SECTIONS[section][name]


@dataclass
class Row:
    """What was seen of one fault.

    Attributes:
        fault: which.
        seen: what the user sees.
        after: what comes then.
        steps: what became of the steps.
    """

    fault: Fault
    seen: str = ""
    after: str = ""
    steps: str = ""

    def raised(self, error: BaseException) -> None:
        """The user sees this error."""
        self.seen = f"`{type(error).__name__}`: {without_numbers(str(error).split('; ')[0])}"

    def counted(self, asked: int, moved: int) -> None:
        """Count steps: how many were asked for, and how many control periods the other side has moved."""
        assert moved == asked, f"{asked} steps, and the other side moved {moved}"
        self.steps = "none lost, none doubled"

    def cells(self) -> list[str]:
        """In the order of `HEAD`."""
        fault = self.fault
        assert all((self.seen, self.after, self.steps)), f"{fault.title}: the row is not whole"
        return [fault.title, fault.where, self.seen, self.after, self.steps, f"{fault.within_s:g} s"]


def without_numbers(text: str) -> str:
    """Measured values of a text as N."""
    text = re.sub(r"(?<![\w'])\d+(\.\d+)?(e[+-]?\d+)?(?![\w'])", "N", text)
    return re.sub(r"/tmp/\S+", "FILE", text)


def line(cells: list[str]) -> str:
    """As `docs/markdown.py` writes a row of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def keep(key: str, row: Row) -> None:
    """Compare a row with the page, or write it where `docs/faults.py` reads it."""
    if path := os.environ.get(WRITE):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps([key, row.cells()]) + "\n")
        return
    wanted = line(row.cells())
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert wanted in lines, f"docs/faults.md is stale; run: make faults\n{wanted}"
