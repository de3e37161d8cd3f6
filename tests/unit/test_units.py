"""Units: values against their definitions, derivatives against differences."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

import meanfield_pde as mf

LINE = [
    mf.Gaussian(0.5),
    mf.Gaussian(2.0),
    mf.Ridge("tanh"),
    mf.Ridge("sigmoid"),
    mf.Ridge("softplus"),
    mf.Ridge("tanh", bias=False),
    mf.Linear("exp(-x**2)"),
    mf.FormulaUnit("b*tanh(w*x)", ("w", "b")),
    mf.OwnUnit(lambda x, w, b: np.exp(-((x - w) ** 2)) + b * x, ("w", "b")),
]
PLANE = [
    mf.Gaussian(0.7, dimension=2),
    mf.Ridge("tanh", inputs=2),
    mf.Ridge("softplus", inputs=2, bias=False),
    mf.FormulaUnit("exp(-(x_1 - u)**2)*cos(x_2*v)", ("u", "v"), inputs=2),
]
CIRCLE = [
    mf.Cosine(1.0),
    mf.Cosine(2.5),
    mf.VonMises(0.4),
    mf.VonMises(30.0),
    mf.ReluCircle(),
    mf.Dirichlet(4),
    mf.Dirichlet(3, period=1.5),
]
X = np.linspace(-3.0, 3.1, 13)
X2 = np.random.default_rng(0).normal(size=(9, 2))
Y = np.linspace(-2.9, 2.8, 11)


def some_theta(unit):
    """Parameters at 11 nodes."""
    generator = np.random.default_rng(1)
    return tuple(generator.uniform(-1.5, 1.5, 11) for _ in unit.parameters)


def difference(function, y, h=1e-3):
    """Central difference of order 4."""
    near = function(y + h) - function(y - h)
    far = function(y + 2 * h) - function(y - 2 * h)
    return (8 * near - far) / (12 * h)


@pytest.mark.parametrize("unit", LINE + PLANE + CIRCLE, ids=repr)
def test_derivatives_against_differences(unit):
    x, theta = (X if unit.inputs == 1 else X2), some_theta(unit)
    value = unit.value(x, theta)
    assert value.shape == (x.shape[0], theta[0].size)
    for k in range(len(theta)):

        def moved(t, k=k):
            return unit.value(x, (*theta[:k], t, *theta[k + 1 :]))

        slope = unit.derivative(k, x, theta, value)
        assert slope.shape == value.shape
        expected = difference(moved, theta[k])
        smooth = np.ones_like(value, dtype=bool)
        if unit.kind == "relu_circle":
            smooth = np.abs(np.cos(x[:, None] - theta[0])) > 3e-3
        scale = np.abs(expected).max()
        assert slope[smooth] == pytest.approx(expected[smooth], abs=3e-8 * scale)


@pytest.mark.parametrize("variance", [0.1, 0.5, 3.0])
def test_gaussian_has_unit_mass_and_its_variance_in_x(variance):
    unit, y = mf.Gaussian(variance), 0.7

    def moment(power):
        def integrand(x):
            return (x - y) ** power * unit.value(np.array([x]), (np.array([y]),))[0, 0]

        return quad(integrand, y - 15, y + 15, points=[y], epsabs=1e-12)[0]

    assert [moment(0), moment(1), moment(2)] == pytest.approx([1.0, 0.0, variance], abs=1e-10)


def test_a_gaussian_in_the_plane_is_the_product_of_two():
    plane, line = mf.Gaussian(0.6, dimension=2), mf.Gaussian(0.6)
    theta = some_theta(plane)
    factors = [line.value(X2[:, k], (theta[k],)) for k in range(2)]
    assert plane.value(X2, theta) == pytest.approx(factors[0] * factors[1], rel=1e-13)
    assert plane.parameters == ("y_1", "y_2")


@pytest.mark.parametrize("kappa", [0.4, 5.0, 40.0])
def test_von_mises_has_mean_one_over_the_circle(kappa):
    unit, theta = mf.VonMises(kappa), (np.array([0.3]),)
    integral, _ = quad(
        lambda x: unit.value(np.array([x]), theta)[0, 0], -np.pi, np.pi, points=[0.3]
    )
    assert integral / (2 * np.pi) == pytest.approx(1.0, abs=1e-10)
    near, far = unit.value(np.array([0.3, 1.3]), theta)[:, 0]
    assert near / far == pytest.approx(np.exp(kappa * (1 - np.cos(1.0))), rel=1e-12)


def test_von_mises_of_great_concentration_stays_finite():
    value = mf.VonMises(1e5).value(X, (X,))
    assert np.all(np.isfinite(value))
    assert np.diag(value) == pytest.approx(np.sqrt(2 * np.pi * 1e5), rel=1e-5)


@pytest.mark.parametrize("kappa", [0.3, 2.0])
def test_cosine_units_have_a_cosine_kernel(kappa):
    x = 2 * np.pi * np.arange(7) / 7
    value = mf.Cosine(kappa).value(x, (Y,))
    kernel = value.T @ value / 7
    assert kernel == pytest.approx(kappa * np.cos(Y[:, None] - Y), abs=1e-13)


@pytest.mark.parametrize("period", [1.0, 2 * math.pi])
def test_the_dirichlet_kernel_is_its_own_kernel(period):
    x, w = mf.UniformCircle(12, period).quadrature()
    value = mf.Dirichlet(4, period).value(x, (Y,))
    phase = 2 * np.pi * (Y[:, None] - Y) / period
    expected = np.sum([np.cos(k * phase) for k in range(-4, 5)], axis=0)
    assert (value.T * w) @ value == pytest.approx(expected, abs=1e-11)


def test_relu_on_the_circle_has_the_kernel_of_the_theory():
    x, w = mf.UniformCircle(4096).quadrature()
    value = mf.ReluCircle().value(x, (Y,))
    d = np.abs(np.angle(np.exp(1j * (Y[:, None] - Y))))
    expected = ((np.pi - d) * np.cos(d) + np.sin(d)) / (4 * np.pi)
    assert (value.T * w) @ value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("unit", CIRCLE, ids=repr)
def test_on_a_circle_only_the_distance_and_the_period_matter(unit):
    value = unit.value(X, (Y,))
    assert unit.value(X + 0.4, (Y + 0.4,)) == pytest.approx(value, rel=1e-10, abs=1e-12)
    turned = unit.value(X + unit.input_period, (Y - unit.periods[0],))
    assert turned == pytest.approx(value, rel=1e-9, abs=1e-11)


def test_ridge_units_are_their_activation():
    theta = (np.array([2.0, -1.0]), np.array([0.5, 0.0]))
    argument = X[:, None] * theta[0] + theta[1]
    expected = {
        "tanh": np.tanh(argument),
        "sigmoid": 1 / (1 + np.exp(-argument)),
        "softplus": np.log(1 + np.exp(argument)),
        "relu": np.where(argument > 0, argument, 0),
    }
    for activation, values in expected.items():
        assert mf.Ridge(activation).value(X, theta) == pytest.approx(values, rel=1e-13)
    assert mf.Ridge("tanh", inputs=2).parameters == ("w_1", "w_2", "b")
    assert mf.Ridge("tanh", bias=False).parameters == ("w",)
    corner = mf.Ridge("relu", bias=False)
    zero = (np.zeros(1),)
    assert np.all(corner.derivative(0, X, zero, corner.value(X, zero)) == 0.0)


def test_a_formula_is_the_unit_it_spells():
    formula = mf.FormulaUnit("exp(-(x - y)**2/(2*0.5))/sqrt(2*pi*0.5)", ("y",))
    unit, theta = mf.Gaussian(0.5), (Y,)
    value = unit.value(X, theta)
    assert formula.value(X, theta) == pytest.approx(value, rel=1e-13)
    slope = formula.derivative(0, X, theta, value)
    assert slope == pytest.approx(unit.derivative(0, X, theta, value), rel=1e-12, abs=1e-15)


def test_charged_unit_adds_a_parameter_to_its_base():
    assert mf.Charged(mf.Gaussian(0.5)).parameters == ("y", "c")
    assert mf.Charged(mf.VonMises(2.0)).parameters == ("theta", "c")
    assert mf.Charged(mf.VonMises(2.0)).periods == (2 * math.pi, math.inf)
    assert mf.Charged(mf.Gaussian(0.5)).input_period == math.inf
    assert mf.Charged(mf.Ridge("tanh", inputs=2)).parameters == ("w_1", "w_2", "b", "c")
    assert mf.Charged(mf.FormulaUnit("x*y", ("y",))).periods is None


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan")])
@pytest.mark.parametrize("make", [mf.Gaussian, mf.Cosine, mf.VonMises])
def test_widths_and_concentrations_are_positive(make, wrong):
    with pytest.raises(mf.InputError, match=r"(variance|kappa) = .*expected a positive number"):
        make(wrong)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: mf.Dirichlet(0), "order = 0"),
        (lambda: mf.Dirichlet(3, -1.0), "period = -1.0"),
        (lambda: mf.Ridge("tahn"), "activation = 'tahn'.*tanh, sigmoid, softplus, relu"),
        (lambda: mf.Ridge("tanh", inputs=0), "inputs = 0"),
        (lambda: mf.Gaussian(1.0, dimension=0), "dimension = 0"),
        (lambda: mf.FormulaUnit("x*z", ("y",)), "z"),
        (lambda: mf.FormulaUnit("x", ()), "parameters"),
        (lambda: mf.Linear("y"), "y"),
    ],
)
def test_wrong_units(make, words):
    with pytest.raises(mf.InputError, match=words):
        make()
