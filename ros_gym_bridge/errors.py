"""What can go wrong, as types. Every text says what happened, with which value, what was expected and what to do."""

from __future__ import annotations

from typing import ClassVar


class BridgeError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        what: what happened, in one clause; or an error, whose parts are taken (so does Gymnasium's `AsyncVectorEnv`
            raise a worker's error again).
        got: the value that was met.
        expected: what would have been right.
        remedy: what the reader can do about it.

    Attributes:
        exit_code: of a program that ends with this error: 1 for a failure, 2 for a mistake in what was asked for.
    """

    exit_code: ClassVar[int] = 1
    what: str
    got: str
    expected: str
    remedy: str

    def __init__(self, what: str | BridgeError, *, got: str = "", expected: str = "", remedy: str = "") -> None:
        if isinstance(what, BridgeError):
            got, expected, remedy, what = what.got, what.expected, what.remedy, what.what
        self.what, self.got, self.expected, self.remedy = what, got, expected, remedy
        parts = [what]
        parts += [f"got {got}"] if got else []
        parts += [f"expected {expected}"] if expected else []
        parts += [remedy] if remedy else []
        super().__init__("; ".join(parts) + ("" if parts[-1].endswith((".", "?")) else "."))

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way through a process boundary (worker processes pickle their errors)."""
        return _rebuild, (type(self), self.what, self.got, self.expected, self.remedy)


def _rebuild(kind: type[BridgeError], what: str, got: str, expected: str, remedy: str) -> BridgeError:
    return kind(what, got=got, expected=expected, remedy=remedy)


class RobotFileError(BridgeError, ValueError):
    """A robot or world file that cannot be used; nothing was loaded."""

    exit_code = 2


class UnknownKeyError(RobotFileError):
    """A key of a robot or world file that means nothing; `location` leads there."""

    location: tuple[int | str, ...] = ()


class ModelError(BridgeError, ValueError):
    """A robot model (URDF) that is missing, unreadable or would not survive loading."""

    exit_code = 2


class MissingFileError(ModelError):
    """A file that somebody names is not there."""


class UnsupportedFileError(ModelError):
    """A file of a kind that is not read here."""


class StorageError(BridgeError, OSError):
    """A file that is needed could not be written, as on a full disk."""


class CommandError(BridgeError, ValueError):
    """A command that was refused whole; the last good command stands."""

    exit_code = 2


class OptionError(BridgeError, ValueError):
    """A keyword argument or option outside of what is offered."""

    exit_code = 2


class RobotClosedError(BridgeError, RuntimeError):
    """`reset` or `step` on a robot after `close`."""


class ResetNeededError(BridgeError, RuntimeError):
    """`step` or `render` before the first `reset`, or after a state that only a reset can heal."""


class RobotNotFoundError(BridgeError, ConnectionError):
    """Nobody answered on the topics and services that the robot file names."""


class RobotLostError(BridgeError, ConnectionError):
    """A robot or simulator that answered before has fallen silent."""


class StaleChannelError(BridgeError, RuntimeError):
    """The newest sample of a channel is older than the robot file allows."""


class ResetTimeoutError(BridgeError, TimeoutError):
    """A robot that did not get home, or an operator who did not answer."""


class MeasurementError(BridgeError, RuntimeError):
    """A robot that does not do what measuring it needs."""


class RobotRefusedError(BridgeError, RuntimeError):
    """The other side heard the request and refused it."""


class ForkError(BridgeError, RuntimeError):
    """ROS 2 in a process that was forked from one that had used it already; it would hang there."""


class EntityError(BridgeError, ValueError):
    """An entity of a world that cannot do or be what is asked; nothing has changed."""

    exit_code = 2


class NoEntityError(EntityError):
    """No entity of a world has this name."""


class MissingDependencyError(BridgeError, ImportError):
    """A feature needs a package that this environment does not have."""


class PageError(BridgeError, RuntimeError):
    """The page in the browser cannot be served where it was asked for."""
