"""Targets: values against their formulas."""

import numpy as np
import pytest
from scipy.stats import norm

import meanfield_pde as mf

X = np.linspace(-3.0, 3.0, 17)


@pytest.mark.parametrize("unit", [mf.Gaussian(0.3), mf.Cosine(2.0), mf.VonMises(3.0)], ids=repr)
def test_teacher_is_a_sum_of_units(unit):
    teacher = mf.Teacher(centres=(-1.0, 0.4), masses=(0.7, -0.2))
    expected = [
        0.7 * unit.value(np.array([x]), np.array([-1.0]))[0, 0]
        - 0.2 * unit.value(np.array([x]), np.array([0.4]))[0, 0]
        for x in X
    ]
    assert teacher.value(X, unit) == pytest.approx(expected, rel=1e-13)
    assert np.array_equal(teacher.value(X, mf.Charged(unit)), teacher.value(X, unit))


def test_mixture_is_a_sum_of_normal_densities():
    mixture = mf.Mixture(weights=(1.0, -2.0), means=(0.0, 1.5), variances=(0.25, 4.0))
    expected = norm.pdf(X, 0.0, 0.5) - 2 * norm.pdf(X, 1.5, 2.0)
    assert mixture.value(X, mf.Gaussian(0.5)) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_empty_targets_are_zero():
    assert np.array_equal(mf.Teacher((), ()).value(X, mf.Gaussian(0.5)), np.zeros(X.size))
    assert np.array_equal(mf.Mixture((), (), ()).value(X, mf.Gaussian(0.5)), np.zeros(X.size))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: mf.Teacher((1.0, 2.0), (0.5,)), "masses"),
        (lambda: mf.Mixture((1.0,), (0.0, 1.0), (1.0,)), "means"),
        (lambda: mf.Mixture((1.0,), (0.0,), (1.0, 2.0)), "variances"),
        (lambda: mf.Mixture((1.0,), (0.0,), (0.0,)), "variances"),
    ],
)
def test_parts_that_do_not_fit_are_refused(make, name):
    with pytest.raises(mf.InputError, match=f"{name} = .*expected"):
        make()
