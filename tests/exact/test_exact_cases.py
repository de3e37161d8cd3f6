"""Which cases have an exact solution, and that it is the right one."""

import math

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.errors import InputError
from meanfield_pde.problem.exact import CircleBirthDeath, CircleFamily, QuadraticGaussian
from meanfield_pde.studies.exact import exact_solution


def normal(space, *deviations, mean=0.0):
    factors = tuple(mf.Normal(mean, deviation) for deviation in deviations)
    return space, factors[0] if len(factors) == 1 else mf.ProductLaw(factors)


LINE, PLANE, CIRCLE = mf.Interval(-8.0, 8.0), mf.Box((-5.5,) * 2, (5.5,) * 2), mf.Circle()
BOWL = mf.Quadratic(((1.0, 0.4), (0.4, 0.6)), offset=0.3)
WELL_OF_2 = mf.PotentialEnergy(mf.CosineWell(2.0), CIRCLE)
UNITS = mf.Energy(mf.Cosine(0.8), mf.Teacher((0.0,), (1.25,)), mf.UniformCircle(8), CIRCLE)
BOTH, FREE = [mf.BirthDeath(1.5), mf.Transport()], [mf.BirthDeath(1.5, mf.Free()), mf.Transport()]


def bowl(terms, deviations=(0.7, 0.5)):
    return mf.Equation(mf.PotentialEnergy(BOWL, PLANE), terms), mf.ProductLaw(
        tuple(mf.Normal(0.3, deviation) for deviation in deviations)
    )


def gaussian(**changes):
    data = {"matrix": BOWL.matrix, "initial_mean": (0.3, 0.3), "offset": 0.3, "alpha": 1.5}
    return QuadraticGaussian(**data, initial_covariance=((0.49, 0.0), (0.0, 0.25)), **changes)


EXACT = {
    "plane": (bowl(BOTH), gaussian(), False),
    "plane, free": (bowl(FREE), gaussian(), True),
    "plane, birth-death": (bowl(BOTH[:1]), gaussian(transport=False), False),
    "line": (
        (
            mf.Equation(mf.PotentialEnergy(mf.Quadratic(((0.8,),)), LINE), [mf.Transport((1.0,))]),
            mf.Normal(0.5, 0.6),
        ),
        QuadraticGaussian(((0.8,),), (0.5,), ((0.36,),), 0.0),
        False,
    ),
    "well": ((mf.Equation(WELL_OF_2, BOTH), mf.Uniform()), CircleFamily(1.5, 2.0), False),
    "well, free": ((mf.Equation(WELL_OF_2, FREE), mf.Uniform()), CircleFamily(1.5, 2.0), True),
    "well, birth-death": (
        (mf.Equation(WELL_OF_2, FREE[:1]), mf.Uniform(-math.pi, math.pi)),
        CircleBirthDeath(1.5, 2.0),
        True,
    ),
    "units": ((mf.Equation(UNITS, BOTH), mf.Uniform()), CircleFamily(1.5, 1.0, 0.8), False),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_solutions_are_recognised(name):
    """Against what the problem's own class says, and against a run on a fine grid."""
    (equation, law), known, free = EXACT[name]
    found = exact_solution(equation, law)
    t = 0.3
    expected = 1.0
    if free:
        expected = known.mass(t) if hasattr(known, "mass") else known.free_mass(t)
    assert found.mass(t) == pytest.approx(expected, rel=1e-12)
    assert found.energy(t) == pytest.approx(expected * known.energy(t), rel=1e-12)
    cells = 160 if len(equation.energy.parameters) == 2 else 256
    mu = mf.FiniteVolumes(cells).project(law, equation.energy.space)
    end = mf.AtTimes(())
    solution = mf.solve(equation, mu, t, record=end, save=end)
    exact = found.in_place_of(solution, mu.grid)
    assert solution.mass == pytest.approx(exact.mass, rel=1e-3)
    assert solution.energy == pytest.approx(exact.energy, rel=2e-3, abs=1e-15)
    apart = np.abs(solution.measure - exact.measure).reshape(2, -1).sum(axis=1) * mu.weight
    assert np.all(apart < [1e-9, 5e-3])
    assert found.check_walls((0.0, t)) < 1e-12


UNKNOWN = {
    "mobility": (mf.Equation(WELL_OF_2, [mf.Transport((2.0,))]), mf.Uniform()),
    "reinjection": (
        mf.Equation(WELL_OF_2, [mf.BirthDeath(1.0, mf.Reinjection(mf.Uniform()))]),
        mf.Uniform(),
    ),
    "part of the circle": (mf.Equation(WELL_OF_2, BOTH), mf.Uniform(-1.0, 1.0)),
    "hill": (mf.Equation(mf.PotentialEnergy(mf.CosineWell(-1.0), CIRCLE), BOTH), mf.Uniform()),
    "double well": (mf.Equation(mf.PotentialEnergy(mf.DoubleWell(), LINE), BOTH), mf.Normal()),
    "uniform in a bowl": (
        mf.Equation(mf.PotentialEnergy(mf.Quadratic(((1.0,),)), LINE), BOTH),
        mf.Uniform(),
    ),
    "free units": (mf.Equation(UNITS, FREE), mf.Uniform()),
    "units, birth-death alone": (mf.Equation(UNITS, BOTH[:1]), mf.Uniform()),
    "teacher elsewhere": (
        mf.Equation(
            mf.Energy(mf.Cosine(), mf.Teacher((1.0,), (1.0,)), mf.UniformCircle(8), CIRCLE), BOTH
        ),
        mf.Uniform(),
    ),
    "two inputs": (
        mf.Equation(
            mf.Energy(mf.Cosine(), mf.Teacher((0.0,), (1.0,)), mf.UniformCircle(2), CIRCLE), BOTH
        ),
        mf.Uniform(),
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_has_no_exact_solution_is_told_what_has_one(name):
    with pytest.raises(InputError, match=r"expected a quadratic .* or cosine units .* mobility 1"):
        exact_solution(*UNKNOWN[name])
