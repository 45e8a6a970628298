"""Many environments: in one process, in threads, in worker processes, one after the other; and what each leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from adapter_tools import alive, episodes, first_difference, from_zero, make, run

RESETS = [(3, False), (None, False)]


def direct(seed: int) -> Any:
    """The episodes of `RESETS` in process, under the actions of `seed`."""
    env = make("Balance")
    try:
        return episodes(env, RESETS, seed)
    finally:
        env.close()


def test_two_environments_in_turns() -> None:
    """A step of one, a step of the other: each as if it were alone."""
    kinds = [{"backend": "topics"}, {"backend": "topics", "stepping": "step_service"}, {"backend": "sim"}]
    envs = [make("Balance", **kind) for kind in kinds]
    try:
        for env in envs:
            env.action_space.seed(1)
        observations = [env.reset(seed=1)[0].tolist() for env in envs]
        assert observations[0] == observations[1] == observations[2]
        for _ in range(30):
            results = [env.step(env.action_space.sample()) for env in envs]
            assert len({(result[0].tobytes(), *result[1:4]) for result in results}) == 1
            if results[0][2]:
                observations = [env.reset()[0].tolist() for env in envs]
                assert observations[0] == observations[1] == observations[2]
    finally:
        for env in envs:
            env.close()


def test_threads_with_an_environment_each() -> None:
    def work(seed: int) -> Any:
        env = make("Balance", backend="topics")
        try:
            return episodes(env, RESETS, seed)
        finally:
            env.close()

    with ThreadPoolExecutor(3) as pool:
        for seed, transcript in enumerate(pool.map(work, range(3))):
            assert first_difference(direct(seed), transcript) == ""


def test_the_thread_that_connected_may_end() -> None:
    """Connected in one thread, used in another, closed in a third: the node does not depend on any of them."""
    env = make("Balance", backend="topics")

    def in_a_thread(work: Callable[[], Any]) -> Any:
        results: list[Any] = []
        thread = threading.Thread(target=lambda: results.append(work()))
        thread.start()
        thread.join(60.0)
        assert results, "the thread failed"
        return results[0]

    try:
        in_a_thread(lambda: env.reset(seed=9))
        pid = env.unwrapped.robot.node_pid
        transcript = in_a_thread(lambda: episodes(env, RESETS, 4))
        assert first_difference(from_zero(direct(4)), from_zero(transcript)) == ""
        assert env.unwrapped.robot.node_pid == pid
        in_a_thread(lambda: env.close() or True)
        assert not alive(pid)
    finally:
        env.close()


VECTOR = """
    import hashlib, sys, gymnasium, numpy, ros_gym_bridge

    def main():
        backend, mode, context = sys.argv[1:4]
        keywords = {"vector_kwargs": {"context": context}} if mode == "async" else {}
        envs = gymnasium.make_vec("ros_gym_bridge/Balance-v0", 2, mode, backend=backend, **keywords)
        said, info = envs.reset(seed=5)
        digest, rng = hashlib.sha256(said.tobytes()), numpy.random.default_rng(0)
        ends = 0
        for _ in range(60):
            said, reward, terminated, truncated, info = envs.step(rng.uniform(-1, 1, (2, 1)).astype(numpy.float32))
            digest.update(said.tobytes() + reward.tobytes() + terminated.tobytes() + info["applied_command"].tobytes())
            ends += int(terminated.sum())
        assert ends >= 2, ends
        envs.close()
        print("digest", digest.hexdigest())

    if __name__ == "__main__":
        main()
"""


@pytest.fixture(scope="module")
def vector_digest() -> str:
    return run(VECTOR, "sim", "sync", "")


@pytest.mark.parametrize(
    ("backend", "mode", "context"),
    [
        ("sim", "async", "fork"),
        ("sim", "async", "spawn"),
        ("topics", "sync", ""),
        ("topics", "async", "fork"),
        ("topics", "async", "spawn"),
        ("topics", "async", "forkserver"),
    ],
)
def test_make_vec(vector_digest: str, backend: str, mode: str, context: str) -> None:
    """However many processes: the same observations, rewards, ends and commands."""
    assert run(VECTOR, backend, mode, context) == vector_digest


FORK = """
    import multiprocessing, os, sys, time, gymnasium, numpy, ros_gym_bridge
    from ros_gym_bridge.errors import ForkError

    def make():
        return gymnasium.make("ros_gym_bridge/Balance-v0", backend="topics", disable_env_checker=True)

    def alive(pid):
        try:
            return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] not in "ZX"
        except FileNotFoundError:
            return False

    def child(inherited, queue, go_on):
        said = []
        for env in (make(), inherited):
            for use in (lambda: env.reset(seed=1), lambda: env.step(numpy.zeros(1, numpy.float32))):
                try:
                    use()
                    said.append("worked")
                except Exception as error:
                    said.append(f"{type(error).__name__}: {error}")
            env.close()
        queue.put(said)
        go_on.wait(30.0)

    context = multiprocessing.get_context("fork")
    env = make()
    env.reset(seed=1)
    node = env.unwrapped.robot.node_pid
    if sys.argv[1] == "closed":
        env.close()
    queue, go_on = context.SimpleQueue(), context.Event()
    process = context.Process(target=child, args=(env, queue, go_on))
    process.start()
    for line in queue.get():
        print(line.replace(str(process.pid), "CHILD").replace(str(os.getpid()), "PARENT"))
    if sys.argv[1] == "open":
        for _ in range(5):
            env.step(numpy.zeros(1, numpy.float32))
        before = time.monotonic()
        env.close()
        assert not alive(node)
        assert time.monotonic() - before < 3.0
        print("the parent went on")
    go_on.set()
    process.join(10.0)
    print("child ended with", process.exitcode)
"""

REFUSED = (
    "ForkError: ROS 2 cannot be used in this process; got process CHILD, forked from process PARENT, which had used "
    "ROS 2 before; expected a fork before the first use, or a fresh process; Start worker processes with "
    "context='spawn', for example gym.make_vec(..., vectorization_mode='async', vector_kwargs={'context': 'spawn'})."
)
BEFORE_RESET = "ResetNeededError: step before the first reset; Call reset() first."
CLOSED = "RobotClosedError: the robot is closed; Make a new one."


def test_fork_after_the_parent_has_closed_its_environment() -> None:
    """It would hang: the middleware's threads are not forked."""
    lines = run(FORK, "closed").splitlines()
    assert lines == [REFUSED, _unreset(lines[1]), CLOSED, CLOSED, "child ended with 0"]


def test_fork_while_the_parent_is_connected() -> None:
    """The parent and its node are not touched by what the child does, nor kept alive by it."""
    lines = run(FORK, "open").splitlines()
    assert lines == [REFUSED, _unreset(lines[1]), REFUSED, REFUSED, "the parent went on", "child ended with 0"]


def _unreset(line: str) -> str:
    """Gymnasium's own wrapper, or we, refuse a step before the first good reset."""
    assert line.startswith(("ResetNeeded", "ResetNeededError"))
    return line


LEFT = """
    import gc, os, pathlib, sys, threading, time, gymnasium, numpy, ros_gym_bridge

    def children():
        listed = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        return {int(pid) for pid in listed}

    def shared(pid):
        try:
            lines = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
        except OSError:
            return set()
        return {line.split()[5] for line in lines if "/dev/shm/" in line}

    def left(paths):  # some files are common to all programs of this machine, and go with the last one
        others = set().union(*(shared(name) for name in os.listdir("/proc") if name.isdigit()))
        return {path for path in paths if os.path.exists(path)} - others

    def census():
        gc.collect()
        return {
            "threads": len(os.listdir("/proc/self/task")),
            "python threads": threading.active_count(),
            "descriptors": sorted(os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if
                                  os.path.lexists(f"/proc/self/fd/{n}")),
            "children": children(),
            "folders": sorted(os.listdir(os.environ["TMPDIR"])),
        }

    used, nodes, counts = set(), set(), []
    steppings = ["lockstep", "step_service", "realtime"]
    for i in range(2 + int(sys.argv[1])):
        before = {f"/dev/shm/{name}" for name in os.listdir("/dev/shm")}
        env = gymnasium.make("ros_gym_bridge/Balance-v0", backend="topics", stepping=steppings[i % 3])
        env.reset(seed=i)
        for _ in range(5):
            env.step(numpy.zeros(1, numpy.float32))
        node = env.unwrapped.robot.node_pid
        assert node in children()
        nodes.add(node)
        used |= (shared(node) | shared("self")) - before
        env.close()
        counts.append(census())
    assert len(used) > 2 * len(nodes), used  # they do talk through shared memory
    deadline = time.monotonic() + 3.0
    while left(used) and time.monotonic() < deadline:
        time.sleep(0.1)
    first, last = counts[1], counts[-1]
    first["descriptors"], last["descriptors"] = len(first["descriptors"]), len(last["descriptors"])
    assert first == last, (first, last)
    assert last["children"] == set(), last
    assert last["folders"] == [], last
    assert left(used) == set(), left(used)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in nodes)
    print("made and closed", len(nodes))
"""


@pytest.mark.parametrize("times", [10, pytest.param(50, marks=pytest.mark.slow)])
def test_make_and_close_leaves_nothing(times: int, tmp_path: Any) -> None:
    """No process, thread, descriptor, temporary file or shared memory."""
    assert run(LEFT, str(times), timeout_s=300.0, TMPDIR=tmp_path) == f"made and closed {times + 2}\n"
