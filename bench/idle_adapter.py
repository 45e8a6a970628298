"""An environment over topics that has been reset and then does nothing; prints the share of a core that it takes."""

from __future__ import annotations

import sys
import time

import gymnasium

import ros_gym_bridge  # noqa: F401 (registers the ids)


def main(seconds: float) -> None:
    """Idle for so long."""
    env = gymnasium.make("ros_gym_bridge/Reach-v0", backend="topics")
    env.reset(seed=0)
    before = time.process_time()
    time.sleep(seconds)
    print((time.process_time() - before) / seconds)
    env.close()


if __name__ == "__main__":
    main(float(sys.argv[1]))
