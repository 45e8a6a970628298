"""A full disk. It is not ours to fill, so processes are not allowed to write to files any more (RLIMIT_FSIZE of 0),
which fails in the same places: logs, output, temporary files. (The limit holds for shared memory, too: processes have
theirs before.)"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray

from adapter_tools import episodes, first_difference, from_zero, make, run
from conftest import NodeProcess
from fault_tools import in_time

Start = Callable[..., Any]
PERIOD_NS = 20_000_000
TOPIC, REFUSED = "sim_node/set_joint_state", "refused_not_paused"


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """No file grows that this process writes to."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def test_a_node_that_cannot_log(fault: Any, sim_process: Start, client: Start, domain_id: int) -> None:
    with fault("disk.log") as row:
        node: NodeProcess = sim_process(robot="cartpole", mode="lockstep")
        resets = [(1, False), (2, True)]  # the second one loads the world anew
        direct = make("Balance", time_limit_s=0.4)
        expected = from_zero(episodes(direct, resets))
        direct.close()
        guest = make("Balance", backend="topics", attach=True, domain_id=domain_id, time_limit_s=0.4)
        stranger = client(commands=(TOPIC,))
        heard = stranger.hear(DiagnosticArray, "/diagnostics")
        stranger.connect()
        try:
            guest.reset(seed=9)
            before = node.err
            with full_disk(node.pid):
                with in_time(row):
                    assert first_difference(expected, from_zero(episodes(guest, resets))) == ""
                stranger.send(["no_such_joint"], position=[0.0], topic=TOPIC)
                stranger.count(heard, REFUSED, 1)
                assert node.err == before, "nothing could be written"
                row.counted(0, (stranger.stamp - guest.unwrapped.robot._state.stamp_ns) // PERIOD_NS)
            stranger.listen(1.1)  # each kind is logged once a second
            stranger.send(["no_such_joint"], position=[0.0], topic=TOPIC)
            node.says("Refused")
        finally:
            guest.close()
        row.seen = "no log; what is refused is counted on `/diagnostics` as ever"
        row.after = "the episode is equal bit for bit; once there is room again, it logs again"


def test_no_room_for_a_node_of_our_own(fault: Any, tmp_path: Path) -> None:
    """In a process of its own, whose disk is full for a while."""
    code = """
        import resource, tempfile, time
        import gymnasium, numpy, ros_gym_bridge
        from ros_gym_bridge.errors import StorageError
        env = gymnasium.make("ros_gym_bridge/Balance-v0", backend="topics", disable_env_checker=True)
        tempfile.gettempdir()
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        begun, said = time.monotonic(), ""
        try:
            env.reset(seed=1)
        except StorageError as error:
            said = str(error)
        took = time.monotonic() - begun
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        print(said, took, sep="\\n")
        env.reset(seed=1)
        env.step(numpy.zeros(1, numpy.float32))
        env.close()
    """
    with fault("disk.own") as row:
        with in_time(row):
            said, took = run(code, TMPDIR=tmp_path).splitlines()[:2]
        assert said.startswith("the robot file cannot be written for a simulation node to read; got [Errno 27]"), said
        assert float(took) < 5.0
        assert list(tmp_path.iterdir()) == []
        row.seen = f"`StorageError`: {said.split(';')[0]}"
        row.after, row.steps = "`reset()` tries again; no file is left", "none was under way"
