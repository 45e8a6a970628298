"""An agent in ten lines. It starts a simulated robot on ROS 2 and acts at random.

python examples/ten_lines.py
"""

import gymnasium as gym

import ros_gym_bridge  # noqa: F401 (names its environments to Gymnasium)

env = gym.make("ros_gym_bridge/Reach-v0", robot="panda", backend="topics")  # backend="sim": no ROS, full speed
observation, info = env.reset(seed=0)
for _ in range(200):
    observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    if terminated or truncated:
        observation, info = env.reset()
print(f"200 steps, the last one with reward {reward:.3f} at {info['timing']['stamp_ns'] / 1e9:.2f} s simulated time")
env.close()
