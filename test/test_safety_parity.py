"""What the section `safety` asks is the same in process and over topics, bit for bit, also where it depends on the
state; and it is obeyed by the physics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapter_tools import Transcript, episodes, first_difference, make
from ros_gym_bridge import load_robot
from ros_gym_bridge.kinematics import tip_position

BOX = "workspace: {lower: [0.1, -0.2, 0.1], upper: [0.5, 0.2, 0.8]}"
SAFETY = {
    "position": f"max_acceleration: 3.0, {BOX}",
    "velocity": f"max_acceleration: 5.0, stay_within: true, {BOX}",
    "effort": "stay_within: true, max_effort: 20.0, max_effort_rate: 200.0",
}
NOISE = "joint_states: {noise: {position: 0.002, velocity: 0.02}}"


def written(folder: Path, interface: str) -> dict[str, Any]:
    """Keywords of an environment with a safe arm."""
    path = folder / "safe_arm.yaml"
    path.write_text(f"extends: arm\nname: safe_arm\n{NOISE}\nsafety: {{{SAFETY[interface]}}}\n")
    return {"robot": str(path), "interface": interface, "time_limit_s": 1.0}


@pytest.mark.parametrize(
    ("interface", "stepping"), [("position", "lockstep"), ("velocity", "step_service"), ("effort", "lockstep")]
)
def test_over_topics_equals_in_process(tmp_path: Path, interface: str, stepping: str) -> None:
    """What was applied is part of the transcript: the adapter knows it without asking."""
    keywords = written(tmp_path, interface)
    transcripts: list[Transcript] = []
    for backend in ({}, {"backend": "topics", "stepping": stepping}):
        env = make("Reach", **keywords, **backend)
        try:
            transcripts.append(episodes(env, [(11, False), (None, False), (11, True)]))
        finally:
            env.close()
    assert first_difference(*transcripts) == ""


def test_the_arm_stays_in_its_box(tmp_path: Path) -> None:
    """Chance pulls it through the walls; nothing leaves the box by more than the motors' error."""
    keywords = written(tmp_path, "position")
    robot = load_robot(keywords["robot"])
    box = robot.config.safety.workspace
    assert box is not None
    tip = tip_position(robot.model, "tool0", robot.spec.joints)
    env = make("Reach", **{**keywords, "time_limit_s": 20.0})
    actions, places = np.random.default_rng(1), []
    env.reset(seed=1)
    for step in range(300):
        if step % 20 == 0:
            action = actions.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
        *_, info = env.step(action)
        places.append(tip(info["applied_command"].tolist()))
    env.close()
    assert (np.array(places) >= box.lower).all()
    assert (np.array(places) <= box.upper).all()
    width = np.ptp(places, axis=0) / (np.array(box.upper) - box.lower)
    assert (width > 0.5).all(), "and the walls are felt"
