"""Every keyword of an environment that is refused, by its full message."""

from __future__ import annotations

import re
from typing import Any

import gymnasium as gym
import pytest

import ros_gym_bridge
from adapter_tools import make
from ros_gym_bridge import robot_names
from ros_gym_bridge.errors import OptionError, RobotFileError

OF_TOPICS = (
    "attach, command_prefix, connect_timeout_s, domain_id, max_missed_deadlines, namespace, operator, reset_by, "
    "ros_arguments, simulator, step_timeout_s, stepping, stop"
)

REFUSED: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("Reach", {"backend": "gazebo"}, OptionError, "backend; got 'gazebo'; expected one of 'sim', 'topics'."),
    ("Reach", {"time_limit_s": 0.0}, OptionError, "time_limit_s; got 0.0; expected seconds above 0."),
    ("Reach", {"time_limit_s": float("nan")}, OptionError, "time_limit_s; got nan; expected seconds above 0."),
    ("Reach", {"time_limit_s": float("inf")}, OptionError, "time_limit_s; got inf; expected seconds above 0."),
    ("Reach", {"time_limit_s": "4"}, OptionError, "time_limit_s; got '4'; expected seconds above 0."),
    ("Reach", {"reward": "shaped"}, OptionError, "reward; got 'shaped'; expected 'dense' or 'sparse'."),
    ("Reach", {"radius": 0.0}, OptionError, "radius; got 0.0; expected metres between 0 and 1."),
    (
        "Reach",
        {"spread": 1.5},
        OptionError,
        "spread; got 1.5; expected a share of the joints' range between 0 and 1.",
    ),
    (
        "Balance",
        {"radius": 0.1},
        OptionError,
        "unknown keyword 'radius' for this task with backend='sim'; got 0.1; expected one of cart, pole; Check the "
        "spelling, and that the keyword belongs to this backend.",
    ),
    (
        "Balance",
        {"attach": True},
        OptionError,
        "unknown keyword 'attach' for this task with backend='sim'; got True; expected one of cart, pole; Check the "
        "spelling, and that the keyword belongs to this backend.",
    ),
    (
        "Balance",
        {"backend": "topics", "name_space": "/a"},
        OptionError,
        "unknown keyword 'name_space' for this task with backend='topics'; got '/a'; expected one of OPTIONS; Check "
        "the spelling, and that the keyword belongs to this backend.",
    ),
    (
        "Balance",
        {"robot": "arm"},
        RobotFileError,
        "ROBOTS/arm.yaml: Balance needs the joint 'slider_to_cart'; got shoulder_pan_joint, shoulder_lift_joint, "
        "elbow_joint, wrist_1_joint, wrist_2_joint, wrist_3_joint; Use the robot 'cartpole', or name the joints with "
        "cart= and pole=.",
    ),
    (
        "Reach",
        {"robot": "cartpole"},
        RobotFileError,
        "ROBOTS/cartpole.yaml: end_effector; got None; expected the link that Reach brings to the goal; Add "
        "'end_effector: LINK', one of LINKS.",
    ),
    (
        "Reach",
        {"robot": "pandas"},
        RobotFileError,
        f"no robot file 'pandas'; expected one of {', '.join(robot_names())}, or the path of a .yaml file; Did you "
        "mean 'panda'? Check the spelling, or write such a file (see CONTRIBUTING.md).",
    ),
    (
        "Reach",
        {"control_hz": 30},
        RobotFileError,
        "ROBOTS/panda.yaml: rates; got physics_hz: 500, control_hz: 30; expected physics_hz to be a multiple of "
        "control_hz: a control period is a whole number of physics steps; Use a control_hz that divides 500, for "
        "example 25.",
    ),
    (
        "Reach",
        {"interface": "torque"},
        RobotFileError,
        "ROBOTS/panda.yaml: actuators[0].interface; got 'torque'; expected 'position', 'velocity' or 'effort'; Change "
        "the value of 'actuators[0].interface' (1 more problem after this one).",
    ),
]


@pytest.mark.parametrize(("task", "keywords", "kind", "message"), REFUSED, ids=lambda v: str(v)[:40])
def test_refused_keywords(task: str, keywords: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        make(task, **keywords)
    folder = ros_gym_bridge.load_robot("panda").path.parent
    links = ", ".join(ros_gym_bridge.load_robot("cartpole").model.links)
    options = ", ".join(sorted(["cart", "pole", *OF_TOPICS.split(", ")]))
    for placeholder, value in (("ROBOTS", str(folder)), ("LINKS", links), ("OPTIONS", options)):
        message = message.replace(placeholder, value)
    assert str(caught.value) == message


def test_refused_by_the_class_itself() -> None:
    """What gym.make would warn of before."""
    with pytest.raises(OptionError, match=r"^render_mode; got 'ansi'; expected one of None, 'human', 'rgb_array'\.$"):
        ros_gym_bridge.RobotEnv("Reach", render_mode="ansi")
    with pytest.raises(OptionError, match=r"^task; got 'Fly'; expected one of 'Reach', 'Balance'\.$"):
        ros_gym_bridge.RobotEnv("Fly")


def test_errors_pass_through_worker_processes() -> None:
    """What is wrong in a worker is told in the parent's words, with its type."""
    with pytest.raises(RobotFileError, match=re.escape("no robot file 'pandas'")):
        gym.make_vec("ros_gym_bridge/Reach-v0", num_envs=2, vectorization_mode="sync", robot="pandas")
