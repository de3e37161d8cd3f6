"""Energies and their first variation against dense sums over kernels in closed form.

    E = C_f + F.m + m.K m / 2,        V = F + K m

K and F are integrals that are known for every unit here, so neither the data quadrature of the
package nor its way through f = Phi m is used on the expecting side.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.special import i0, i1

import meanfield_pde as mf
from meanfield_pde.problem.nodes import GridNodes


@dataclass(frozen=True)
class Problem:
    """An energy with its kernel K(y - y'), its force F(y) and its constant C_f."""

    energy: mf.Energy
    kernel: Callable
    curvature: float  # - K''(0) = int (d psi / dy)^2 dnu
    force: Callable
    constant: float

    @property
    def charged(self):
        return len(self.energy.parameters) == 2

    def potential(self, theta, nodes, masses):
        """V at coordinates theta of a measure with masses at nodes."""
        kernel = self.kernel(theta[0][:, None] - nodes[0])
        if not self.charged:
            return self.force(theta[0]) + kernel @ masses
        return theta[1] * (self.force(theta[0]) + kernel @ (nodes[1] * masses))

    def total(self, nodes, masses):
        """E of a measure with masses at nodes."""
        charge = nodes[1] * masses if self.charged else masses
        kernel = self.kernel(nodes[0][:, None] - nodes[0])
        return self.constant + self.force(nodes[0]) @ charge + charge @ kernel @ charge / 2


def teacher_problem(unit, kernel, curvature, charged):
    """A teacher of the unit itself on the circle: F and C_f are sums of its kernel."""
    centres, masses = np.array([1.0, 2.5, -1.8]), np.array([0.5, -0.2, 0.3])
    space = mf.Product((mf.Circle(), mf.Interval(-3.0, 2.5))) if charged else mf.Circle()
    energy = mf.Energy(
        mf.Charged(unit) if charged else unit,
        mf.Teacher(tuple(centres), tuple(masses)),
        mf.UniformCircle(64),
        space,
    )
    constant = masses @ kernel(centres[:, None] - centres) @ masses / 2
    return Problem(
        energy, kernel, curvature, lambda y: -kernel(y[:, None] - centres) @ masses, constant
    )


def normal_density(x, variance):
    return np.exp(-(x**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def von_mises(kappa, charged=False):
    def kernel(distance):
        return i0(2 * kappa * np.cos(distance / 2)) / i0(kappa) ** 2

    curvature = kappa * i1(2 * kappa) / (2 * i0(kappa) ** 2)
    return teacher_problem(mf.VonMises(kappa), kernel, curvature, charged)


def cosine(kappa):
    return teacher_problem(mf.Cosine(kappa), lambda d: kappa * np.cos(d), kappa, False)


def gaussian(variance, charged=False):
    weights, means, variances = [1 / 3, -2 / 3, 1 / 3], [-2.0, 0.1, 2.0], [0.5, 1.0, 0.4]
    energy = mf.Energy(
        mf.Charged(mf.Gaussian(variance)) if charged else mf.Gaussian(variance),
        mf.Mixture(tuple(weights), tuple(means), tuple(variances)),
        mf.Line(-12.0, 12.0, 161),
        mf.Box((-4.0, -3.0), (4.0, 2.5)) if charged else mf.Interval(-4.0, 4.0),
    )
    parts = list(zip(weights, means, variances, strict=True))

    def force(y):
        return -sum(w * normal_density(y - m, variance + v) for w, m, v in parts)

    constant = sum(w * u * normal_density(m - n, v + s) for w, m, v in parts for u, n, s in parts)
    flatness = normal_density(0.0, 2 * variance)
    return Problem(
        energy,
        lambda d: normal_density(d, 2 * variance),
        flatness / (2 * variance),
        force,
        constant / 2,
    )


PROBLEMS = {
    "von Mises": von_mises(2.0),
    "cosine": cosine(1.3),
    "Gaussian": gaussian(0.5),
    "charged Gaussian": gaussian(0.5, charged=True),
    "charged von Mises on a cylinder": von_mises(3.0, charged=True),
}


def on_a_grid(problem):
    """Random cell averages, not normalised; nodes and masses beside them."""
    cells = (17, 14) if problem.charged else (37,)
    whole = mf.ProductLaw((mf.Uniform(),) * len(cells))
    mu = mf.FiniteVolumes(cells).project(whole, problem.energy.space)
    mu = mu.with_density(np.random.default_rng(1).random(cells))
    nodes = GridNodes(mu.grid.centres).coordinates()
    return mu, [axis.ravel() for axis in nodes], mu.density.ravel() * mu.weight


def at_points(problem):
    """Particles drawn from the uniform law."""
    law = mf.ProductLaw((mf.Uniform(),) * len(problem.energy.parameters))
    mu = mf.Particles(number=61, seed=3).project(law, problem.energy.space)
    return mu, list(mu.points.T), np.full(61, 1 / 61)


@pytest.fixture(params=PROBLEMS)
def problem(request):
    return PROBLEMS[request.param]


@pytest.fixture(params=[on_a_grid, at_points])
def measure(request, problem):
    return request.param(problem)


def test_energy_against_the_dense_quadratic_form(problem, measure):
    mu, nodes, masses = measure
    field = mu.landscape(problem.energy).at(mu)
    assert problem.energy.constant == pytest.approx(problem.constant, rel=1e-12)
    assert field.energy == pytest.approx(problem.total(nodes, masses), rel=1e-12)
    assert field.mass == pytest.approx(masses.sum(), rel=1e-14)


def test_potential_against_the_dense_kernel(problem, measure):
    mu, nodes, masses = measure
    field = mu.landscape(problem.energy).at(mu)
    expected = problem.potential(nodes, nodes, masses)
    scale = np.abs(expected).max()
    assert field.potential.shape == mu.values.shape
    assert field.potential.ravel() == pytest.approx(expected, abs=1e-12 * scale)
    assert field.integral == pytest.approx(masses @ expected, abs=1e-12 * scale * field.mass)


def test_gradient_against_differences(problem, measure):
    mu, nodes, masses = measure
    field = mu.landscape(problem.energy).at(mu)
    h = 1e-3
    for k in range(len(nodes)):

        def shifted(step, k=k):
            theta = [axis + step * (j == k) for j, axis in enumerate(nodes)]
            return problem.potential(theta, nodes, masses)

        expected = (8 * (shifted(h) - shifted(-h)) - shifted(2 * h) + shifted(-2 * h)) / (12 * h)
        slope = np.broadcast_to(field.gradient[k], mu.values.shape).ravel()
        assert slope == pytest.approx(expected, abs=1e-10 * np.abs(expected).max())


def test_potential_is_the_derivative_of_the_energy(problem):
    """dE_h / dm_h = V_h in every cell; E is quadratic, so a central difference has no error."""
    mu, _, _ = on_a_grid(problem)
    landscape = mu.landscape(problem.energy)
    field = landscape.at(mu)
    for cell in [0, 5, mu.density.size // 2, mu.density.size - 1]:
        change = np.zeros(mu.density.size)
        change[cell] = 0.5 / mu.weight
        change = change.reshape(mu.density.shape)
        more = landscape.at(mu.with_density(mu.density + change)).energy
        less = landscape.at(mu.with_density(mu.density - change)).energy
        scale = np.abs(field.potential).max() + field.energy
        assert more - less == pytest.approx(field.potential.flat[cell], abs=1e-13 * scale)


def test_mean_squares_against_direct_sums(problem, measure):
    mu, _, masses = measure
    field = mu.landscape(problem.energy).at(mu)
    square, slopes = field.mean_square, field.mean_square_slopes
    assert square == pytest.approx(masses @ field.potential.ravel() ** 2, rel=1e-12)
    assert len(slopes) == len(problem.energy.parameters)
    for mean, slope in zip(slopes, field.gradient, strict=True):
        full = np.broadcast_to(slope, mu.values.shape).ravel()
        assert mean == pytest.approx(masses @ full**2, rel=1e-12)


def test_mean_square_norms_against_the_kernel(problem, measure):
    """int phi^2 dnu = K(0) and int (d psi)^2 dnu = - K''(0), times the squared charge."""
    mu, nodes, masses = measure
    square, slopes = mu.landscape(problem.energy).at(mu).mean_square_norms
    height = problem.kernel(np.array(0.0))
    if problem.charged:
        charge = masses @ nodes[1] ** 2
        expected = [height * charge, problem.curvature * charge, height * masses.sum()]
    else:
        expected = [height * masses.sum(), problem.curvature * masses.sum()]
    assert [square, *slopes] == pytest.approx(expected, rel=1e-12)


def test_prediction_and_image_are_linear_in_the_measure(problem):
    mu, nodes, masses = on_a_grid(problem)
    landscape, base = mu.landscape(problem.energy), problem.energy.unit
    charge = nodes[1] * masses if problem.charged else masses
    base = base.base if problem.charged else base
    expected = base.value(problem.energy.inputs, (nodes[0],)) @ charge
    field = landscape.at(mu)
    scale = np.abs(expected).max()
    assert field.prediction == pytest.approx(expected, abs=1e-13 * scale)
    assert landscape.image(2 * mu.values, mu.weight) == pytest.approx(
        2 * expected, abs=1e-13 * scale
    )
    assert landscape.norm(problem.energy.target_values, landscape.at(mu)) == pytest.approx(
        1.0, rel=1e-13
    )


def test_a_perfect_fit_has_no_energy_and_no_potential():
    """Particles on the atoms of the target, in equal parts."""
    problem = mf.Energy(
        mf.VonMises(2.0), mf.Teacher((1.0, -2.0), (0.5, 0.5)), mf.UniformCircle(48), mf.Circle()
    )
    anywhere = mf.Particles(number=2).project(mf.Uniform(), problem.space)
    mu = replace(anywhere, points=np.array([[1.0], [-2.0]]))
    field = mu.landscape(problem).at(mu)
    assert field.energy == pytest.approx(0.0, abs=1e-28)  # f to 1e-15 of 10
    assert field.potential == pytest.approx([0.0, 0.0], abs=1e-15)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"space": mf.Box((-1.0, -1.0), (1.0, 1.0))}, r"space = 'box': expected 1 parameter"),
        ({"space": mf.Interval(-1.0, 1.0)}, "space = 'interval': expected the circle"),
        ({"data": mf.Line(-1.0, 1.0, 9)}, "data = 'line': expected data on the circle"),
        ({"unit": mf.Gaussian(0.5)}, "space = 'circle': expected an interval"),
        (
            {
                "unit": mf.Charged(mf.VonMises(1.0)),
                "space": mf.Product((mf.Circle(), mf.Circle())),
            },
            "expected an interval for the parameter c",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change, says):
    parts = {
        "unit": mf.VonMises(1.0),
        "target": mf.Teacher((0.0,), (1.0,)),
        "data": mf.UniformCircle(16),
        "space": mf.Circle(),
    }
    assert mf.Energy(**parts).parameters == ("theta",)
    with pytest.raises(mf.InputError, match=says):
        mf.Energy(**{**parts, **change})
