"""Figures of made-up runs: which files are written, how large, and without a warning."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.plotting import (
    density_figure,
    dissipation_figure,
    energy_figure,
    save_figures,
)
from meanfield_pde.plotting.axes import number
from meanfield_pde.plotting.dissipation import has_dissipation
from meanfield_pde.plotting.parameters import symbol
from meanfield_pde.plotting.snapshots import (
    chosen,
    cloud,
    histogram,
    marginal,
    told_apart,
)
from meanfield_pde.plotting.style import SEQUENCE
from meanfield_pde.representations.following import folded
from meanfield_pde.results.solution import SCALARS, Layout, Solution

TIMES = np.array([0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
CENTRES = np.array([[-1.7, 2.1], [0.4, -1.3], [2.2, 3.4]])
X = np.linspace(-4.0, 4.0, 161)
TARGET = sum(c / 3 * np.exp(-((X - y) ** 2)) for y, c in CENTRES)


def records(transport=1.0, birth_death=1.0, negative=False):
    time = np.concatenate([[0.0], np.geomspace(1e-3, 30.0, 200)])
    a = transport * 0.4 * np.exp(-2.0 * time) / (1 + 20 * time)
    b = birth_death * (0.15 * np.exp(-0.25 * time) * time / (0.2 + time) + 1e-7 / (1 + time))
    lost = np.concatenate([[0.0], np.cumsum(0.5 * (a + b)[1:] * np.diff(time))])
    scalars = {name: np.zeros(time.size) for name in SCALARS}
    scalars["energy"] = (-2.0 if negative else lost[-1] + 1e-5) - lost
    scalars["mass"] = np.ones(time.size)
    scalars["transport_dissipation"] = a
    scalars["birth_death_dissipation"] = b
    scalars["identity_defect"] = 1e-4 * lost * np.cos(time / 3) - 1e-9
    return time, scalars


def solution(layout, measure, times=TIMES, data=True, **rates):
    time, scalars = records(**rates)
    size = layout.inputs.size
    share = (times / (1 + times))[:, None]
    prediction = share * TARGET + 0.1 * (1 - share) ** 2 * np.sin(2 * X) if data else None
    parameters = len(layout.parameters)
    return Solution(
        layout=layout,
        time=time,
        scalars=scalars,
        mean=np.zeros((time.size, parameters)),
        variance=np.ones((time.size, parameters)),
        snapshot_time=times,
        measure=measure,
        prediction=prediction if data else np.zeros((times.size, size)),
    )


def layout(parameters, lower, upper, periodic, cells=(), particles=0, data=True):
    centres = tuple(
        low + (np.arange(n) + 0.5) * (high - low) / n
        for low, high, n in zip(lower, upper, cells, strict=False)
    )
    return Layout(
        representation="particles" if particles else "finite_volumes",
        parameters=parameters,
        lower=lower,
        upper=upper,
        periodic=periodic,
        centres=centres,
        particles=particles,
        inputs=X if data else np.empty(0),
        target=TARGET if data else np.empty(0),
        equation="d_t mu = div(mu grad V) - alpha (V - Vbar) mu",
    )


def spread(time):
    """Width of the blobs and the share of mass in them."""
    return 0.04 + 0.6 / (1 + 2 * time), time / (0.3 + time)


def plane_particles(times=TIMES, count=1000, **rates):
    rng = np.random.default_rng(3)
    start = rng.normal(size=(count, 2)) * [1.4, 0.8]
    noise, which, order = (
        rng.normal(size=(count, 2)),
        rng.integers(3, size=count),
        rng.random(count),
    )
    measure = []
    for time in times:
        width, share = spread(time)
        moved = CENTRES[which] + width * noise
        measure.append(np.where((order < share)[:, None], moved, start))
    box = layout(("y", "c"), (-4.0, -6.0), (4.0, 6.0), (False, False), particles=count)
    return solution(box, np.array(measure), times, **rates)


def plane_grid(times=TIMES, cells=(160, 240), **rates):
    box = layout(("y", "c"), (-4.0, -6.0), (4.0, 6.0), (False, False), cells)
    y, c = np.meshgrid(*box.centres, indexing="ij")
    broad = np.exp(-((y / 1.4) ** 2) / 2 - (c / 0.8) ** 2 / 2) / (2 * np.pi * 1.4 * 0.8)
    measure = []
    for time in times:
        width, share = spread(time)
        blobs = [
            np.exp(-((y - a) ** 2 + (c - b) ** 2) / (2 * width**2)) / (6 * np.pi * width**2)
            for a, b in CENTRES
        ]
        measure.append(share * sum(blobs) + (1 - share) * broad)
    return solution(box, np.array(measure), times, **rates)


def circle_grid(times=TIMES, cells=256, bounds=(-np.pi, np.pi), sharp=1.0, **rates):
    box = layout(("theta",), bounds[:1], bounds[1:], (True,), (cells,), data=False)
    theta = box.centres[0]
    powers = 30 * sharp * times / (1 + times)
    bumps = np.exp(powers[:, None] * (np.cos(theta - 1.0) - 1))
    measure = bumps / (bumps.sum(axis=1, keepdims=True) * 2 * np.pi / cells)
    return solution(box, measure, times, data=False, **rates)


def circle_particles(times=TIMES, count=2000, **rates):
    rng = np.random.default_rng(5)
    powers = 30 * times / (1 + times)
    theta = np.array([rng.vonmises(1.0, power, count) for power in powers])
    box = layout(("theta",), (-np.pi,), (np.pi,), (True,), particles=count, data=False)
    return solution(box, theta[:, :, None], times, data=False, **rates)


PNG, BOTH = ("png",), ("png", "pdf")
RUNS = {
    "plane": (plane_grid, None, PNG, {"energy", "density", "prediction", "dissipation"}),
    "plane with particles": (
        *(plane_grid, plane_particles, BOTH),
        {"energy", "particles_over_density", "prediction", "dissipation"},
    ),
    "particles": (plane_particles, None, PNG, {"energy", "particles", "prediction", "dissipation"}),
    "circle": (circle_grid, None, BOTH, {"energy", "density", "dissipation"}),
    "circle with particles": (
        *(circle_grid, circle_particles, PNG),
        {"energy", "particles_over_density", "dissipation"},
    ),
    "particles on a circle": (circle_particles, None, PNG, {"energy", "particles", "dissipation"}),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_figure_is_written_whole_and_small(name, tmp_path):
    run, companion, formats, names = RUNS[name]
    over = companion() if companion else None
    paths = save_figures(run(), tmp_path, "case", formats, companion=over)
    assert {path.name for path in paths} == {
        f"case_{figure}.{form}" for figure in names for form in formats
    }
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for path in paths:
        start = path.read_bytes()[:5]
        assert start == (b"\x89PNG\r" if path.suffix == ".png" else b"%PDF-")
        assert 5_000 < path.stat().st_size < 200_000


def cut(run, times, snapshots):
    """The run as stopped after so many records and snapshots."""
    return dataclasses.replace(
        run,
        time=run.time[:times],
        scalars={name: values[:times] for name, values in run.scalars.items()},
        snapshot_time=run.snapshot_time[:snapshots],
        measure=run.measure[:snapshots],
        prediction=run.prediction[:snapshots],
    )


@pytest.mark.parametrize(("times", "snapshots"), [(1, 1), (2, 1), (40, 3), (1, 0)])
def test_a_stopped_run_has_figures(times, snapshots, tmp_path):
    paths = save_figures(
        cut(plane_grid(cells=(20, 24)), times, snapshots), tmp_path, "cut", ["png"]
    )
    expected = 1 + 2 * (snapshots > 0) + (times > 2)
    assert len(paths) == expected


def test_each_mechanism_alone_and_neither(tmp_path):
    for rates in ({"transport": 0.0}, {"birth_death": 0.0}, {"birth_death": 0.0, "negative": True}):
        run = circle_grid(cells=32, **rates)
        for name in ("transport", "birth_death"):
            if name in rates:
                run.scalars[f"{name}_dissipation"][:] = 0.0
        figure = dissipation_figure(run)
        assert [axes.get_ylabel() for axes in figure.axes][1:] == ["relative defect"]
        assert len(figure.axes[0].get_legend().get_texts()) == 1
    still = circle_grid(cells=32, transport=0.0, birth_death=0.0)
    still.scalars["birth_death_dissipation"][:] = 0.0
    assert not has_dissipation(still)
    names = {path.stem for path in save_figures(still, tmp_path, "still", ["png"])}
    assert names == {"still_energy", "still_density"}


def test_numbers_that_are_not_finite_are_gaps(tmp_path):
    run = plane_grid(TIMES[-2:], (20, 24))
    run.scalars["energy"][-3:] = np.nan
    run.scalars["transport_dissipation"][-3:] = np.inf
    run.measure[-1, :3] = np.nan
    assert len(save_figures(run, tmp_path, "gaps", ["png"])) == 4


def test_energy_axis_is_logarithmic_unless_the_energy_is_negative():
    assert energy_figure(plane_grid(TIMES[:1])).axes[0].get_yscale() == "log"
    assert energy_figure(plane_grid(TIMES[:1], negative=True)).axes[0].get_yscale() == "linear"


def test_companion_is_drawn_over_only_at_equal_times():
    grid, particles = plane_grid(TIMES[:2], (20, 24)), plane_particles(TIMES[1:3])
    figure = density_figure(grid, particles)
    panels = [axes for axes in figure.axes if axes.get_xlabel() == "$y$"]
    assert [len(panel.lines) for panel in panels] == [0, 1]
    assert panels[1].lines[0].get_xydata().shape == (500, 2)


def test_marginals_show_the_same_law_for_cells_and_for_particles():
    grid, particles = plane_grid(TIMES[:1]), plane_particles(TIMES[:1], count=20_000)
    for k in (0, 1):
        limits = (grid.layout.lower[k], grid.layout.upper[k])
        values, edges = histogram(particles.measure[0][:, k], limits)
        cells = marginal(grid.measure[0], grid.layout, (k,))
        middle = np.interp(0.5 * (edges[1:] + edges[:-1]), grid.layout.centres[k], cells)
        np.testing.assert_allclose(values, middle, atol=0.04)


def test_more_than_two_parameters_are_integrated_out():
    box = layout(("a", "b", "c"), (0.0,) * 3, (1.0,) * 3, (False,) * 3, (4, 5, 6))
    run = solution(box, np.ones((2, 4, 5, 6)), TIMES[:2])
    assert len(density_figure(run).axes) == 1 + 2 * 3
    np.testing.assert_allclose(marginal(run.measure[0], box, (0, 1)), np.ones((4, 5)))


def test_particles_without_walls_and_past_the_end_of_the_circle():
    run = plane_particles(TIMES[:2])
    free = dataclasses.replace(run.layout, lower=(-np.inf, -6.0), upper=(np.inf, 6.0))
    panel = density_figure(dataclasses.replace(run, layout=free)).axes[0]
    low, high = panel.get_xlim()
    assert low < run.measure[..., 0].min() < run.measure[..., 0].max() < high
    circle = circle_particles(TIMES[:1]).layout
    np.testing.assert_allclose(folded(np.array([[4.0]]), circle.axes), [[4.0 - 2 * np.pi]])


def test_snapshots_are_first_last_and_spaced_by_ratios():
    assert chosen(TIMES[:4]) == [0, 1, 2, 3]
    times = np.concatenate([[0.0], np.linspace(0.1, 100.0, 1000)])
    first, low, high, last = times[chosen(times)]
    assert (first, last) == (0.0, 100.0)
    assert low == pytest.approx(1.0, rel=0.1)
    assert high == pytest.approx(10.0, rel=0.1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (5.0, "5"),
        (0.03162, "0.0316"),
        (1234.0, "1234"),
        (1e-4, "10^{-4}"),
        (2.5e6, r"2.5\times 10^{6}"),
        (29.9999999, "30"),
        (0.1 + 0.2, "0.3"),
    ],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


def test_parameter_names_become_symbols():
    names = ("y", "theta", "a_1", "theta_2", "w_12", "width", "_odd")
    shown = ["y", r"\theta", "a_{1}", r"\theta_{2}", "w_{12}"]
    shown += [r"\mathrm{width}", r"\mathrm{\_odd}"]
    assert [symbol(name) for name in names] == shown


def test_a_failed_write_leaves_the_old_file_alone(tmp_path, monkeypatch):
    (old,) = save_figures(cut(plane_grid(), 9, 0), tmp_path, "run", ["png"])[:1]
    before = old.read_bytes()

    def half(self, path, **kwargs):
        Path(path).write_bytes(b"half")
        raise OSError(28, "disk full")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", half)
    with pytest.raises(NumericalFailure, match=r"run_energy\.png cannot be written \(disk full\)"):
        save_figures(plane_grid(), tmp_path, "run", ["png"])
    assert old.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))
    assert not list(tmp_path.glob(".*"))


def test_an_unknown_format_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="jpg"):
        save_figures(plane_grid(TIMES[:1]), tmp_path, "run", ["png", "jpg"])
    assert not list(tmp_path.iterdir())


def test_colours_darken_evenly_from_white():
    channel = SEQUENCE[::16] / 255.0
    linear = np.where(channel < 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    lightness = 1.16 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 0.16
    assert lightness[0] == pytest.approx(1.0, abs=1e-3)
    assert lightness[-1] < 0.3
    np.testing.assert_allclose(np.diff(lightness), -0.05, atol=0.01)


def test_no_interactive_library_is_loaded(tmp_path):
    code = """
import sys
import numpy as np
from meanfield_pde.plotting import save_figures
from meanfield_pde.results.solution import SCALARS, Frame, Layout, Snapshot, Solution
x = np.linspace(0.1, 0.9, 5)
layout = Layout("finite_volumes", ("y", "c"), (0.0, 0.0), (1.0, 1.0), (False, False), (x, x), 0,
                x, x, "")
frame = Frame(0.0, dict.fromkeys(SCALARS, 1.0), x[:2], x[:2], Snapshot(np.ones((5, 5)), x))
save_figures(Solution.from_frames(layout, [frame]), sys.argv[1], "one")
print("matplotlib.pyplot" in sys.modules)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
    )
    assert done.stdout.strip() == "False"
    assert len(list(tmp_path.iterdir())) == 6


def test_a_companion_of_other_physics_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"parameters of the second result = .*: expected those of the first"
    ):
        save_figures(plane_grid(), tmp_path / "new", "run", companion=circle_grid())
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="taken: cannot be a folder"):
        save_figures(circle_grid(), tmp_path / "taken", "run")


def test_two_grids_are_told_apart_by_their_symbols():
    first = circle_grid()
    second = dataclasses.replace(
        first, layout=dataclasses.replace(first.layout, equation="d_t mu = ...\nV\nalpha = 7")
    )
    labels = told_apart([first.layout, second.layout])
    assert labels[0] != labels[1]
    assert "alpha = 7" in labels[1]


def test_weighted_particles_are_drawn_by_their_mass():
    """Of two places, one with nine tenths of the mass, nine of ten points are there."""
    space = mf.Interval(-1.0, 1.0)
    energy = mf.PotentialEnergy(mf.Quadratic(((2.0,),)), space)
    mu = mf.Particles(100, 0.1, 0, "weights").project(mf.Uniform(), space)
    points = np.repeat([[0.0], [0.8]], 50, axis=0)
    heavy = np.log(np.repeat([1.8, 0.2], 50))
    mu = dataclasses.replace(mu, points=points, log_weights=heavy)
    solution = mf.solve(mf.Equation(energy, [mf.BirthDeath(1e-9)]), mu, 0.1)
    assert np.count_nonzero(cloud(solution, 0) == 0.0) == 90
