"""Speeds over ROS 2 topics."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gymnasium
from in_process import CIRCLE, ENDLESS, REACH, rover_with
from sensor_msgs.msg import JointState
from turns import Effort, driver, in_turns, median_ratio, stepper

from ros_gym_bridge import load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.own_node import PrivateDomain
from ros_gym_bridge.ros.session import Session
from ros_gym_bridge.ros.topic_robot import TopicRobot
from ros_gym_bridge.sim.sim_robot import SimRobot

HERE = Path(__file__).parent
_START_S = 60.0  # on a busy machine


class PingPong:
    """A JointState of seven joints, there and back between two processes. Each is known by its stamp, so that no more
    than one is on its way."""

    def __init__(self) -> None:
        self._domain = PrivateDomain()
        self._process = start([sys.executable, str(HERE / "pong.py")], self._domain.domain_id)
        self._session = Session("ping", domain_id=self._domain.domain_id, quiet=True)
        self._back = 0
        self._publisher = self._session.node.create_publisher(JointState, "ping", qos.COMMANDS)
        self._session.node.create_subscription(JointState, "pong", self._heard, qos.JOINT_STATES)
        self._message = JointState(name=[f"joint_{i}" for i in range(7)], position=[0.0] * 7)
        found = self._session.spin_until(self._both_ways, _START_S)
        assert found, "the other end of the ping-pong did not come"

    def once(self) -> None:
        """There and back."""
        number = self._send()
        assert self._session.spin_until(lambda: self._back == number, 5.0), "a ping was not answered within 5 s"

    def close(self) -> None:
        """End the other process."""
        stop(self._process)
        self._session.close()
        self._domain.release()

    def _send(self) -> int:
        stamp = self._message.header.stamp
        stamp.sec += 1
        self._publisher.publish(self._message)
        return int(stamp.sec)

    def _heard(self, message: JointState) -> None:
        self._back = message.header.stamp.sec

    def _both_ways(self) -> bool:
        if self._publisher.get_subscription_count():
            self._send()
        return self._back > 0


def lockstep(effort: Effort) -> dict[str, float]:
    """Environment steps over topics, against what the wire and the physics alone would allow."""
    direct, topics = (gymnasium.make(REACH, robot="panda", backend=b, **ENDLESS) for b in ("sim", "topics"))
    ping = PingPong()
    calls = {"pingpong": ping.once, "direct": stepper(direct), "lockstep": stepper(topics)}
    rates = in_turns(calls, effort)
    for thing in (direct, topics, ping):
        thing.close()  # type: ignore[attr-defined]
    bound = [1.0 / (1.0 / p + 1.0 / d) for p, d in zip(rates["pingpong"], rates["direct"], strict=True)]
    return {
        "lockstep_over_bound": median_ratio(rates["lockstep"], bound),
        "lockstep_steps_per_s": statistics.median(rates["lockstep"]),
        "pingpong_per_s": statistics.median(rates["pingpong"]),
    }


def rover(effort: Effort) -> dict[str, float]:
    """Steps of the rover with all its channels, over topics and in process."""
    robot = load_robot("rover")
    robots = {"lockstep": TopicRobot(robot, Connection()), "direct": SimRobot(robot)}
    rates = in_turns({name: driver(each, CIRCLE) for name, each in robots.items()}, effort)
    for each in robots.values():
        each.close()
    return {f"{name}_rover_steps_per_s": statistics.median(each) for name, each in rates.items()}


def large_pictures(effort: Effort) -> dict[str, float]:
    """Steps of the rover that each bring a picture of 640 x 480 in colour and depth, over topics and in process."""
    camera = "{name: picture, kind: camera, link: camera_optical_frame, width: 640, height: 480, depth: true}"
    robot = rover_with(camera)
    robots = {"lockstep": TopicRobot(robot, Connection()), "direct": SimRobot(robot)}
    rates = in_turns({name: driver(each, CIRCLE, 3) for name, each in robots.items()}, effort)
    for each in robots.values():
        each.close()
    return {f"{name}_640x480_steps_per_s": statistics.median(each) for name, each in rates.items()}


def realtime_1khz(effort: Effort) -> dict[str, float]:
    """How steadily a node publishes at 1 kHz, at its end of the wire."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "panda_1khz.yaml"
        path.write_text("extends: panda\nname: panda_1khz\nrates: {physics_hz: 1000, control_hz: 1000}\n")
        settings = ["--ros-args", "-p", f"robot:={path}", "-p", "publish_tf:=false", "--log-level", "error"]
        figures = json.loads(_last_line("paced_node.py", str(3.0 * effort.seconds), *settings))
    return {f"realtime_1khz_{name}": float(value) for name, value in figures.items()}


def node_alone(effort: Effort) -> dict[str, float]:
    """From starting a node to its first state, and the share of a core that it takes while nobody commands it."""
    domain = PrivateDomain()
    session = Session("watcher", domain_id=domain.domain_id, quiet=True)
    stamps: list[float] = []
    session.node.create_subscription(
        JointState, "joint_states", lambda _: stamps.append(time.monotonic()), qos.JOINT_STATES
    )
    begun = time.monotonic()
    settings = ["--ros-args", "-p", "mode:=lockstep", "--log-level", "error"]
    command = [sys.executable, "-m", "ros_gym_bridge.ros.sim_node", "--until-stdin-closes", *settings]
    process = start(command, domain.domain_id)
    assert session.spin_until(lambda: stamps, _START_S), f"no state within {_START_S} s"
    first = stamps[0] - begun
    before = cpu_seconds(process.pid)
    time.sleep(effort.seconds)
    idle = (cpu_seconds(process.pid) - before) / effort.seconds
    stop(process)
    session.close()
    domain.release()
    return {"first_state_s": first, "idle_node_cpu": idle}


def idle_adapter(effort: Effort) -> float:
    """Share of a core that an environment over topics takes while nobody steps it."""
    return float(_last_line("idle_adapter.py", str(effort.seconds)))


def _last_line(program: str, *arguments: str) -> str:
    """What another program of this folder says in the end."""
    command, domain = [sys.executable, str(HERE / program), *arguments], PrivateDomain()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=environment(domain.domain_id))
    domain.release()
    return done.stdout.splitlines()[-1]


def environment(domain_id: int) -> dict[str, str]:
    """This process's environment in another domain."""
    return {**os.environ, "ROS_DOMAIN_ID": str(domain_id), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


def start(command: list[str], domain_id: int) -> subprocess.Popen[bytes]:
    """A process that ends when its standard input is closed."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment(domain_id))


def stop(process: subprocess.Popen[bytes]) -> None:
    """Close its standard input and wait."""
    assert process.stdin is not None
    process.stdin.close()
    process.wait(timeout=30.0)


def cpu_seconds(pid: int) -> float:
    """What a process has computed, in user's and system's time: its clock has the number that Linux makes of `pid`."""
    return time.clock_gettime((~pid << 3) | 2)
