"""Results of studies: their orders, their figure and their file."""

import math

import numpy as np
import pytest
import xarray

from meanfield_pde.errors import InputError
from meanfield_pde.plotting.refinement import has_curves, study_figure
from meanfield_pde.results.study import StudyResult, write_study
from meanfield_pde.studies.summary import read_result
from meanfield_pde.studies.tables import orders


def test_orders_use_the_ratio_of_the_sizes():
    for power in (1, 2, 0.5):
        for sizes in ([10, 30, 40], [0.4, 0.1, 0.01]):
            width = [1 / size if sizes[0] < sizes[-1] else size for size in sizes]
            errors = [3 * h**power for h in width]
            assert orders(errors, sizes) == pytest.approx([power, power])
    assert orders([1.0, 0.25]) == pytest.approx([2.0])
    assert np.isnan(orders([0.0, 1.0, math.nan], [1, 2, 3])).all()


def made_up(sizes, power, key="method.cells", **others):
    sizes = np.array(sizes, dtype=float)
    time = np.array([0.0, 1.0, 2.0])
    errors = np.outer((sizes / sizes[0]) ** power, [0.0, 0.3, 1.0])
    return StudyResult(
        values={key: tuple(f"{size:g}" for size in sizes), **others},
        size=sizes,
        outcome=("finished",) * sizes.size,
        seconds=np.arange(sizes.size, dtype=float),
        time=time,
        observed={"energy": errors + 1.0},
        reference={"energy": np.ones(3)},
        errors={"energy": errors},
        orders={"energy": np.full(errors.shape, np.nan)},
        attributes={"against": "the exact solution", "equation": "d_t mu = 0"},
    )


@pytest.mark.parametrize(
    ("sizes", "power", "label"),
    [
        ([16, 32, 64], -2.0, "2.00"),
        ([0.4, 0.2, 0.05], 1.0, "1.00"),
        ([16, 32, 64], 0.5, "-0.50"),
        ([16, 64], -1.5, "1.50"),
    ],
)
def test_a_triangle_has_the_slope_of_the_errors(sizes, power, label):
    figure = study_figure(made_up(sizes, power))
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    (triangle,) = axes.patches
    corners = np.log(triangle.get_xy()[:3])
    assert (corners[1] - corners[0])[1] / (corners[1] - corners[0])[0] == pytest.approx(power)
    assert {text.get_text() for text in axes.texts} == {f"${label}$", "1"}
    assert axes.get_xticks() == pytest.approx(sizes)
    lines = [line for line in axes.lines if len(line.get_xdata()) == len(sizes)]
    for x, y in corners:
        for line in lines:
            data = np.log(np.array(line.get_xydata()))[np.argsort(sizes)]
            assert y < np.interp(x, data[:, 0], data[:, 1])
        assert axes.get_ylim()[0] < np.exp(y)
    assert [text.get_text() for text in axes.get_legend().texts] == ["$t = 1$", "$t = 2$"]


def test_many_values_and_rows_without_errors_can_be_drawn():
    result = made_up(range(10, 40), -2.0)
    result.errors["energy"][3] = np.nan
    (axes,) = study_figure(result).axes
    assert len(axes.get_xticks()) < 10
    assert [text.get_text() for text in axes.texts] == ["$2.00$", "1"]
    result.errors["energy"][:] = np.nan
    assert not has_curves(result)


def test_a_study_file_is_labelled_and_comes_back(tmp_path):
    path = tmp_path / "study.h5"
    others = {"time.step.dt": ("0.1", "0.05", "0.01")}
    result = made_up([16, 32, 64], -2.0, **others)
    write_study(result, path)
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data["energy"].dims == data["energy_error"].dims == ("run", "time")
        assert data["energy_reference"].dims == ("time",)
        assert data["set time.step.dt"].values.tolist() == ["0.1", "0.05", "0.01"]
        assert data["value"].values.tolist() == [16.0, 32.0, 64.0]
        assert float(data["energy_error"].sel(time=2.0)[1]) == result.errors["energy"][1, 2]
    back = read_result(path)
    assert list(back.values) == ["method.cells", "time.step.dt"]
    for name, value in vars(result).items():
        other = getattr(back, name)
        if isinstance(value, dict) and name not in ("values", "attributes"):
            assert value.keys() == other.keys()
            assert all(np.array_equal(value[k], other[k], equal_nan=True) for k in value)
        else:
            assert np.array_equal(value, other) if isinstance(value, np.ndarray) else value == other


def test_a_study_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "study.h5"
    write_study(made_up([16, 32], -2.0), path)
    before = path.read_bytes()
    result = made_up([16, 32, 64], -2.0)
    result.attributes["case"] = object()
    with pytest.raises(InputError, match="attribute 'case'"):
        write_study(result, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["study.h5"]
