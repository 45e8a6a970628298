"""What the documents say is true: generated pages are current, snippets run, links lead somewhere, tables agree."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter_tools import Process, running
from ros_gym_bridge import load_robot
from ros_gym_bridge.cli import app
from ros_gym_bridge.sim.sim_robot import SimRobot

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
COMMAND = Path(sys.executable).with_name("ros-gym-bridge")

# (the simulator that must run beside it, the text) of every Python block with imports: the others are excerpts
SNIPPETS = re.findall(r"(?:<!-- beside: ([^\n]+) -->\n)?```python\n(import .+?)```", README, re.DOTALL)


def test_generated_pages_are_current() -> None:
    command = [sys.executable, ROOT / "docs" / "generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_page_is_noticed(tmp_path: Path) -> None:
    """The check works on a copy in which one default differs from the code's."""
    for name in ("docs", "config", "urdf", "launch", "bench"):
        os.symlink(ROOT / name, tmp_path / name) if name != "docs" else (tmp_path / name).mkdir()
    for path in (ROOT / "docs").iterdir():
        if path.is_file():
            (tmp_path / "docs" / path.name).write_bytes(path.read_bytes())
    page = tmp_path / "docs" / "nodes.md"
    page.write_text(page.read_text().replace("| `-1` |", "| `7` |", 1))
    command = [sys.executable, tmp_path / "docs" / "generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "docs/nodes.md is stale; run: make docs\n")
    assert "| `7` |" in page.read_text(), "the check must not write"


def test_ten_lines_are_those_of_the_example() -> None:
    example = (ROOT / "examples" / "ten_lines.py").read_text(encoding="utf-8")
    code = example[example.index("import gymnasium") :]
    assert f"<!-- the same text as examples/ten_lines.py -->\n```python\n{code}```" in README


@pytest.fixture
def beside(request: pytest.FixtureRequest, domain_id: int) -> Iterator[None]:
    """The command that the README shows before a snippet, running."""
    if not request.param:
        yield
        return
    assert f"```bash\n{request.param}\n```" in README, "the reader is not told to start it"
    name, *arguments = shlex.split(request.param)
    assert name == COMMAND.name
    with running(Process([str(COMMAND), *arguments], ROS_DOMAIN_ID=domain_id)) as simulator:
        simulator.says("Simulating '")
        yield


@pytest.mark.parametrize(("beside", "code"), SNIPPETS, indirect=["beside"], ids=range(len(SNIPPETS)))
def test_snippet_runs(beside: None, code: str, domain_id: int) -> None:
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain_id)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1, "every snippet ends in one line that says what came out"


def test_all_ways_to_drive_are_shown() -> None:
    """So that the pattern above cannot pass over them."""
    assert len(SNIPPETS) == 5
    assert [bool(beside) for beside, _ in SNIPPETS] == [False, True, True, True, True]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert links or page.name != "README.md"
    for link in links:
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual viewers make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_table_of_launch_arguments_is_that_of_the_file() -> None:
    shown = re.search(r"\| argument of `sim.launch.py`.*?\n\n", README, re.DOTALL)
    assert shown
    generated = (ROOT / "docs" / "nodes.md").read_text(encoding="utf-8")
    rows = r"^\| (`\w+`) \| (\S*) ?\|"
    section = generated[generated.index("`sim.launch.py`") : generated.index("`agent.launch.py`")]
    assert re.findall(rows, shown[0], re.MULTILINE) == re.findall(rows, section, re.MULTILINE) != []


def test_every_command_is_named() -> None:
    shown = re.findall(r"^\| `ros-gym-bridge ([\w-]+)` \|", README, re.MULTILINE)
    names = [str(each.name or each.callback.__name__) for each in app.registered_commands]
    assert sorted(shown) == sorted(name.replace("_", "-") for name in names)


def test_files_are_read_in_the_order_in_which_they_know_each_other() -> None:
    """The table of architecture.md names every file, and each imports only from rows above it or its own."""
    package = ROOT / "ros_gym_bridge"
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text[text.index("## Reading order") : text.index("## The import rule")]
    rows = [re.findall(r"`([\w/*.]+)`", line.split("|")[1]) for line in table.splitlines() if line.startswith("| `")]
    place = {
        path.relative_to(package): number
        for number, names in enumerate(rows)
        for name in names
        for path in package.glob(name + "*.py" if name.endswith("/") else name)
    }
    others = {path.relative_to(package) for path in package.rglob("*.py") if path.name != "__init__.py"}
    assert {path for path in place if path.name != "__init__.py"} == others
    for path in others:
        for known in imported(package / path) & others:
            assert place[known] <= place[path], f"{path} imports {known}, which comes later"


def imported(path: Path) -> set[Path]:
    """The files of the package that a file imports when it is imported itself."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("ros_gym_bridge."):
            module = str(node.module).removeprefix("ros_gym_bridge.").replace(".", "/")
            names |= {Path(f"{module}.py"), *(Path(f"{module}/{each.name}.py") for each in node.names)}
    return names


URDF = """<robot name="my_arm"><link name="base"/>
<joint name="base_joint" type="revolute"><parent link="base"/><child link="arm"/><axis xyz="0 0 1"/>
<limit lower="-2" upper="2" velocity="2" effort="20"/></joint>
<link name="arm"><inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial></link>
<joint name="elbow_joint" type="revolute"><parent link="arm"/><child link="tool"/><origin xyz="0 0 0.4"/>
<axis xyz="0 1 0"/><limit lower="-2" upper="2" velocity="2" effort="20"/></joint>
<link name="tool"/></robot>
"""


def test_the_robot_file_to_start_from_works(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found
    (tmp_path / "my_arm.yaml").write_text(found[1])
    (tmp_path / "my_arm.urdf").write_text(URDF)
    robot = SimRobot(load_robot(tmp_path / "my_arm.yaml"))
    state = robot.reset(1)
    assert state.position.tolist() == [0.0, 1.2]
    robot.close()


def test_counters_that_are_named_exist() -> None:
    """`refused_...` in the documents are keys of /diagnostics."""
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`refused_(\w+)`", architecture))
    sources = [ast.parse(path.read_text()) for path in (ROOT / "ros_gym_bridge" / "ros").glob("*.py")]
    texts = {node.value for tree in sources for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert named
    assert named <= texts


def test_picture_is_small() -> None:
    pictures = list((ROOT / "docs" / "images").iterdir())
    assert pictures
    assert all(path.stat().st_size < 100_000 for path in pictures)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_lines_are_short(page: Path) -> None:
    """Of what people write; generated pages have a note and are as long as they are."""
    text = page.read_text(encoding="utf-8")
    if not text.startswith("<!-- Written by"):
        assert [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")] == []
