"""What stands in the page's three-dimensional view: a grid, the robot, what its sensors see."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.view.description import Description, Visual
from ros_gym_bridge.view.frames import Matrix, wxyz
from ros_gym_bridge.view.meshes import GREY, Mesh
from ros_gym_bridge.view.readings import Points
from ros_gym_bridge.view.server import Server

_FIELD_OF_VIEW = 0.7  # rad, from top to bottom
_FROM = np.array([0.75, -0.55, 0.36])  # where the eye is, seen from the robot
_PALETTE = ((224, 49, 49), (25, 113, 194), (47, 158, 68), (232, 89, 12), (156, 54, 181), (12, 133, 153))


class Stage:
    """Draws in viser's scene; sends what has changed, and nothing else.

    Args:
        server: the page's.
    """

    def __init__(self, server: Server) -> None:
        self._server, self._scene = server, server.scene
        self._links: dict[str, Any] = {}
        self._drawn: dict[str, Matrix] = {}
        self._corners: dict[str, list[npt.NDArray[np.float64]]] = {}
        self._things: dict[str, Any] = {}
        self._colours = itertools.cycle(_PALETTE)
        self._axes = False
        self._size = 1.0
        self._scene.world_axes.visible = False
        self._scene.add_grid(
            "/grid", infinite_grid=True, fade_distance=12.0, cell_size=0.25, cell_color=(225, 228, 232),
            section_color=(190, 196, 204), shadow_opacity=0.2,
        )  # fmt: skip
        server.initial_camera.fov = _FIELD_OF_VIEW

    # --- the robot

    def robot(self, description: Description) -> Iterator[str]:
        """Draw another robot in place of the one before, one shape for each step of the iteration.

        Yields:
            What could not be drawn, in words; empty for a shape that could.
        """
        if self._links:
            self._scene.remove_by_name("/robot")
        self._drawn, self._corners, meshes = {}, {}, dict[str, Mesh | ModelError]()
        names = {link: f"/robot/{number}" for number, link in enumerate(description.links)}
        length = 0.1
        self._links = {
            link: self._scene.add_frame(name, self._axes, axes_length=length, axes_radius=0.04 * length)
            for link, name in names.items()
        }
        for link, visuals in description.visuals.items():
            for number, visual in enumerate(visuals):
                try:
                    corners = self._shape(f"{names[link]}/{number}", visual, meshes)
                except ModelError as error:
                    yield f"link '{link}': {error}"
                else:
                    self._corners.setdefault(link, []).append(corners)
                    yield ""

    def _shape(self, name: str, visual: Visual, meshes: dict[str, Mesh | ModelError]) -> npt.NDArray[np.float64]:
        """Draw one; the corners of the box around it, `(8, 3)`, m in the link's frame."""
        place: dict[str, Any] = {"position": visual.origin[:3, 3], "wxyz": wxyz(visual.origin)}
        if visual.kind == "mesh":
            mesh = _mesh(visual.file, meshes)
            self._scene.add_glb(name, mesh.glb(visual.colour), scale=_three(visual.size), **place)
            box = mesh.corners * np.array(visual.size)
        else:
            red, green, blue, opacity = visual.colour or GREY
            looks = {"color": (red, green, blue), "opacity": opacity if opacity < 1.0 else None, **place}
            box = self._primitive(name, visual, looks)
        corners = np.array(list(itertools.product(*box.T)))
        return np.asarray(corners @ visual.origin[:3, :3].T + visual.origin[:3, 3])

    def _primitive(self, name: str, visual: Visual, looks: dict[str, Any]) -> npt.NDArray[np.float64]:
        """Lower and upper corner of the shape, `(2, 3)`."""
        if visual.kind == "box":
            self._scene.add_box(name, dimensions=_three(visual.size), **looks)
            half = np.array(visual.size) / 2
        elif visual.kind == "sphere":
            self._scene.add_icosphere(name, radius=visual.size[0], **looks)
            half = np.full(3, visual.size[0])
        else:
            radius, length = visual.size
            self._scene.add_cylinder(name, radius=radius, height=length, radial_segments=48, **looks)
            half = np.array([radius, radius, length / 2])
            if visual.kind == "capsule":
                half[2] += radius
                colours = {key: looks[key] for key in ("color", "opacity")}
                for end in (-length / 2, length / 2):
                    self._scene.add_icosphere(f"{name}/{end:+}", radius=radius, position=(0, 0, end), **colours)
        return np.array([-half, half])

    def pose(self, links: Mapping[str, Matrix]) -> None:
        """Put the links where they are now."""
        for link, pose in links.items():
            drawn = self._drawn.get(link)
            if drawn is None or np.abs(drawn - pose).max() > 1e-6:
                self._drawn[link] = pose
                _move(self._links[link], pose)

    def show_axes(self, shown: bool) -> None:
        """Show the frames of the links, or not."""
        self._axes = shown
        for handle in self._links.values():
            handle.show_axes = shown

    def look(self) -> None:
        """Turn every eye on the robot as it was drawn last, and make the frames fit its size."""
        poses = [(self._drawn[link], corners) for link, each in self._corners.items() for corners in each]
        points = [corners @ pose[:3, :3].T + pose[:3, 3] for pose, corners in poses]
        if not points:
            return
        low, high = np.vstack(points).min(axis=0), np.vstack(points).max(axis=0)
        centre, radius = (low + high) / 2, max(float(np.linalg.norm(high - low)) / 2, 0.05)
        self._size = radius
        for handle in self._links.values():
            handle.axes_length, handle.axes_radius, handle.origin_radius = 0.25 * radius, 0.006 * radius, 0.01 * radius
        eye = centre + _FROM / np.linalg.norm(_FROM) * 1.15 * radius / math.sin(_FIELD_OF_VIEW / 2)
        cameras: list[Any] = [client.camera for client in self._server.get_clients().values()]
        for camera in (self._server.initial_camera, *cameras):
            camera.position, camera.look_at, camera.fov = eye, centre, _FIELD_OF_VIEW

    # --- what sensors see

    def points(self, name: str, points: Points, colours: npt.NDArray[np.uint8] | None, pose: Matrix) -> None:
        """Points, m, in a frame that stands at `pose`; `name` tells one sensor from another."""
        handle = self._things.get(name)
        if handle is None:
            handle = self._things[name] = self._scene.add_point_cloud(
                f"/sensors/{len(self._things)}",
                points,
                next(self._colours) if colours is None else colours,
                point_size=0.015,
                point_shape="circle",
                precision="float32",
            )
        else:
            handle.points = points
            if colours is not None:
                handle.colors = colours
        handle.visible = len(points) > 0
        _move(handle, pose)

    def axes(self, name: str, pose: Matrix) -> None:
        """A frame with its name."""
        handle = self._things.get(name)
        if handle is None:
            node, length = f"/sensors/{len(self._things)}", 0.2 * self._size
            handle = self._things[name] = self._scene.add_frame(node, axes_length=length, axes_radius=0.04 * length)
            self._scene.add_label(f"{node}/name", name)
        handle.visible = True
        _move(handle, pose)

    def hide(self, name: str) -> None:
        """Take a sensor's things out of sight, until it is heard again."""
        if name in self._things:
            self._things[name].visible = False


def _mesh(file: str, meshes: dict[str, Mesh | ModelError]) -> Mesh:
    """Every file is read once, and missed once for each link that names it."""
    if file not in meshes:
        try:
            meshes[file] = Mesh(file)
        except ModelError as error:
            meshes[file] = error
    found = meshes[file]
    if isinstance(found, ModelError):
        raise found
    return found


def _move(handle: Any, pose: Matrix) -> None:
    handle.position, handle.wxyz = pose[:3, 3], wxyz(pose)


def _three(values: tuple[float, ...]) -> tuple[float, float, float]:
    x, y, z = values
    return x, y, z
