"""What is wrong in a URDF and can only mean one thing: corrected for everybody, and said."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from ros_gym_bridge.model import RobotModel, description, read_model
from test_model import SOUND

AXIS = '<axis xyz="0 1 0"/>'
LIMIT = '<limit lower="-1.5" upper="2.5" velocity="3" effort="40"/>'
TURN = '<mimic joint="slide"'

# what is replaced in SOUND, by what; the note; and what it then says in the file
# fmt: off
CASES = [
    ('<robot name="sound">', "<robot>",
     "the robot has no name; it is called 'robot'; Write <robot name=\"...\">.", '<robot name="robot">'),
    ('<joint name="turn"', "<joint",
     "joint 'cart_to_tip': it has no name; this one was made; Write <joint name=\"...\">.",
     '<joint type="continuous" name="cart_to_tip">'),
    ('<joint name="turn"', '<joint name=""',
     "joint 'cart_to_tip': it has no name; this one was made; Write <joint name=\"...\">.",
     '<joint name="cart_to_tip" type="continuous">'),
    ('<material name="grey"/>', '<material><color rgba="1 0 0 1"/></material>',
     "link 'cart': a material has no name; it is called 'cart_material'; Write <material name=\"...\">.",
     '<material name="cart_material">'),
    (AXIS, "",
     "joint 'slide': it has no axis; it moves about 1 0 0, the URDF's default; Write <axis xyz=\"...\"/>.",
     '<axis xyz="1 0 0" />'),
    (AXIS, '<axis xyz="0 3 4"/>',
     "joint 'slide': its axis has the length 5, which PyBullet takes for a gear; it is made 1; Write 0 0.6 0.8.",
     '<axis xyz="0 0.59999999999999998 0.80000000000000004" />'),
    ("1 2 3", "1, 2,3",
     "joint 'slide': <origin xyz> is '1, 2,3'; it is read as '1 2 3'; Write 3 numbers with spaces between them.",
     'xyz="1 2 3"'),
    ("0.1 0.2 0.3", "0.1 0.2 0.3 0",
     "joint 'slide': <origin rpy> is '0.1 0.2 0.3 0'; it is read as '0.1 0.2 0.3'; "
     "Write 3 numbers with spaces between them.", 'rpy="0.1 0.2 0.3"'),
    ("1 2 3", "1&#9;2 3",
     "joint 'slide': <origin xyz> is '1\\t2 3'; it is read as '1 2 3'; Write 3 numbers with spaces between them.",
     'xyz="1 2 3"'),
    ("1 2 3", "1 2\n 3",
     "'xyz=\"1 2\\n 3\"' has tabs or line breaks, which PyBullet reads as 0 0 0; spaces are put in; "
     "Write it on one line, with spaces.", 'xyz="1 2  3"'),
    ('<link name="foot"/>', f'<link name="foot"/>{" " * 9000}',
     "line 37 has more than 8000 bytes, where PyBullet would cut it; line breaks are put in; "
     "Put line breaks between the elements.", '<link name="foot" />\n</robot>'),
    (' effort="40"', "",
     "joint 'slide': <limit> without effort, which URDF requires; 0 is put in; Add effort.",
     '<limit lower="-1.5" upper="2.5" velocity="3" effort="0" />'),
    (' velocity="3"', "",
     "joint 'slide': <limit> without velocity, which URDF requires; 0 is put in; Add velocity.",
     '<limit lower="-1.5" upper="2.5" effort="40" velocity="0" />'),
    (' lower="-1.5"', "",
     "joint 'slide': its range is not stated in full; what is missing is 0, the URDF's default; Write lower and upper.",
     '<limit upper="2.5" velocity="3" effort="40" lower="0" />'),
    (TURN, '<limit lower="1" upper="2" velocity="3" effort="4"/>' + TURN,
     "joint 'turn': it is continuous and has a range, which PyBullet would keep; the range is left out; "
     "Make it revolute, or remove lower and upper.", '<limit velocity="3" effort="4" />'),
    (f'type="continuous">\n    <parent link="cart"/>\n    <child link="tip"/>\n    <axis xyz="0 0 -1"/>\n    {TURN}',
     f'type="revolute">\n    <parent link="cart"/>\n    <child link="tip"/>\n    <axis xyz="0 0 -1"/>\n'
     f'    <limit velocity="3" effort="4"/>{TURN}',
     "joint 'turn': it is revolute without a range; it is made continuous; Write lower and upper.",
     '<joint name="turn" type="continuous">'),
    ('<dynamics damping="0.1"/>', "<dynamics/>",
     "joint 'slide': <dynamics> says neither damping nor friction; it is left out; Remove it.",
     "effort=\"40\" />\n  </joint>"),
    ('ixy="0" ixz="0" iyy="0.2" iyz="0"', 'iyy="0.2"',
     "link 'cart': <inertia> without ixy, ixz, iyz; they are taken as 0; Write them.",
     '<inertia ixx="0.1" iyy="0.2" izz="0.3" ixy="0" ixz="0" iyz="0" />'),
]
# fmt: on


def model(text: str, folder: Path) -> RobotModel:
    path = folder / "robot.urdf"
    path.write_text(text, encoding="utf-8")
    return read_model(path)


@pytest.mark.parametrize(("old", "new", "note", "result"), CASES)
def test_corrections(old: str, new: str, note: str, result: str, tmp_path: Path) -> None:
    assert old in SOUND
    robot = model(SOUND.replace(old, new, 1), tmp_path)
    assert [str(each) for each in robot.notes] == [note]
    assert result in robot.text
    assert description(robot) == robot.text, "everybody reads the same"
    again = model(robot.text, tmp_path)
    assert again.notes == ()
    assert (again.links, again.joints) == (robot.links, robot.joints)


def test_a_sound_file_is_left_as_it_is(tmp_path: Path) -> None:
    robot = model(SOUND, tmp_path)
    assert robot.notes == ()
    assert robot.text == SOUND


def test_names_that_are_made_are_free(tmp_path: Path) -> None:
    text = SOUND.replace('<joint name="turn"', "<joint").replace('name="bolt"', 'name="cart_to_tip"')
    assert [joint.name for joint in model(text, tmp_path).joints] == ["slide", "cart_to_tip_2", "cart_to_tip"]


def test_what_stands_before_and_after_the_xml_is_dropped(tmp_path: Path) -> None:
    robot = model(f"\ufeff\n  {SOUND}\0", tmp_path)
    assert (robot.text, robot.notes) == (SOUND, ())


def test_several_corrections_at_once_make_one_file(tmp_path: Path) -> None:
    text = SOUND.replace(AXIS, "").replace("1 2 3", "1,2,3").replace('<robot name="sound">', "<robot>")
    robot = model(text, tmp_path)
    assert len(robot.notes) == 4  # the box has "1 2 3", too
    ElementTree.fromstring(robot.text)
    assert model(robot.text, tmp_path).notes == ()
