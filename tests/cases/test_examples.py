"""The example scripts, run as a reader would run them; what they print is what they promise."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "cases" / "examples"

# script, what is printed before a number, and between which values the number must lie
PROMISES = {
    "own_unit": [("unit, y: ", 0.0, 1e-8), ("falls from ", 0.11, 0.113), (" to ", 0.004, 0.005)],
    "own_data": [("rms distance to the curve without noise: ", 0.0, 0.05)],
    "own_loss": [(" to ", 0.15, 0.16), ("\n", 76.0, 83.0)],
}


def test_every_example_has_a_promise():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(PROMISES)


@pytest.mark.parametrize("name", PROMISES)
def test_an_example_runs_and_keeps_its_promise(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", FOLDER / f"{name}.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for before, least, most in PROMISES[name]:
        found = re.search(re.escape(before) + r"(\d\S*)", done.stdout)
        assert found, done.stdout
        assert least <= float(found[1]) <= most, done.stdout
    assert list(tmp_path.iterdir()) == []
