"""Pictures show the whole robot and its goal, and looking changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import pytest

from ros_gym_bridge.config import load_robot
from ros_gym_bridge.kinematics import tip_position
from ros_gym_bridge.sim.mirror import Mirror
from ros_gym_bridge.tasks import Marker

Picture = npt.NDArray[np.uint8]


@pytest.fixture
def mirror() -> Iterator[Callable[[str], Mirror]]:
    """Makes mirrors and closes them."""
    made: list[Mirror] = []

    def make(robot: str) -> Mirror:
        made.append(Mirror(load_robot(robot)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def green(picture: Picture) -> npt.NDArray[np.bool_]:
    """The pixels of the goal, whether seen directly or through what hides it."""
    red, middle, blue = picture.astype(int).transpose(2, 0, 1)
    return (middle > red + 30) & (middle > blue + 30)


def inside(mask: npt.NDArray[np.bool_]) -> bool:
    """Whether something is there, and none of it touches the border."""
    border = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
    return bool(mask.any() and not border)


@pytest.mark.parametrize("robot", ["panda", "arm", "panda_clutter"])
def test_robot_and_goal_are_in_the_picture_wherever_the_goal_is(robot: str, mirror: Callable[[str], Mirror]) -> None:
    file, looking = load_robot(robot), mirror(robot)
    tip, rng = tip_position(file.model, str(file.config.end_effector), file.spec.joints), np.random.default_rng(2)
    for _ in range(12):
        pose = np.clip(file.spec.home + rng.normal(0.0, 0.6, len(file.spec.joints)), file.spec.lower, file.spec.upper)
        marker = Marker(tip(pose.tolist()), 0.03)
        looking.show(pose, {}, [marker])
        with_goal = looking.picture()
        assert inside(green(with_goal))
        assert green(with_goal).sum() > 40


def test_a_goal_behind_the_robot_shines_through(mirror: Callable[[str], Mirror]) -> None:
    file, looking = load_robot("arm"), mirror("arm")
    hidden = Marker((0.0, 0.0, 0.1), 0.03)  # within the shoulder
    looking.show(file.spec.home, {}, [hidden])
    assert inside(green(looking.picture()))
    looking.show(file.spec.home, {}, [])
    assert not green(looking.picture()).any()


@pytest.mark.parametrize("robot", ["panda", "arm"])
def test_the_robot_at_home_fills_the_picture(robot: str, mirror: Callable[[str], Mirror]) -> None:
    """What changes in the picture when the robot bows is the robot: it spans half of the height."""
    spec, looking = load_robot(robot).spec, mirror(robot)
    looking.show(spec.home, {}, [])
    home = looking.picture().astype(int)
    bowed = spec.home.copy()
    bowed[1] = spec.upper[1]
    looking.show(bowed, {}, [])
    changed = np.abs(looking.picture().astype(int) - home).sum(axis=2) > 30
    rows = np.nonzero(changed.any(axis=1))[0]
    assert rows[-1] - rows[0] > 0.5 * 360


@pytest.mark.parametrize("cart", [-2.4, 0.0, 2.4])
def test_the_cart_stays_in_the_picture(cart: float, mirror: Callable[[str], Mirror]) -> None:
    looking = mirror("cartpole")
    looking.show(np.array([cart, 0.0]), {}, [])
    red, _, blue = looking.picture().astype(int).transpose(2, 0, 1)
    assert inside(blue > red + 50)  # the cart is blue
    assert inside(red > blue + 50)  # the pole is orange


def test_sizes_and_shadows(mirror: Callable[[str], Mirror]) -> None:
    looking = mirror("arm")
    plain, shadowed = looking.picture(240, 180), looking.picture(240, 180, shadow=True)
    assert (plain.shape, plain.dtype) == ((180, 240, 3), np.uint8)
    assert plain.tobytes() == looking.picture(240, 180).tobytes()
    assert shadowed.astype(int).sum() < plain.astype(int).sum()


def test_looking_changes_nothing() -> None:
    def rollout(render_mode: str | None) -> list[bytes]:
        env: Any = gymnasium.make("ros_gym_bridge/Reach-v0", robot="arm", render_mode=render_mode)
        env.action_space.seed(3)
        seen = [env.reset(seed=3)[0].tobytes()]
        for _ in range(20):
            seen.append(env.step(env.action_space.sample())[0].tobytes())
            if render_mode:
                env.render()
        env.close()
        return seen

    assert rollout("rgb_array") == rollout(None)
