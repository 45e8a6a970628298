"""What tests of faults share: a bad wire, and a look at what processes have left."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from adapter_tools import Process, alive
from conftest import left_processes, slowness, wait_for
from fault_registry import Row, fault_of, keep
from ros_gym_bridge.shared_memory import sweep

RELAY = Path(__file__).with_name("lossy_relay.py")
_MEMORY = re.compile(r"/dev/shm/fast(?:rtps|dds)_[0-9a-f]{16}\b")
_LEAVING_S = 20.0  # what is younger than 5 s is not swept, and Fast DDS has 3 s to give up the locks of the dead


class Relay(Process):
    """`lossy_relay.py` in a process of its own.

    Args:
        domain_id: ROS domain.
        wires: `FROM>TO` each.
    """

    def __init__(self, domain_id: int, *wires: str) -> None:
        super().__init__([sys.executable, "-u", str(RELAY), *wires], ROS_DOMAIN_ID=domain_id)
        self.says("relaying")

    def set(self, on: str = "", **faults: float) -> None:
        """Change what happens on all wires, or on the one to a topic; what is not named is good again."""
        before = self.text().count("now: ")
        self.tell(" ".join(["set", on, *(f"{name}={value}" for name, value in faults.items())]))
        wait_for(lambda: self.text().count("now: ") > before, 10.0, "the relay")

    def counts(self) -> dict[str, int]:
        """How many messages passed, and how many met each fault, since it runs."""
        before = self.text().count("so far: ")
        self.tell("report")
        wait_for(lambda: self.text().count("so far: ") > before, 10.0, "the relay")
        last = self.text().rpartition("so far: ")[2].partition("\n")[0]
        return {name: int(count) for name, _, count in (each.partition("=") for each in last.split())}


@contextlib.contextmanager
def relays(domain_id: int) -> Iterator[Callable[..., Relay]]:
    """Starts relays, and ends them at the end: `start("joint_command>raw/joint_command", ...)`."""
    started: list[Relay] = []

    def start(*wires: str) -> Relay:
        started.append(Relay(domain_id, *wires))
        return started[-1]

    try:
        yield start
    finally:
        for each in started:
            each.end()


def shared_memory_of(pid: int) -> set[Path]:
    """The files of Fast DDS that a process has in shared memory, without ports: those are everybody's."""
    try:
        names = set(_MEMORY.findall(Path(f"/proc/{pid}/maps").read_text()))
        return {Path(name + end) for name in names for end in ("", "_el")}
    except OSError:
        return set()


class Watch:
    """Remembers which shared memory processes of tests have had.

    Attributes:
        files: all of it.
    """

    def __init__(self) -> None:
        self.files: set[Path] = set()

    def look(self) -> None:
        """Remember what is there now."""
        for pid in (os.getpid(), *left_processes()):
            self.files |= shared_memory_of(pid)

    def left(self) -> set[Path]:
        """What is there still though no process of tests has it."""
        in_use = {path for pid in (os.getpid(), *left_processes()) for path in shared_memory_of(pid)}
        return {path for path in self.files - in_use if path.exists()}

    def check(self) -> None:
        """At the end all is gone, at the latest when the next program of ours looks for it, as it does here."""

        def gone() -> bool:
            sweep()
            return not self.left()

        wait_for(gone, _LEAVING_S, "shared memory to be given back")


@contextlib.contextmanager
def injected(key: str, watch: Watch) -> Iterator[Row]:
    """One fault, from when it is there to when it is over: in time, and with a whole row in the end."""
    fault = fault_of(key)
    row = Row(fault)
    watch.look()
    yield row
    watch.look()
    keep(key, row)


@contextlib.contextmanager
def in_time(row: Row) -> Iterator[None]:
    """What must not hang, whatever the fault."""
    begun = time.monotonic()
    yield
    took_s, most_s = time.monotonic() - begun, (row.fault.within_s + 1.0) * slowness()
    assert took_s <= most_s, f"{row.fault.title}: {took_s:.1f} s, more than {most_s:.1f} s"


@contextlib.contextmanager
def no_process_left() -> Iterator[None]:
    """Whatever is started inside has ended soon after."""
    before = set(left_processes())
    yield
    wait_for(lambda: not {pid for pid in left_processes() if pid not in before and alive(pid)}, 10.0, "processes' end")
