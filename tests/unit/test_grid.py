"""Cell averages as values: how they are laid out, and which laws they can hold."""

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.representations.grid import GridMeasure

SPACE = mf.Box((-1.0, -2.0), (1.0, 2.0))
ENERGY = mf.PotentialEnergy(mf.Quadratic(((1.0, 0.3), (0.3, 0.5))), SPACE)


def test_a_density_in_another_order_is_the_same_density():
    mu = mf.FiniteVolumes((8, 12)).project(mf.Uniform(), SPACE)
    values = np.random.default_rng(0).random((8, 12))
    rows, columns = mu.with_density(values), mu.with_density(np.asfortranarray(values))
    landscape = rows.landscape(ENERGY)
    field = landscape.at(rows)
    assert np.array_equal(
        rows.reweighted(field.potential, -0.3).density,
        columns.reweighted(field.potential, -0.3).density,
    )
    moved = [
        m.transported(landscape, lambda time: (1.0, 1.0), 0.0, 1e-3).density
        for m in (rows, columns)
    ]
    assert np.array_equal(*moved)


def test_a_density_of_another_shape_is_refused():
    mu = mf.FiniteVolumes((8, 12)).project(mf.Uniform(), SPACE)
    with pytest.raises(mf.InputError, match="density's shape"):
        GridMeasure(mu.grid, np.ones((12, 8)), mu.reconstruction)


def test_a_law_inside_a_cell_is_refused():
    with pytest.raises(mf.InputError, match=r"normal.*wider than a cell.*point"):
        mf.FiniteVolumes(50).project(mf.Normal(0.013, 1e-6), mf.Interval(-1.0, 1.0))
    narrow = mf.FiniteVolumes(50).project(mf.Normal(0.013, 0.01), mf.Interval(-1.0, 1.0))
    assert narrow.mass == pytest.approx(1.0, rel=1e-14)


def test_a_mass_that_dies_out_stops_the_run():
    space = mf.Interval(-1.0, 1.0)
    energy = mf.PotentialEnergy(mf.Quadratic(((1.0,),), offset=2000.0), space)
    equation = mf.Equation(energy, [mf.BirthDeath(1.0, mf.Free())])
    mu = mf.FiniteVolumes(8).project(mf.Uniform(), space)
    with pytest.raises(mf.NumericalFailure, match="mass 0") as failure:
        mf.solve(equation, mu, 1.0, step=mf.Fixed(0.5), record=mf.AtTimes(()))
    assert failure.value.solution.time[0] == 0.0
