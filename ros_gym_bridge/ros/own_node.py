"""A simulation node of our own: started in a private namespace and domain, and gone when its environment is gone."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import yaml

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.description import with_full_names
from ros_gym_bridge.errors import RobotLostError, StorageError
from ros_gym_bridge.ros.domains import domains_in_use
from ros_gym_bridge.ros.names import UNTIL_STDIN_CLOSES
from ros_gym_bridge.ros.session import set_ros_environment

_DOMAINS = range(1, 102)  # ROS 2 on Linux: 0 is everybody's, above 101 the ports run into the ephemeral ones
_numbers = itertools.count(1)
_open: weakref.WeakSet[OwnNode] = weakref.WeakSet()


class PrivateDomain:
    """A ROS domain that no other environment on this machine uses, until `release`; nor any other program, as long as
    there is such a domain.

    The claim is an abstract Unix socket: the kernel gives it back however the process ends, and no file is left.

    Raises:
        RobotLostError: all domains are taken.
    """

    def __init__(self) -> None:
        users = os.environ.get("ROS_DOMAIN_ID", "0")
        taken = domains_in_use()  # by programs that claim none; better than no domain
        for domain in sorted(random.sample(_DOMAINS, len(_DOMAINS)), key=taken.__contains__):
            if str(domain) == users:
                continue
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(f"\0ros_gym_bridge/domain/{domain}")
            except OSError:
                claim.close()
                continue
            self._claim, self.domain_id = claim, domain
            return
        raise RobotLostError(
            f"no ROS domain is free: {len(_DOMAINS)} environments with nodes of their own run on this machine",
            remedy="Close some, or pass domain_id=",
        )

    def release(self) -> None:
        """Let others have it. May be called again."""
        self._claim.close()


class OwnNode:
    """The process of a simulation node.

    Its standard input is a pipe that this process holds: when this process ends, however it ends, so does the node.
    A forked child lets go of its copy of the pipe, so that it cannot keep the node alive.

    Args:
        robot: the robot file, as it is after overrides.
        mode: `lockstep` or `realtime`.
        namespace: of the node; None for a private one.
        domain_id: ROS domain; None for a private one.
        paused: time stands at first.

    Raises:
        RobotLostError: all domains are taken.
        StorageError: no file can be written.
    """

    def __init__(
        self, robot: RobotFile, mode: str, namespace: str | None, domain_id: int | None, paused: bool = False
    ) -> None:
        set_ros_environment()
        self._domain = PrivateDomain() if domain_id is None else None
        self.domain_id = self._domain.domain_id if self._domain is not None else int(domain_id or 0)
        self.namespace = "/" + (namespace or f"ros_gym_bridge_{os.getpid()}_{next(_numbers)}").lstrip("/")
        self._folder, self._log, file = self._files(robot)
        parameters: dict[str, object] = {"robot": file, "mode": mode}
        parameters |= {"publish_tf": False, "publish_clock": False}  # absolute names: others may be in the domain
        parameters |= {"start_paused": True} if paused else {}
        self._process = subprocess.Popen(
            _command(self.namespace, parameters),
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "ROS_DOMAIN_ID": str(self.domain_id)},
            start_new_session=True,
        )
        _open.add(self)

    def _files(self, robot: RobotFile) -> tuple[str, IO[bytes], str]:
        """A folder with the robot file in it, a file for the node's output, and the path of the first."""
        folder = ""
        try:
            folder = tempfile.mkdtemp(prefix="ros_gym_bridge_")
            return folder, tempfile.TemporaryFile(), _write(robot, Path(folder))
        except OSError as error:
            if self._domain is not None:
                self._domain.release()
            shutil.rmtree(folder, ignore_errors=True)
            raise StorageError(
                "the robot file cannot be written for a simulation node to read",
                got=str(error),
                remedy="Make room for temporary files, or name a folder that has some in the variable TMPDIR",
            ) from error

    @property
    def pid(self) -> int:
        """Of the node's process."""
        return self._process.pid

    def stands(self) -> None:
        """The node has read its files: whatever happens to this process now, nothing is left behind."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def ending(self) -> str:
        """How the node has ended, with the last lines that it printed; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()[-8:]
        said = "its last lines: " + " / ".join(lines) if lines else "it printed nothing"
        return f"the simulation node (process {self.pid}) has ended with code {code}; {said}"

    @property
    def killed(self) -> bool:
        """Whether a signal has ended the node in the middle of whatever it was doing."""
        return (self._process.poll() or 0) < 0

    def close(self) -> None:
        """End the node. May be called again."""
        self.let_go()
        self._process.terminate()
        try:
            self._process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.stands()

    def let_go(self) -> None:
        """Close what keeps the node and its domain: from now on they belong to whoever else holds them, if anybody."""
        _open.discard(self)
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._log.close()
        if self._domain is not None:
            self._domain.release()


def _forked() -> None:
    for node in list(_open):
        node.let_go()


os.register_at_fork(after_in_child=_forked)


def _write(robot: RobotFile, folder: Path) -> str:
    """The robot file after overrides, with absolute paths, for the node to read. What was converted to URDF here is not
    converted again there."""
    content = robot.config.model_dump(mode="json")
    models = zip((content["model"], *content["scene"]), (robot.model, *robot.scene), strict=True)
    for i, (part, model) in enumerate(models):
        part |= {"file": str(model.path), "arguments": {}, "model_name": None}
        if model.format != "urdf":
            urdf = folder / f"model_{i}.urdf"
            urdf.write_text(with_full_names(model, str), encoding="utf-8")
            part["file"] = str(urdf)
    path = folder / f"{robot.config.name}.yaml"
    path.write_text(yaml.safe_dump(_without_none(content)), encoding="utf-8")
    return str(path)


def _without_none(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value


def _command(namespace: str, parameters: Mapping[str, object]) -> Sequence[str]:
    settings = itertools.chain.from_iterable(
        ("-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}")
        for name, value in parameters.items()
    )
    ros = ["--ros-args", "-r", f"__ns:={namespace}", "--disable-external-lib-logs", *settings]
    return [sys.executable, "-m", "ros_gym_bridge.ros.sim_node", UNTIL_STDIN_CLOSES, *ros]
