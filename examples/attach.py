"""Drive a robot that is running already. In one terminal, the simulator:

    ros-gym-bridge sim --robot arm --mode lockstep --namespace /cell_1

in another one, with the same ROS_DOMAIN_ID, this agent:

    python examples/attach.py --robot arm --namespace /cell_1
"""

import argparse
import sys

import gymnasium as gym

from ros_gym_bridge import BridgeError
from ros_gym_bridge.policies import ReachPolicy

parser = argparse.ArgumentParser(description="Reach a few goals with a robot that is running already.")
parser.add_argument("--robot", default="panda", help="name or path of the robot file (default: panda)")
parser.add_argument("--namespace", help="of the simulator (default: none)")
parser.add_argument("--episodes", type=int, default=3)
options = parser.parse_args()

env = gym.make(
    "ros_gym_bridge/Reach-v0", robot=options.robot, backend="topics", attach=True, namespace=options.namespace
)
policy = ReachPolicy(env.unwrapped.robot_file, env.unwrapped.task.fields)
try:
    for episode in range(options.episodes):
        observation, info = env.reset(seed=episode)
        terminated = truncated = False
        while not (terminated or truncated):
            observation, reward, terminated, truncated, info = env.step(policy(observation))
        print(
            f"episode {episode}: {'reached' if info['success'] else 'missed'}, {info['distance']:.3f} m from the goal"
        )
except BridgeError as error:
    sys.exit(f"error: {error}")
finally:
    env.close()
