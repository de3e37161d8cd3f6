"""The file of a run in the hands of other tools: labelled axes, and where it comes from."""

import numpy as np
import pytest
import xarray

import meanfield_pde as mf
from meanfield_pde.case import load, parse
from meanfield_pde.run import execute, jobs


@pytest.fixture
def charged_case(circle_case):
    """A charged unit on a cylinder, from the circle's case file."""
    settings = [
        'unit={kind = "charged", base = {kind = "von_mises", kappa = 2.0}}',
        "space.kind=product",
        'space.factors=[{kind = "circle"}, {kind = "interval", lower = -5.0, upper = 5.0}]',
        "initial.kind=product",
        'initial.factors=[{kind = "uniform"}, {kind = "normal"}]',
        "method.cells=[16, 20]",
        "companion.kind=particles",
        "companion.number=25",
        "output.record={kind = 'every', interval = 0.1}",
        "output.save={kind = 'at', values = [0.2]}",
    ]
    return load(circle_case, settings)


@pytest.fixture
def runs(charged_case, tmp_path):
    """Both runs of the case: (path, solution), on a grid and as particles."""
    work = jobs(charged_case, "charged", tmp_path)
    return [(job.path, execute(job)) for job in work]


def test_a_grid_run_opens_as_a_labelled_data_set(runs):
    path, solution = runs[0]
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data["density"].dims == ("snapshot_time", "theta", "c")
        assert data["energy"].dims == ("time",)
        assert data["mean"].dims == ("time", "parameter")
        assert data["prediction"].dims == ("snapshot_time", "x")
        assert data["target"].dims == ("x",)
        assert data["parameter"].values.tolist() == ["theta", "c"]
        assert data["time"].values == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
        assert data["c"].values == pytest.approx(np.arange(-4.75, 5, 0.5))
        middle = data["density"].sel(snapshot_time=0.2)
        assert np.array_equal(middle, solution.measure[1])
        mass = middle.sum() * (2 * np.pi / 16) * 0.5
        assert float(mass) == pytest.approx(1.0, abs=1e-13)
        assert float(data["energy"].sel(time=0.5)) == solution.energy[-1]
        assert data["periodic"].values.tolist() == [True, False]
        assert data["energy"].attrs["long_name"].startswith("E[mu]")


def test_a_particle_run_opens_as_a_labelled_data_set(runs):
    path, solution = runs[1]
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data["position"].dims == ("snapshot_time", "particle", "parameter")
        assert data.sizes["particle"] == 25
        charges = data["position"].sel(parameter="c", snapshot_time=0.5)
        assert np.array_equal(charges, solution.measure[-1, :, 1])


def test_a_file_tells_where_it_comes_from(runs, charged_case):
    for path, solution in runs:
        attributes = mf.read(path).attributes
        assert attributes == solution.attributes
        assert attributes["outcome"] == "finished"
        assert parse(attributes["case"], "attribute") == charged_case
        assert attributes["numpy_version"] == np.__version__
        assert attributes["threads"] >= 1
        assert attributes["seconds transport"] > 0
        assert attributes["seconds birth_death"] > 0
        assert {"commit", "started", "command", "python_version"} <= set(attributes)
    (_, grid), (_, particles) = runs
    assert grid.attributes["seed"] == -1
    assert particles.attributes["seed"] == 0
    assert grid.layout.equation.startswith("d_t mu = - alpha (V - <V>) mu + div(mu grad V)")
    assert particles.layout.equation.startswith("d_t mu = div(mu grad V) - alpha (V - <V>) mu")
