"""The section `safety` of a robot file: what is read, and that every mistake is refused with its full message."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ros_gym_bridge import RobotFile, load_robot
from ros_gym_bridge.errors import RobotFileError

ROVER = "extends: rover\nname: rover_with\nsafety: {{{}}}\n"
BOX = "lower: [0.2, -0.3, 0.1], upper: [0.9, 0.3, 1.2]"


def load(folder: Path, safety: str, interface: str | None = None) -> RobotFile:
    path = folder / "arm_with.yaml"
    path.write_text(f"extends: arm\nsafety: {{{safety}}}\n")
    return load_robot(path, interface=interface)


def test_what_is_read(tmp_path: Path) -> None:
    robot = load(tmp_path, "max_acceleration: {elbow_joint: 2.0}, command_timeout_s: 0.2", "velocity")
    assert robot.spec.max_change[2] == pytest.approx(2.0 / 25)
    assert np.isinf(np.delete(robot.spec.max_change, 2)).all()
    assert robot.config.safety.timeout_s(25) == 0.2
    pushed = load(tmp_path, "max_effort: 3.0, max_effort_rate: 50.0, command_timeout_s: 0", "effort")
    assert pushed.spec.command_high.tolist() == [3.0] * 6
    assert np.allclose(pushed.spec.max_change, 2.0)
    assert pushed.config.safety.timeout_s(25) == math.inf


def test_usual_times(tmp_path: Path) -> None:
    safety = load(tmp_path, "").config.safety
    assert (safety.timeout_s(25), safety.states_timeout_s(25)) == (0.5, 0.5)
    assert (safety.timeout_s(2), safety.states_timeout_s(2)) == (1.5, 1.5)


REFUSED = {
    "max_acceleration: 0.0": "safety.max_acceleration; got 0.0; expected a number above 0, or such a number for each "
    "joint; Change the value of 'safety.max_acceleration'.",
    "max_acceleration: {elbow: 1.0}": "safety.max_acceleration; got 'elbow'; expected joints that are commanded; Did "
    "you mean 'elbow_joint'?",
    "command_timeout_s: 0.05": "safety.command_timeout_s; got 0.05; expected at least two control periods, 0.08 s, or "
    "what comes in time would be too old; Raise it, or 'control_hz'.",
    "workspace: {lower: [0.0, 0.0, 0.0], upper: [1.0, -1.0, 1.0]}": "safety.workspace; got {{'lower': (0.0, 0.0, 0.0), "
    "'upper': (1.0, -1.0, 1.0)}}; expected a lower corner that is nowhere above the upper one; Change the value of "
    "'safety.workspace'.",
    f"workspace: {{link: tool, {BOX}}}": "safety.workspace.link; got 'tool'; expected a link of {urdf}; Did you mean "
    "'tool0'?",
    f"workspace: {{frame: forearm_link, {BOX}}}": "safety.workspace.frame; got 'forearm_link'; expected a link that is "
    "fixed to 'base_link'; 'elbow_joint' moves this one; Leave it out, or choose another link.",
    f"workspace: {{link: base_link, {BOX}}}": "safety.workspace.link; got 'base_link'; expected a link that commanded "
    "joints move; Choose another link.",
    "workspace: {lower: [0.0, 0.0, 0.0], upper: [0.1, 0.1, 0.1]}": "safety.workspace; got 'tool0' 0.254 m outside at "
    "the home position; expected a box that holds the home position; Widen the box, or move the joints' 'home'.",
}


@pytest.mark.parametrize("section", REFUSED)
def test_refused(tmp_path: Path, section: str) -> None:
    with pytest.raises(RobotFileError) as caught:
        load(tmp_path, section)
    told = REFUSED[section].format(urdf=load_robot("arm").model.path)
    assert str(caught.value) == f"{tmp_path / 'arm_with.yaml'}: {told}"


def test_efforts_do_not_say_where_they_lead(tmp_path: Path) -> None:
    with pytest.raises(RobotFileError) as caught:
        load(tmp_path, f"workspace: {{{BOX}}}", "effort")
    assert str(caught.value) == (
        f"{tmp_path / 'arm_with.yaml'}: safety.workspace; got joint 'shoulder_pan_joint', which moves 'tool0', "
        "commanded by effort; expected position or velocity: an effort does not say where the link goes; Choose "
        "another interface, or leave 'workspace' out."
    )


def test_damping_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(RobotFileError) as caught:
        load(tmp_path, "stop: damp, damping: {elbow_joint: 1.0}", "effort")
    assert str(caught.value) == (
        f"{tmp_path / 'arm_with.yaml'}: safety.stop; got 'damp'; expected 'damping' for 'shoulder_pan_joint', which is "
        "commanded by effort; Give it under 'safety', or choose 'zero'."
    )


def test_a_workspace_needs_a_link(tmp_path: Path) -> None:
    path = tmp_path / "rover_with.yaml"
    path.write_text(ROVER.format(f"workspace: {{{BOX}}}"))
    with pytest.raises(RobotFileError) as caught:
        load_robot(path)
    assert "safety.workspace.link; got None; expected a link of" in str(caught.value)
    assert "Give 'link', or the robot an 'end_effector'." in str(caught.value)
