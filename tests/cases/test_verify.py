"""`verify`: its table, its figure and its exit code."""

import subprocess
import sys

import pytest

from meanfield_pde.cli import DISAGREEMENT, FINISHED, WRONG_INPUT, main
from meanfield_pde.studies import verification
from meanfield_pde.studies.verification import Expected


@pytest.fixture
def two_ladders(monkeypatch):
    """What is verified, in this process: set one expectation."""

    def expect(density):
        wanted = {"MUSCL": Expected((16, 32), density), "Fourier": Expected((32, 48), 1e-3)}
        monkeypatch.setattr(verification, "EXPECTED", {"units, alpha = 1": wanted})
        monkeypatch.setattr(verification, "processors", lambda: 1)

    return expect


@pytest.mark.parametrize(("density", "code"), [(1e-1, FINISHED), (1e-9, DISAGREEMENT)])
def test_verdict_figure_and_exit_code(two_ladders, density, code, tmp_path, capsys):
    two_ladders(density)
    assert main(["verify", "--output", str(tmp_path / "made")]) == code
    out = capsys.readouterr().out
    assert ("FAILED" in out) == (code == DISAGREEMENT)
    assert f"{2 - (code == DISAGREEMENT)} of 2 ladders are as expected" in out
    for form in ("png", "pdf"):
        assert (tmp_path / "made" / f"verification.{form}").stat().st_size > 1000


def test_a_folder_that_is_none_is_said_before_anything_runs(two_ladders, tmp_path, capsys):
    two_ladders(1e-1)
    place = tmp_path / "file"
    place.write_text("")
    assert main(["verify", "--output", str(place)]) == WRONG_INPUT
    assert "not a folder" in capsys.readouterr().err


@pytest.mark.long
def test_quick_as_typed(tmp_path):
    command = [sys.executable, "-m", "meanfield_pde", "verify", "--quick"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == FINISHED, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    assert "units collapse, alpha = 1.7" in done.stdout
    assert (tmp_path / "output" / "verification.png").exists()
