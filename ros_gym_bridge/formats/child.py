"""One conversion in a process of its own, which may use so much time and memory and no more.

Reads a `Source` as JSON from its standard input; writes a `Converted`, or why there is none, to its standard output.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import resource
import sys
import time

from ros_gym_bridge.errors import BridgeError, ModelError
from ros_gym_bridge.formats import mjcf, sdf
from ros_gym_bridge.formats.detect import detect
from ros_gym_bridge.formats.result import Converted, Source
from ros_gym_bridge.formats.xacro_macros import expand
from ros_gym_bridge.xml_text import MAX_BYTES


def main() -> None:
    """Convert one model. Arguments: seconds of computing, bytes of memory."""
    limits = [int(argument) for argument in sys.argv[1:]]
    given = json.load(sys.stdin)
    answer = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a conversion prints is no answer
    _limit(*limits)
    source = Source(**{**given, "arguments": tuple(map(tuple, given["arguments"]))})
    with os.fdopen(answer, "wb") as file:
        file.write(json.dumps(_answer(source)).encode())


def convert(source: Source) -> Converted:
    """The model as URDF.

    Raises:
        ModelError: what is wrong or cannot be said in URDF.
        MissingDependencyError: a xacro, and no xacro to expand it.
    """
    if source.format == "xacro":
        expanded = expand(source)
        if len(expanded.urdf) > MAX_BYTES:
            raise _too_much(source, "text")
        kind = detect(expanded.urdf, "expanded")
        if kind in ("urdf", "xacro"):
            return expanded
        inner = convert(dataclasses.replace(source, text=expanded.urdf, format=kind))
        return dataclasses.replace(inner, files=(*expanded.files, *inner.files))
    return {"sdf": sdf.convert, "mjcf": mjcf.convert}[source.format](source)


def _answer(source: Source) -> dict[str, object]:
    try:
        return {"converted": dataclasses.asdict(convert(source))}
    except BridgeError as error:
        refused = error
    except MemoryError:
        refused = _too_much(source, "memory")
    except RecursionError:
        refused = _too_much(source, "nesting")
    except Exception as error:
        got = f"{type(error).__name__}: {error}"
        refused = ModelError(f"{source.where}: cannot be converted to URDF", got=got, remedy="Simplify the file")
    return {"refused": [type(refused).__name__, refused.what, refused.got, refused.expected, refused.remedy]}


def _too_much(source: Source, what: str) -> ModelError:
    remedy = "Simplify the model; a macro may be calling itself"
    return ModelError(f"{source.where}: its conversion makes too much {what}", remedy=remedy)


def _limit(seconds: int, memory: int) -> None:
    """Of what this process may use from now on; a core file it must not leave."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    until = math.ceil(time.process_time()) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until, until + 1))
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))


if __name__ == "__main__":
    main()
