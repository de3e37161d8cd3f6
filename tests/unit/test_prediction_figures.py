"""Figures of f[mu]: of one input, of two, of more; with a target, with labels, without either."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from meanfield_pde.plotting import energy_figure, prediction_figure, save_figures
from meanfield_pde.plotting.axes import log_axis
from meanfield_pde.plotting.maps import Levels, fills_plane
from meanfield_pde.plotting.prediction import has_prediction_figure
from meanfield_pde.plotting.snapshots import MOST_DOTS
from meanfield_pde.plotting.style import column_figure
from meanfield_pde.results.solution import SCALARS, Layout, Solution

TIMES = np.array([0.0, 0.1, 1.0, 10.0])
SHARE = (TIMES / (1.0 + TIMES))[:, None]
NOTHING = np.empty(0)
RNG = np.random.default_rng(0)
LINE, PLANE, SPACE = RNG.normal(size=60), RNG.normal(size=(60, 2)), RNG.normal(size=(60, 3))
FALLEN = np.column_stack([LINE, 2.0 * LINE])
LABELS = np.sign(LINE)
SIDE = np.linspace(-3.0, 3.0, 21)
NODES = np.stack(np.meshgrid(SIDE, SIDE, indexing="ij"), axis=-1).reshape(-1, 2)


def bump(x):
    """A function of x with values of both signs."""
    x = x if x.ndim == 2 else x[:, None]
    return x[:, 0] * np.exp(-np.sum(x**2, axis=1) / 2)


def solution(x, target, prediction, samples=True, energy=None):
    layout = Layout(
        representation="finite_volumes",
        parameters=("w_1", "w_2"),
        lower=(0.0, 0.0),
        upper=(1.0, 1.0),
        periodic=(False, False),
        centres=(np.array([0.25, 0.75]), np.array([0.25, 0.75])),
        particles=0,
        inputs=x,
        target=target,
        equation="d_t mu = div(mu grad V)",
        sample_weights=np.full(len(x), 1.0 / len(x)) if samples else NOTHING,
    )
    scalars = {name: np.ones(TIMES.size) for name in SCALARS}
    scalars["energy"] = np.ones(TIMES.size) if energy is None else energy
    moments = np.zeros((TIMES.size, 2))
    measure = np.ones((TIMES.size, 2, 2))
    return Solution(layout, TIMES, scalars, moments, moments, TIMES, measure, prediction)


def fitted(x, target, samples=True):
    """A run that learns its target."""
    return solution(x, target, SHARE * target, samples)


RUNS = {
    "line": lambda: fitted(LINE, bump(LINE)),
    "line of labels": lambda: fitted(LINE, LABELS),
    "line without a target": lambda: solution(LINE, NOTHING, SHARE + 0.0 * LINE),
    "one point": lambda: fitted(LINE[:1], bump(LINE[:1])),
    "plane": lambda: fitted(PLANE, bump(PLANE)),
    "plane of labels": lambda: fitted(PLANE, LABELS),
    "plane of one label": lambda: fitted(PLANE, np.ones(60)),
    "plane without a target": lambda: solution(PLANE, NOTHING, SHARE * np.exp(LINE)),
    "plane, points twice": lambda: fitted(np.repeat(PLANE, 2, axis=0), np.repeat(LINE, 2)),
    "nodes": lambda: fitted(NODES, bump(NODES), samples=False),
    "nodes, constant": lambda: fitted(NODES, np.full(441, 0.5), samples=False),
    "nodes, nothing at all": lambda: fitted(NODES, np.zeros(441), samples=False),
    "plane that is a line": lambda: fitted(FALLEN, bump(FALLEN)),
    "space": lambda: fitted(SPACE, bump(SPACE)),
    "space of labels": lambda: fitted(SPACE, LABELS),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_figure_is_drawn_and_small(name):
    for form in ("png", "pdf"):
        file = BytesIO()
        prediction_figure(RUNS[name]()).savefig(file, format=form)
        assert 5_000 < file.tell() < 200_000


def test_there_is_no_figure_of_many_inputs_without_a_target(tmp_path):
    runs = [solution(x, NOTHING, SHARE + 0.0 * LINE) for x in (SPACE, FALLEN)]
    assert not any(has_prediction_figure(run) for run in runs)
    names = {path.stem for path in save_figures(runs[0], tmp_path, "case", ["png"])}
    assert names == {"case_energy", "case_density", "case_dissipation", "case_certificate"}


def curves(axes):
    """Lines with more than two points, and the points of dots, as (x, y)."""
    lines = [line for line in axes.lines if len(line.get_xdata()) > 2]
    dots = [line.get_xydata() for line in lines if line.get_linestyle() == "None"]
    return [line.get_xydata() for line in lines if line.get_linestyle() != "None"], dots


def test_samples_are_dots_and_f_a_curve_in_the_order_of_x():
    upper, lower = prediction_figure(fitted(LINE, bump(LINE))).axes
    drawn, (target,) = curves(upper)
    np.testing.assert_array_equal(target, np.column_stack([LINE, bump(LINE)]))
    assert len(drawn) == 4
    x = np.sort(LINE)
    for curve, share in zip(drawn, SHARE[:, 0], strict=True):
        np.testing.assert_allclose(curve, np.column_stack([x, share * bump(x)]))
    drawn, (first, last) = curves(lower)
    assert not drawn
    np.testing.assert_allclose(first[:, 1], -bump(LINE))
    np.testing.assert_allclose(last[:, 1], -bump(LINE) / 11)


def test_a_target_between_quadrature_nodes_is_a_line():
    upper, lower = prediction_figure(fitted(SIDE, bump(SIDE), samples=False)).axes
    assert [len(part) for part in curves(upper)] == [5, 0]
    assert [len(part) for part in curves(lower)] == [4, 0]


def test_labels_have_no_residual_and_no_target_means_no_zero_line():
    (axes,) = prediction_figure(RUNS["line of labels"]()).axes
    assert [len(part) for part in curves(axes)] == [4, 1]
    (axes,) = prediction_figure(solution(SIDE, NOTHING, SHARE + 0.0 * SIDE, samples=False)).axes
    assert [len(part) for part in curves(axes)] == [4, 0]
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words == ["$t = 0$", "$t = 0.1$", "$t = 1$", "$t = 10$"]


def test_samples_without_a_target_are_a_weighted_histogram():
    run = solution(LINE, NOTHING, SHARE + 0.0 * LINE)
    run.layout.sample_weights[:] = np.where(LINE > 0.0, 1.0, 0.0) / np.sum(LINE > 0.0)
    (axes,) = prediction_figure(run).axes
    (steps,) = axes.patches
    heights, edges, _ = steps.get_data()
    assert np.sum(heights * np.diff(edges)) == pytest.approx(1.0, abs=1e-12)
    assert np.all(heights[edges[1:] <= 0.0] == 0.0)


def test_few_dots_stand_for_many_samples():
    x = RNG.normal(size=(4 * MOST_DOTS, 2))
    figure = prediction_figure(fitted(x, bump(x)))
    assert len(figure.axes[-1].collections[-1].get_offsets()) == MOST_DOTS
    words = [text.get_text() for text in figure.texts]
    assert rf"$\circ$ {MOST_DOTS} of {4 * MOST_DOTS} samples of $f^*$" in words


def test_a_dot_on_its_own_value_has_the_colour_of_the_map():
    run = solution(PLANE, bump(PLANE), np.repeat(bump(PLANE)[None], 4, axis=0))
    scale, *panels = prediction_figure(run).axes
    assert len(panels) == 4
    bands, dots = panels[0].collections
    edges = bands.levels
    np.testing.assert_array_equal(dots.get_offsets(), PLANE)
    for value, colour in zip(bump(PLANE), dots.get_facecolors(), strict=True):
        band = int(np.flatnonzero((edges[:-1] < value) & (value <= edges[1:]))[0])
        np.testing.assert_array_equal(colour[:3], bands.get_facecolors()[band][:3])
    assert scale.get_ylim() == (edges[0], edges[-1])


def test_lines_of_the_target_lie_at_the_edges_of_the_bands():
    scale, *panels = prediction_figure(fitted(NODES, bump(NODES), samples=False)).axes
    bands, lines = panels[-1].collections
    assert set(lines.levels) == set(bands.levels[1:-1])
    assert panels[0].get_xlim() == panels[-1].get_ylim() == (-3.0, 3.0)
    assert scale.get_ylabel() == r"$f[\mu](x)$"


def test_the_line_between_labels_is_where_f_changes_sign_and_not_where_it_is_rounding_error():
    x = PLANE
    prediction = np.array([1e-17 * x[:, 1], 0.2 * x[:, 0], x[:, 0] - 0.1, x[:, 0]])
    _, *panels = prediction_figure(solution(x, np.sign(x[:, 0]), prediction)).axes
    assert [len(panel.collections) for panel in panels] == [1, 2, 2, 2]
    for panel, place in zip(panels[1:], (0.0, 0.1, 0.0), strict=True):
        (path,) = panel.collections[-1].get_paths()
        np.testing.assert_allclose(path.vertices[:, 0], place, atol=1e-12)
    circles, triangles = panels[0].lines
    assert np.all(circles.get_xdata() < 0.0)
    assert np.all(triangles.get_xdata() > 0.0)
    assert (circles.get_marker(), triangles.get_marker()) == ("o", "^")


def test_names_of_inputs_are_mathematics():
    _, first, *rest = prediction_figure(fitted(PLANE, bump(PLANE))).axes
    assert (first.get_xlabel(), first.get_ylabel()) == ("$x_{1}$", "$x_{2}$")
    assert [panel.get_ylabel() for panel in rest] == [""] * 3


def test_margins_of_labels_pass_zero_at_the_share_that_is_met():
    f = np.array([0.5, 2.0, -1.0, 3.0, -0.5])
    target = np.array([1.0, 1.0, 1.0, -1.0, -1.0])
    run = solution(SPACE[:5], target, np.repeat(f[None], 4, axis=0))
    (axes,) = prediction_figure(run).axes
    curve = axes.lines[-1].get_xydata()
    # Margins 0.5, 2, -1, -3, 0.5; a step has the height of its right end.
    assert axes.lines[-1].get_drawstyle() == "steps-pre"
    assert curve[curve[:, 0] > 0.0][0, 1] == pytest.approx(3 / 5)


def test_bands_are_round_and_cover_what_is_drawn():
    levels = Levels.of([np.array([-0.31, 0.2]), np.array([0.93])])
    np.testing.assert_allclose(levels.edges, np.arange(-0.4, 1.01, 0.2), atol=1e-12)
    np.testing.assert_array_equal(levels.colour(np.array([-0.4, 1.0])), levels.bands[[0, -1]])
    for value in (0.0, 3.0, -2.0):
        constant = Levels.of([np.full(3, value), np.full(2, value * (1 + 1e-15))])
        assert constant.edges[0] < value < constant.edges[-1]
        assert constant.bands.shape == (constant.edges.size - 1, 3)


@pytest.mark.parametrize(
    ("x", "whether"),
    [(PLANE, True), (NODES, True), (FALLEN, False), (PLANE[:2], False), (SPACE, False)],
)
def test_inputs_that_fill_the_plane(x, whether):
    assert fills_plane(x) is whether
    assert fills_plane(1e3 + x * np.array([1e-3, 1e6, 1.0])[: x.shape[1]]) is whether
    assert not fills_plane(x[:, 0])


@pytest.mark.parametrize(
    ("energy", "scale", "place"),
    [
        ([5.0, 5.0, 4.0, 0.02], "log", ("lower", "left")),
        ([2.3, 1.7, 1.6, 1.6], "linear", ("upper", "right")),
        ([0.5, 0.5, 0.4, -1.2], "linear", ("lower", "left")),
    ],
)
def test_energies_of_any_sign_have_ticks_and_a_legend_beside_the_curve(energy, scale, place):
    run = solution(LINE, bump(LINE), SHARE * bump(LINE), energy=np.array(energy))
    figure = energy_figure(run)
    (axes,) = figure.axes
    assert axes.get_yscale() == scale
    figure.draw_without_rendering()
    low, high = axes.get_ylim()
    assert sum(low <= tick <= high for tick in axes.get_yticks()) >= 2
    box = axes.get_legend().get_window_extent().transformed(axes.transAxes.inverted())
    assert ("upper" if box.y0 > 0.5 else "lower", "right" if box.x1 > 0.9 else "left") == place


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0203, 0.0698, ["0.03", "0.04", "0.05", "0.06"]),
        (0.3, 1.2, ["0.5", "1"]),
        (0.05, 30.0, ["10", "1", "0.1"]),
    ],
)
def test_logarithmic_axes_have_two_ticks_or_more(low, high, labels):
    _, (axes,) = column_figure([1.0])
    log_axis(axes, "y", low, high)
    assert [label.get_text() for label in axes.get_yticklabels()] == labels
