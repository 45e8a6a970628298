"""Starts `robot_driver.py` for tests, as the robot that a robot file describes or as any other."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from adapter_tools import Process, alive
from plain_client import PlainClient
from ros_gym_bridge import load_robot
from ros_gym_bridge.groups import DiffDrive, JointGroup, JointTrajectory

SCRIPT = Path(__file__).with_name("robot_driver.py")
EXTRA = ({"name": "camera_pan_joint", "start": 0.3}, {"name": "lift_joint", "interfaces": ["position"]})


def driver_config(robot: str | Path, joint: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """What the driver must be told to be the robot of a robot file: its joints, its controllers, and two joints more.

    Args:
        robot: name or path of a robot file.
        joint: keys for every joint (`lag_s`, `backlash`, `interfaces`, ...).
        changes: keys of `robot_driver.OPTIONS` and `robot_driver.LIVE`; `start` (a mapping by joint, default: home)
            and `limits` (default true: the hardware faults a little beyond the robot file's positions, and at three
            times its velocities, since it catches up quickly with targets that come in steps) are taken here.
    """
    file = load_robot(robot)
    spec, starts, limits = file.spec, changes.pop("start", {}), changes.pop("limits", True)
    joints = []
    for i, name in enumerate(spec.joints):
        each: dict[str, Any] = {"name": name, "start": starts.get(name, float(spec.home[i]))}
        if limits:
            margin = 0.05 * (spec.upper[i] - spec.lower[i])
            each |= {"lower": float(spec.lower[i] - margin), "upper": float(spec.upper[i] + margin)}
            each |= {"max_velocity": 3.0 * float(spec.max_velocity[i])} if spec.max_velocity[i] else {}
        joints.append({key: value for key, value in each.items() if value not in (math.inf, -math.inf)} | (joint or {}))
    return {
        "joints": [*joints, *EXTRA],
        "controllers": _controllers(file.config.actuators, file.model.root),
        "joint_states": file.config.joint_states.topic,
        **changes,
    }


def _controllers(groups: Sequence[Any], root: str) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    named: dict[str, dict[str, str]] = {}
    for group in groups:
        if isinstance(group, DiffDrive):
            keys = {"left": group.left_wheels, "right": group.right_wheels, "separation": group.wheel_separation}
            keys |= {"radius": group.wheel_radius, "timeout_s": group.cmd_vel_timeout_s, "base_frame": root}
            made.append({"kind": "diff_drive", "name": group.name, **keys})
        elif isinstance(group, JointTrajectory):
            keys = {"joints": list(group.joints), "allow_partial": group.allow_partial}
            made.append({"kind": "trajectory", "name": group.name, **keys})
        elif isinstance(group, JointGroup) and not group.stamped:
            keys = {"joints": list(group.joints), "interface": group.interface}
            made.append({"kind": "forward", "name": group.name, **keys})
        else:
            named.setdefault(group.topic, {}).update(dict.fromkeys(group.joints, group.interface))
    for topic, interfaces in named.items():
        made.append({"kind": "topic_based", "topic": topic, "joints": list(interfaces), "interfaces": interfaces})
    return made


class DriverProcess(Process):
    """A driver in a process of its own, and a plain client that changes it while it runs.

    Attributes:
        options: the keys of `robot_driver.LIVE` that were set, with their values.

    Args:
        folder: where its file goes.
        domain_id: ROS domain.
        config: see `robot_driver.py`.
        arguments: what follows `--ros-args`.
    """

    def __init__(self, folder: Path, domain_id: int, config: dict[str, Any], arguments: Sequence[str] = ()) -> None:
        path = folder / "driver.json"
        path.write_text(json.dumps(config))
        command = [sys.executable, "-u", str(SCRIPT), str(path)]
        super().__init__(command + (["--ros-args", *arguments] if arguments else []), ROS_DOMAIN_ID=domain_id)
        self.options: dict[str, Any] = {"clock_offset_s": 0.0, **config}
        self._domain_id = domain_id
        self._node = config.get("node_name", "robot_driver")
        self._namespace = config.get("namespace", "")
        self._client: PlainClient | None = None
        self._ended = False

    @property
    def client(self) -> PlainClient:
        """A plain node in the driver's domain and namespace; made when first asked for."""
        if self._client is None:
            self._client = PlainClient(self._domain_id, self._namespace, "driver_client", commands=())
        return self._client

    def set(self, **values: Any) -> None:
        """Change keys of `robot_driver.LIVE`; done when it returns."""
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        request = SetParameters.Request(parameters=parameters)
        for result in self.client.call(SetParameters, f"{self._node}/set_parameters", request, again=True).results:
            assert result.successful, result.reason
        self.options |= values

    def trigger(self, service: str) -> Any:
        """Call `clear_fault` or `halt`; the answer."""
        return self.client.call(Trigger, f"{self._node}/{service}", Trigger.Request())

    def end(self) -> None:
        """End it, by its process id alone; whatever a test did, it never ends in a traceback. May be called again."""
        if self._ended:
            return
        self._ended = True
        if self._client is not None:
            self._client.close()
        running, text = alive(self.pid), self.text()
        super().end()
        assert not running or "Traceback" not in text, text


@contextlib.contextmanager
def driver_processes(domain_id: int, folder: Path) -> Iterator[Callable[..., DriverProcess]]:
    """Starts drivers and ends them at the end.

    `start("arm", joint={"lag_s": 0.05}, rate_hz=500.0)`: see `driver_config`. `start(config={...})`: as it is.
    Returns when it publishes.
    """
    drivers: list[DriverProcess] = []

    def start(
        robot: str | Path = "arm", config: dict[str, Any] | None = None, arguments: Sequence[str] = (), **keywords: Any
    ) -> DriverProcess:
        place = folder / f"driver{len(drivers)}"
        place.mkdir()
        drivers.append(DriverProcess(place, domain_id, config or driver_config(robot, **keywords), arguments))
        drivers[-1].says("Driving ")
        return drivers[-1]

    try:
        yield start
    finally:
        for each in drivers:
            each.end()
