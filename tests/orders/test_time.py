"""Orders in time: Lie 1, Strang 2, each term alone, against far smaller steps on the same grid.

Without a limiter: what a limiter does to a cell depends on the step, and reads as an order between
1.7 and 2.4.
"""

import numpy as np
import pytest
from convergence import assert_order

import meanfield_pde as mf

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
]


def end(energy, terms, splitting, steps, t_end=0.5):
    """Density at the end, and the weight of a cell."""
    cells, law = STARTS[energy]
    mu = mf.FiniteVolumes(cells, SCHEME).project(law, energy.space)
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
    error = landscape.norm(solution.prediction[-1] - reference.prediction, 1.0)
    assert 0.1 * error < solution.time_error[-1] < 100 * error
    assert error < 1e-3
