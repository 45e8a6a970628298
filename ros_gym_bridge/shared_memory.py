"""What programs with Fast DDS that were killed have left in shared memory."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from pathlib import Path

FOLDER = Path("/dev/shm")
_LOCK = re.compile(r"fast(?:rtps|dds)_(?:[0-9a-f]{16}|port\d+)_el")
_OF_ONE = re.compile(r"fast(?:rtps|dds)_[0-9a-f]{16}_el")
_YOUNG_S = 5.0  # a file that was just made may not be locked yet


def stale_files(folder: Path = FOLDER) -> list[Path]:
    """The files that nobody holds: a program that lives has locked the file `NAME_el` beside each of its own.

    Files that cannot be opened, since they are another user's, are left out.
    """
    found: list[Path] = []
    for lock in sorted(folder.glob("fast*_el")):
        if _LOCK.fullmatch(lock.name) and _abandoned(lock):
            name = lock.name.removesuffix("_el")
            found += [path for path in (folder / name, lock, folder / f"sem.{name}_mutex") if path.exists()]
    return found


def sweep(folder: Path = FOLDER) -> None:
    """Remove what single programs have left: 0.5 to 16 MB for each one that was killed, which nobody else ever does.

    Ports stay. They are small, and used again by the next program with the same number, which may be opening one now.
    """
    for lock in folder.glob("fast*_el"):
        if _OF_ONE.fullmatch(lock.name) and _abandoned(lock):
            for path in (folder / lock.name.removesuffix("_el"), lock):
                with contextlib.suppress(OSError):  # another program sweeps, too, or it is another user's
                    path.unlink()


def _abandoned(lock: Path) -> bool:
    """Whether it is old enough, and can be locked. The lock is given back at once."""
    try:
        if time.time() - lock.stat().st_mtime < _YOUNG_S:
            return False
        handle = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
