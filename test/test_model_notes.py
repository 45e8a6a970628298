"""What is simulated otherwise than a model says is told to whoever starts it or lets it appear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from simulation_interfaces.msg import Resource
from simulation_interfaces.msg import SpawnEntity as Wanted
from simulation_interfaces.srv import SpawnEntities, SpawnEntity

from conftest import NodeProcess
from plain_client import PlainClient
from ros_gym_bridge.config import load_robot
from ros_gym_bridge.model import model_from_text, read_model
from ros_gym_bridge.ros.model_notes import about, about_all
from ros_gym_bridge.world_file import world_of

INERTIAL = (
    '<inertial><mass value="1"/><inertia ixx="0.1" ixy="0" ixz="0" iyy="0.1" iyz="0" izz="0.1"/></inertial>'
    '<collision><geometry><sphere radius="0.1"/></geometry></collision>'
)
ARM = f"""<robot name="bent"><link name="base">{INERTIAL}</link>
<joint name="turn" type="revolute"><parent link="base"/><child link="arm"/><axis xyz="{{axis}}"/>
<limit lower="-1" upper="1" velocity="2" effort="30"/></joint><link name="arm">{{arm}}</link></robot>
"""
BENT = ARM.format(axis="0 0 2", arm="")
REMARKS = (
    "Model 'bent': joint 'turn': its axis has the length 2, which PyBullet takes for a gear; it is made 1; "
    "Write 0 0 1. link 'arm': no inertia is stated; PyBullet makes it 1 kg, with moments of 1 kg m^2; Add <inertial>."
)
ROBOT = """name: bent
model: {file: bent.urdf}
rates: {physics_hz: 500, control_hz: 25}
joints: [{name: turn}]
actuators: [{name: arm, joints: [turn]}]
scene:
  - {name: one, file: bent.urdf, position: [1, 0, 1]}
  - {name: two, file: bent.urdf, position: [2, 0, 1]}
"""


def test_nothing_is_said_of_a_sound_model() -> None:
    assert about(model_from_text(ARM.format(axis="0 0 1", arm=INERTIAL))) == ""
    for name in ("panda", "rover"):
        assert list(about_all(world_of(load_robot(name)))) == []


def test_what_is_said_of_an_odd_one(tmp_path: Path) -> None:
    path = tmp_path / "bent.urdf"
    path.write_text(BENT)
    assert about(model_from_text(BENT)) == REMARKS, "a text lies nowhere"
    assert about(read_model(path)) == f"{REMARKS} All of it: ros-gym-bridge describe {path}"


@pytest.mark.parametrize(("joints", "more"), [(3, ""), (4, " 1 more remark."), (9, " 6 more remarks.")])
def test_three_remarks_are_enough(joints: int, more: str) -> None:
    links = "".join(f'<link name="l{i}">{INERTIAL}</link>' for i in range(joints + 1))
    axes = "".join(
        f'<joint name="j{i}" type="continuous"><parent link="l0"/><child link="l{i + 1}"/><axis xyz="0 0 3"/></joint>'
        for i in range(joints)
    )
    text = about(model_from_text(f'<robot name="r">{links}{axes}</robot>'))
    assert text.count("its axis has the length 3") == 3
    assert text.removeprefix("Model 'r':").endswith(f"Write 0 0 1.{more}")


def test_a_long_remark_is_cut() -> None:
    names = " ".join(f"joint_{i}" for i in range(100))
    model = model_from_text(f'<robot name="r"><link name="{names}">{INERTIAL}</link></robot>')
    assert about(model) == ""
    limit = f'<joint name="{names}" type="continuous"><parent link="a"/><child link="b"/><axis xyz="0 0 3"/></joint>'
    text = about(
        model_from_text(
            f'<robot name="r"><link name="a">{INERTIAL}</link><link name="b">{INERTIAL}</link>{limit}</robot>'
        )
    )
    assert len(text) < 260
    assert text.endswith(" ...")


def test_the_node_says_it_and_so_does_the_answer_to_a_spawn(
    sim_process: Callable[..., NodeProcess], client: Callable[..., PlainClient], tmp_path: Path
) -> None:
    (tmp_path / "bent.urdf").write_text(BENT)
    (tmp_path / "bent.yaml").write_text(ROBOT)
    node = sim_process(robot=tmp_path / "bent.yaml", mode="lockstep")
    said = node.log(r"WARN.*Model 'bent'")
    assert len(said) == 1, "once, though it stands there three times"
    assert said[0].endswith(f"{REMARKS} All of it: ros-gym-bridge describe {tmp_path}/bent.urdf")

    one = client()
    one.connect()
    spare = BENT.replace('"bent"', '"spare"')
    request = SpawnEntity.Request(name="first", resource_string=spare)
    answer = one.call(SpawnEntity, "spawn_entity", request)
    assert (answer.result.result, answer.entity_name) == (1, "first"), answer.result.error_message
    remarks = REMARKS.replace("'bent'", "'spare'")
    assert answer.result.error_message == remarks
    texts = (spare, spare, ARM.format(axis="0 0 1", arm=INERTIAL))
    wanted = [Wanted(name=f"more_{i}", entity_resource=Resource(resource_string=text)) for i, text in enumerate(texts)]
    answers = one.call(SpawnEntities, "spawn_entities", SpawnEntities.Request(spawn_requests=wanted))
    assert answers.result.result == 1
    assert [each.result.error_message for each in answers.results] == [remarks, remarks, ""]
    assert len(node.log(r"WARN.*Model 'spare'")) == 1
