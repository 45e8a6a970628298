"""From another format to URDF, in a process of its own; what was converted once is remembered."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from collections import OrderedDict

from ros_gym_bridge import errors
from ros_gym_bridge.errors import BridgeError, ModelError
from ros_gym_bridge.formats.result import Converted, Source
from ros_gym_bridge.notes import Note

COMPUTING_S, WAITING_S, MEMORY = 20, 120, 1_000_000_000
_REMEMBERED = 64
_Stamps = tuple[tuple[int, int] | None, ...]
_known: OrderedDict[Source, tuple[Converted, _Stamps]] = OrderedDict()
_lock = threading.Lock()


def to_urdf(source: Source) -> Converted:
    """A model in another format as URDF.

    The conversion has `COMPUTING_S` seconds of computing and `MEMORY` bytes. The same source, while the files that it
    includes are the same, is converted once in a process.

    Raises:
        ModelError: what is wrong in it, what cannot be said in URDF, or that the conversion used up its share or
            crashed.
        MissingDependencyError: a xacro, and no xacro to expand it.
    """
    with _lock:
        converted, stamps = _known.get(source, (None, ()))
    if converted is None or stamps != _stamps(converted):
        converted = _converted(source)
        with _lock:
            _known[source] = converted, _stamps(converted)
            _known.move_to_end(source)
            while len(_known) > _REMEMBERED:
                _known.popitem(last=False)
    return converted


def _stamps(converted: Converted) -> _Stamps:
    """What tells that an included file has changed."""

    def stamp(path: str) -> tuple[int, int] | None:
        try:
            state = os.stat(path)
        except OSError:
            return None
        return state.st_mtime_ns, state.st_size

    return tuple(map(stamp, converted.files))


def _converted(source: Source) -> Converted:
    command = [sys.executable, "-m", "ros_gym_bridge.formats.child", str(COMPUTING_S), str(MEMORY)]
    question = json.dumps(dataclasses.asdict(source)).encode()
    environment = {**os.environ, "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, input=question, capture_output=True, timeout=WAITING_S, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _too_long(source, f"more than {WAITING_S} s") from error
    if done.returncode == -signal.SIGXCPU:
        raise _too_long(source, f"more than {COMPUTING_S} s of computing")
    if done.returncode != 0:
        raise ModelError(
            f"{source.where}: its conversion to URDF crashed",
            got=_ending(done.returncode, done.stderr.decode(errors="replace")),
            remedy="Look for what is unusual in the file, and simplify it",
        )
    return _read(json.loads(done.stdout))


def _too_long(source: Source, got: str) -> ModelError:
    remedy = "Simplify the model; a macro may be calling itself"
    return ModelError(f"{source.where}: its conversion to URDF takes too long", got=got, remedy=remedy)


def _ending(code: int, said: str) -> str:
    last = said.strip().splitlines()[-1:]
    ending = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return f"{ending}: {last[0]}" if last else ending


def _read(answer: dict[str, object]) -> Converted:
    refused = answer.get("refused")
    if isinstance(refused, list):
        kind, what, got, expected, remedy = refused
        error = getattr(errors, kind)(what, got=got, expected=expected, remedy=remedy)
        assert isinstance(error, BridgeError)
        raise error
    given = answer["converted"]
    assert isinstance(given, dict)
    notes = tuple(Note(*note) for note in given["notes"])
    tuples = {name: tuple(given[name]) for name in ("position", "rpy", "files")}
    return Converted(**{**given, **tuples, "notes": notes})
