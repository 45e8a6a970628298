"""The safety node as a process of its own, between plain clients and robots: our simulator, and a driver that is not
ours."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Twist, TwistStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

import kinds
from adapter_tools import Process, running
from conftest import NodeProcess
from plain_client import LATCHED, RELIABLE, PlainClient
from ros_gym_bridge import load_robot
from ros_gym_bridge.ros.command_messages import command_readers
from ros_gym_bridge.ros.deadman import stops
from ros_gym_bridge.sim.targets import Motion
from safety_tools import Onlooker, safety_node

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]
Guard = Callable[..., Process]

ARM = ["shoulder_pan_joint", "shoulder_lift_joint", "elbow_joint"]
PAN, HOME = ARM[0], [0.0, -0.2, 1.6, 1.2, 0.0, 0.0]


@pytest.fixture
def guard(domain_id: int) -> Iterator[Guard]:
    with ExitStack() as stack:
        yield lambda robot, deadman=False: stack.enter_context(safety_node(domain_id, robot, deadman))


def arm_with(folder: Path, safety: str, interface: str = "position") -> Path:
    path = folder / "arm_with.yaml"
    joints = "[shoulder_pan_joint, shoulder_lift_joint, elbow_joint, wrist_1_joint, wrist_2_joint, wrist_3_joint]"
    group = f"{{name: arm, interface: {interface}, joints: {joints}}}"
    path.write_text(f"extends: arm\nname: arm_with\nsafety: {{{safety}}}\nactuators: [{group}]\n")
    return path


def pan(**values: float) -> JointState:
    """A command to one joint."""
    return JointState(name=[PAN], **{key: [value] for key, value in values.items()})


def saying(onlooker: Onlooker, topic: str, message: Any) -> Callable[[Callable[[], Any], str], Any]:
    """Waits while the agent goes on to say the same."""

    def until(done: Callable[[], Any], what: str) -> Any:
        def said() -> Any:
            onlooker.say(topic, message)
            return done()

        return onlooker.client.until(said, what)

    return until


def test_from_an_agent_to_a_driver_and_all_that_can_happen(
    driver: Any, guard: Guard, client: Make, domain_id: int, tmp_path: Path
) -> None:
    """One robot, one life: limits, refusals, silence, a button, a second agent, a detour."""
    driver("arm")
    node = guard("arm")
    one = Onlooker(client(commands=()), {"joint_command": JointState})
    told = one.told["joint_command"]
    one.until_fact("message", "no command yet")
    assert not told, "nobody has commanded: the robot is left alone"

    saying(one, "joint_command", pan(position=0.3))(lambda: abs(one.value(PAN) - 0.3) < 0.01, "the place")
    pans = [message.position[list(message.name).index(PAN)] for message in told]
    assert max(abs(b - a) for a, b in zip([0.0, *pans], pans, strict=False)) <= 0.21, "2 periods at 2.5 rad/s"
    saying(one, "joint_command", pan(position=0.3))(lambda: one.beats[-1].data, "a heart that beats")
    one.until_fact("joint_command: agents", "1")

    for bad in (pan(position=math.nan), pan(velocity=1.0), JointState(name=["nose"], position=[1.0]), JointState()):
        one.say("joint_command", bad)
    one.say("joint_command", JointState(name=ARM, position=[1.0]))
    for kind in ("not_finite", "wrong_interface", "unknown_joint", "nothing_commanded", "length"):
        one.until_fact(f"refused_{kind}", "1")
    assert "Refused a command on 'agent/joint_command': unknown joint; got 'nose'" in node.text()

    one.client.until(lambda: not one.beats[-1].data, "silence that is noticed")
    one.until_fact("message", "stopped: no commands")
    count = len(told)
    one.client.until(lambda: len(told) > count + 3, "a stop that is said again")
    saying(one, "joint_command", pan(position=0.4))(lambda: abs(one.value(PAN) - 0.4) < 0.01, "a robot that goes on")

    button = one.node.create_publisher(Bool, "emergency_stop", RELIABLE)
    one.client.until(button.get_subscription_count, "whom the button stops")
    button.publish(Bool(data=False))

    def pressed() -> bool:
        button.publish(Bool(data=True))
        return "emergency stop" in one.facts().get("message", "")

    saying(one, "joint_command", pan(position=0.4))(pressed, "a stop")
    one.client.until(lambda: not one.beats[-1].data, "a heart that says so")
    saying(one, "joint_command", pan(position=-0.4))(lambda: "refused_stopped" in one.facts(), "refusals")
    assert "emergency stop, '/emergency_stop' said true" in one.facts()["message"]
    assert abs(one.value(PAN) - 0.4) < 0.1
    assert one.trigger("safety/stop") == (True, "stopped: '/emergency_stop' said true"), "the first reason stands"
    one.client.until(lambda: one.trigger("safety/reset")[0], "a reset, once the button is no longer said")
    assert one.trigger("safety/reset") == (True, "there was no emergency stop")
    saying(one, "joint_command", pan(position=0.3))(lambda: abs(one.value(PAN) - 0.3) < 0.01, "a robot that goes on")

    assert "incompatible QoS" not in node.text()
    second = client(name="second_agent", commands=("agent/joint_command", "joint_command"))
    one.client.until(
        lambda: saying(one, "joint_command", pan(position=0.0)) and "/second_agent" in node.text(), "a name"
    )
    one.until_fact("message", "commands go past this node: /second_agent publishes on 'joint_command'")
    saying(one, "joint_command", pan(position=0.0))(
        lambda: int(one.facts().get("refused_two_publishers", 0)) > 0, "a refusal"
    )
    assert "several nodes publish commands; got /plain_client, /second_agent; expected one agent" in node.text()
    second.close()
    saying(one, "joint_command", pan(position=0.0))(lambda: abs(one.value(PAN)) < 0.01, "one agent is enough")


def test_a_stop_that_was_pressed_before(driver: Any, guard: Guard, client: Make) -> None:
    driver("arm")
    early = client(name="button", commands=())
    early.node.create_publisher(Bool, "emergency_stop", LATCHED).publish(Bool(data=True))
    node = guard("arm")
    node.says("Now stopped: emergency stop")


KINDS = {
    "kinds": {
        "arm_controller/joint_trajectory": JointTrajectory,
        "joint_command": JointState,
        "wrist_3/command": JointState,
    },
    "numbers": {"arm_controller/commands": Float64MultiArray, "wrist_controller/commands": Float64MultiArray},
    "drive": {"diff_drive_controller/cmd_vel": TwistStamped},
    "twist": {"diff_drive_controller/cmd_vel": Twist},
}


def message(topic: str, kind: Any) -> Any:
    """A command that moves what it commands."""
    if kind is JointTrajectory:
        point = JointTrajectoryPoint(positions=[0.2, -0.2, 1.6], time_from_start=Duration(nanosec=400_000_000))
        return JointTrajectory(joint_names=ARM, points=[point])
    if kind is Float64MultiArray:
        return Float64MultiArray(data=[0.2, -0.2, 1.6] if topic.startswith("arm") else [0.3, 0.0, 0.0])
    if kind is JointState and topic == "joint_command":
        return JointState(name=["wrist_1_joint", "wrist_2_joint"], position=[1.1], velocity=[0.2])
    if kind is JointState:
        return JointState(name=["wrist_3_joint"], effort=[0.5])
    made = kind()
    (made.twist if kind is TwistStamped else made).linear.x = 0.2
    return made


@pytest.mark.parametrize("name", ["kinds", "numbers", "drive", pytest.param("twist", marks=pytest.mark.slow)])
def test_every_kind_of_command_passes_and_stops(
    sim_process: Start, guard: Guard, client: Make, tmp_path: Path, name: str
) -> None:
    """On our simulator in real time. What comes out is of the kind that went in, and it ends with the agent."""
    robot = kinds.write(tmp_path, name)
    sim_process(robot=robot, mode="realtime", publish_tf=False)
    guard(robot)
    one = Onlooker(client(commands=()), KINDS[name])

    def said() -> bool:
        for topic, kind in KINDS[name].items():
            one.say(topic, message(topic, kind))
        return one.beats[-1].data and all(len(messages) > 10 for messages in one.told.values())

    one.client.until(said, "commands on every topic")
    one.client.until(lambda: not one.beats[-1].data, "silence")
    for topic, messages in one.told.items():
        messages.clear()
        one.client.until(partial(len, messages), "stops")
        last = messages[-1]
        if name in ("drive", "twist"):
            twist = last.twist if name == "drive" else last
            assert (twist.linear.x, twist.angular.z) == (0.0, 0.0)
        if topic == "joint_command":
            assert list(last.velocity) == [0.0]
        if topic == "wrist_3/command":
            assert list(last.effort) == [0.0]
        if topic == "wrist_controller/commands":
            assert list(last.data) == [0.0] * 3
    if name != "twist":
        one.client.until(lambda: max(map(abs, one.joints[-1].velocity)) < 0.02, "rest")


def test_silence_of_the_driver_stops_the_agent(driver: Any, guard: Guard, client: Make, tmp_path: Path) -> None:
    robot = arm_with(tmp_path, "state_timeout_s: 0.3")
    hardware = driver(robot)
    guard(robot)
    one = Onlooker(client(commands=()), {"joint_command": JointState})
    go = saying(one, "joint_command", pan(position=0.2))
    go(lambda: abs(one.value(PAN) - 0.2) < 0.01, "the place")
    hardware.set(state_drop=1.0)
    go(lambda: "no fresh joint states" in one.facts().get("message", ""), "the driver's silence")
    go(lambda: "refused_no_joint_states" in one.facts(), "refusals")
    hardware.set(state_drop=0.0)
    go(lambda: "passing" in one.facts().get("message", ""), "a robot that goes on")


def test_it_ends_without_leaving_a_command(driver: Any, guard: Guard, client: Make, tmp_path: Path) -> None:
    """Ctrl-C while the robot moves by velocity: the last word is zero."""
    robot = arm_with(tmp_path, "command_timeout_s: 10.0", "velocity")
    driver(robot)
    node = guard(robot, deadman=True)
    one = Onlooker(client(commands=()), {"joint_command": JointState})
    saying(one, "joint_command", pan(velocity=0.3))(lambda: one.value(PAN, "velocity") > 0.2, "motion")
    node.signal(signal.SIGINT)
    assert node.wait(10.0) == 0
    one.client.until(lambda: abs(one.value(PAN, "velocity")) < 0.01, "rest")
    assert "Traceback" not in node.text()
    assert "deadman" not in node.text(), "who ends well leaves it nothing to do"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-p", "robot:=nobody"], "safety_node: no robot file 'nobody'"),
        (["-p", "agent_prefix:=3x"], "safety_node: parameter 'agent_prefix'; got '3x'; expected a relative name"),
    ],
)
def test_mistakes(domain_id: int, arguments: list[str], text: str) -> None:
    command = [sys.executable, "-m", "ros_gym_bridge.ros.safety_node", "--ros-args", *arguments]
    process = Process(command, ROS_DOMAIN_ID=domain_id)
    assert process.wait(30.0) == 2
    assert text in process.text()
    assert "Traceback" not in process.text()
    process.end()


@pytest.mark.parametrize("name", kinds.FILES)
def test_what_the_deadman_says_is_understood_and_stops(tmp_path: Path, name: str) -> None:
    """By the readers of our own node: velocities and efforts are 0, and nothing is said of positions."""
    robot = load_robot(kinds.write(tmp_path, name))
    readers, told = command_readers(robot), dict(stops(robot))
    entries = robot.spec.commands
    stopped: set[int] = set()
    for topic, each in told.items():
        order = readers[topic](each, 0)
        if isinstance(order, Motion):
            assert not order.knots
        else:
            assert list(order.values) == [0.0] * len(order.indices)
            stopped |= set(order.indices)
    assert stopped == {i for i, entry in enumerate(entries) if entry.interface not in ("position",)}


def test_the_command(domain_id: int) -> None:
    """As a user starts it, in a namespace; Ctrl-C ends it, deadman and all, without a word too many."""
    command = [str(Path(sys.executable).with_name("ros-gym-bridge")), "safety", "arm", "--namespace", "cell"]
    with running(Process(command, ROS_DOMAIN_ID=domain_id)) as process:
        process.says("Guarding 'arm': commands on agent/joint_command are passed on to joint_command")
        process.signal(signal.SIGINT)
        assert process.wait(20.0) == 0
        assert "Traceback" not in process.text()
        assert "silent" not in process.text()
