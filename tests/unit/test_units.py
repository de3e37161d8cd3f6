"""Units: values against their definitions, derivatives against differences."""

import numpy as np
import pytest
from scipy.integrate import quad

import meanfield_pde as mf

UNITS = [
    mf.Gaussian(0.5),
    mf.Gaussian(2.0),
    mf.Cosine(1.0),
    mf.Cosine(2.5),
    mf.VonMises(0.4),
    mf.VonMises(30.0),
]
X = np.linspace(-3.0, 3.1, 13)
Y = np.linspace(-2.9, 2.8, 11)


def difference(function, y, h=1e-3):
    """Central difference of order 4."""
    near = function(y + h) - function(y - h)
    far = function(y + 2 * h) - function(y - 2 * h)
    return (8 * near - far) / (12 * h)


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_derivative_against_differences(unit):
    slope = unit.derivative(X, Y, unit.value(X, Y))
    assert slope.shape == (X.size, Y.size)
    expected = difference(lambda y: unit.value(X, y), Y)
    assert slope == pytest.approx(expected, abs=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("variance", [0.1, 0.5, 3.0])
def test_gaussian_has_unit_mass_and_its_variance_in_x(variance):
    unit, y = mf.Gaussian(variance), 0.7

    def moment(power):
        def integrand(x):
            return (x - y) ** power * unit.value(np.array([x]), np.array([y]))[0, 0]

        return quad(integrand, y - 15, y + 15, points=[y], epsabs=1e-12)[0]

    assert [moment(0), moment(1), moment(2)] == pytest.approx([1.0, 0.0, variance], abs=1e-10)


@pytest.mark.parametrize("kappa", [0.4, 5.0, 40.0])
def test_von_mises_has_mean_one_over_the_circle(kappa):
    unit = mf.VonMises(kappa)
    integral, _ = quad(
        lambda x: unit.value(np.array([x]), np.array([0.3]))[0, 0], -np.pi, np.pi, points=[0.3]
    )
    assert integral / (2 * np.pi) == pytest.approx(1.0, abs=1e-10)
    near, far = unit.value(np.array([0.3, 1.3]), np.array([0.3]))[:, 0]
    assert near / far == pytest.approx(np.exp(kappa * (1 - np.cos(1.0))), rel=1e-12)


def test_von_mises_of_great_concentration_stays_finite():
    value = mf.VonMises(1e5).value(X, X)
    assert np.all(np.isfinite(value))
    assert np.diag(value) == pytest.approx(np.sqrt(2 * np.pi * 1e5), rel=1e-5)


@pytest.mark.parametrize("kappa", [0.3, 2.0])
def test_cosine_units_have_a_cosine_kernel(kappa):
    x = 2 * np.pi * np.arange(7) / 7
    value = mf.Cosine(kappa).value(x, Y)
    kernel = value.T @ value / 7
    assert kernel == pytest.approx(kappa * np.cos(Y[:, None] - Y), abs=1e-13)


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_values_depend_on_the_distance_and_the_period_only(unit):
    assert unit.value(X + 0.4, Y + 0.4) == pytest.approx(unit.value(X, Y), rel=1e-10, abs=1e-12)
    turned = unit.value(X + 2 * np.pi, Y)
    assert np.allclose(turned, unit.value(X, Y), rtol=1e-10) == unit.on_circle


def test_charged_unit_adds_a_parameter_to_its_base():
    assert mf.Charged(mf.Gaussian(0.5)).parameters == ("y", "c")
    assert mf.Charged(mf.VonMises(2.0)).parameters == ("theta", "c")
    assert mf.Charged(mf.VonMises(2.0)).on_circle
    assert not mf.Charged(mf.Gaussian(0.5)).on_circle


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan")])
@pytest.mark.parametrize("make", [mf.Gaussian, mf.Cosine, mf.VonMises])
def test_widths_and_concentrations_are_positive(make, wrong):
    with pytest.raises(mf.InputError, match=r"(variance|kappa) = .*expected a positive number"):
        make(wrong)
