"""What killed programs have left in shared memory, and who removes it. (What `doctor` says of it: `test_doctor.py`.)"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import wait_for
from fault_tools import shared_memory_of
from ros_gym_bridge.shared_memory import sweep

OLD = time.time() - 60.0


def file(folder: Path, name: str) -> Path:
    path = folder / name
    path.touch()
    os.utime(path, (OLD, OLD))
    return path


def locked_by(pid: int) -> set[Path]:
    """The files of a process, each with the one that it locks; it may have opened those of others, too."""
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    inodes = {int(lock[5].rpartition(":")[2]) for lock in locks if lock[1] == "FLOCK" and int(lock[4]) == pid}
    names = {path for path in shared_memory_of(pid) if path.name.endswith("_el") and path.stat().st_ino in inodes}
    return names | {path.with_name(path.name.removesuffix("_el")) for path in names}


def test_what_is_swept(tmp_path: Path) -> None:
    held, dead, other = (f"fastrtps_{digit * 16}" for digit in "012")
    kept = [held, f"{held}_el", "fastrtps_port7411", "fastrtps_port7411_el", "sem.fastrtps_port7411_mutex", "other_el"]
    for name in (*kept, dead, f"{dead}_el", "fastdds_00000000000000ff_el"):
        file(tmp_path, name)
    (tmp_path / f"{other}_el").touch()  # too young to be judged
    with (tmp_path / f"{held}_el").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*kept, f"{other}_el"}
    sweep(tmp_path / "nowhere")


def test_the_next_program_sweeps(sim_process: Callable[..., Any], client: Callable[..., Any]) -> None:
    """And leaves alone what others still use."""
    first, second = (sim_process("-r", f"__ns:=/{name}", robot="cartpole", mode="lockstep") for name in "ab")
    dead, living = locked_by(first.pid), locked_by(second.pid)
    assert dead
    assert living
    born = max(path.stat().st_mtime for path in dead | living)
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: time.time() > born + 5.0, 10.0, "files to be old enough")
    sim_process("-r", "__ns:=/c", robot="cartpole", mode="lockstep")
    assert not [path for path in dead if path.exists()]
    assert all(path.exists() for path in living)
    stranger = client(namespace="/b")
    stranger.connect()
    stranger.step(["slider_to_cart"], effort=[1.0])
