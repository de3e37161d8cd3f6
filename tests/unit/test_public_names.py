"""The public names, and that nothing heavy is imported before it is needed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import meanfield_pde as mf

HEAVY = {"numpy", "scipy", "numba", "h5py", "matplotlib", "pydantic", "tqdm"}


@pytest.mark.parametrize("name", mf.__all__)
def test_public_name_can_be_imported(name):
    thing = getattr(mf, name)
    assert thing.__name__ == name
    assert thing.__module__.startswith("meanfield_pde.")
    assert thing.__doc__


def test_public_names_are_listed_once_and_offered():
    assert len(set(mf.__all__)) == len(mf.__all__)
    assert set(mf.__all__) <= set(dir(mf))
    with pytest.raises(AttributeError, match="has no attribute 'Gausian'"):
        _ = mf.Gausian


def test_names_in_the_readme_are_public():
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bmf\.([A-Za-z_]\w*)", text)) <= set(mf.__all__)


def modules_imported(*command):
    """All modules an interpreter imports for a command that succeeds."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}, done.stdout


def test_help_imports_nothing_heavy():
    modules, text = modules_imported("-m", "meanfield_pde", "--help")
    assert "argparse" in modules
    assert not modules & HEAVY
    for command in ("run", "check", "plot"):
        assert f" {command} " in text


def test_importing_the_package_imports_nothing_heavy():
    modules, _ = modules_imported("-c", "import meanfield_pde")
    assert "meanfield_pde" in modules
    assert not modules & HEAVY
