"""Each process killed while the robot moves: it never keeps moving on an old velocity or effort command."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from adapter_tools import Process, alive, running, script
from conftest import NodeProcess, wait_for
from driver_tools import driver_processes
from plain_client import PlainClient
from safety_tools import Onlooker, safety_node

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

PAN = "shoulder_pan_joint"
JOINTS = [PAN, "shoulder_lift_joint", "elbow_joint", "wrist_1_joint", "wrist_2_joint", "wrist_3_joint"]

AGENT = """
    import sys
    import gymnasium as gym
    import numpy as np
    import ros_gym_bridge

    def make():
        return gym.make(
            "ros_gym_bridge/Reach-v0", robot=sys.argv[1], backend="topics", attach=True, stepping="realtime",
            command_prefix=sys.argv[2], time_limit_s=1e6, step_timeout_s=2.0, disable_env_checker=True,
        )

    if __name__ == "__main__":
        env = make()
        env.reset(seed=1)
        action = np.zeros(env.action_space.shape, np.float32)
        action[0] = 0.1
        print("acting", flush=True)
        while True:
            env.step(action)
"""
# an agent whose adapter is a process of its own
PAIR = """
    import os, sys, time
    import gymnasium as gym
    import numpy as np
    import ros_gym_bridge

    def make():
        return gym.make(
            "ros_gym_bridge/Reach-v0", robot=sys.argv[1], backend="topics", attach=True, stepping="realtime",
            command_prefix=sys.argv[2], time_limit_s=1e6, step_timeout_s=2.0, disable_env_checker=True,
        )

    if __name__ == "__main__":
        env = gym.vector.AsyncVectorEnv([make], context="spawn")
        env.reset(seed=1)
        action = np.zeros((1, 6), np.float32)
        action[0, 0] = 0.1
        print("worker of the agent:", env.processes[0].pid, flush=True)
        print("acting", flush=True)
        try:
            while True:
                env.step(action)
        except Exception as error:
            print("lost", type(error).__name__, flush=True)
            time.sleep(60.0)
"""
# for a driver: 25 times a second, whatever comes
TALKER = """
    import sys, time
    import rclpy
    from std_msgs.msg import Float64MultiArray

    rclpy.init()
    node = rclpy.create_node("talker")
    publisher = node.create_publisher(Float64MultiArray, "agent/arm/commands", 10)
    print("acting", flush=True)
    while True:
        publisher.publish(Float64MultiArray(data=[float(sys.argv[1]), 0.0, 0.0, 0.0, 0.0, 0.0]))
        time.sleep(0.04)
"""


def arm(folder: Path, interface: str, message: str = "sensor_msgs/msg/JointState") -> Path:
    path = folder / "killed_arm.yaml"
    group = f"{{name: arm, interface: {interface}, message: {message}, joints: [{', '.join(JOINTS)}]}}"
    path.write_text(f"extends: arm\nname: killed_arm\ngravity: [0.0, 0.0, 0.0]\nactuators: [{group}]\n")
    return path


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def moves(one: Onlooker, interface: str) -> bool:
    return one.value(PAN, interface) > 0.05


def rests(state: JointState, interface: str) -> bool:
    """No velocity; or, since what floats goes on by itself, no effort."""
    values = dict(zip(state.name, getattr(state, interface), strict=True))
    return all(abs(values[name]) < 0.01 for name in JOINTS)


def stays_at_rest(one: Onlooker, interface: str, seconds: float = 1.0) -> None:
    one.client.until(lambda: rests(one.joints[-1], interface), "rest")
    one.joints.clear()
    one.client.listen(seconds)
    assert all(rests(state, interface) for state in one.joints)


def follow(client: PlainClient, message: Any, topic: str) -> Onlooker:
    """An onlooker who leaves speaking to the agent."""
    one = Onlooker(client, {topic: message})
    one.leave()
    return one


@pytest.mark.parametrize(
    ("who", "interface"),
    [
        ("agent", "velocity"),
        pytest.param("agent", "effort", marks=pytest.mark.slow),
        pytest.param("adapter", "velocity", marks=pytest.mark.slow),
        ("adapter", "effort"),
    ],
)
def test_agent_and_adapter(
    sim_process: Start, client: Make, stack: ExitStack, domain_id: int, tmp_path: Path, who: str, interface: str
) -> None:
    robot = arm(tmp_path, interface)
    sim_process(robot=robot, mode="realtime", publish_tf=False)
    stack.enter_context(safety_node(domain_id, robot))
    one = follow(client(commands=()), JointState, "joint_command")
    code = AGENT if who == "agent" else PAIR
    path = tmp_path / "agent.py"
    path.write_text("\n".join(line.removeprefix("    ") for line in code.splitlines()))
    command = [sys.executable, "-u", str(path), str(robot), "agent"]
    agent = stack.enter_context(running(Process(command, ROS_DOMAIN_ID=domain_id)))
    agent.says("acting")
    one.client.until(lambda: moves(one, interface), "motion")
    if who == "agent":
        agent.kill()
    else:
        os.kill(int(agent.says("worker of the agent:")), signal.SIGKILL)
    stays_at_rest(one, interface)
    one.until_fact("message", "stopped: no commands")
    if who == "adapter":
        assert "lost" in agent.text(), "and the agent hears of it"


@pytest.mark.parametrize("interface", ["velocity", pytest.param("effort", marks=pytest.mark.slow)])
def test_safety_node_before_our_simulator(
    sim_process: Start, client: Make, stack: ExitStack, domain_id: int, tmp_path: Path, interface: str
) -> None:
    """Without its deadman: what saves is the simulator's own timeout, as that of a robot's controllers."""
    robot = arm(tmp_path, interface, "std_msgs/msg/Float64MultiArray")
    sim_process(robot=robot, mode="realtime", publish_tf=False)
    node = stack.enter_context(safety_node(domain_id, robot))
    one = follow(client(commands=()), Float64MultiArray, "arm/commands")
    stack.enter_context(running(script(TALKER, "0.3", ROS_DOMAIN_ID=domain_id))).says("acting")
    one.client.until(lambda: moves(one, interface), "motion")
    node.kill()
    stays_at_rest(one, interface)


@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.slow)])
def test_safety_node_before_a_driver_that_keeps_its_last_command(
    client: Make, stack: ExitStack, domain_id: int, tmp_path: Path, how: signal.Signals
) -> None:
    """A forward_command_controller has no timeout: the deadman saves. Killed, or hanging."""
    robot = arm(tmp_path, "velocity", "std_msgs/msg/Float64MultiArray")
    stack.enter_context(driver_processes(domain_id, tmp_path))(robot)
    node = stack.enter_context(safety_node(domain_id, robot, deadman=True))
    one = follow(client(commands=()), Float64MultiArray, "arm/commands")
    stack.enter_context(running(script(TALKER, "0.1", ROS_DOMAIN_ID=domain_id))).says("acting")
    one.client.until(lambda: moves(one, "velocity"), "motion")
    node.signal(how)
    try:
        stays_at_rest(one, "velocity")
        assert "safety_node has fallen silent; stopping 'killed_arm' on arm/commands." in node.text()
    finally:
        node.signal(signal.SIGCONT)
    if how == signal.SIGSTOP:
        one.client.until(lambda: moves(one, "velocity"), "the safety node's return")


def test_driver(client: Make, stack: ExitStack, domain_id: int, tmp_path: Path) -> None:
    """It comes back at rest, whatever was commanded before; the agent's next command sets out from there."""
    robot = arm(tmp_path, "velocity", "std_msgs/msg/Float64MultiArray")
    start = stack.enter_context(driver_processes(domain_id, tmp_path))
    hardware = start(robot)
    stack.enter_context(safety_node(domain_id, robot))
    one = follow(client(commands=()), Float64MultiArray, "arm/commands")
    talker = stack.enter_context(running(script(TALKER, "0.3", ROS_DOMAIN_ID=domain_id)))
    one.client.until(lambda: moves(one, "velocity"), "motion")
    hardware.kill()
    one.until_fact("message", "stopped: no fresh joint states")
    one.client.until(lambda: not one.beats[-1].data, "a heart that says so")
    one.client.until(lambda: list(one.told["arm/commands"][-1].data) == [0.0] * 6, "a stop, whoever may hear it")
    talker.kill()
    one.joints.clear()
    start(robot)
    one.client.until(lambda: len(one.joints) > 50, "the driver's return")
    stays_at_rest(one, "velocity")


def test_simulator(sim_process: Start, client: Make, stack: ExitStack, domain_id: int, tmp_path: Path) -> None:
    """The same of ours; the agent says what it lost."""
    robot = arm(tmp_path, "velocity")
    simulator = sim_process(robot=robot, mode="realtime", publish_tf=False)
    stack.enter_context(safety_node(domain_id, robot))
    one = follow(client(commands=()), JointState, "joint_command")
    agent = stack.enter_context(running(script(AGENT, str(robot), "agent", ROS_DOMAIN_ID=domain_id)))
    agent.says("acting")
    one.client.until(lambda: moves(one, "velocity"), "motion")
    simulator.signal(signal.SIGKILL)
    simulator.wait(10.0)
    one.until_fact("message", "stopped: no fresh joint states")
    wait_for(lambda: not alive(agent.pid), 30.0, "the end of the agent")
    assert "RobotLostError" in agent.text()
    one.joints.clear()
    sim_process(robot=robot, mode="realtime", publish_tf=False)
    one.client.until(lambda: len(one.joints) > 10, "the simulator's return")
    stays_at_rest(one, "velocity")
