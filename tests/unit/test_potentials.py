"""Fixed potentials: values, gradients against differences, the energy they give."""

import numpy as np
import pytest

import meanfield_pde as mf

POTENTIALS = [
    (mf.Quadratic(((1.5,),), offset=0.3), mf.Interval(-2.0, 3.0)),
    (mf.Quadratic(((1.0, 0.4), (0.4, -0.5))), mf.Box((-2.0, -1.0), (3.0, 2.0))),
    (mf.CosineWell(depth=1.7), mf.Circle()),
    (mf.CosineWell(), mf.Product((mf.Circle(), mf.Circle()))),
    (mf.DoubleWell(barrier=2.0, tilt=0.3), mf.Interval(-2.0, 2.0)),
]


def somewhere(space):
    """A measure with random masses, and coordinates of its nodes."""
    cells = (11,) if len(space.axes) == 1 else (9, 7)
    mu = mf.FiniteVolumes(cells).project(mf.Uniform(), space)
    mu = mu.with_density(np.random.default_rng(0).random(cells))
    return mu, tuple(np.meshgrid(*mu.grid.centres, indexing="ij"))


@pytest.mark.parametrize(("potential", "space"), POTENTIALS)
def test_gradient_against_differences(potential, space):
    _, theta = somewhere(space)
    h = 1e-3
    gradient = potential.gradient(theta)
    assert len(gradient) == len(theta)
    for k, slope in enumerate(gradient):

        def shifted(step, k=k):
            return potential.value(tuple(t + step * (j == k) for j, t in enumerate(theta)))

        expected = (8 * (shifted(h) - shifted(-h)) - shifted(2 * h) + shifted(-2 * h)) / (12 * h)
        assert slope == pytest.approx(expected, abs=1e-10)


def test_values_by_hand():
    point = (np.array([2.0]), np.array([-1.0]))
    assert mf.Quadratic(((1.0, 0.5), (0.5, 4.0)), 0.25).value(point) == pytest.approx([3.25])
    assert mf.CosineWell(3.0).value(point) == pytest.approx([-3 * (np.cos(2) + np.cos(1))])
    assert mf.DoubleWell(2.0, 0.1).value((np.array([2.0]),)) == pytest.approx([18.2])
    assert mf.DoubleWell(2.0).gradient((np.array([-1.0, 0.0, 1.0]),))[0] == pytest.approx([0, 0, 0])


@pytest.mark.parametrize(("potential", "space"), POTENTIALS)
def test_energy_is_the_integral_of_the_potential(potential, space):
    mu, theta = somewhere(space)
    energy = mf.PotentialEnergy(potential, space)
    field = mu.landscape(energy).at(mu)
    expected = np.sum(potential.value(theta) * mu.density) * mu.weight
    assert field.energy == field.integral == pytest.approx(expected, rel=1e-13)
    assert field.potential == pytest.approx(potential.value(theta), rel=1e-15)
    square, slopes = field.mean_square, field.mean_square_slopes
    assert square == pytest.approx(np.sum(field.potential**2 * mu.density) * mu.weight, rel=1e-13)
    expected = [np.sum(s**2 * mu.density) * mu.weight for s in potential.gradient(theta)]
    assert slopes == pytest.approx(expected, rel=1e-13)
    assert field.mean_square_norms == (0.0, (0.0,) * len(theta))
    assert field.prediction.size == energy.inputs.size == energy.target_values.size == 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: mf.Quadratic(((1.0, 0.5), (0.4, 1.0))), "matrix = .*expected a symmetric"),
        (lambda: mf.Quadratic(((1.0, 0.5),)), "matrix = .*expected a symmetric"),
        (lambda: mf.Quadratic(()), "matrix = .*expected a symmetric"),
        (lambda: mf.DoubleWell(barrier=0.0), "barrier = 0.0: expected a positive"),
        (
            lambda: mf.PotentialEnergy(mf.DoubleWell(), mf.Box((0.0, 0.0), (1.0, 1.0))),
            "space = 'box': expected 1 parameter",
        ),
    ],
)
def test_wrong_potentials_are_refused(make, says):
    with pytest.raises(mf.InputError, match=says):
        make()
