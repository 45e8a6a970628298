"""Which ROS domains have somebody on this machine, by the UDP ports that DDS holds there."""

from __future__ import annotations

from pathlib import Path

_FIRST, _EACH = 7400, 250  # RTPS: the first port, and how many each domain has
_DOMAINS = 102  # beyond them ports may be anybody's
_OWN = range(10, 250)  # of a domain's ports those that one participant holds; the others are shared by all


def domains_in_use() -> set[int]:
    """Domains up to 101 in which a participant runs on this machine; empty where the system does not tell."""
    try:
        lines = Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return set()
    ports = {int(line.split()[1].rpartition(":")[2], 16) - _FIRST for line in lines}
    return {port // _EACH for port in ports if 0 <= port < _DOMAINS * _EACH and port % _EACH in _OWN}
