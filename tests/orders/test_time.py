"""Orders in time: Lie 1, Strang 2, unsplit 3 and 4, against far smaller steps on the same grid.

Without a limiter: what a limiter does to a cell depends on the step, and reads as an order between
1.7 and 2.4.
"""

import numpy as np
import pytest
from convergence import assert_order

import meanfield_pde as mf
from meanfield_pde.problem.exact import QuadraticGaussian
from meanfield_pde.representations.grid import GridMeasure

SCHEME = mf.Muscl("none")
STEPS, FINE = (20, 40, 80), 1280
ONLY_THE_END = {"record": mf.AtTimes(()), "save": mf.AtTimes(())}

UNITS = mf.Energy(
    mf.VonMises(2.0),
    mf.Teacher((1.0, 2.5, -1.5), (0.5, 0.2, 0.3)),
    mf.UniformCircle(48),
    mf.Circle(),
)
CHARGED = mf.Energy(
    mf.Charged(mf.Gaussian(0.5)),
    mf.Mixture((1 / 3, -2 / 3, 1 / 3), (-2.0, 0.0, 2.0), (0.5, 1.0, 0.5)),
    mf.Line(-10.0, 10.0, 81),
    mf.Box((-4.0, -6.0), (4.0, 6.0)),
)
QUADRATIC = mf.PotentialEnergy(
    mf.Quadratic(((0.3, 0.25), (0.25, 0.1))), mf.Box((-4.3, -4.3), (4.3, 4.3))
)
STARTS = {
    UNITS: (64, mf.Uniform()),
    CHARGED: (32, mf.ProductLaw((mf.Normal(), mf.Normal()))),
    QUADRATIC: (32, mf.ProductLaw((mf.Normal(0.2, 0.7), mf.Normal(-0.1, 0.7)))),
}
BORN = mf.Reinjection(mf.ProductLaw((mf.Normal(), mf.Normal())))
MOVE = mf.Transport()


FADING, RISING = mf.FormulaOfTime("8*exp(-3*t)"), mf.FormulaOfTime("0.2 + 4*t")
TENT = mf.PiecewiseLinear((0.0, 0.25, 0.4), (1.0, 6.0, 2.0))  # its corners are ends of steps


def birth_death(alpha, balance=None):
    return mf.BirthDeath(alpha, balance or mf.Mean())


# energy, terms in their order, splitting, expected order, largest error after 80 steps
TABLE = [
    (UNITS, (birth_death(4.0), MOVE), mf.Lie(), 1, 7.0e-5),
    (UNITS, (MOVE, birth_death(4.0)), mf.Lie(), 1, 7.0e-5),
    (UNITS, (birth_death(4.0), MOVE), mf.Strang(), 2, 9.0e-7),
    (UNITS, (MOVE, birth_death(4.0)), mf.Strang(), 2, 2.8e-6),
    (UNITS, (birth_death(4.0, mf.Free()), MOVE), mf.Strang(), 2, 1.2e-6),
    (UNITS, (MOVE,), mf.Strang(), 3, 7.0e-10),
    (UNITS, (birth_death(4.0),), mf.Strang(), 2, 3.5e-6),
    (UNITS, (birth_death(4.0, mf.Free()),), mf.Strang(), 2, 4.0e-6),
    (CHARGED, (birth_death(5.0), MOVE), mf.Lie(), 1, 1.1e-4),
    (CHARGED, (birth_death(5.0), MOVE), mf.Strang(), 2, 4.0e-7),
    (CHARGED, (birth_death(5.0, BORN), MOVE), mf.Strang(), 2, 4.0e-7),
    (QUADRATIC, (birth_death(1.5), MOVE), mf.Lie(), 1, 1.9e-4),
    (QUADRATIC, (birth_death(1.5), MOVE), mf.Strang(), 2, 1.8e-7),
    (QUADRATIC, (birth_death(1.5, mf.Free()), MOVE), mf.Strang(), 2, 1.8e-7),
    (QUADRATIC, (birth_death(1.5, BORN),), mf.Strang(), 2, 2.7e-8),
    (QUADRATIC, (birth_death(1.5, BORN), MOVE), mf.Strang(), 2, 3.1e-7),
    (UNITS, (birth_death(FADING), MOVE), mf.Lie(), 1, 8.0e-5),
    (UNITS, (birth_death(FADING), mf.Transport((RISING,))), mf.Strang(), 2, 1.2e-6),
    (UNITS, (mf.Transport((RISING,)), birth_death(FADING)), mf.Strang(), 2, 4.5e-6),
    (UNITS, (birth_death(TENT), mf.Transport((RISING,))), mf.Strang(), 2, 7.5e-7),
    (UNITS, (birth_death(RISING, mf.Free()),), mf.Strang(), 2, 3.4e-7),
    (UNITS, (mf.Transport((RISING,)),), mf.Strang(), 3, 1.0e-8),
    (CHARGED, (birth_death(FADING), mf.Transport((1.0, RISING))), mf.Strang(), 2, 4.3e-7),
    (QUADRATIC, (birth_death(FADING, BORN), mf.Transport((RISING, 0.0))), mf.Strang(), 2, 5.1e-7),
]

# energy, cells, terms, expected order, largest error after 80 steps of "ssp3" or 20 of "ssp4".
# Where a face velocity changes its sign the flux has a kink, of the size of the cube of a cell's
# width: on finer grids or with more steps "ssp4" would meet it.
UNSPLIT = [
    (UNITS, 64, (birth_death(4.0), MOVE), 3, 3.3e-8),
    (UNITS, 64, (birth_death(4.0), MOVE), 4, 2.5e-9),
    (UNITS, 64, (birth_death(4.0, mf.Free()), MOVE), 4, 2.3e-9),
    (UNITS, 64, (birth_death(4.0),), 4, 9.0e-10),
    (UNITS, 64, (MOVE,), 4, 2.2e-11),
    (UNITS, 64, (birth_death(FADING), mf.Transport((RISING,))), 3, 5.5e-8),
    (UNITS, 64, (birth_death(FADING), mf.Transport((RISING,))), 4, 1.4e-8),
    (CHARGED, 32, (birth_death(5.0), MOVE), 3, 2.2e-8),
    (CHARGED, 64, (birth_death(5.0), MOVE), 4, 1.3e-9),
    (CHARGED, 64, (birth_death(5.0, BORN), mf.Transport((1.0, RISING))), 4, 9.5e-10),
    (QUADRATIC, 32, (birth_death(1.5), MOVE), 3, 1.2e-8),
    (QUADRATIC, 32, (birth_death(1.5, mf.Free()), MOVE), 4, 6.0e-10),
    (QUADRATIC, 32, (birth_death(1.5, BORN), MOVE), 3, 1.1e-8),
    (QUADRATIC, 32, (birth_death(1.5, BORN), MOVE), 4, 5.7e-10),
]

# energy, terms, splitting, order and size of what splitting changes in 80 steps
SPLITTING = [
    (UNITS, (birth_death(4.0), MOVE), mf.Lie(), 1, 6.1e-5),
    (UNITS, (birth_death(4.0), MOVE), mf.Strang(), 2, 8.5e-7),
    (CHARGED, (birth_death(5.0), MOVE), mf.Lie(), 1, 9.2e-5),
    (CHARGED, (birth_death(5.0), MOVE), mf.Strang(), 2, 3.7e-7),
    (UNITS, (birth_death(FADING), mf.Transport((RISING,))), mf.Lie(), 1, 4.2e-5),
    (UNITS, (birth_death(FADING), mf.Transport((RISING,))), mf.Strang(), 2, 1.08e-6),
]


def end(energy, terms, splitting, steps, t_end=0.5, cells=None):
    """Density at the end, and the weight of a cell."""
    coarse, law = STARTS[energy]
    mu = mf.FiniteVolumes(cells or coarse, SCHEME).project(law, energy.space)
    equation, step = mf.Equation(energy, terms), mf.Fixed(t_end / steps)
    solution = mf.solve(equation, mu, t_end, splitting=splitting, step=step, **ONLY_THE_END)
    assert solution.steps[-1] == steps
    return solution.measure[-1], mu.weight


def label(value):
    if isinstance(value, tuple):
        return " ".join(getattr(t, "balance", t).kind for t in value)
    names = {id(UNITS): "units", id(CHARGED): "charged", id(QUADRATIC): "quadratic"}
    return names.get(id(value), getattr(value, "kind", None))


@pytest.mark.parametrize(("energy", "terms", "splitting", "order", "largest"), TABLE, ids=label)
def test_order_in_time(energy, terms, splitting, order, largest):
    """Both splittings have one limit, so the finest Strang run is the reference of both."""
    reference, weight = end(energy, terms, mf.Strang(), FINE)
    errors = [np.abs(end(energy, terms, splitting, n)[0] - reference).sum() * weight for n in STEPS]
    assert_order([1 / n for n in STEPS], errors, order, 0.1, largest)


@pytest.mark.parametrize(("energy", "cells", "terms", "order", "largest"), UNSPLIT, ids=label)
def test_order_without_splitting(energy, cells, terms, order, largest):
    steps = STEPS if order == 3 else (5, 10, 20)
    reference, weight = end(energy, terms, mf.Unsplit("ssp4"), 320, cells=cells)
    ends = [end(energy, terms, mf.Unsplit(f"ssp{order}"), n, cells=cells)[0] for n in steps]
    errors = [np.abs(density - reference).sum() * weight for density in ends]
    assert_order([1 / n for n in steps], errors, order, 0.15, largest)


@pytest.mark.parametrize(("energy", "terms", "splitting", "order", "size"), SPLITTING, ids=label)
def test_splitting_error(energy, terms, splitting, order, size):
    """Split and unsplit steps of one length drift apart by the order of the splitting."""
    errors = []
    for steps in STEPS:
        split, weight = end(energy, terms, splitting, steps)
        whole, _ = end(energy, terms, mf.Unsplit("ssp4"), steps)
        errors.append(np.abs(split - whole).sum() * weight)
    assert_order([1 / n for n in STEPS], errors, order, 0.1, 1.05 * size)
    assert errors[-1] > 0.95 * size


def test_alpha_of_time_is_a_clock():
    """In a fixed potential birth and death are exact: mu_0 exp(-V int alpha dt), normalised."""
    energy = mf.PotentialEnergy(mf.CosineWell(), mf.Circle())
    mu = mf.FiniteVolumes(64).project(mf.Uniform(), mf.Circle())
    alphas = {
        mf.FormulaOfTime("5*exp(-t)"): 5 - 5 * np.exp(-2.0),
        mf.PiecewiseLinear((0.3, 1.0), (1.0, 5.0)): 0.3 + 0.7 * 3 + 1.0 * 5,
    }
    for alpha, integral in alphas.items():
        equation = mf.Equation(energy, [mf.BirthDeath(alpha)])
        for splitting in (mf.Lie(), mf.Strang()):
            solution = mf.solve(
                equation, mu, 2.0, splitting=splitting, step=mf.Fixed(0.5), **ONLY_THE_END
            )
            expected = np.exp(integral * np.cos(mu.grid.centres[0]))
            expected /= expected.sum() * mu.weight
            assert solution.measure[-1] == pytest.approx(expected, rel=1e-11)


def test_a_mobility_of_time_is_a_clock():
    """One M(t) for all parameters: the exact Gaussian of int M dt, and the run of that time."""
    exact = QuadraticGaussian(((0.8,),), (0.5,), ((0.7,),), alpha=0.0)
    energy = mf.PotentialEnergy(mf.Quadratic(exact.matrix), mf.Interval(-5.0, 5.0))
    grid = mf.FiniteVolumes(64).project(mf.Uniform(), energy.space).grid
    mu = GridMeasure(grid, exact.cell_averages(0.0, grid.edges), SCHEME)
    mobility = (mf.FormulaOfTime("2*t"),)  # of integral 0.64 up to t = 0.8

    def run(terms, t_end, steps):
        step, equation = mf.Fixed(t_end / steps), mf.Equation(energy, terms)
        return mf.solve(equation, mu, t_end, step=step, **ONLY_THE_END).measure[-1]

    steps, reference = (80, 160, 320), run([MOVE], 0.64, 2000)
    ends = [run([mf.Transport(mobility)], 0.8, n) for n in steps]
    errors = [np.abs(density - reference).sum() * mu.weight for density in ends]
    assert_order([1 / n for n in steps], errors, 3, 0.1, 8.5e-9)
    distances = [
        np.abs(ends[-1] - exact.cell_averages(t, grid.edges)).sum() * mu.weight for t in (0.64, 0.8)
    ]
    assert distances[0] < 4.2e-3 < 0.05 * distances[1]


def test_the_order_of_the_terms_vanishes_with_the_step():
    one, weight = end(UNITS, (birth_death(4.0), MOVE), mf.Strang(), FINE)
    other, _ = end(UNITS, (MOVE, birth_death(4.0)), mf.Strang(), FINE)
    assert 0 < np.abs(one - other).sum() * weight < 2e-8


def test_estimated_time_error_is_of_the_size_of_the_error():
    """The embedded estimate adds up local errors of f; it must see at least a tenth of the true."""
    cells, law = STARTS[UNITS]
    mu = mf.FiniteVolumes(cells, SCHEME).project(law, UNITS.space)
    equation = mf.Equation(UNITS, (birth_death(4.0), MOVE))
    landscape = mu.landscape(UNITS)
    reference = landscape.at(mu.with_density(end(UNITS, equation.terms, mf.Strang(), FINE)[0]))
    step = mf.Controlled(tolerance=1e-5)
    solution = mf.solve(equation, mu, 0.5, step=step, **ONLY_THE_END)
    error = landscape.norm(solution.prediction[-1] - reference.prediction, reference)
    assert 0.1 * error < solution.time_error[-1] < 100 * error
    assert error < 1e-3
