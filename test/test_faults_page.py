"""`docs/faults.md` tells of all faults, and of nothing else. Whether it is so, each test of a fault compares."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fault_registry import HEAD, PAGE, SECTIONS, Fault, Row, fault_of, keep, line, without_numbers

TESTS = sorted(Path(__file__).parent.glob("test_faults_*.py"))


def test_the_page_tells_of_all_faults() -> None:
    lines = [text for text in PAGE.read_text(encoding="utf-8").splitlines() if text.startswith("| ")]
    rows = [re.split(r"(?<!\\) \| ", text.strip("| ")) for text in lines if text != line(list(HEAD))]
    shown = [(row[0], row[1], row[-1]) for row in rows if row[0] != "---"]
    faults = [fault for section in SECTIONS.values() for fault in section.values()]
    assert shown == [(fault.title, fault.where, f"{fault.within_s:g} s") for fault in faults]


def test_every_fault_is_injected() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in TESTS)
    named = set(re.findall(r'fault\("([\w.]+)"\)', text))
    groups = set(re.findall(r'fault\(f"(\w+)\.\{key\}"\)', text))
    for section, faults in SECTIONS.items():
        for name in faults:
            assert f"{section}.{name}" in named or (section in groups and f'("{name}", ' in text), f"{section}.{name}"
    assert all(fault_of(key) for key in named)


def test_a_row_that_differs_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROS_GYM_BRIDGE_FAULTS", raising=False)
    row = Row(Fault("a fault that nobody knows", "nowhere", 1.0), "nothing", "nothing", "none")
    with pytest.raises(AssertionError, match=r"docs/faults\.md is stale; run: make faults\n.*a fault that nobody"):
        keep("nowhere.nothing", row)
    row.seen = ""
    with pytest.raises(AssertionError, match="a fault that nobody knows: the row is not whole"):
        keep("nowhere.nothing", row)
    row.counted(3, 3)
    with pytest.raises(AssertionError, match="3 steps, and the other side moved 4"):
        row.counted(3, 4)


def test_numbers_are_left_out() -> None:
    text = "waited 0.51 s for joint_states (12 refused) at stamp 1e+09 ns of wrist_1_joint in 'b2' in /tmp/x_7/file"
    wanted = "waited N s for joint_states (N refused) at stamp N ns of wrist_1_joint in 'b2' in FILE"
    assert without_numbers(text) == wanted
