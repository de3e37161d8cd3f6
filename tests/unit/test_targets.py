"""Targets: values against their formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

import meanfield_pde as mf
from meanfield_pde.problem.targets import FunctionTarget

X = np.linspace(-3.0, 3.0, 17)
LINE = mf.Samples(X)
PLANE = mf.Samples(np.column_stack([X, X**2 - 2.0]))
UNIT = mf.Gaussian(0.5)


def value(target, data=LINE, unit=UNIT):
    return target.value(data.quadrature()[0], unit, data)


@pytest.mark.parametrize("unit", [mf.Gaussian(0.3), mf.Cosine(2.0), mf.VonMises(3.0)], ids=repr)
def test_teacher_is_a_sum_of_units(unit):
    teacher = mf.Teacher(centres=(-1.0, 0.4), masses=(0.7, -0.2))
    expected = [
        0.7 * unit.value(np.array([x]), (np.array([-1.0]),))[0, 0]
        - 0.2 * unit.value(np.array([x]), (np.array([0.4]),))[0, 0]
        for x in X
    ]
    assert value(teacher, unit=unit) == pytest.approx(expected, rel=1e-13)
    assert np.array_equal(value(teacher, unit=mf.Charged(unit)), value(teacher, unit=unit))


def test_teacher_of_units_of_two_parameters():
    teacher = mf.Teacher(centres=((2.0, 1.0), (-1.0, 0.5)), masses=(0.7, -0.2))
    expected = 0.7 * np.tanh(2.0 * X + 1.0) - 0.2 * np.tanh(-X + 0.5)
    assert value(teacher, unit=mf.Ridge("tanh")) == pytest.approx(expected, rel=1e-13)
    blobs = mf.Teacher(centres=((0.5, -1.0),), masses=(3.0,))
    law = multivariate_normal([0.5, -1.0], 0.4 * np.eye(2))
    found = value(blobs, PLANE, mf.Gaussian(0.4, dimension=2))
    assert found == pytest.approx(3 * law.pdf(PLANE.x), rel=1e-12)


@pytest.mark.parametrize(
    ("centres", "unit", "says"),
    [
        ((1.0,), mf.Ridge("tanh"), r"centres = .*expected 2 number.s. each, \(w, b\)"),
        (((1.0, 2.0),), UNIT, r"centres = .*expected 1 number.s. each, \(y\)"),
        (((1.0, 2.0),), mf.Charged(UNIT), r"expected 1 number.s. each, \(y\).*'gaussian'"),
    ],
)
def test_centres_that_do_not_fit_the_unit_are_refused(centres, unit, says):
    with pytest.raises(mf.InputError, match=says):
        value(mf.Teacher(centres, (1.0,)), unit=unit)


def test_mixture_is_a_sum_of_normal_densities():
    mixture = mf.Mixture(weights=(1.0, -2.0), means=(0.0, 1.5), variances=(0.25, 4.0))
    expected = norm.pdf(X, 0.0, 0.5) - 2 * norm.pdf(X, 1.5, 2.0)
    assert value(mixture) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_mixture_in_the_plane_is_isotropic():
    mixture = mf.Mixture((1.0, -2.0), ((0.0, 1.0), (1.5, -1.0)), (0.25, 4.0))
    parts = [
        multivariate_normal([0.0, 1.0], 0.25 * np.eye(2)),
        multivariate_normal([1.5, -1.0], 4.0 * np.eye(2)),
    ]
    expected = parts[0].pdf(PLANE.x) - 2 * parts[1].pdf(PLANE.x)
    assert value(mixture, PLANE) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    with pytest.raises(mf.InputError, match=r"means = .*expected 1 number"):
        value(mixture)


def test_empty_targets_are_zero():
    assert np.array_equal(value(mf.Teacher((), ())), np.zeros(X.size))
    assert np.array_equal(value(mf.Mixture((), (), ())), np.zeros(X.size))


@given(st.floats(-2.0, 2.0), st.floats(-2.0, 2.0))
def test_formulas(a, b):
    formula = mf.FormulaTarget(f"{a}*sin(x) + where(x > {b}, x**2, 1)")
    assert value(formula) == pytest.approx(a * np.sin(X) + np.where(b < X, X**2, 1.0))
    plane = mf.FormulaTarget(f"exp({a}*x_1)*x_2 - {b}")
    expected = np.exp(a * PLANE.x[:, 0]) * PLANE.x[:, 1] - b
    assert value(plane, PLANE) == pytest.approx(expected, rel=1e-12)
    assert np.array_equal(value(mf.FormulaTarget("2")), np.full(X.size, 2.0))
    with pytest.raises(mf.InputError, match=r"one of the names x_1, x_2.*found the name 'x'"):
        value(formula, PLANE)


def test_own_functions(tmp_path):
    assert value(mf.OwnTarget(np.cos)) == pytest.approx(np.cos(X))
    found = value(mf.OwnTarget(lambda u, v: u * v), PLANE)
    assert found == pytest.approx(X * (X**2 - 2.0))
    with pytest.raises(mf.InputError, match=r"the target returned shape \(3,\): expected \(17,\)"):
        value(mf.OwnTarget(lambda x: x[:3]))
    (tmp_path / "bumps.py").write_text("def bump(x):\n    return 1 / (1 + x**2)\n")
    loaded = FunctionTarget("bumps:bump").located(str(tmp_path))
    assert value(loaded) == pytest.approx(1 / (1 + X**2))


def test_columns_of_the_data():
    data = mf.Samples(X, columns={"label": np.sign(X)})
    assert np.array_equal(value(mf.Column("label"), data), np.sign(X))
    with pytest.raises(mf.InputError, match=r"'lable'.*did you mean 'label'"):
        value(mf.Column("lable"), data)
    with pytest.raises(mf.InputError, match="column 'label': expected data of samples"):
        value(mf.Column("label"), mf.Line(0.0, 1.0, 3))


@pytest.fixture
def table(tmp_path):
    """Write a table of f*; its target."""

    def write(x, f):
        path = tmp_path / "target.npz"
        np.savez(path, x=x, f=f)
        return mf.TableTarget(str(path))

    return write


def test_a_table_is_a_spline(table, tmp_path):
    """Cubics exactly; away from the ends h^4 / 384 of the fourth derivative, at most 4 e here."""
    x = np.array([-3.0, -2.2, -1.0, 0.3, 1.0, 3.0])
    assert value(table(x, x**3 - x)) == pytest.approx(X**3 - X, abs=1e-13)
    errors = []
    for count in (49, 97, 193):
        x = np.linspace(-3.0, 3.0, count)
        between = np.linspace(-1.8, 1.8, 301)
        found = value(table(x, np.exp(np.sin(x))), mf.Samples(between))
        errors.append(np.max(np.abs(found - np.exp(np.sin(between)))))
    assert errors[0] == pytest.approx((6.0 / 48) ** 4 / 384 * 4 * np.e, rel=0.05)
    assert np.log2(errors[0] / errors[-1]) / 2 == pytest.approx(4.0, abs=0.05)
    text = "f,x\n" + "\n".join(f"{2 * x},{x}" for x in (-3.0, 3.0))
    (tmp_path / "line.csv").write_text(text)
    line = mf.TableTarget("line.csv").located(str(tmp_path))
    assert value(line) == pytest.approx(2 * X, abs=1e-14)


@pytest.mark.parametrize("period", [2 * np.pi, 1.0])
@pytest.mark.parametrize("closed", [False, True])
def test_a_table_on_a_circle_is_periodic(table, period, closed):
    """From one period that starts anywhere, with or without its end, to inputs anywhere.

    The error of splines on h = 2 pi / 64 is h^4 / 384 of the fourth derivative, at most 4 e here.
    """
    x = 0.3 * period + period * np.linspace(0.0, 1.0, 65)[: 65 if closed else 64]

    def bump(x):
        return np.exp(np.cos(2 * np.pi * x / period))

    data = mf.UniformCircle(37, period)
    found = value(table(x, bump(x)), data)
    bound = (2 * np.pi / 64) ** 4 / 384 * 4 * np.e
    error = np.max(np.abs(found - bump(data.quadrature()[0])))
    assert 0.5 * bound < error < bound


@pytest.mark.parametrize(
    ("x", "data", "says"),
    [
        ([-3.0, 2.9], LINE, r"target.npz: has 'x' from -3 to 2.9: .* one at 3"),
        ([-2.0, 3.0], LINE, r"from -2 to 3: .* one at -3"),
        ([1.0, 0.0], LINE, "at least two points, 'x' increasing"),
        ([1.0, 1.0], LINE, "at least two points, 'x' increasing"),
        ([1.0], LINE, "at least two points, 'x' increasing"),
        ([0.0, 3.0, 6.5], mf.UniformCircle(4), "from 0 to 6.5: expected one period, 6.28"),
        ([0.0, 1.0, 2.0], mf.UniformCircle(4), "from 0 to 2: expected one period, 6.28"),
        ([0.0, 1.0], PLANE, "data = 'samples': expected one input"),
    ],
)
def test_tables_that_do_not_fit_are_refused(table, x, data, says):
    with pytest.raises(mf.InputError, match=says):
        value(table(np.array(x), np.ones(len(x))), data)


def test_a_table_that_does_not_close_is_refused(table):
    x = np.linspace(0.0, 1.0, 9)
    with pytest.raises(mf.InputError, match=r"'f' is 0 and 1 one period apart: expected the same"):
        value(table(x, x), mf.UniformCircle(4, period=1.0))


def test_tables_whose_columns_do_not_fit_are_refused(table):
    with pytest.raises(mf.InputError, match=r"'f' has 2 entries: expected 3, as 'x' has"):
        value(table(np.arange(3.0), np.arange(2.0)))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: mf.Teacher((1.0, 2.0), (0.5,)), "masses"),
        (lambda: mf.Teacher((1.0, (2.0, 3.0)), (0.5, 0.5)), "centres"),
        (lambda: mf.Mixture((1.0,), (0.0, 1.0), (1.0,)), "means"),
        (lambda: mf.Mixture((1.0, 1.0), ((0.0, 1.0), (1.0,)), (1.0, 1.0)), "means"),
        (lambda: mf.Mixture((1.0,), (0.0,), (1.0, 2.0)), "variances"),
        (lambda: mf.Mixture((1.0,), (0.0,), (0.0,)), "variances"),
    ],
)
def test_parts_that_do_not_fit_are_refused(make, name):
    with pytest.raises(mf.InputError, match=f"{name} = .*expected"):
        make()
