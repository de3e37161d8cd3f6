"""Compressed feature tables: V is unchanged to the stated tolerance, whatever the residual."""

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.problem.features import features
from meanfield_pde.problem.modes import TOLERANCE
from meanfield_pde.problem.nodes import GridNodes
from meanfield_pde.problem.separable import SeparableOnGrid, tensor_factors
from meanfield_pde.problem.tables import Table

GRID = np.linspace(-3.0, 3.0, 300)
PLANE = tuple(a.ravel() for a in np.meshgrid(GRID[::10], GRID[::10], indexing="ij"))


def table(unit, data, theta):
    x, w = data.quadrature()
    return Table(unit, x, w, theta, theta[0].shape)


CASES = [
    (table(mf.Dirichlet(4), mf.UniformCircle(32), (GRID,)), 9),
    (table(mf.Cosine(2.0), mf.UniformCircle(32), (GRID,)), 2),
    (table(mf.Linear("exp(x)"), mf.UniformInterval(-1.0, 1.0, 20), (GRID,)), 1),
    (table(mf.Gaussian(0.5), mf.Line(-9.0, 9.0, 101), (GRID,)), None),
    (table(mf.VonMises(3.0), mf.UniformCircle(128), (GRID,)), None),
    (table(mf.Ridge("tanh"), mf.UniformInterval(-1.0, 1.0, 200), PLANE), None),
    (table(mf.FormulaUnit("cos(x*y)", ("y",)), mf.Line(-1.0, 1.0, 50), (GRID,)), None),
]


@pytest.mark.parametrize(("whole", "rank"), CASES, ids=lambda part: getattr(part, "unit", None))
def test_what_a_table_does_is_unchanged_to_the_tolerance(whole, rank):
    small = whole.compressed()
    assert small.modes is not None
    assert small.modes.shape[1] < 0.7 * whole.inputs.shape[0]
    if rank is not None:
        assert small.modes.shape[1] == rank
    generator = np.random.default_rng(0)
    for _ in range(5):
        residual = generator.standard_normal(whole.inputs.shape[0])
        size = np.sqrt(residual @ residual)
        pairs = [(whole.potential(residual), small.potential(residual), whole.phi)]
        for k in range(len(whole.theta)):
            pairs.append((whole.slope(k, residual), small.slope(k, residual), whole.slopes[k]))
        for exact, compressed, rows in pairs:
            largest = np.sqrt(np.max(np.sum(rows.values**2, axis=0)))
            assert np.abs(exact - compressed).max() <= 10 * TOLERANCE * largest * size
        values = generator.random(whole.theta[0].size)
        change = whole.prediction(values, 0.1) - small.prediction(values, 0.1)
        largest = np.sqrt(np.max(np.sum(whole.phi.values**2, axis=0)))
        assert np.abs(change).max() <= 10 * TOLERANCE * largest * 0.1 * values.sum()


@pytest.mark.parametrize(("whole", "rank"), CASES, ids=lambda part: getattr(part, "unit", None))
def test_square_norms_by_modes(whole, rank):
    small = whole.compressed()
    for curvature in (np.full(whole.inputs.size, 0.7), np.linspace(0.1, 2.0, whole.inputs.size)):
        pairs = zip(whole.square_norms(curvature), small.square_norms(curvature), strict=True)
        for exact, compressed in pairs:
            assert compressed == pytest.approx(exact, rel=1e-9, abs=1e-11 * exact.max())


def test_what_has_full_rank_is_left_alone():
    unit = mf.Gaussian(1e-3)
    assert table(unit, mf.UniformInterval(-1.0, 1.0, 8), (GRID,)).compressed().modes is None


def test_a_narrow_feature_between_the_sampled_nodes_is_not_lost():
    """A basis found from few of many nodes is tested at all of them."""
    theta = (np.linspace(-1.0, 1.0, 20001),)
    spike = mf.FormulaUnit("y + where(abs(y - 0.2345) < 0.00006, cos(20*x), 0)", ("y",))
    whole = table(spike, mf.UniformInterval(-1.0, 1.0, 40), theta)
    small = whole.compressed()
    residual = whole.data_weights * np.cos(20 * whole.inputs)
    assert small.potential(residual) == pytest.approx(whole.potential(residual), abs=1e-10)


def test_tensor_products_are_recognised():
    one, two = mf.Line(-3.0, 3.0, 7), mf.UniformInterval(-1.0, 2.0, 5)
    x, w = mf.ProductData((one, two)).quadrature()
    factors = tensor_factors(x, w)
    for (nodes, weights), data in zip(factors, (one, two), strict=True):
        expected = data.quadrature()
        assert nodes == pytest.approx(expected[0])
        assert weights / weights.sum() == pytest.approx(expected[1] / expected[1].sum())
    assert np.multiply.outer(factors[0][1], factors[1][1]).ravel() == pytest.approx(w)
    assert tensor_factors(x[::-1][[1, 0, *range(2, 35)]], w) is None
    assert tensor_factors(x, w * np.linspace(1, 2, 35)) is None
    assert tensor_factors(x[:, 0], w) is None


def test_a_separable_unit_does_what_its_whole_table_does():
    x, w = mf.ProductData((mf.Line(-4.0, 4.0, 17), mf.Line(-3.0, 3.0, 11))).quadrature()
    nodes = GridNodes((np.linspace(-2, 2, 23), np.linspace(-1, 1.5, 14)))
    unit = mf.Gaussian(0.4, dimension=2)
    (small,) = features(unit, x, w, nodes)
    assert isinstance(small, SeparableOnGrid)
    whole = Table(unit, x, w, tuple(c.ravel() for c in nodes.coordinates()), nodes.shape)
    generator = np.random.default_rng(2)
    values, residual = generator.random(nodes.shape), w * generator.standard_normal(w.size)
    assert small.prediction(values, 0.2) == pytest.approx(whole.prediction(values, 0.2), rel=1e-11)
    scale = np.abs(whole.potential(residual)).max()
    assert small.potential(residual) == pytest.approx(whole.potential(residual), abs=1e-12 * scale)
    for k in (0, 1):
        expected = whole.slope(k, residual)
        scale = np.abs(expected).max()
        assert small.slope(k, residual) == pytest.approx(expected, abs=1e-12 * scale)
    for curvature in (np.ones(w.size), generator.random(w.size)):
        one = small.mean_square_norms(values, 0.2, curvature)
        other = whole.mean_square_norms(values, 0.2, curvature)
        assert np.hstack(one) == pytest.approx(np.hstack(other), rel=1e-10)


@pytest.mark.parametrize("points", [40, 100])
def test_predictions_are_exact_at_points_of_tiny_weight(points):
    """The outermost weights of Gauss-Hermite rules are 1e-30 and less."""
    whole = table(mf.Gaussian(0.5), mf.GaussHermite(0.0, 1.0, points), (GRID,))
    small = whole.compressed()
    values = np.random.default_rng(0).random(GRID.size)
    exact = whole.prediction(values, 0.01)
    assert small.modes is not None
    assert small.prediction(values, 0.01) == pytest.approx(exact, abs=1e-11 * exact.max())


def test_gauss_hermite_products_are_recognised_in_spite_of_underflow():
    one = mf.GaussHermite(0.0, 1.0, 100)
    factors = tensor_factors(*mf.ProductData((one, one)).quadrature())
    assert factors is not None
    assert factors[0][1] == pytest.approx(one.quadrature()[1], rel=1e-10)


def test_a_likelihood_keeps_densities_however_small():
    """One point far from all others: f there is 1e-17, and positive."""
    x = np.r_[np.random.default_rng(0).normal(size=200), 9.0]
    energy = mf.Energy(
        mf.Gaussian(0.5), None, mf.Samples(x), mf.Interval(-4, 4), mf.NegativeLogLikelihood()
    )
    mu = mf.FiniteVolumes(200).project(mf.Normal(0.0, 0.7), energy.space)
    field = mu.landscape(energy).at(mu)
    (theta,) = mu.grid.centres
    exact = mf.Gaussian(0.5).value(x, (theta,)) @ mu.density * mu.weight
    assert 0 < exact[-1] < 1e-12
    assert field.prediction == pytest.approx(exact, rel=1e-12, abs=0)
