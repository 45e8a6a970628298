"""The simulator: PyBullet behind the robot protocol. No ROS."""
