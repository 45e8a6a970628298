"""What every test may use: a ROS domain of its own, a simulation node in a process of its own, and the check that no
process is left when all tests are done."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ros_gym_bridge.ros.session import set_ros_environment

_MARK = "ROS_GYM_BRIDGE_TEST_RUN"  # in the environment of everything that tests start, however far down
_RUN = f"{os.getpid()}-{time.time_ns()}"
_PYTHON_S_OWN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")  # they end with this process

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

_PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")

Value = TypeVar("Value")


def wait_for(done: Callable[[], Value], timeout_s: float, what: str) -> Value:
    """The first true value of `done()`.

    Raises:
        AssertionError: none within `timeout_s` wall-clock seconds.
    """
    deadline = time.monotonic() + timeout_s
    while not (value := done()):
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.005)
    return value


def slowness() -> float:
    """How many times slower than usual this machine may be now: processes that want to run for each of its cores."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def end_with_us() -> None:
    """In a child, before it starts: the kernel kills it when the tests end, however they end."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class NodeProcess:
    """A simulation node as a user starts it, in a process of its own.

    Args:
        folder: where its output goes.
        domain_id: ROS domain.
        arguments: what follows `--ros-args`.
        environment: variables that differ from this process's; None takes one away.
    """

    def __init__(self, folder: Path, domain_id: int, arguments: list[str], environment: dict[str, str | None]) -> None:
        self.domain_id = domain_id
        its_own = dict.fromkeys((*_PROFILES, "ROS_AUTOMATIC_DISCOVERY_RANGE"))  # it sets these itself
        changed = {**os.environ, **its_own, "ROS_DOMAIN_ID": str(domain_id), **environment}
        self._files = (folder / "stdout", folder / "stderr")
        self.started = time.monotonic()
        with self._files[0].open("wb") as out, self._files[1].open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ros_gym_bridge.ros.sim_node", "--ros-args", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={name: value for name, value in changed.items() if value is not None},
                start_new_session=True,
                preexec_fn=end_with_us,
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self.process.pid

    @property
    def out(self) -> str:
        """Its standard output so far."""
        return self._files[0].read_text(errors="replace")

    @property
    def err(self) -> str:
        """Its standard error so far; the log goes there."""
        return self._files[1].read_text(errors="replace")

    def log(self, pattern: str) -> list[str]:
        """The lines of the log in which a regular expression is found."""
        return [line for line in self.err.splitlines() if re.search(pattern, line)]

    def says(self, pattern: str, timeout_s: float = 60.0) -> str:
        """Wait for a line of the log that matches."""
        wait_for(
            lambda: self.log(pattern) or self.process.poll() is not None, timeout_s, f"{pattern!r} in:\n{self.err}"
        )
        lines = self.log(pattern)
        assert lines, f"ended with code {self.process.poll()} without {pattern!r}:\n{self.err}"
        return lines[0]

    def signal(self, number: int) -> None:
        """Send a signal to this process alone."""
        self.process.send_signal(number)

    def wait(self, timeout_s: float) -> int:
        """Its exit code."""
        return self.process.wait(timeout_s)

    def end(self) -> None:
        """Politely, then not; whatever a test did, a node never ends in a traceback."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        assert "Traceback" not in self.err, self.err


@contextlib.contextmanager
def private_domain() -> Iterator[int]:
    """A ROS domain that nobody else on this machine uses, also not another run of the tests."""
    from ros_gym_bridge.ros.own_node import PrivateDomain

    domain = PrivateDomain()
    yield domain.domain_id
    domain.release()


@contextlib.contextmanager
def node_processes(domain_id: int, folder: Path) -> Iterator[Callable[..., NodeProcess]]:
    """Starts simulation nodes, and ends them at the end.

    `start("-r", "__ns:=/a", robot="arm", mode="lockstep", ready=True, environment={...})`: keywords other than
    `ready` and `environment` are parameters; `ready` waits until the node stands.
    """
    nodes: list[NodeProcess] = []

    def start(
        *arguments: str, ready: bool = True, environment: dict[str, str | None] | None = None, **parameters: Any
    ) -> NodeProcess:
        place = folder / f"node{len(nodes)}"
        place.mkdir()
        settings = [part for name, value in parameters.items() for part in ("-p", f"{name}:={_text(value)}")]
        nodes.append(NodeProcess(place, domain_id, [*arguments, *settings], environment or {}))
        if ready:
            nodes[-1].says("Simulating '")
        return nodes[-1]

    try:
        yield start
    finally:
        for node in nodes:
            node.end()


@contextlib.contextmanager
def plain_clients(domain_id: int) -> Iterator[Callable[..., Any]]:
    """Makes plain rclpy clients (see `plain_client.PlainClient`), and closes them at the end."""
    from plain_client import PlainClient

    clients: list[PlainClient] = []

    def make(**keywords: Any) -> PlainClient:
        clients.append(PlainClient(domain_id, **keywords))
        return clients[-1]

    try:
        yield make
    finally:
        for each in clients:
            each.close()


@pytest.fixture
def domain_id() -> Iterator[int]:
    """See `private_domain`."""
    with private_domain() as number:
        yield number


@pytest.fixture
def sim_process(domain_id: int, tmp_path: Path) -> Iterator[Callable[..., NodeProcess]]:
    """See `node_processes`."""
    with node_processes(domain_id, tmp_path) as start:
        yield start


@pytest.fixture
def client(domain_id: int) -> Iterator[Callable[..., Any]]:
    """See `plain_clients`."""
    with plain_clients(domain_id) as make:
        yield make


@pytest.fixture
def driver(domain_id: int, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A robot that shares nothing with us: see `driver_tools.driver_processes`."""
    from driver_tools import driver_processes

    with driver_processes(domain_id, tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
def shared_memory() -> Iterator[Any]:
    """Shared memory that processes of tests have had, which must be gone when all tests are done."""
    from fault_tools import Watch

    watch = Watch()
    yield watch
    watch.check()


@pytest.fixture
def fault(shared_memory: Any) -> Iterator[Callable[..., Any]]:
    """Tells of a fault, see `fault_registry.py`; to be named before all other fixtures, so that it ends after them."""
    from fault_tools import injected, no_process_left

    with no_process_left():
        yield lambda key: injected(key, shared_memory)


@pytest.fixture
def relay(domain_id: int) -> Iterator[Callable[..., Any]]:
    """A program that stands between agent and node: see `fault_tools.relays`."""
    from fault_tools import relays

    with relays(domain_id) as start:
        yield start


@pytest.fixture
def pair(sim_process: Callable[..., NodeProcess], client: Callable[..., Any]) -> tuple[NodeProcess, Any]:
    """An arm in lockstep, and a client that is connected to it."""
    node = sim_process(robot="arm", mode="lockstep")
    stranger = client()
    stranger.connect()
    return node, stranger


@contextlib.contextmanager
def node_and_client(factory: pytest.TempPathFactory, **parameters: Any) -> Iterator[tuple[NodeProcess, Any]]:
    """A node for the tests of a file to share, and a client that is connected to it."""
    folder = factory.mktemp("shared")
    with private_domain() as domain, node_processes(domain, folder) as start, plain_clients(domain) as make:
        node = start(**parameters)
        stranger = make()
        stranger.connect()
        yield node, stranger


@pytest.fixture(scope="module")
def cartpole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a cart-pole in lockstep that the tests of a file share; each leaves it alive, whatever its state."""
    with node_and_client(tmp_path_factory, robot="cartpole", mode="lockstep") as (_, stranger):
        yield stranger


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(scope="session", autouse=True)
def _marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Everything that tests start stays on this machine, logs into a temporary folder, and must be gone at the end."""
    os.environ[_MARK] = _RUN
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    set_ros_environment()  # quick discovery for plain clients too
    os.environ["ROS_LOG_DIR"] = str(tmp_path_factory.mktemp("ros_log"))
    yield
    deadline = time.monotonic() + 5.0
    while (left := left_processes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "processes that tests had left, ended now:\n" + "\n".join(f"{p}: {c}" for p, c in left.items())


def left_processes() -> dict[int, str]:
    """Command lines of the processes that tests have started, by process id."""
    processes = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    commands = {pid: _command(pid) for pid in processes if pid != os.getpid() and _ours(pid)}
    return {pid: text for pid, text in commands.items() if not any(name in text for name in _PYTHON_S_OWN)}


def _ours(pid: int) -> bool:
    """A child, or anything further down that inherited the mark; zombies do not count."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[:2]
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return state not in "ZX" and (int(parent) == os.getpid() or f"{_MARK}={_RUN}".encode() in environment.split(b"\0"))


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
