"""Laws given by a formula, a function or a table: averages, tails, draws, refusals."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.stats import kstest, norm

import meanfield_pde as mf
from meanfield_pde.problem.laws import averages_of, draws_from, mass_outside

RANGE = mf.Interval(-4.0, 6.0).axes
BOX = mf.Box((-4.0, -6.0), (4.0, 6.0)).axes
EDGES = np.linspace(-4.0, 6.0, 41)
WIDTH = EDGES[1] - EDGES[0]
PLANE = (np.linspace(-4.0, 4.0, 33), np.linspace(-6.0, 6.0, 41))
AREA = 0.25 * 0.3

TILTED = "exp(-theta_1**2/2 - (theta_2 - theta_1)**2)"


def tilted(first, second):
    return np.exp(-(first**2) / 2 - (second - first) ** 2)


def draws(law, number, axes, seed=5):
    return draws_from(law, np.random.default_rng(seed), number, axes)


@pytest.fixture
def table(tmp_path):
    """Write a table of a density; its law."""

    def write(name, **arrays):
        path = tmp_path / name
        if path.suffix == ".npz":
            np.savez(path, **arrays)
        else:
            columns = np.column_stack(list(arrays.values()))
            np.savetxt(path, columns, delimiter=",", header=",".join(arrays), comments="")
        return mf.TableLaw(str(path))

    return write


def test_a_formula_needs_no_factor_and_keeps_its_tails():
    """The same cells as the normal law, to 1e-11 of each, down to exp(-200)."""
    edges = np.linspace(-20.0, 20.0, 161)
    axes = mf.Interval(-20.0, 20.0).axes
    formula = averages_of(mf.FormulaLaw("7*exp(-theta**2/2)"), (edges,), axes)
    expected = (norm.sf(edges[120:-1]) - norm.sf(edges[121:])) / 0.25
    assert formula[120:] == pytest.approx(expected, rel=1e-10, abs=0)
    assert formula[-1] < 1e-80
    normal = averages_of(mf.Normal(), (edges,), axes)
    assert formula == pytest.approx(normal, rel=1e-11, abs=0)


def test_a_formula_in_two_parameters_against_adaptive_integration():
    averages = averages_of(mf.FormulaLaw(TILTED), PLANE, BOX)
    assert averages.shape == (32, 40)
    assert averages.sum() * AREA == pytest.approx(1.0, abs=1e-13)
    total, _ = dblquad(lambda y, x: tilted(x, y), -4, 4, -6, 6, epsabs=1e-12)
    for i, j in [(16, 20), (3, 30), (0, 39)]:
        cell = [PLANE[0][i], PLANE[0][i + 1], PLANE[1][j], PLANE[1][j + 1]]
        mass, _ = dblquad(lambda y, x: tilted(x, y), *cell, epsabs=0, epsrel=1e-11)
        assert averages[i, j] == pytest.approx(mass / total / AREA, rel=1e-8, abs=0)
    assert averages[0, 39] < 1e-40


def test_a_function_is_as_good_as_a_formula():
    formula = averages_of(mf.FormulaLaw(TILTED), PLANE, BOX)
    function = averages_of(mf.DensityFunction(tilted), PLANE, BOX)
    assert function == pytest.approx(formula, rel=1e-12, abs=0)
    constant = averages_of(mf.DensityFunction(lambda theta: 2.0 + 0.0 * theta), (EDGES,), RANGE)
    assert constant == pytest.approx(0.1, rel=1e-13)


def test_a_function_is_called_once_for_a_grid():
    """A law from which neurons are born is projected at every step."""
    calls = []
    law = mf.DensityFunction(lambda theta: calls.append(1) or np.exp(-(theta**2)))
    measure = mf.FiniteVolumes(32).project(law, mf.Interval(-4.0, 6.0))
    before = len(calls)
    again = measure.project(law)
    assert len(calls) == before
    assert np.array_equal(again.density, measure.density)
    finer = mf.FiniteVolumes(64).project(law, mf.Interval(-4.0, 6.0))
    assert len(calls) > before
    assert finer.mass == pytest.approx(1.0)


def test_a_density_with_jumps_is_first_order():
    """A disk of radius 1: errors of its integral fall with the cells, and no cell is refused."""

    def disk(first, second):
        return np.where(first**2 + second**2 < 1.0, 3.0, 0.0)

    for cells in (24, 48, 96):
        mu = mf.FiniteVolumes(cells).project(mf.DensityFunction(disk), mf.Box((-2, -2), (2, 2)))
        assert mu.mass == pytest.approx(1.0)
        assert abs(mu.density.max() * np.pi - 1.0) < 0.3 / cells


def test_densities_as_factors_and_parts():
    half = mf.DensityFunction(lambda theta: np.maximum(theta, 0) * np.exp(-theta))
    law = mf.ProductLaw((mf.Normal(), mf.MixtureLaw((1.0, 1.0), (half, mf.Uniform(-1.0, 1.0)))))
    averages = averages_of(law, PLANE, BOX)
    normal = averages_of(mf.Normal(), PLANE[:1], BOX[:1])
    halves = averages_of(half, PLANE[1:], BOX[1:])
    uniform = averages_of(mf.Uniform(-1.0, 1.0), PLANE[1:], BOX[1:])
    expected = np.multiply.outer(normal, (halves + uniform) / 2)
    assert averages == pytest.approx(expected, rel=1e-13, abs=0)
    assert draws(law, 10, BOX).shape == (10, 2)


def test_draws_of_a_formula_on_a_line():
    law = mf.FormulaLaw("exp(-(theta - 0.5)**2/(2*0.7**2))")
    sample = draws(law, 20000, RANGE)[:, 0]
    assert kstest(sample, norm(0.5, 0.7).cdf).pvalue > 0.01
    assert kstest(sample + 0.05, norm(0.5, 0.7).cdf).pvalue < 1e-6


def test_draws_of_a_formula_in_the_plane():
    """Both marginals and the direction in which the parameters differ most."""
    sample = draws(mf.FormulaLaw(TILTED), 20000, BOX)
    for turned, variance in (
        (sample[:, 0], 1.0),
        (sample[:, 1], 1.5),
        (sample[:, 1] - sample[:, 0], 0.5),
    ):
        assert kstest(turned, norm(0.0, np.sqrt(variance)).cdf).pvalue > 0.01


def test_draws_from_a_fine_grid_have_the_stated_error():
    """h^2 / 12 int |g' rho'|, h = 4 / 4096, is reached by g = theta^2 and rho = theta / 8."""
    law, axes = mf.FormulaLaw("theta"), mf.Interval(0.0, 4.0).axes
    edges = np.linspace(0.0, 4.0, 4097)
    error = averages_of(law, (edges,), axes) @ np.diff(edges**3) / 3 - 8.0
    assert abs(error) == pytest.approx((4 / 4096) ** 2 / 12 * 2.0, rel=1e-4)
    number = 100_000
    squares = draws(law, number, axes) ** 2
    assert np.mean(squares) == pytest.approx(8.0, abs=4 * np.std(squares) / number**0.5)


def linear_averages(knots, values, edges):
    """Of the function that is linear between the knots and 0 beyond, by trapezoids."""
    averages = []
    for low, high in pairwise(edges):
        inner = knots[(knots > low) & (knots < high)]
        ends = np.clip([low, *inner, high], knots[0], knots[-1])
        averages.append(np.trapezoid(np.interp(ends, knots, values), ends) / (high - low))
    return np.array(averages)


@pytest.mark.parametrize("name", ["density.npz", "density.csv"])
def test_a_table_on_a_line_is_linear_between_its_points(table, name):
    theta = np.array([-1.3, -0.2, 0.1, 1.9, 3.0])
    density = np.array([0.5, 2.0, 0.0, 1.0, 4.0])
    law = table(name, theta=theta, density=density)
    expected = linear_averages(theta, density, EDGES) / np.trapezoid(density, theta)
    averages = averages_of(law, (EDGES,), RANGE)
    assert averages == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert averages.sum() * WIDTH == pytest.approx(1.0, abs=1e-14)
    assert mass_outside(law, RANGE) == pytest.approx(0.0, abs=1e-14)


def test_a_table_in_the_plane_is_bilinear(table):
    first, second = np.linspace(-2.0, 1.0, 4), np.linspace(-3.0, 2.0, 6)
    density = 6.0 + np.add.outer(first**2, np.cos(second) * np.arange(6))
    rows = [linear_averages(second, row, PLANE[1]) for row in density]
    expected = np.transpose([linear_averages(first, row, PLANE[0]) for row in np.transpose(rows)])
    expected = expected / np.trapezoid(np.trapezoid(density, second), first)
    grid = table("grid.npz", theta_1=first, theta_2=second, density=density)
    averages = averages_of(grid, PLANE, BOX)
    assert averages == pytest.approx(expected, rel=1e-12, abs=1e-15)
    assert averages.sum() * AREA == pytest.approx(1.0, abs=1e-13)


def test_rows_of_a_table_in_the_plane_come_in_any_order(table):
    first, second = np.array([-2.0, 0.5, 1.0]), np.linspace(-3.0, 2.0, 6)
    density = np.exp(np.multiply.outer(first, second) / 3)
    grid = table("grid.npz", theta_1=first, theta_2=second, density=density)
    order = np.random.default_rng(0).permutation(18)
    pairs = [array.ravel()[order] for array in np.meshgrid(first, second, indexing="ij")]
    rows = {"theta_1": pairs[0], "theta_2": pairs[1], "density": density.ravel()[order]}
    expected = averages_of(grid, PLANE, BOX)
    for name in ("rows.csv", "rows.npz"):
        averages = averages_of(table(name, **rows), PLANE, BOX)
        assert averages == pytest.approx(expected, rel=1e-12, abs=0)


def test_draws_of_a_table(table):
    law = table("triangle.csv", theta=np.array([0.0, 2.0]), density=np.array([0.0, 5.0]))
    sample = draws(law, 20000, RANGE)[:, 0]
    assert kstest(sample, lambda t: np.clip(t, 0, 2) ** 2 / 4).pvalue > 0.01
    assert 0.0 <= sample.min() < sample.max() < 2.0 + 10 / 4096


def test_a_table_beyond_the_space_loses_mass(table):
    law = table("wide.csv", theta=np.array([-4.05, 5.0]), density=np.array([1.0, 1.0]))
    assert mass_outside(law, RANGE) == pytest.approx(0.05 / 9.05, rel=1e-10)
    averages = averages_of(law, (EDGES,), RANGE)
    assert averages.sum() * WIDTH == pytest.approx(9.0 / 9.05, rel=1e-10)
    far = table("far.csv", theta=np.array([-5.0, 5.0]), density=np.array([1.0, 1.0]))
    with pytest.raises(mf.InputError, match=r"far.csv.*inside \[-4, 6\], but 10 %"):
        averages_of(far, (EDGES,), RANGE)


@given(
    st.lists(st.floats(0.0, 1e3), min_size=3, max_size=9).filter(lambda v: max(v) > 1e-3),
    st.floats(0.01, 1.2),
    st.integers(4, 60),
)
def test_a_table_has_mass_one_on_every_grid(tmp_path_factory, density, spacing, cells):
    path = tmp_path_factory.mktemp("tables") / "t.npz"
    np.savez(path, theta=-3.9 + spacing * np.arange(len(density)), density=density)
    mu = mf.FiniteVolumes(cells).project(mf.TableLaw(str(path)), mf.Interval(-4.0, 6.0))
    assert mu.mass == pytest.approx(1.0, abs=1e-13)
    raw = averages_of(mf.TableLaw(str(path)), mu.grid.edges, RANGE)
    assert raw.sum() * mu.weight == pytest.approx(1.0, abs=1e-12)
    assert np.all(raw >= 0)


def test_paths_are_taken_from_a_folder(tmp_path, table):
    table("t.npz", theta=np.array([0.0, 1.0]), density=np.array([1.0, 1.0]))
    law = mf.MixtureLaw((1.0, 1.0), (mf.Normal(), mf.TableLaw("t.npz")))
    nested = mf.ProductLaw((law, mf.Uniform()))
    with pytest.raises(mf.InputError, match=r"t.npz: cannot be read"):
        mass_outside(nested, BOX)
    assert mass_outside(nested.located(str(tmp_path)), BOX) < 1e-4
    absolute = mf.TableLaw(str(tmp_path / "t.npz"))
    assert absolute.located("/nowhere") == absolute


@pytest.mark.parametrize(
    ("law", "axes", "says"),
    [
        ("theta", RANGE, r"density theta.*>= 0 and finite, but it is -3\.99.* at theta = -3\.99"),
        ("sqrt(theta)", RANGE, "finite, but it is nan at theta = -"),
        ("exp(1000 + theta)", RANGE, "it is inf at theta ="),
        (
            "theta_1*theta_2",
            BOX,
            r"it is -0\.0467\d* at theta_1, theta_2 = -3\.99\d*, 0\.0117\d*",
        ),
        ("0*theta", RANGE, "not 0 everywhere"),
        ("exp(-1e6*theta**2)", RANGE, r"varies little over a cell of width 0\.25"),
        ("exp(-1e6*theta_1**2)", BOX, r"varies little over a cell of width 0\.25 x 0\.3"),
        ("exp(theta_1)", RANGE, "'theta_1'.*'theta'"),
        ("exp(theta)", BOX, "theta_1, theta_2"),
        ("exp(", RANGE, "formula = 'exp\\('"),
        ("1", mf.Box((0,) * 3, (1,) * 3).axes, "expected a product of laws, for 3 parameters"),
    ],
)
def test_formulas_that_are_no_density_are_refused(law, axes, says):
    edges = PLANE if len(axes) == 2 else (EDGES,) * len(axes)
    with pytest.raises(mf.InputError, match=says):
        averages_of(mf.FormulaLaw(law), edges, axes)


def test_functions_that_are_no_density_are_refused():
    def fails(theta):
        raise KeyError("theta")

    for function, says in (
        (lambda theta: theta[:3], r"density returned shape \(3,\)"),
        (lambda theta: -1.0 + 0.0 * theta, "it is -1 at theta"),
        (lambda theta: theta.sum(), r"density returned shape \(\)"),
        (fails, "the density failed on arrays"),
        (lambda a, b: a, "the density failed on arrays"),
    ):
        with pytest.raises(mf.InputError, match=says):
            mass_outside(mf.DensityFunction(function), RANGE)


GOOD = {"theta": np.array([0.0, 1.0, 2.0]), "density": np.array([1.0, 2.0, 1.0])}
PAIRS = {"theta_1": np.array([0.0, 1.0]), "theta_2": np.array([0.0, 1.0, 2.0])}


@pytest.mark.parametrize(
    ("arrays", "axes", "says"),
    [
        (
            GOOD | {"density": np.array([1.0, -2.0, 1.0])},
            RANGE,
            "'density' is -2 at its lowest: expected numbers >= 0",
        ),
        (GOOD | {"density": np.zeros(3)}, RANGE, "is 0 everywhere"),
        (GOOD | {"density": np.ones(4)}, RANGE, r"columns of \[4, 3\] entries"),
        (GOOD | {"density": np.ones((3, 1))}, RANGE, r"shape \(3, 1\): expected \(3,\)"),
        (GOOD | {"theta": np.ones((3, 1))}, RANGE, r"'theta' has shape \(3, 1\): expected one"),
        (GOOD | {"theta": np.array([0.0, 1.0, 1.0])}, RANGE, "has 3 rows: expected 2, one for"),
        ({"theta": np.zeros(1), "density": np.ones(1)}, RANGE, "at least two values of 'theta'"),
        (GOOD, BOX, "no array 'theta_1'; did you mean 'theta'"),
        (PAIRS | {"density": np.ones((3, 2))}, BOX, r"shape \(3, 2\): expected \(2, 3\)"),
        (
            {
                "theta_1": np.array([1.0, 0.0]),
                "theta_2": np.arange(2.0),
                "density": np.ones((2, 2)),
            },
            BOX,
            "'theta_1', increasing",
        ),
        (
            {"theta_1": np.arange(3.0), "theta_2": np.arange(3.0), "density": np.ones(3)},
            BOX,
            "has 3 rows: expected 3 x 3",
        ),
        (
            {
                "theta_1": np.array([0.0, 0.0, 1.0, 1.0]),
                "theta_2": np.array([0.0, 1.0, 0.0, 0.0]),
                "density": np.ones(4),
            },
            BOX,
            "has 4 rows: expected 2 x 2, one for each combination",
        ),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_tables_that_are_none_are_refused(table, arrays, axes, says):
    law = table("broken.npz", **arrays)
    with pytest.raises(mf.InputError, match=says) as refused:
        mass_outside(law, axes)
    assert "broken.npz" in str(refused.value)
    assert "\n" not in str(refused.value)
