"""Spaces: their axes, and the grids on them."""

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.problem.spaces import Axis


def test_axes():
    circle = Axis(-np.pi, np.pi, periodic=True)
    assert mf.Interval(-1.0, 3.0).axes == (Axis(-1.0, 3.0, periodic=False),)
    assert mf.Interval(-1.0, 3.0).axes[0].length == 4.0
    assert mf.Circle().axes == (circle,)
    assert mf.Circle(period=3.0).axes == (Axis(-1.5, 1.5, periodic=True),)
    box = mf.Box((-1.0, 0.0), (1.0, 5.0))
    assert box.axes == (Axis(-1.0, 1.0, False), Axis(0.0, 5.0, False))
    cylinder = mf.Product((mf.Circle(), mf.Interval(-1.0, 3.0)))
    assert cylinder.axes == (circle, Axis(-1.0, 3.0, False))
    assert mf.Product((mf.Circle(), mf.Circle())).axes == (circle, circle)
    assert len(mf.Product((mf.Circle(), box)).axes) == 3


def test_periods():
    assert mf.Circle().axes[0].period == 2 * np.pi
    assert mf.Circle(period=0.7).axes[0].period == 0.7
    assert mf.Interval(-1.0, 3.0).axes[0].period == np.inf


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: mf.Circle(0.0), "period"),
        (lambda: mf.Circle(float("inf")), "period"),
        (lambda: mf.Interval(1.0, 1.0), "upper"),
        (lambda: mf.Interval(0.0, float("nan")), "upper"),
        (lambda: mf.Box((0.0, 0.0), (1.0,)), "upper"),
        (lambda: mf.Box((0.0, 2.0), (1.0, 1.0)), "upper"),
        (lambda: mf.Box((), ()), "upper"),
        (lambda: mf.Product(()), "factors"),
    ],
)
def test_empty_spaces_are_refused(make, name):
    with pytest.raises(mf.InputError, match=f"{name} = .*expected"):
        make()


def test_grid_of_a_cylinder():
    axes = mf.Product((mf.Circle(), mf.Interval(-1.0, 3.0))).axes
    grid = mf.FiniteVolumes((8, 5)).grid(axes)
    assert grid.widths == pytest.approx((np.pi / 4, 0.8))
    assert grid.volume == pytest.approx(np.pi / 5)
    assert grid.periodic == (True, False)
    assert grid.edges[1] == pytest.approx([-1.0, -0.2, 0.6, 1.4, 2.2, 3.0])
    assert grid.centres[1] == pytest.approx([-0.6, 0.2, 1.0, 1.8, 2.6])
    assert grid.scales((1.0, 2.0)) == pytest.approx((16 / np.pi**2, 2 / 0.64))


def test_one_number_of_cells_serves_all_parameters():
    assert mf.FiniteVolumes(7).grid(mf.Box((0.0, 0.0), (1.0, 2.0)).axes).cells == (7, 7)


@pytest.mark.parametrize(
    ("cells", "space", "name"),
    [
        (3, mf.Circle(), "cells"),
        ((8, 3), mf.Box((0.0, 0.0), (1.0, 1.0)), "cells"),
        ((8, 8), mf.Circle(), "cells"),
        (8, mf.Box((0.0,) * 3, (1.0,) * 3), "parameters"),
    ],
)
def test_grids_that_do_not_fit_are_refused(cells, space, name):
    with pytest.raises(mf.InputError, match=f"{name} = .*expected"):
        mf.FiniteVolumes(cells).grid(space.axes)
