"""What is said of a model: every remark with its element, and the tables whole however narrow the terminal is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_gym_bridge.model import RobotModel, model_from_text
from ros_gym_bridge.survey import link_facts, remarks, total_mass
from test_cli import run

INERTIA = '<inertia ixx="{0}" ixy="0" ixz="0" iyy="{1}" iyz="0" izz="{2}"/>'
BODY = f'<inertial><mass value="2"/>{INERTIA.format(1, 1, 1)}</inertial>'
LIMIT = '<limit lower="-1" upper="1" velocity="1" effort="1"/>'


def model(arm: str = BODY, limit: str = LIMIT, kind: str = "revolute", base: str = BODY) -> RobotModel:
    return model_from_text(
        f'<robot name="r"><link name="base">{base}</link><link name="arm">{arm}</link><joint name="j" type="{kind}">'
        f'<parent link="base"/><child link="arm"/><axis xyz="0 0 1"/>{limit}</joint></robot>'
    )


def test_nothing_is_said_of_a_sound_model() -> None:
    assert remarks(model()) == ()


VISUAL = "<visual><geometry><sphere radius='1'/></geometry></visual>"
# fmt: off
REMARKS = [
    ({"arm": ""},
     "link 'arm': no inertia is stated; PyBullet makes it 1 kg, with moments of 1 kg m^2; Add <inertial>."),
    ({"arm": f'<inertial><mass value="1"/>{INERTIA.format(0, 0, 0)}</inertial>'},
     "link 'arm': a mass without moments of inertia; Correct <inertia>."),
    ({"arm": f'<inertial><mass value="1"/>{INERTIA.format(1, 1, 3)}</inertial>'},
     "link 'arm': no body has moments of 1, 1 and 3 kg m^2: two are together less than the third; "
     "Correct <inertia>; it is simulated as it is."),
    ({"arm": f'<inertial><mass value="0"/>{INERTIA.format(0, 0, 0)}</inertial>'},
     "joint 'j': what is moved weighs nothing, and so never moves; Add masses to the links."),
    ({"arm": BODY + VISUAL},
     "link 'arm': seen, but without a collision shape: nothing touches there; Add one where it matters."),
    ({"limit": LIMIT.replace("-1", "1")},
     "joint 'j': lower and upper are the same: no movement; Widen the range."),
    ({"limit": LIMIT.replace('effort="1"', 'effort="0"')},
     "joint 'j': effort limit 0, which says that nobody knew, or that there is no motor; "
     "Give 'effort' in the robot file where there is one."),
    ({"limit": LIMIT.replace('velocity="1"', 'velocity="0"')},
     "joint 'j': velocity limit 0, which says that nobody knew, or that there is no motor; "
     "Give 'velocity' in the robot file where there is one."),
    ({"limit": "", "kind": "continuous"},
     "joint 'j': no <limit>: nothing is known about a motor; "
     "Give velocity and effort in the robot file where there is one."),
]
# fmt: on


@pytest.mark.parametrize(("changed", "remark"), REMARKS)
def test_remarks(changed: dict[str, str], remark: str) -> None:
    assert [str(note) for note in remarks(model(**changed))] == [remark]


def test_frames_need_no_inertia() -> None:
    assert remarks(model(arm="", kind="fixed", limit="")) == ()
    assert remarks(model(base="", kind="fixed", limit="")) == ()


def test_many_elements_are_one_remark() -> None:
    joints = "".join(
        f'<link name="l{i}">{BODY}</link><joint name="j{i}" type="continuous"><parent link="base"/>'
        f'<child link="l{i}"/><axis xyz="0 0 1"/></joint>'
        for i in range(9)
    )
    robot = model_from_text(f'<robot name="r"><link name="base">{BODY}</link>{joints}</robot>')
    (note,) = remarks(robot)
    assert note.where == "joints 'j0', 'j1', 'j2', 'j3', 'j4', 'j5' and 3 more"


def test_masses_and_moments() -> None:
    robot = model(arm=f'<inertial><mass value="3"/>{INERTIA.format(3, 1, 2)}</inertial>')
    assert total_mass(robot) == 5.0
    assert link_facts(robot)[1].moments == pytest.approx((1.0, 2.0, 3.0))


def test_the_command_prints_everything_in_a_narrow_terminal() -> None:
    done = run("describe", "panda", COLUMNS="40")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[1] == "robot 'panda', root link 'panda_link0', 13 links, 12 joints (9 move), 17.96 kg"
    assert lines[2].startswith("PyBullet loads it; at home it is ")
    row = next(line.split() for line in lines if line.split()[:1] == ["panda_finger_joint2"])
    assert row == [
        *("panda_finger_joint2", "prismatic", "panda_hand", "->", "panda_rightfinger", "0", "-1", "0"),
        *("0", "to", "0.04", "0.2", "20", "1", "*", "panda_finger_joint1", "+", "0"),
    ]
    assert lines[-1] == (
        "- joint 'panda_finger_joint2': it mimics 'panda_finger_joint1'; Leave it out of the actuator groups."
    )


def test_a_model_without_joints_is_described() -> None:
    done = run("describe", "pybullet_data://cube.urdf")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 links, 0 joints (0 move), 1 kg" in done.stdout
    assert done.stdout.splitlines()[-1] == "Nothing unusual was found."


def test_a_model_that_cannot_be_used_ends_with_code_2() -> None:
    done = run("describe", "pybullet_data://cube_no_rotation.urdf")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(
        "cube_no_rotation.urdf: joint 'x_to_world': empty range; got lower 1.0, upper -1.0; expected lower <= upper; "
        "Swap them, or write wide ones if it has no end.\n"
    )


def test_arguments_and_models_are_chosen(tmp_path: Path) -> None:
    done = run("describe", "pybullet_data://mjcf/reacher.xml", "--model-name", "body0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "the file means a fixed base" in done.stdout
    done = run("describe", "pybullet_data://r2d2.urdf", "--argument", "a")
    assert done.stderr == "error: --argument; got 'a'; expected NAME:=VALUE.\n"
    done = run("describe", "pybullet_data://r2d2.urdf", "--argument", "a:=1")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "r2d2.urdf: arguments for a file that is no xacro; got {'a': '1'}; "
        "Remove them, or let the file's name end in .xacro.\n"
    )


def test_new_robot_says_what_to_do_next(tmp_path: Path) -> None:
    path = tmp_path / "pole.yaml"
    done = run("new-robot", "pybullet_data://cartpole.urdf", "--output", str(path), "--fixed-base", "--name", "pole")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path} is written; try it: ros-gym-bridge sim --robot {path}\n"
    assert path.read_text().count("\nname: pole\n") == 1
    assert run("new-robot", "pybullet_data://cartpole.urdf", "--output", str(path)).returncode == 2
