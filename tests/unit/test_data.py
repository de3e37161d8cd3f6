"""Data measures: their quadratures against adaptive integration."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

import meanfield_pde as mf

PAPER = mf.Mixture((1 / 3, -2 / 3, 1 / 3), (-2.0, 0.0, 2.0), (0.5, 1.0, 0.5))


def integral(data, function):
    x, w = data.quadrature()
    assert x.shape == w.shape == (data.points,)
    assert data.inputs == 1
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
    short = integral(mf.UniformCircle(48, period=1.0), lambda x: function(2 * np.pi * x))
    assert short == pytest.approx(expected, abs=1e-12)


def test_circles_of_any_period_start_half_a_period_below_zero():
    x, _ = mf.UniformCircle(4, period=3.0).quadrature()
    assert x == pytest.approx([-1.5, -0.75, 0.0, 0.75])
    assert mf.UniformCircle(4, period=3.0).period == 3.0
    assert mf.UniformCircle(4).period == 2 * np.pi


@given(st.floats(-3.0, 3.0), st.floats(0.1, 3.0), st.integers(1, 12))
def test_normal_data_are_exact_for_polynomials(mean, deviation, points):
    """Moments about the mean up to degree 2 points - 1, in units of the deviation."""
    data = mf.GaussHermite(mean, deviation, points)
    moments = [1.0, 0.0]
    for degree in range(2, 2 * points + 1):
        moments.append((degree - 1) * moments[degree - 2])
    for degree in range(2 * points + 1):
        found = integral(data, lambda x, d=degree: ((x - mean) / deviation) ** d)
        size = integral(data, lambda x, d=degree: np.abs((x - mean) / deviation) ** d)
        if degree < 2 * points:
            assert found == pytest.approx(moments[degree], abs=1e-12 * max(size, 1.0))
        else:  # the first degree it misses
            assert moments[degree] - found == pytest.approx(math.factorial(points), rel=1e-6)


@pytest.mark.parametrize("points", [20, 200, 1000])
def test_normal_data_against_adaptive_integration(points):
    def function(x):
        return np.exp(-((x - 1) ** 2)) * (1 + np.sin(x))

    expected, _ = quad(lambda x: function(x) * norm.pdf(x, 0.3, 0.6), -9, 9, epsabs=1e-13)
    data = mf.GaussHermite(0.3, 0.6, points)
    assert integral(data, function) == pytest.approx(expected, abs=1e-9 if points == 20 else 1e-12)
    assert integral(data, np.ones_like) == pytest.approx(1.0, abs=1e-14)


PRODUCT = mf.ProductData((mf.GaussHermite(0.5, 2.0, 4), mf.Line(-1.0, 3.0, 5)))


def test_products_are_all_pairs_of_nodes():
    x, w = PRODUCT.quadrature()
    assert PRODUCT.inputs == 2
    assert x.shape == (20, 2)
    first, second = (factor.quadrature() for factor in PRODUCT.factors)
    assert x[:, 0] == pytest.approx(np.repeat(first[0], 5), abs=0)
    assert x[:, 1] == pytest.approx(np.tile(second[0], 4), abs=0)
    assert w == pytest.approx(np.multiply.outer(first[1], second[1]).ravel(), rel=1e-15)
    # int (x_1 - 1/2)^2 N dx_1 = 4, and the rule is exact for int 2 x_2 + 1 dx_2 = 12
    integrand = (x[:, 0] - 0.5) ** 2 * (2 * x[:, 1] + 1)
    assert w @ integrand == pytest.approx(48.0, rel=1e-13)


def test_products_of_three_inputs():
    cube = mf.ProductData((mf.UniformInterval(-1.0, 1.0, 3),) * 3)
    x, w = cube.quadrature()
    assert x.shape == (27, 3)
    assert w @ (x[:, 0] ** 2 * x[:, 1] ** 4 * x[:, 2] ** 2) == pytest.approx(1 / 45, rel=1e-13)


def test_periods():
    circle, short = mf.UniformCircle(4), mf.UniformCircle(4, period=1.0)
    assert mf.ProductData((circle, circle)).period == 2 * np.pi
    assert np.isnan(mf.ProductData((circle, short)).period)
    assert np.isnan(mf.ProductData((circle, mf.Line(0.0, 1.0, 3))).period)
    assert mf.Line(0.0, 1.0, 3).period == mf.GaussHermite(0.0, 1.0, 3).period == np.inf
    assert PRODUCT.period == np.inf


@pytest.mark.parametrize("data", [mf.Line(0.0, 1.0, 3), mf.UniformCircle(4), PRODUCT], ids=repr)
def test_only_samples_have_columns(data):
    with pytest.raises(mf.InputError, match=f"column 'y': expected .* samples.*{data.kind!r}"):
        data.column("y")


def test_refined_data_are_the_same_measure():
    for data in (mf.Line(-1.0, 3.0, 5), mf.UniformCircle(4), mf.GaussHermite(0.0, 1.0, 3)):
        finer = data.refined()
        assert type(finer) is type(data)
        assert finer.points == 2 * data.points - 1
        assert integral(finer, np.ones_like) == pytest.approx(integral(data, np.ones_like))
    assert [factor.points for factor in PRODUCT.refined().factors] == [7, 9]


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
        (lambda: mf.UniformCircle(4, 0.0), "period"),
        (lambda: mf.UniformCircle(4, float("inf")), "period"),
        (lambda: mf.GaussHermite(0.0, 0.0, 4), "deviation"),
        (lambda: mf.GaussHermite(0.0, 1.0, 0), "points"),
        (lambda: mf.ProductData((mf.UniformCircle(4),)), "factors"),
    ],
)
def test_wrong_ranges_are_refused(make, name):
    with pytest.raises(mf.InputError, match=f"{name} = .*expected"):
        make()
