"""Other formats than URDF, made into URDF: xacro, SDF and MJCF."""
