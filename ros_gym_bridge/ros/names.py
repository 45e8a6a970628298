"""What the simulation node and those who start or look for it must agree on."""

from __future__ import annotations

NODE_NAME = "sim_node"
UNTIL_STDIN_CLOSES = "--until-stdin-closes"
