"""Sensors: from the world to the channels of the robot file, one file for each kind of reading."""
