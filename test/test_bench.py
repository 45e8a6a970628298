"""The whole of `make bench`, as short as can be: every figure comes out."""

from __future__ import annotations

import ast
import importlib.util
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

has_panda_gym = importlib.util.find_spec("panda_gym") is not None  # an extra, which `make test-slow` installs
ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, float | str], str]:
    """What it has written, and what it has printed."""
    path = tmp_path_factory.mktemp("bench") / "results.json"
    command = [sys.executable, str(ROOT / "bench" / "bench.py"), "--quick", "--output", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text()), done.stdout


def test_every_figure_of_the_documents_comes_out(quick: tuple[dict[str, float | str], str]) -> None:
    results, printed = quick
    documented = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert len(documented) > 15
    if not has_panda_gym:
        documented.remove("direct_over_panda_gym")
    assert results.keys() - {"renderer"} == documented
    assert results["renderer"] in ("OpenGL (EGL)", "TinyRenderer")
    assert f"drawn by {results['renderer']}" in printed
    for name in documented:
        value = results[name]
        assert isinstance(value, float)
        assert math.isfinite(value), name
        assert value > 0.0 or name == "realtime_1khz_drift_us", f"{name} is {value}"


def test_figures_have_the_size_of_what_they_say(quick: tuple[dict[str, float | str], str]) -> None:
    """Bounds that a wrong unit would break, and a busy machine would not."""
    results = {name: value for name, value in quick[0].items() if isinstance(value, float)}
    for name in ("direct_over_raw_4", "direct_over_raw_20", "four_robots_over_one", "two_workers_over_one"):
        assert 0.05 < results[name] < 20.0, name
    assert results["lockstep_steps_per_s"] < 10.0 * results["pingpong_per_s"]
    assert results["reset_ms"] < results["strict_reset_ms"]
    assert 10.0 < results["lidar_360_us"] < 1e6
    assert 0.1 < results["camera_320x240_ms"] < 1e5


@pytest.mark.slow
@pytest.mark.skipif(not has_panda_gym, reason="no panda-gym here")
def test_the_comparison_with_another_project() -> None:
    code = "import bench, in_process; print(next(in_process.direct_over_panda_gym(bench.QUICK)))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT / "bench", capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert 0.05 < ast.literal_eval(done.stdout)["direct_over_panda_gym"] < 20.0
