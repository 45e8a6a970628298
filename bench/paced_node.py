"""A simulation node in real time that writes down when it published each state, and prints the figures as JSON."""

from __future__ import annotations

import json
import sys
import threading
import time

import numpy as np

from ros_gym_bridge.ros.session import Session
from ros_gym_bridge.ros.sim_node import SimNode


class Timed(SimNode):
    """Remembers, for each state, the steady clock at the moment when it has been published."""

    def _told(self, stamp_ns: int) -> None:
        self.__dict__.setdefault("times", []).append((stamp_ns, time.monotonic_ns()))
        super()._told(stamp_ns)


def main(seconds: float, arguments: list[str]) -> None:
    """Run for so long, then print mean, 99th percentile and drift of the period error in microseconds."""
    session = Session("sim_node", arguments=arguments)
    node = Timed(session)
    threading.Timer(seconds, node.quit).start()
    node.run()
    times = np.array(node.__dict__["times"][int(0.1 * len(node.__dict__["times"])) :])
    node.close()
    session.close()
    simulated, wall = np.diff(times[:, 0]), np.diff(times[:, 1])
    errors = np.abs(wall - simulated) / 1e3
    lag = (times[:, 1] - times[:, 0] - (times[0, 1] - times[0, 0])) / 1e3
    drift = float(np.median(lag[-500:]) - np.median(lag[:500]))
    print(json.dumps({"mean_us": errors.mean(), "p99_us": float(np.percentile(errors, 99)), "drift_us": drift}))


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
