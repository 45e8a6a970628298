"""Package of the ament_python build type: `colcon build` and `pip install` both use it."""

from pathlib import Path

from setuptools import find_packages, setup

NAME = "ros_gym_bridge"
SHARE = Path("share") / NAME


def data_files():
    """Every shared file with the folder that `ros2 launch` and the library look for it in."""
    yield "share/ament_index/resource_index/packages", [f"resource/{NAME}"]
    yield str(SHARE), ["package.xml"]
    for top in ("config", "launch", "urdf"):
        for folder in [Path(top), *(path for path in sorted(Path(top).rglob("*")) if path.is_dir())]:
            files = [str(path) for path in sorted(folder.glob("*")) if path.is_file() and path.suffix != ".pyc"]
            if files:
                yield str(SHARE / folder), files


setup(
    name=NAME,
    version="0.1.0",
    description="One robot for Gymnasium, PyBullet and ROS 2",
    license="Apache-2.0",
    maintainer="ros_gym_bridge maintainers",
    maintainer_email="maintainers@ros-gym-bridge.example",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["py.typed", "**/*.xml", "**/*.yaml"]},
    data_files=list(data_files()),
    python_requires=">=3.10",
    install_requires=[
        "setuptools",
        "gymnasium>=1.0",
        "numpy",
        "pillow",
        "pybullet>=3.2.7",
        "pydantic>=2",
        "PyYAML",
        "rich",
        "typer",
        "xacro",
    ],
    extras_require={
        "plot": ["matplotlib"],
        "test": ["hypothesis", "playwright", "pytest", "pytest-rerunfailures", "pytest-xdist"],
        "view": ["pycollada", "trimesh", "viser>=1.1"],
    },
    zip_safe=False,
    entry_points={
        "console_scripts": [
            f"ros-gym-bridge = {NAME}.cli:main",
            f"sim_node = {NAME}.ros.sim_node:main",
            f"agent_node = {NAME}.ros.agent_node:main",
            f"safety_node = {NAME}.ros.safety_node:main",
        ],
    },
)
