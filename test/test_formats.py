"""Xacro, SDF and MJCF become URDF in a process of their own: formats, limits, and what is remembered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.errors import MissingDependencyError, ModelError, RobotFileError
from ros_gym_bridge.formats import convert
from ros_gym_bridge.model import model_from_text, read_model

XACRO = """<?xml version="1.0"?>
<robot name="two" xmlns:xacro="http://www.ros.org/wiki/xacro">
  <xacro:arg name="length" default="1.5"/>
  <xacro:arg name="with_tip" default="true"/>
  <link name="base"/><link name="arm"/>
  <joint name="elbow" type="continuous">
    <parent link="base"/><child link="arm"/><origin xyz="0 0 $(arg length)"/><axis xyz="0 1 0"/>
  </joint>
  <xacro:if value="$(arg with_tip)"><xacro:include filename="tip.xacro"/><xacro:tip on="arm"/></xacro:if>
</robot>
"""
TIP = """<robot xmlns:xacro="http://www.ros.org/wiki/xacro">
  <xacro:macro name="tip" params="on">
    <link name="tip"/>
    <joint name="to_tip" type="fixed"><parent link="${on}"/><child link="tip"/></joint>
  </xacro:macro>
</robot>
"""
HEAD = '<robot name="r" xmlns:xacro="http://www.ros.org/wiki/xacro">'
SDF = '<sdf version="1.9"><model name="ball"><link name="ball"/></model></sdf>'
MJCF = '<mujoco model="ball"><worldbody><body name="ball"><freejoint/><geom size="0.1"/></body></worldbody></mujoco>'
URDF = '<robot name="ball"><link name="ball"/></robot>'


@pytest.fixture
def xacro(tmp_path: Path) -> Path:
    (tmp_path / "tip.xacro").write_text(TIP)
    path = tmp_path / "two.urdf.xacro"
    path.write_text(XACRO)
    return path


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were really converted, since the start of the test."""
    convert._known.clear()
    done: list[str] = []
    real = convert._converted

    def counted(source: Any) -> Any:
        done.append(source.where)
        return real(source)

    monkeypatch.setattr(convert, "_converted", counted)
    return done


def refused(text: str, **more: Any) -> str:
    with pytest.raises(ModelError) as caught:
        model_from_text(text, **more)
    return str(caught.value)


# ------------------------------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("text", "format"),
    [(URDF, "urdf"), (SDF, "sdf"), (MJCF, "mjcf"), (HEAD + '<link name="${1 + 1}"/></robot>', "xacro")],
)
def test_the_format_is_seen_from_the_text(text: str, format: str) -> None:
    model = model_from_text(text)
    assert (model.format, len(model.links), model.folder) == (format, 1, None)


def test_an_ending_says_that_it_is_a_xacro(tmp_path: Path) -> None:
    path = tmp_path / "ball.xacro"
    path.write_text(URDF)
    assert read_model(path).format == "xacro"


def test_a_xacro_may_make_an_sdf(tmp_path: Path) -> None:
    path = tmp_path / "ball.sdf.xacro"
    path.write_text(SDF.replace("<sdf", '<sdf xmlns:xacro="http://www.ros.org/wiki/xacro"'))
    assert read_model(path).links == ("ball",)


def test_other_xml_is_refused() -> None:
    assert refused("<collada/>", name="duck") == (
        "duck: no model in a known format; got <collada>; expected <robot>, <sdf> or <mujoco> outermost; "
        "Name a URDF, a xacro, an SDF or an MJCF file."
    )
    assert refused(URDF, format="sdf") == "model: not an SDF; got <robot>; expected <sdf> outermost."
    assert refused(URDF, format="mjcf") == "model: not MJCF; got <robot>; expected <mujoco> outermost."
    assert refused(SDF, format="urdf") == (
        "model: not a URDF; got <sdf>; expected <robot> outermost; Name a URDF, a xacro, an SDF or an MJCF file."
    )


def test_a_urdf_holds_no_macros() -> None:
    assert refused(f'{HEAD}<link name="ball"/><xacro:tip/></robot>', format="urdf") == (
        "model: still holds xacro macros; expected a plain URDF; "
        "Let its name end in .xacro, or expand it: xacro FILE > robot.urdf."
    )


def test_what_belongs_to_another_format_is_refused() -> None:
    assert refused(URDF, arguments=[("a", "1")]) == (
        "model: arguments for a file that is no xacro; got {'a': '1'}; "
        "Remove them, or let the file's name end in .xacro."
    )
    assert refused(URDF, model_name="ball") == (
        "model: model_name for a URDF; got 'ball'; Remove it: a URDF holds one model."
    )


@pytest.mark.parametrize("kind", ["sdf", "mjcf"])
def test_one_of_several_models_is_chosen(kind: str) -> None:
    body = "<body name='{0}'><joint name='{0}_joint'/><geom size='0.1'/></body><body name='{0}_stand'/>"
    sdf = (
        "<model name='{0}'><link name='a'/><link name='b'/><joint name='j' type='revolute'><parent>a</parent>"
        "<child>b</child></joint></model><model name='{0}_stand'><link name='c'/></model>"
    )
    start, part, end = {
        "sdf": ("<sdf version='1.9'><world name='w'>", sdf, "</world></sdf>"),
        "mjcf": ("<mujoco><worldbody>", body, "</worldbody></mujoco>"),
    }[kind]
    one, two = (start + "".join(part.format(name) for name in names) + end for names in (["x"], ["x", "y"]))
    assert len(model_from_text(one).movable) == 1, "the only one that moves"
    assert len(model_from_text(two, model_name="y").movable) == 1
    assert model_from_text(two, model_name="x_stand").movable == ()
    assert refused(two) == (
        "model: several models; got 'x', 'x_stand', 'y', 'y_stand'; expected one of them to be chosen; "
        "Say which: model_name: x."
    )
    assert refused(two, model_name="z") == (
        "model: no such model; got 'z'; expected one of 'x', 'x_stand', 'y', 'y_stand'; Correct model_name."
    )
    assert refused(start + end) == "model: no model in it; expected at least one; Name another file."


# --------------------------------------------------------------------------------------------------------------- xacro


def test_arguments_reach_the_xacro(xacro: Path) -> None:
    assert read_model(xacro).joint("elbow").xyz == (0.0, 0.0, 1.5)
    assert read_model(xacro).links == ("base", "arm", "tip")
    changed = read_model(xacro, [("length", "2"), ("with_tip", "false")])
    assert (changed.joint("elbow").xyz, changed.links) == ((0.0, 0.0, 2.0), ("base", "arm"))


def test_an_argument_that_nobody_asks_for_is_refused(xacro: Path) -> None:
    with pytest.raises(ModelError) as caught:
        read_model(xacro, [("lenght", "2")])
    assert str(caught.value) == (
        f"{xacro}: no such argument; got 'lenght'; expected length, with_tip; Correct its name, or remove it."
    )


def test_a_robot_file_gives_arguments_and_they_are_checked(xacro: Path) -> None:
    path = xacro.parent / "two.yaml"
    text = (
        "name: two\nmodel: {file: two.urdf.xacro, arguments: {length: 2, with_tip: false}}\n"
        "rates: {physics_hz: 500, control_hz: 50}\njoints: [{name: elbow, velocity: 3.0}]\n"
        "actuators: [{name: arm, interface: velocity, joints: [elbow]}]\n"
    )
    path.write_text(text)
    assert load_robot(path).model.joint("elbow").xyz == (0.0, 0.0, 2.0)
    assert load_robot(path).model.links == ("base", "arm")
    path.write_text(text.replace("false", "[false]"))
    with pytest.raises(RobotFileError) as caught:
        load_robot(path)
    assert str(caught.value) == (
        f"{path}: model.arguments.with_tip; got [False]; expected text, a number, true or false; "
        "Change the value of 'model.arguments.with_tip'."
    )
    path.write_text(text.replace("length", "size"))
    with pytest.raises(RobotFileError) as caught:
        load_robot(path)
    assert str(caught.value) == (
        f"{path}: model.file: {xacro}: no such argument; got 'size'; expected length, with_tip; "
        "Correct its name, or remove it."
    )


def test_packages_are_found_as_for_urdf(xacro: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share = tmp_path / "install" / "share" / "tips"
    share.mkdir(parents=True)
    (share / "tip.xacro").write_text(TIP)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "install"))
    text = XACRO.replace('"tip.xacro"', '"$(find tips)/tip.xacro"')
    assert model_from_text(text).links == ("base", "arm", "tip")
    assert refused(text.replace("tips", "tops"), name="arm") == (
        f"arm: the package of $(find tops) was not found; expected one of {tmp_path}/install/share/tops; "
        "Install 'tops', or source the workspace that holds it."
    )


def test_a_text_without_a_folder_includes_nothing_by_a_relative_name(xacro: Path) -> None:
    assert model_from_text(XACRO, folder=xacro.parent).links == ("base", "arm", "tip")
    assert refused(XACRO) == (
        "model: xacro cannot expand it; got No such file or directory: tip.xacro [Errno 2] No such file or directory: "
        "'tip.xacro'; expected a xacro that includes by absolute path or $(find PACKAGE): given as text, it lies in no "
        "folder; Correct it; see https://github.com/ros/xacro/wiki."
    )


def test_what_xacro_says_is_handed_on() -> None:
    assert refused(HEAD + "<xacro:no_macro/></robot>", folder=Path("/")) == (
        "model: xacro cannot expand it; got unknown macro name: xacro:no_macro; expected a xacro file; "
        "Correct it; see https://github.com/ros/xacro/wiki."
    )


def test_an_included_file_with_entities_is_refused(xacro: Path) -> None:
    (xacro.parent / "tip.xacro").write_text(f'<!DOCTYPE r [<!ENTITY a "b">]>{TIP}')
    with pytest.raises(ModelError) as caught:
        read_model(xacro)
    assert str(caught.value) == (
        f"{xacro}: it includes a file with a document type; expected no <!DOCTYPE>, which can hide entities; "
        "Remove it, and write out what its entities say."
    )


DOUBLING = "".join(
    f'<xacro:macro name="m{i}"><xacro:m{i - 1}/><xacro:m{i - 1}/></xacro:macro>' for i in range(1, 60)
)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (f'<xacro:macro name="m0"><link name="a"/></xacro:macro>{DOUBLING}<xacro:m59/>', "takes too long"),
        ('<link name="${9**9**9}"/>', "takes too long; got more than 1 s of computing"),
        ("<link name=\"${'a' * 20_000_000}\"/>", "makes too much text"),
    ],
)
def test_a_xacro_that_explodes_is_stopped(body: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "COMPUTING_S", 1)
    said = refused(f"{HEAD}{body}</robot>")
    assert said.startswith(f"model: its conversion {'' if 'makes' in what else 'to URDF '}{what}")
    assert said.endswith("; Simplify the model; a macro may be calling itself.")


def test_a_conversion_has_a_share_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "MEMORY", 50_000_000)
    said = refused(f"{HEAD}<link name=\"${{len('a' * 200_000_000)}}\"/></robot>")
    assert said == "model: its conversion makes too much memory; Simplify the model; a macro may be calling itself."


def test_a_macro_that_calls_itself_is_refused() -> None:
    said = refused(f'{HEAD}<xacro:macro name="m"><xacro:m/></xacro:macro><xacro:m/></robot>')
    assert "recursion" in said


def test_a_conversion_that_crashes_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = tmp_path / "python"
    crash.write_text("#!/bin/sh\necho 'no more' >&2\nkill -SEGV $$\n")
    crash.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crash))
    assert refused(SDF.replace("ball", "crash")) == (
        "model: its conversion to URDF crashed; got signal SIGSEGV: no more; "
        "Look for what is unusual in the file, and simplify it."
    )


def test_without_xacro_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xacro.py").write_text("raise ImportError('xacro is not here')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with pytest.raises(MissingDependencyError) as caught:
        model_from_text(f'{HEAD}<link name="${{2 + 3}}"/></robot>')
    assert str(caught.value) == (
        "model: a xacro needs the package xacro; got xacro is not here; "
        "Install it: pip install xacro, or apt install ros-DISTRO-xacro."
    )


# ---------------------------------------------------------------------------------------------------------- remembered


def test_the_same_source_is_converted_once(xacro: Path, conversions: list[str]) -> None:
    first, second = read_model(xacro), read_model(xacro)
    assert first == second
    read_model(xacro, [("length", "2")])
    assert conversions == [str(xacro)] * 2


def test_a_change_of_the_file_or_of_what_it_includes_is_seen(xacro: Path, conversions: list[str]) -> None:
    read_model(xacro)
    tip = xacro.parent / "tip.xacro"
    tip.write_text(TIP.replace('"tip"/>', '"tip"/><!-- longer -->').replace("to_tip", "towards_tip"))
    assert [joint.name for joint in read_model(xacro).joints] == ["elbow", "towards_tip"]
    xacro.write_text(XACRO.replace("1.5", "1.75"))
    assert read_model(xacro).joint("elbow").xyz == (0.0, 0.0, 1.75)
    assert len(conversions) == 3


def test_no_more_is_remembered_than_needed(conversions: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "_REMEMBERED", 2)
    for name in ("one", "two", "three", "one"):
        model_from_text(SDF.replace("ball", name))
    assert len(conversions) == 4
    assert len(convert._known) == 2


def test_reading_a_urdf_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a process was started"))
    assert model_from_text(URDF).links == ("ball",)
