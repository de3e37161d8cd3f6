"""Data measures: their quadratures against adaptive integration."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import meanfield_pde as mf

PAPER = mf.Mixture((1 / 3, -2 / 3, 1 / 3), (-2.0, 0.0, 2.0), (0.5, 1.0, 0.5))


def integral(data, function):
    x, w = data.quadrature()
    assert x.shape == w.shape == (data.points,)
    return w @ function(x)


@pytest.mark.parametrize("points", [41, 60, 81])
def test_line_against_adaptive_integration(points):
    def function(x):
        return np.exp(-((x - 0.3) ** 2)) * (1 + np.sin(x))

    expected, _ = quad(function, -9, 8, points=[0.3], epsabs=1e-13)
    assert integral(mf.Line(-9.0, 8.0, points), function) == pytest.approx(expected, abs=1e-12)


def test_line_is_the_trapezoidal_rule():
    assert integral(mf.Line(-1.0, 3.0, 5), lambda x: 2 * x + 1) == pytest.approx(12.0, abs=1e-13)
    assert integral(mf.Line(0.0, 1.0, 2), lambda x: x**2) == pytest.approx(0.5, abs=1e-15)


def test_interval_is_a_probability_and_exact_for_polynomials():
    data = mf.UniformInterval(-1.0, 3.0, 4)
    for degree in range(8):
        exact = (3.0 ** (degree + 1) - (-1.0) ** (degree + 1)) / (degree + 1) / 4
        assert integral(data, lambda x, d=degree: x**d) == pytest.approx(exact, rel=1e-13)
    exact = (3.0**9 + 1) / 9 / 4
    assert abs(integral(data, lambda x: x**8) - exact) > 1.0  # the first degree it misses


def test_interval_against_adaptive_integration():
    def function(x):
        return np.exp(x) / (2 + np.cos(x))

    expected = quad(function, -2, 1)[0] / 3
    assert integral(mf.UniformInterval(-2.0, 1.0, 24), function) == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("points", [1, 2, 7, 16])
def test_circle_is_exact_below_its_number_of_points(points):
    data = mf.UniformCircle(points)
    assert integral(data, np.ones_like) == pytest.approx(1.0, abs=1e-15)
    for frequency in range(1, points):
        waves = integral(data, lambda x, m=frequency: np.exp(1j * m * x))
        assert abs(waves) < 1e-13
    assert abs(integral(data, lambda x: np.exp(1j * points * x))) == pytest.approx(1.0)


def test_circle_against_adaptive_integration():
    def function(x):
        return np.exp(np.cos(x) + 0.5 * np.sin(2 * x))

    expected = quad(function, -np.pi, np.pi, epsabs=1e-13)[0] / (2 * np.pi)
    assert integral(mf.UniformCircle(48), function) == pytest.approx(expected, abs=1e-12)


def test_constant_of_the_target_of_the_paper():
    """C_f = 1/2 int f*^2 dx, as tabulated and as an independent integral."""
    energy = mf.Energy(
        mf.Charged(mf.Gaussian(0.5)),
        PAPER,
        mf.Line(-10.0, 10.0, 81),
        mf.Box((-4.0, -6.0), (4.0, 6.0)),
    )

    def target(x):
        bumps = norm.pdf(x, -2, np.sqrt(0.5)) - 2 * norm.pdf(x) + norm.pdf(x, 2, np.sqrt(0.5))
        return bumps / 3

    expected, _ = quad(lambda x: target(x) ** 2 / 2, -12, 12, points=[-2, 0, 2], epsabs=1e-13)
    assert energy.constant == pytest.approx(0.06886827, abs=5e-9)
    assert energy.constant == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: mf.Line(1.0, 1.0, 10), "upper"),
        (lambda: mf.Line(0.0, 1.0, 1), "points"),
        (lambda: mf.UniformInterval(1.0, 0.0, 10), "upper"),
        (lambda: mf.UniformInterval(0.0, 1.0, 0), "points"),
        (lambda: mf.UniformCircle(0), "points"),
    ],
)
def test_wrong_ranges_are_refused(make, name):
    with pytest.raises(mf.InputError, match=f"{name} = .*expected"):
        make()
