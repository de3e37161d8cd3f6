"""WENO in space and ten unsplit stages in time: at least fourth order, positive, of exact mass.

dt is proportional to the width of a cell. On the coarser grids the error of fifth order of the
fluxes is the larger; what remains on the finer ones is of fourth order, from the plane, from
products with the rate of birth and death, and from time.
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
    density_error,
    energy_error,
    gaussian,
    mass_error,
    slope,
)

import meanfield_pde as mf

CIRCLE, LINE, PLANE = (32, 64, 128, 256), (64, 128, 256), (48, 72, 108)

LINE_C = gaussian("line, both", 7.0, 0.5, **ON_A_LINE, alpha=1.5)
PLANE_C = gaussian("valley, both", 5.5, 0.3, matrix=VALLEY, **IN_A_PLANE, alpha=1.5)
PLANE_A = gaussian("saddle, transport", 5.5, 0.3, matrix=SADDLE, **IN_A_PLANE, alpha=0.0)

# problem, grids, what is compared, largest error on the finest grid
TABLE = [
    (WELL_A, CIRCLE, density_error, 1.5e-9),
    (WELL_1, CIRCLE, density_error, 6.0e-9),
    (WELL_07, CIRCLE, density_error, 4.5e-9),
    (WELL_B, CIRCLE, density_error, 5.5e-9),
    (WELL_B, CIRCLE, mass_error, 6.0e-11),
    (WELL_BD, CIRCLE, density_error, 7.0e-9),
    (UNITS_A, CIRCLE, density_error, 6.0e-10),
    (UNITS_1, CIRCLE, density_error, 1.6e-9),
    (UNITS_07, CIRCLE, density_error, 1.2e-9),
    (UNITS_REST, CIRCLE, density_error, 1.1e-10),
    (LINE_C, LINE, density_error, 5.0e-7),
    (LINE_C, LINE, energy_error, 1.6e-8),
    (PLANE_C, PLANE, density_error, 3.0e-6),
    (PLANE_A, PLANE, density_error, 2.4e-6),
]


def run(problem, cells):
    mu, solution = problem.run(cells, mf.Weno5(), mf.Unsplit("ssp4"), swept=0.5)
    assert mu.smallest >= 0.0
    if not problem.free_mass:
        assert abs(solution.mass[-1] / solution.mass[0] - 1.0) < 1e-13
    return mu, solution


def label(value):
    return getattr(value, "name", getattr(value, "__name__", None))


@pytest.mark.parametrize(("problem", "cells", "error", "largest"), TABLE, ids=label)
def test_at_least_fourth_order_in_space_and_time(problem, cells, error, largest):
    """Between any two grids, but for a hundredth in the order of what is fourth order at best."""
    errors = [error(problem, *run(problem, n)) for n in cells]
    orders = [slope(cells[k : k + 2], errors[k : k + 2]) for k in range(len(cells) - 1)]
    report = f"errors {errors}, orders {orders}"
    assert min(-order for order in orders) >= 3.97, report
    assert errors[-1] <= largest, report
