"""One tree of frames, whoever publishes it: the simulation node alone, or together with robot_state_publisher."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from conftest import NodeProcess
from plain_client import LATCHED, PlainClient
from ros_gym_bridge.paths import share_directory

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]
ROBOTS = share_directory() / "config" / "robots"


def robot_file(folder: Path, name: str, change: Callable[[dict[str, Any]], object]) -> Path:
    """A robot file that comes with the package, changed."""
    content = yaml.safe_load((ROBOTS / f"{name}.yaml").read_text(encoding="utf-8"))
    file = content["model"]["file"]
    content["model"]["file"] = file if "://" in file else str((ROBOTS / file).resolve())
    change(content)
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def without_a_joint(content: dict[str, Any]) -> None:
    """A joint that the URDF has and `joint_states` does not."""
    del content["joints"][-1], content["actuators"][-1]["joints"][-1]


def afloat(content: dict[str, Any]) -> None:
    content["model"]["fixed_base"] = False


def parents(messages: list[TFMessage]) -> set[tuple[str, str]]:
    """Pairs of child and parent."""
    return {(t.child_frame_id, t.header.frame_id) for message in messages for t in message.transforms}


def derived(urdf: str, named: set[str]) -> set[tuple[str, str]]:
    """What robot_state_publisher publishes, by its documentation: fixed joints always, movable ones when a message on
    `joint_states` names them or the joint that they mimic."""
    pairs = set()
    for joint in ElementTree.fromstring(urdf).findall("joint"):
        mimic = joint.find("mimic")
        follows = mimic is not None and mimic.attrib["joint"] in named
        if joint.attrib["type"] == "fixed" or joint.attrib["name"] in named or follows:
            child, parent = (joint.find(end) for end in ("child", "parent"))
            assert child is not None
            assert parent is not None
            pairs.add((child.attrib["link"], parent.attrib["link"]))
    return pairs


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    ("name", "change"),
    [("panda", None), ("arm", None), ("cartpole", None), ("arm", without_a_joint), ("arm", afloat)],
)
def test_every_link_has_one_parent_and_hangs_on_the_world(
    sim_process: Start,
    client: Make,
    tmp_path: Path,
    name: str,
    change: Callable[[dict[str, Any]], object] | None,
    together: bool,
) -> None:
    robot = robot_file(tmp_path, name, change) if change else name
    sim_process(robot=robot, mode="realtime", robot_state_publisher=together)
    stranger = client()
    moving, fixed = stranger.hear(TFMessage, "/tf"), stranger.hear(TFMessage, "/tf_static", LATCHED)
    urdf = stranger.hear(String, "robot_description", LATCHED)
    stranger.connect()
    stranger.until(lambda: urdf, "the description")
    links = {link.attrib["name"] for link in ElementTree.fromstring(urdf[0].data).findall("link")}
    others = derived(urdf[0].data, set(stranger.states[-1].name)) if together else set()
    stranger.until(lambda: len(parents(moving + fixed) | others) >= len(links), "a parent for every link")
    stranger.listen(0.3)  # for more than one
    ours = parents(moving + fixed)
    assert not {child for child, _ in ours} & {child for child, _ in others}
    tree = dict(ours | others)
    assert len(tree) == len(ours | others)  # nobody has two parents
    assert tree.keys() == links
    for link in links:
        for _ in links:
            link = tree.get(link, link)
        assert link == "world"
    assert all(message.transforms for message in moving + fixed)


def test_off_means_off(sim_process: Start, client: Make) -> None:
    sim_process(robot="arm", mode="realtime", publish_tf=False, robot_state_publisher=True)
    stranger = client()
    stranger.connect()
    topics = [name for name, _ in stranger.node.get_topic_names_and_types()]
    assert "/joint_states" in topics
    assert not {"/tf", "/tf_static"} & set(topics)
