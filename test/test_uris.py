"""Where the files lie that robot files and URDFs name."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.paths import share_directory
from ros_gym_bridge.uris import resolve_mesh, resolve_uri


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two prefixes of an ament index: the first lacks the package, the second has it."""
    for name in ("first/share/other", "second/share/robots/meshes", "second/share/robots/urdf"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "second/share/robots/meshes/a.obj").write_text("v 0 0 0\n")
    (tmp_path / "second/share/robots/urdf/r.urdf").write_text("<robot/>")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    return tmp_path


def test_paths(workspace: Path) -> None:
    share = workspace / "second/share/robots"
    assert resolve_uri("urdf/r.urdf", share) == share / "urdf/r.urdf"
    assert resolve_uri("../urdf/r.urdf", share / "meshes") == share / "urdf/r.urdf"
    assert resolve_uri(str(share / "urdf/r.urdf"), Path("/")) == share / "urdf/r.urdf"
    assert resolve_uri((share / "urdf/r.urdf").as_uri(), Path("/")) == share / "urdf/r.urdf"
    with pytest.raises(ModelError) as caught:
        resolve_uri("none.urdf", share)
    assert str(caught.value) == (
        f"'none.urdf' was not found; expected a file 'none.urdf' under {share}; "
        "Correct the path, or put the file there."
    )


def test_file_uris_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a b ö.urdf"
    path.write_text("<robot/>")
    assert "%20" in path.as_uri()
    assert resolve_uri(path.as_uri(), Path("/")) == path


def test_packages(workspace: Path) -> None:
    assert resolve_uri("package://robots/urdf/r.urdf", Path("/")) == workspace / "second/share/robots/urdf/r.urdf"
    with pytest.raises(ModelError) as caught:
        resolve_uri("package://robot/urdf/r.urdf", Path("/"))
    folders = f"{workspace / 'first/share/robot'}, {workspace / 'second/share/robot'}"
    assert str(caught.value) == (
        f"'package://robot/urdf/r.urdf' was not found; expected a file 'urdf/r.urdf' under {folders}; "
        "Install 'robot', or source the workspace that holds it."
    )


def test_packages_without_a_ros_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    with pytest.raises(ModelError) as caught:
        resolve_uri("package://robots/r.urdf", Path("/"))
    assert str(caught.value) == (
        "'package://robots/r.urdf' was not found; expected a file 'r.urdf' under "
        "no folder at all (none is known for it); "
        "Install 'robots', or source the workspace that holds it."
    )


def test_our_own_package_is_found_without_a_ros_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    expected = share_directory() / "urdf" / "arm.urdf"
    assert resolve_uri("package://ros_gym_bridge/urdf/arm.urdf", Path("/")) == expected
    assert expected.is_file()


def test_pybullet_data() -> None:
    spec = find_spec("pybullet_data")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    root = Path(spec.submodule_search_locations[0])
    assert resolve_uri("pybullet_data://cube.urdf", Path("/")) == root / "cube.urdf"
    with pytest.raises(ModelError) as caught:
        resolve_uri("pybullet_data://none.urdf", Path("/"))
    assert str(caught.value) == (
        f"'pybullet_data://none.urdf' was not found; expected a file 'none.urdf' under {root}; "
        "Install pybullet, or correct the path."
    )


@pytest.mark.parametrize(
    ("uri", "rest"),
    [
        ("package://robots/../other/x.urdf", "../other/x.urdf"),
        ("package://robots/a/../../x.urdf", "a/../../x.urdf"),
        ("package://robots//etc/passwd", "/etc/passwd"),
        ("pybullet_data://../x.urdf", "../x.urdf"),
    ],
)
def test_no_way_out_of_a_package(uri: str, rest: str) -> None:
    with pytest.raises(ModelError) as caught:
        resolve_uri(uri, Path("/"))
    assert str(caught.value) == f"'{uri}' leaves its package; got {rest}; expected a path below it; Remove the '..'."


def test_unknown_scheme() -> None:
    with pytest.raises(ModelError) as caught:
        resolve_uri("http://host/r.urdf", Path("/"))
    assert str(caught.value) == (
        "unknown scheme in 'http://host/r.urdf'; got http://; expected a path, package://PACKAGE/PATH, "
        "pybullet_data://PATH or file:///PATH; Correct the URI."
    )


@pytest.mark.parametrize(
    "filename", ["a.obj", "package://a.obj", "model://a.obj", "package://meshes/a.obj", "package://robots/meshes/a.obj"]
)
def test_meshes_are_found_as_pybullet_finds_them(
    filename: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AMENT_PREFIX_PATH")
    mesh = workspace / "second/share/robots/meshes/a.obj"
    assert resolve_mesh(filename, workspace / "second/share/robots/meshes/deep") == mesh


def test_the_nearest_folder_wins(workspace: Path) -> None:
    share = workspace / "second/share/robots"
    (share / "a.obj").write_text("v 0 0 0\n")
    assert resolve_mesh("a.obj", share / "meshes") == share / "meshes/a.obj"
    assert resolve_mesh("a.obj", share / "urdf") == share / "a.obj"


def test_meshes_of_another_package_are_found_by_the_index(workspace: Path) -> None:
    mesh = workspace / "second/share/robots/meshes/a.obj"
    assert resolve_mesh("package://robots/meshes/a.obj", workspace / "first/share/other") == mesh
    assert resolve_mesh(str(mesh), Path("/")) == mesh
    assert resolve_mesh(f"file://{mesh}", Path("/")) == mesh


def test_a_missing_mesh_names_the_folders(workspace: Path) -> None:
    with pytest.raises(ModelError) as caught:
        resolve_mesh("package://robots/b.obj", workspace)
    index = f"{workspace / 'first/share/robots'}, {workspace / 'second/share/robots'}"
    above = ", ".join(map(str, [workspace, *workspace.parents]))
    assert str(caught.value) == (
        f"'package://robots/b.obj' was not found; expected a file 'robots/b.obj' under {above}, {index}; "
        "Put the file there, correct its name, or source the ROS 2 workspace of its package."
    )


@pytest.mark.parametrize(
    ("filename", "rest"),
    [
        ("package://robots/../other/a.obj", "../other/a.obj"),
        ("package://../../a.obj", "../../a.obj"),
        ("package:///etc/a.obj", "/etc/a.obj"),
        ("package://robots//etc/a.obj", "/etc/a.obj"),
        ("model://robots/x/../../a.obj", "x/../../a.obj"),
    ],
)
def test_no_mesh_from_outside_of_its_package(filename: str, rest: str, workspace: Path) -> None:
    with pytest.raises(ModelError) as caught:
        resolve_mesh(filename, workspace)
    assert str(caught.value) == (
        f"'{filename}' leaves its package; got {rest}; expected a path below it; Remove the '..'."
    )


def test_a_relative_mesh_may_lie_above_its_model(workspace: Path) -> None:
    mesh = workspace / "second/share/robots/meshes/a.obj"
    assert resolve_mesh("../meshes/a.obj", workspace / "second/share/robots/urdf") == mesh


def test_a_model_without_a_folder_names_its_meshes_in_full(workspace: Path) -> None:
    mesh = workspace / "second/share/robots/meshes/a.obj"
    for filename in (str(mesh), mesh.as_uri(), "package://robots/meshes/a.obj"):
        assert resolve_mesh(filename, None) == mesh
    for filename in ("a.obj", "../a.obj", "meshes/a.obj", "model://robots/meshes/a.obj"):
        with pytest.raises(ModelError) as caught:
            resolve_mesh(filename, None)
        assert str(caught.value) == (
            f"'{filename}' was not found; expected an absolute path, file:///PATH, or package://PACKAGE/PATH of an "
            "installed package: a model that is given as text lies in no folder; "
            "Write such a name, or give the model as a file."
        )
