"""Every exact solution against an independent computation of the same thing.

Two such computations are used. One follows weighted characteristics with an ODE solver, from a
quadrature of the initial law: it knows V and its gradient, no formula. The other puts the density
in the equation and differentiates it: spectrally in space, by differences of order 8 in time.
"""

import numpy as np
import pytest
from scipy.integrate import dblquad, quad, solve_ivp
from scipy.special import erf, eval_legendre

from meanfield_pde.errors import InputError
from meanfield_pde.problem.exact import (
    CircleBirthDeath,
    CircleFamily,
    QuadraticGaussian,
    log_legendre,
)

ALPHAS = (0.0, 0.7, 2.0)

LINE = {"matrix": ((1.3,),), "initial_mean": (0.8,), "initial_covariance": ((0.6,),)}
PLANE = {
    "matrix": ((1.5, 0.6), (0.6, 0.4)),
    "initial_mean": (0.7, -0.4),
    "initial_covariance": ((0.5, -0.2), (-0.2, 0.9)),
}
SADDLE = {
    "matrix": ((0.5, 0.3), (0.3, -0.2)),
    "initial_mean": (0.7, -0.4),
    "initial_covariance": ((0.4, 0.1), (0.1, 0.3)),
}


def time_derivative(function, t, step):
    """Central difference of order 8."""
    weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
    pairs = ((w, function(t + k * step) - function(t - k * step)) for k, w in weights.items())
    return sum(w * pair for w, pair in pairs) / step


def follow(start, velocity, log_weight_rate, t):
    """Weighted characteristics: positions and log-weights at time t of the starting positions."""
    count = start.size

    def rate(_, state):
        theta, log_weight = state[:count].reshape(start.shape), state[count:]
        moved, gained = velocity(theta, log_weight), log_weight_rate(theta, log_weight)
        return np.concatenate([moved.ravel(), gained])

    state = np.concatenate([start.ravel(), np.zeros(len(start))])
    end = solve_ivp(rate, (0, t), state, "DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    return end[:count].reshape(start.shape), end[count:]


# ------------------------------------------------------------------ Gaussians


def gaussian_start(data, nodes):
    """Gauss-Hermite quadrature of the initial law: points (n, d), weights and density there."""
    mean, covariance = np.array(data["initial_mean"]), np.array(data["initial_covariance"])
    d = len(mean)
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    z = np.stack(np.meshgrid(*[x] * d, indexing="ij"), -1).reshape(-1, d)
    weights = np.prod(np.stack(np.meshgrid(*[w] * d, indexing="ij"), -1), -1).ravel()
    density = np.exp(-np.sum(z**2, -1) / 2) / np.sqrt(np.linalg.det(2 * np.pi * covariance))
    return mean + z @ np.linalg.cholesky(covariance).T, weights / weights.sum(), density


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("transport", [True, False])
@pytest.mark.parametrize(("data", "t"), [(LINE, 1.1), (PLANE, 0.9), (SADDLE, 0.6)])
def test_gaussian_against_characteristics(data, t, transport, alpha):
    exact = QuadraticGaussian(**data, alpha=alpha, transport=transport, offset=0.3)
    a = np.array(data["matrix"])

    def potential(theta):
        return 0.3 + np.einsum("...i,ij,...j", theta, a, theta) / 2

    start, weights, start_density = gaussian_start(data, 100 if len(a) == 1 else 40)
    theta, log_weight = follow(
        start,
        lambda theta, _: -theta @ a * transport,
        lambda theta, _: -alpha * potential(theta),
        t,
    )
    mass = weights @ np.exp(log_weight)
    law = weights * np.exp(log_weight) / mass
    mean = law @ theta
    covariance = (theta - mean).T @ (law[:, None] * (theta - mean))
    assert exact.mass(t) == pytest.approx(mass, rel=1e-10)
    assert exact.mean(t) == pytest.approx(mean, abs=1e-10)
    assert exact.covariance(t) == pytest.approx(covariance, abs=1e-10)
    assert exact.energy(t) == pytest.approx(law @ potential(theta), abs=1e-10)
    compression = np.exp(t * np.trace(a) * transport)
    density = start_density * compression * np.exp(log_weight) / mass
    assert exact.density(t, theta) == pytest.approx(density, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("transport", [True, False])
@pytest.mark.parametrize("data", [LINE, PLANE, SADDLE])
def test_gaussian_mass_decays_at_the_rate_of_the_energy(data, transport):
    exact = QuadraticGaussian(**data, alpha=1.7, transport=transport, offset=-0.4)
    slope = time_derivative(lambda t: np.log(exact.mass(t)), 0.7, 0.015)
    assert slope == pytest.approx(-1.7 * exact.energy(0.7), abs=1e-11)


@pytest.mark.parametrize("data", [LINE, PLANE])
def test_gaussian_information_matrix_obeys_its_linear_equation(data):
    exact, a = QuadraticGaussian(**data, alpha=0.7), np.array(data["matrix"])
    slope = time_derivative(lambda t: np.linalg.inv(exact.covariance(t)), 0.6, 0.02)
    p = np.linalg.inv(exact.covariance(0.6))
    assert slope == pytest.approx(a @ p + p @ a + 0.7 * a, abs=1e-10)


def test_gaussian_on_the_line_matches_its_scalar_formula():
    exact, t, k, alpha = QuadraticGaussian(**LINE, alpha=0.7), 0.9, 1.3, 0.7
    p0, m0 = 1 / 0.6, 0.8
    p = (p0 + alpha / 2) * np.exp(2 * k * t) - alpha / 2
    assert exact.covariance(t)[0, 0] == pytest.approx(1 / p, rel=1e-14)
    assert exact.mean(t)[0] == pytest.approx(m0 * p0 / p * np.exp(k * t), rel=1e-14)


def test_gaussian_in_a_concave_potential_blows_up_in_finite_time():
    exact = QuadraticGaussian(((-0.8,),), (0.1,), ((0.5,),), alpha=1.5)
    blow_up = np.log(1 + 2 * 2.0 / 1.5) / (2 * 0.8)
    assert exact.covariance(blow_up * (1 - 1e-9))[0, 0] > 1e8
    with pytest.raises(InputError, match="blow-up"):
        exact.covariance(blow_up * (1 + 1e-9))


def gaussian_cells(mean, deviation, edges):
    return np.diff(erf((edges - mean) / deviation / np.sqrt(2))) / 2 / np.diff(edges)


@pytest.mark.parametrize("t", [0.0, 1.0, 5.0])
def test_gaussian_cell_averages_on_the_line(t):
    """Also when the cells are hundreds of times wider than the Gaussian."""
    exact = QuadraticGaussian(**LINE, alpha=2.0)
    edges = np.array([-4.0, -1.5, -0.5, 0.0, 0.03, 0.2, 0.8, 1.0, 2.7, 4.0])
    expected = gaussian_cells(exact.mean(t)[0], np.sqrt(exact.covariance(t)[0, 0]), edges)
    assert exact.cell_averages(t, (edges,)) == pytest.approx(expected, rel=1e-12, abs=1e-13)


def test_gaussian_cell_averages_in_the_plane():
    edges = np.linspace(-4, 4, 12), np.linspace(-5, 5, 8)
    straight = QuadraticGaussian(
        ((1.0, 0.0), (0.0, 0.5)), (0.3, 0.2), ((0.4, 0.0), (0.0, 0.7)), 1.0
    )
    deviations = np.sqrt(np.diag(straight.covariance(0.8)))
    expected = np.multiply.outer(
        *map(gaussian_cells, straight.mean(0.8), deviations, edges),
    )
    assert straight.cell_averages(0.8, edges) == pytest.approx(expected, abs=1e-14)

    oblique = QuadraticGaussian(**PLANE, alpha=0.7)
    averages = oblique.cell_averages(0.8, edges)
    (x0, x1), (y0, y1) = edges[0][5:7], edges[1][3:5]
    integral, _ = dblquad(lambda y, x: oblique.density(0.8, (x, y)), x0, x1, y0, y1, epsabs=1e-13)
    assert averages.shape == (11, 7)
    assert averages[5, 3] == pytest.approx(integral / (x1 - x0) / (y1 - y0), rel=1e-12)
    assert averages.sum() * 80 / 77 == pytest.approx(1, abs=1e-6)
    narrow = QuadraticGaussian(((1.0, 0.0), (0.0, 1.0)), (0, 0), ((1e-4, 9e-5), (9e-5, 1e-4)), 1.0)
    assert narrow.cell_averages(0.5, edges).sum() * 80 / 77 == pytest.approx(1, abs=1e-13)


# ------------------------------------------------------------------ the circle, with transport

FAMILIES = [
    *[(CircleFamily(alpha), 2.5) for alpha in ALPHAS],
    (CircleFamily(0.7, force=1.8), 1.4),
    *[(CircleFamily(alpha, force=0.8, coupling=2.0), 1.5) for alpha in ALPHAS],
    *[(CircleFamily(alpha, force=2.0, coupling=0.9), 1.5) for alpha in ALPHAS],
]


@pytest.mark.parametrize(("family", "t"), FAMILIES)
def test_circle_against_characteristics(family, t):
    alpha, start = family.alpha, 2 * np.pi * np.arange(512) / 512

    def pull(theta, squeeze):
        weight = np.exp(alpha * squeeze)
        return family.force - family.coupling * (weight @ np.cos(theta)) / weight.sum()

    # V'' = -V here: one integral along the path gives both the weight and the compression
    theta, squeeze = follow(
        start,
        lambda theta, squeeze: -pull(theta, squeeze) * np.sin(theta),
        lambda theta, squeeze: pull(theta, squeeze) * np.cos(theta),
        t,
    )
    mass = np.mean(np.exp(alpha * squeeze))
    r = np.mean(np.exp(alpha * squeeze) * np.cos(theta)) / mass
    assert family.order_parameter(t) == pytest.approx(r, abs=1e-10)
    if family.coupling:
        energy = family.force**2 / (2 * family.coupling) - family.force * r
        energy += family.coupling / 2 * r**2
    else:
        energy = -family.force * r
        assert family.free_mass(t) == pytest.approx(mass, rel=1e-10)
    assert family.energy(t) == pytest.approx(energy, abs=1e-10)
    density = np.exp((1 + alpha) * squeeze) / mass / (2 * np.pi)
    assert family.density(t, theta) == pytest.approx(density, rel=1e-9)


@pytest.mark.parametrize(("family", "t"), FAMILIES)
def test_circle_density_satisfies_the_equation(family, t):
    t = 0.5 * t
    theta = 2 * np.pi * np.arange(256) / 256
    rho = family.density(t, theta)
    wave = 1j * np.fft.fftfreq(256, 1 / 256)

    def derivative(values):
        return np.fft.ifft(wave * np.fft.fft(values)).real

    field = np.fft.fft(rho)[1].conj() * 2 * np.pi / 256  # int e^{i theta} rho
    potential = -family.force * np.cos(theta)
    potential += family.coupling * (field * np.exp(-1j * theta)).real
    mean = potential @ rho / np.sum(rho)
    right = derivative(rho * derivative(potential)) - family.alpha * (potential - mean) * rho
    left = time_derivative(lambda time: family.density(time, theta), t, 0.01)
    assert left == pytest.approx(right, abs=2e-9)


@pytest.mark.parametrize("force", [1.0, 2.5])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_circle_mass_grows_at_the_rate_of_the_energy(alpha, force):
    family = CircleFamily(alpha, force)
    slope = time_derivative(lambda t: np.log(family.free_mass(t)), 0.9, 0.02)
    assert slope == pytest.approx(-alpha * family.energy(0.9), abs=1e-11)


@pytest.mark.parametrize("chi", [0.0, 1e-3, 0.5, 3.0, 8.0])
def test_legendre_function(chi):
    x = np.cosh(chi)
    polynomials = {0: 1.0, 1: x, 2: (3 * x**2 - 1) / 2, 3: (5 * x**3 - 3 * x) / 2}
    for degree, value in polynomials.items():
        assert np.exp(log_legendre(degree, chi)) == pytest.approx(value, rel=2e-14)
    for degree in (0.3, 0.7, 2.5):
        value, _ = quad(
            lambda angle, degree: (x + np.sinh(chi) * np.cos(angle)) ** degree / np.pi,
            *(0, np.pi),
            args=(degree,),
            epsabs=0,
            epsrel=1e-12,
            limit=500,
        )
        assert np.exp(log_legendre(degree, chi)) == pytest.approx(value, rel=1e-12)
        if chi <= 3:
            assert value == pytest.approx(eval_legendre(degree, x), rel=1e-11)


@pytest.mark.parametrize("t", [0.0, 0.3, 2.0, 8.0, 300.0])
def test_circle_energy_has_elementary_cases(t):
    assert CircleFamily(0.0).energy(t) == pytest.approx(-np.tanh(t / 2), abs=1e-14)
    assert CircleFamily(1.0).energy(t) == pytest.approx(-np.tanh(t), abs=1e-14)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("t", [0.0, 1.0, 8.0])
def test_circle_cell_averages(alpha, t):
    """Against the image of each cell at time 0, where the weight is a power of a cosine."""
    family, cells = CircleFamily(alpha), 24
    edges = np.linspace(-np.pi, np.pi, cells + 1)
    averages = family.cell_averages(t, edges)
    assert averages.sum() * 2 * np.pi / cells == pytest.approx(1, abs=1e-13)
    shifted = family.cell_averages(t, edges + np.pi)
    assert shifted == pytest.approx(np.roll(averages, cells // 2), rel=1e-8)
    x = 2 * np.arctan(np.exp(t) * np.tan(edges / 2))
    if alpha == 0:
        assert averages == pytest.approx(np.diff(x) / np.diff(edges) / (2 * np.pi), rel=1e-9)
    if t <= 1 and alpha == 2:
        c, s = np.cosh(t), np.sinh(t)
        integral = c**2 * x + 2 * c * s * np.sin(x) + s**2 * (x / 2 + np.sin(2 * x) / 4)
        expected = np.diff(integral) / np.diff(edges) / np.pi / (3 * c**2 - 1)
        assert averages == pytest.approx(expected, rel=1e-11)


def test_circle_cell_averages_of_a_very_narrow_peak():
    averages = CircleFamily(0.7).cell_averages(100.0, np.linspace(-np.pi, np.pi, 6))
    assert averages * 2 * np.pi / 5 == pytest.approx([0, 0, 1, 0, 0], abs=1e-13)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_weak_force_converges_to_a_smooth_state(alpha):
    family = CircleFamily(alpha, force=0.6, coupling=1.5)
    assert family.order_parameter(60.0) == pytest.approx(0.4, abs=1e-11)
    assert family.energy(60.0) == pytest.approx(0, abs=1e-20)
    assert family.chi(60.0) == pytest.approx(family.chi(90.0), abs=1e-10)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_strong_force_collapses_the_mass(alpha):
    family = CircleFamily(alpha, force=1.5, coupling=0.6)
    assert family.chi(12.0) - family.chi(11.0) == pytest.approx(0.9, abs=1e-3)
    assert family.order_parameter(20.0) == pytest.approx(1, abs=1e-5)
    assert family.energy(20.0) == pytest.approx(0.9**2 / 1.2, abs=1e-5)
    energies = [family.energy(t) for t in np.linspace(0, 5, 11)]
    assert np.all(np.diff(energies) < 0)


# ------------------------------------------------------------------ the circle, birth-death only


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("force", [1.0, 2.5])
def test_von_mises_against_quadrature(alpha, force):
    exact, t = CircleBirthDeath(alpha, force), 1.7
    theta = 2 * np.pi * np.arange(200) / 200
    weight = np.exp(alpha * force * t * np.cos(theta))
    assert exact.free_mass(t) == pytest.approx(weight.mean(), rel=1e-13)
    assert exact.energy(t) == pytest.approx(
        -force * np.cos(theta) @ weight / weight.sum(), abs=1e-13
    )
    assert exact.density(t, theta) == pytest.approx(weight / weight.mean() / (2 * np.pi), rel=1e-12)
    slope = time_derivative(lambda time: np.log(exact.free_mass(time)), t, 0.02)
    assert slope == pytest.approx(-alpha * exact.energy(t), abs=1e-11)


@pytest.mark.parametrize("t", [0.0, 3.0, 1e4])
def test_von_mises_cell_averages(t):
    exact, edges = CircleBirthDeath(2.0), np.linspace(0, 2 * np.pi, 17)
    averages = exact.cell_averages(t, edges)
    assert averages.sum() * 2 * np.pi / 16 == pytest.approx(1, abs=1e-12)
    integral, _ = quad(
        lambda theta: exact.density(t, theta), *edges[:2], epsabs=1e-14, points=[0.02]
    )
    assert averages[0] == pytest.approx(integral * 16 / (2 * np.pi), rel=1e-11)


@pytest.mark.parametrize(
    "make",
    [
        lambda: QuadraticGaussian(((1.0, 0.2), (0.1, 1.0)), (0, 0), ((1.0, 0.0), (0.0, 1.0)), 1.0),
        lambda: QuadraticGaussian(((1.0,),), (0,), ((-1.0,),), 1.0),
        lambda: QuadraticGaussian(**LINE, alpha=-1.0),
        lambda: QuadraticGaussian(**LINE, alpha=1.0).mean(-1.0),
        lambda: QuadraticGaussian(**LINE, alpha=1.0).cell_averages(0.0, ([1.0, 0.0],)),
        lambda: QuadraticGaussian(**LINE, alpha=1.0).cell_averages(0.0, ([0.0, 1.0],) * 2),
        lambda: CircleFamily(-0.1),
        lambda: CircleFamily(1.0, force=0.0),
        lambda: CircleFamily(1.0, coupling=1.0).free_mass(1.0),
        lambda: CircleFamily(1.0).chi(float("nan")),
        lambda: CircleBirthDeath(1.0).energy(-1.0),
    ],
)
def test_wrong_input_is_refused_with_a_sentence(make):
    with pytest.raises(InputError, match="expected"):
        make()
