"""Errors keep their words on the way through processes."""

from __future__ import annotations

import pickle

import gymnasium as gym
import numpy as np
import pytest

from ros_gym_bridge.errors import BridgeError, CommandError

ERROR = CommandError("a joint is unknown", got="'elbo'", expected="one of elbow, wrist", remedy="Did you mean 'elbow'?")
TEXT = "a joint is unknown; got 'elbo'; expected one of elbow, wrist; Did you mean 'elbow'?"


@pytest.mark.parametrize("again", [pickle.loads(pickle.dumps(ERROR)), CommandError(ERROR)], ids=["pickled", "raised"])
def test_an_error_keeps_its_type_and_words(again: BridgeError) -> None:
    assert type(again) is CommandError
    assert (str(again), again.what, again.got) == (TEXT, ERROR.what, ERROR.got)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Gymnasium's log of what a worker says
def test_a_workers_error_reaches_the_user() -> None:
    envs = gym.make_vec("ros_gym_bridge/Balance-v0", 2, vectorization_mode="async", vector_kwargs={"context": "spawn"})
    try:
        envs.reset(seed=1)
        actions = np.full(envs.action_space.shape, np.nan, dtype=np.float32)
        with pytest.raises(CommandError, match=r"^command for slider_to_cart/effort is not finite; got nan; expected"):
            envs.step(actions)
    finally:
        envs.close(terminate=True)
