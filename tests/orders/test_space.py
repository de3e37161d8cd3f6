"""Orders in space, against exact solutions: MUSCL 2, upwind 1, in L1 of cell averages.

The birth-death part of a step is exact where V is fixed, so that CircleBirthDeath shows the error
of V at cell centres alone; with transport dt is proportional to the width of a cell and Strang
splitting adds an error of second order. Grids in the plane hold 7 to 12 cells a deviation, where
slopes are still rising: the contracting Gaussian, below 1.85 there, has a longer test of its own.
"""

import pytest
from convergence import (
    IN_A_PLANE,
    ON_A_LINE,
    SADDLE,
    UNITS_07,
    UNITS_1,
    UNITS_A,
    UNITS_REST,
    VALLEY,
    WELL_07,
    WELL_1,
    WELL_A,
    WELL_B,
    WELL_BD,
    Problem,
    assert_order,
    density_error,
    energy_error,
    gaussian,
    mass_error,
)

import meanfield_pde as mf

LINE, PLANE = (64, 128, 256, 512), (48, 64, 96)


LINE_A = gaussian("line, transport", 5.0, 0.5, **ON_A_LINE, alpha=0.0)
LINE_C = gaussian("line, both", 5.0, 0.5, **ON_A_LINE, alpha=1.5)
LINE_BD = gaussian("line, birth-death", 5.0, 0.5, **ON_A_LINE, alpha=1.5, transport=False)
PLANE_A = gaussian("plane, transport", 4.2, 0.5, matrix=SADDLE, **IN_A_PLANE, alpha=0.0)
PLANE_C = gaussian("plane, both", 4.2, 0.5, matrix=SADDLE, **IN_A_PLANE, alpha=1.5)

MUSCL, UPWIND = mf.Muscl(), mf.Upwind()

# problem, grids, scheme, what is compared, expected order, largest error on the finest grid
TABLE = [
    (LINE_A, LINE, MUSCL, density_error, 2, 1.0e-4),
    (LINE_C, LINE, MUSCL, density_error, 2, 1.0e-4),
    (LINE_C, LINE, MUSCL, energy_error, 2, 2.0e-5),
    (LINE_BD, LINE, MUSCL, density_error, 2, 1.8e-5),
    (PLANE_A, PLANE, MUSCL, density_error, 2, 1.1e-3),
    (PLANE_C, PLANE, MUSCL, density_error, 2, 1.1e-3),
    (WELL_A, LINE, MUSCL, density_error, 2, 6.0e-6),
    (WELL_1, LINE, MUSCL, density_error, 2, 1.3e-5),
    (WELL_1, LINE, MUSCL, energy_error, 2, 7.0e-6),
    (WELL_07, LINE, MUSCL, density_error, 2, 1.0e-5),
    (WELL_B, LINE, MUSCL, density_error, 2, 1.2e-5),
    (WELL_B, LINE, MUSCL, mass_error, 2, 2.4e-6),
    (WELL_BD, LINE, MUSCL, density_error, 2, 9.0e-6),
    (UNITS_A, LINE, MUSCL, density_error, 2, 4.0e-6),
    (UNITS_1, LINE, MUSCL, density_error, 2, 6.0e-6),
    (UNITS_1, LINE, MUSCL, energy_error, 2, 4.0e-6),
    (UNITS_07, LINE, MUSCL, density_error, 2, 5.0e-6),
    (UNITS_REST, LINE, MUSCL, density_error, 2, 2.2e-6),
    (LINE_C, LINE, UPWIND, density_error, 1, 7.0e-3),
    (PLANE_C, PLANE, UPWIND, density_error, 1, 2.0e-2),
    (WELL_1, LINE, UPWIND, density_error, 1, 3.0e-3),
    (WELL_B, LINE, UPWIND, mass_error, 1, 2.8e-4),
    (UNITS_07, LINE, UPWIND, density_error, 1, 1.4e-3),
]


def label(value):
    if isinstance(value, Problem):
        return value.name
    return getattr(value, "kind", getattr(value, "__name__", None))


@pytest.mark.parametrize(
    ("problem", "cells", "scheme", "error", "order", "largest"), TABLE, ids=label
)
def test_order_in_space(problem, cells, scheme, error, order, largest):
    errors = [error(problem, *problem.run(n, scheme)) for n in cells]
    assert_order([1 / n for n in cells[-3:]], errors[-3:], order, 0.15, largest)


@pytest.mark.parametrize("limiter", ["minmod", "monotonized_central", "none"])
def test_every_limiter_is_second_order(limiter):
    cells = (128, 256, 512)
    errors = [density_error(WELL_07, *WELL_07.run(n, mf.Muscl(limiter))) for n in cells]
    assert_order([1 / n for n in cells], errors, 2, 0.15, 2.9e-5)


def test_birth_death_in_a_fixed_potential_has_no_error_in_time():
    mu, solution = WELL_BD.run(128, MUSCL)
    start, end = WELL_BD.start(128, MUSCL), mf.AtTimes(())
    few = mf.solve(WELL_BD.equation, start, 0.8, step=mf.Fixed(0.4), record=end, save=end)
    assert few.steps[-1] == 2 < solution.steps[-1] / 10
    assert few.measure[-1] == pytest.approx(mu.density, rel=1e-12)


@pytest.mark.long
@pytest.mark.parametrize(("scheme", "order", "largest"), [(MUSCL, 2, 1.2e-4), (UPWIND, 1, 6e-3)])
def test_order_of_a_contracting_gaussian(scheme, order, largest):
    """The Gaussian narrows while it moves, so its grids must be finer: up to 216^2, 10 s each."""
    data = {"matrix": VALLEY, **IN_A_PLANE, "alpha": 1.5}
    problem, cells = gaussian("valley", 4.2, 0.3, **data), (96, 144, 216)
    errors = [density_error(problem, *problem.run(n, scheme)) for n in cells]
    assert_order([1 / n for n in cells], errors, order, 0.15, largest)
