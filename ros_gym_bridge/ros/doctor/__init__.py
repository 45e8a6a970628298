"""`ros-gym-bridge doctor`: a robot file beside what is really there."""
