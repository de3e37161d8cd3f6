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


def waves(mu):
    """Cell averages of (2 + sin x)(2 + cos y) / (16 pi^2) on the torus."""
    (x, y), (h, k) = mu.grid.edges, mu.grid.widths
    columns = 2 + np.diff(-np.cos(x)) / h, 2 + np.diff(np.sin(y)) / k
    return mu.with_density(np.multiply.outer(*columns) / (16 * np.pi**2))


def test_integrals_under_weno_are_sums_of_point_values():
    """The mass to rounding; the mean of a wave to fourth order, by averages to second."""
    torus = mf.Product((mf.Circle(), mf.Circle()))
    errors = []
    for n in (32, 64):
        averages = waves(mf.FiniteVolumes(n).project(mf.Uniform(), torus))
        mu = mf.FiniteVolumes(n, mf.Weno5()).project(mf.Uniform(), torus)
        mu = mu.with_density(averages.density)
        assert mu.values.sum() == pytest.approx(mu.density.sum(), rel=1e-15)
        x, y = np.meshgrid(*mu.grid.centres, indexing="ij")
        wave = np.sin(x) * np.cos(y)  # its mean is 1/16
        errors.append([abs((wave * m.values).sum() * m.weight - 1 / 16) for m in (mu, averages)])
    orders = np.log2(np.divide(*errors))
    assert orders == pytest.approx([4, 2], abs=0.1)
    mixed = (2 * np.pi / 64) ** 4 / 576  # d2 along one axis of d2 along the other, left out
    assert errors[1][0] == pytest.approx(mixed / 16, rel=0.02)


def test_weno_sees_slopes_at_faces():
    mu = mf.FiniteVolumes((8, 12), mf.Weno5()).project(mf.Uniform(), SPACE)
    slopes = mu.landscape(ENERGY).at(mu).face_slopes
    assert [s.shape for s in slopes] == [(9, 12), (8, 13)]
    (x, y), (edges_x, edges_y) = mu.grid.centres, mu.grid.edges
    assert slopes[0] == pytest.approx(edges_x[:, None] + 0.3 * y)
    assert slopes[1] == pytest.approx(0.3 * x[:, None] + 0.5 * edges_y)


def test_weno_on_walls_keeps_a_still_measure():
    """Uniform in the box and no slope: nothing moves, whatever mass lies at the walls."""
    flat = mf.PotentialEnergy(mf.Quadratic(((0.0, 0.0), (0.0, 0.0)), offset=3.0), SPACE)
    mu = mf.FiniteVolumes((8, 12), mf.Weno5()).project(mf.Uniform(), SPACE)
    field = mu.landscape(flat).at(mu)
    assert mu.face_rate(field, (1.0, 1.0)) == 0.0
    assert not mu.transport_rate(field, (1.0, 1.0)).any()
    assert mu.multiplied(field.potential) == pytest.approx(3.0 * mu.density, rel=1e-15)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: mf.FiniteVolumes(32.0), "cells = 32.0: expected a whole number"),
        (lambda: mf.FiniteVolumes("32"), "cells = '32': expected a whole number"),
        (lambda: mf.FiniteVolumes(32).project(mf.Uniform, mf.Circle()), "law = .*such as Uniform"),
        (lambda: mf.FiniteVolumes(32).project(mf.Uniform(), (-4, 4)), "space = .*expected a space"),
        (lambda: mf.Particles(9).project(np.cos, mf.Circle()), "law = .*such as Uniform"),
        (lambda: mf.Box(-4, 4), "lower = -4: expected a list of numbers"),
        (lambda: mf.Interval("-4", "4"), "lower, upper = .*expected a list of numbers"),
        (lambda: mf.Normal(float("nan")), "mean = nan: expected a finite number"),
        (lambda: mf.Transport(mobility=2.0), "mobility = 2.0: expected a number for each"),
    ],
)
def test_what_is_no_grid_law_or_space_is_refused(make, says):
    with pytest.raises(mf.InputError, match=says):
        make()


def test_numbers_of_cells_may_be_of_numpy():
    assert mf.FiniteVolumes(np.int64(32)) == mf.FiniteVolumes(32)
    assert mf.FiniteVolumes([8, np.int32(9)]).cells == (8, 9)
