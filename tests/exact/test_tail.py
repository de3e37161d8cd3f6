"""The bad initialisation on the whole plane, by nodes that hold its tail.

The energies come from another code: Fourier sums for v, masses by the invariant, other nodes.
"""

import math

import numpy as np
import pytest

from meanfield_pde.schedules import AtTimes
from meanfield_pde.studies import paper
from meanfield_pde.studies.ancestors import (
    Escape,
    History,
    Panels,
    ancestors,
    core,
    drawn,
    energy,
    run,
)
from meanfield_pde.timestepping.step_size import Controlled

ENERGIES = {1.0: 5.7368955483e-2, 5.0: 1.4615238719e-2, 10.0: 1.3789327324e-2}
COARSE = Panels(core=(5, 16))


@pytest.fixture(scope="module")
def early():
    """To t = 10, with a tail right of y_0 = -0.02 that reaches masses of e^-1000."""
    plane = energy()
    start = ancestors(COARSE, plane, lambda charge: np.full(charge.size, -0.02))
    times = AtTimes(tuple(ENERGIES))
    return run(start, plane, 10.0, Controlled(), times, times)


def test_energies_of_another_code(early):
    found = early.values[np.isin(early.time, list(ENERGIES))]
    error = np.abs(found - list(ENERGIES.values()))
    print(error)
    assert error.max() < 2e-9


def test_masses_grow_by_the_charge(early):
    """log m - alpha c^2 / 2 changes by the same amount on every path, since c' = - v."""
    first, last = early.states[0], early.states[-1]
    grown, charge = last[:, 2] - first[:, 2], 0.5 * (last[:, 1] ** 2 - first[:, 1] ** 2)
    assert first[:, 2].min() < -1000.0
    assert np.ptp(grown) > 200.0
    assert early.invariant_error(-1) < 1e-8
    assert np.ptp(grown - 1.001 * paper.ALPHA * charge) > 0.1


def test_draws_end_at_a_radius():
    start = drawn(core(COARSE, energy()), 8.0)
    square = np.sum(((start.points - (-2.0, 0.0)) / (0.1, 1.0)) ** 2, axis=1)
    assert square[start.values > 0.0].max() <= 16.0
    assert start.mass == pytest.approx(1.0)


def test_without_a_tail_the_plateau_stays():
    stays = run(core(COARSE, energy()), energy(), 45.0)
    assert stays.crossing == math.inf
    assert stays.values[-1] == pytest.approx(1.3715e-2, abs=1e-6)


@pytest.mark.long
def test_when_the_plateau_is_left():
    """By ancestors at (0.022, 19.5), right of the line: 10 s."""
    plane = energy()
    line = History.of(COARSE, plane).line
    whole = run(ancestors(COARSE, plane, line), plane, 45.0)
    assert whole.crossing == pytest.approx(38.763, abs=1e-3)
    found = Escape.of(whole, whole.crossing)
    assert found.mean == pytest.approx([0.0217, 19.53, 2.2445, 23.19], abs=5e-3)
    assert found.log_share == pytest.approx(-5.69, abs=0.01)
    assert whole.start.points[found.right, 0].min() > line(whole.start.points[:, 1]).min()
