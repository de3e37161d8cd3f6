"""Every case file of the project: it loads, describes itself, runs shortened, and round-trips."""

import re
from pathlib import Path

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.case import load, parse
from meanfield_pde.run import describe, execute, jobs

FILES = sorted((Path(__file__).parents[2] / "cases").glob("*.toml"))
SHORT = ["time.t_end=0.05", "output.figures=[]"]
SIZES = {
    "finite_volumes": ["method.cells=20"],
    "characteristics": ["method.nodes=12", "method.picture=16"],
    "particles": ["method.number=30"],
}


def shortened(path):
    """The case with little to compute: few cells, few particles, the first moment of time."""
    case = load(path)
    companion = ["companion.number=30"] * (case.companion is not None)
    return load(path, SHORT + SIZES[case.method.kind] + companion)


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_there_are_case_files():
    assert "quickstart" in {path.stem for path in FILES}


def test_a_case_file_begins_with_what_to_see(path):
    first, *_ = path.read_text().splitlines()
    assert re.match(r"# \w", first)
    assert load(path).title


def test_a_case_describes_itself_without_running(path, tmp_path):
    case, lines = load(path), []
    for job in jobs(case, path.stem, tmp_path / "none"):
        describe(job, lines.append)
    text = "\n".join(lines)
    assert "d_t mu = " in text
    for name, axis in zip(case.energy().parameters, case.space.axes, strict=True):
        assert f"{name} in [{axis.lower:g}, {axis.upper:g}]" in text
    assert re.search(r"estimated cost: .*\d.* s", text)
    assert not (tmp_path / "none").exists()


def test_a_case_runs(path, tmp_path):
    for job in jobs(shortened(path), path.stem, tmp_path):
        solution = execute(job)
        assert solution.attributes["outcome"] == "finished"
        assert solution.time[-1] == 0.05
        assert np.all(np.isfinite(solution.energy))
        assert np.all(solution.smallest_density >= 0)
        assert solution.steps[-1] >= 1
        assert parse(solution.attributes["case"], "attribute", folder=job.case.folder) == job.case
        again = mf.read(job.path)
        assert np.array_equal(again.measure, solution.measure)


@pytest.mark.parametrize("shorten", [load, shortened])
def test_a_case_as_text_is_the_same_case(path, shorten):
    case = shorten(path)
    again = parse(case.text(), "text", folder=case.folder)
    assert again == case
    assert again.text() == case.text()
