"""The arc, the gap, slopes, the double well, and the figure."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meanfield_pde.plotting.claims.initial_support import figure
from meanfield_pde.problem.optimum import Optimum, optimum
from meanfield_pde.studies.claims.initial_support import (
    ARC,
    CLAIM,
    SPACE,
    Task,
    followed,
    gap_over,
    measure,
    slope_limit,
    slopes,
    spikes,
    whole_gap,
)
from meanfield_pde.studies.theory.double_well import (
    exact_between_at_half,
    exact_masses,
    wells,
)


@pytest.fixture(scope="module")
def best() -> Optimum:
    return optimum(spikes(ARC))


def test_the_best_on_the_arc_is_none_on_the_whole_space(best: Optimum) -> None:
    assert best.gap < 1e-9
    assert best.energy == pytest.approx(0.10106873, abs=1e-7)
    # V at the missing spike is - 0.3 K(0), and at the atoms it is the same everywhere.
    at_spike = -0.3 / math.sqrt(4.0 * math.pi * 0.02)
    assert whole_gap(best) == pytest.approx(best.potential[0] - at_spike, rel=1e-4)


def test_the_arc_lies_between_energy_less_gap_and_energy(best: Optimum) -> None:
    run = followed(Task(end=100.0, fine=False))
    energy = float(run.energy[-1])
    lower = energy - gap_over(ARC, run.prediction, run.last_mean_potential)
    assert lower < best.energy < energy
    assert gap_over(SPACE, run.prediction, run.last_mean_potential) > 0.6


def test_rebirth_and_a_small_weight_find_the_missing_spike(best: Optimum) -> None:
    reborn = followed(Task(reborn=True, end=20.0, fine=False))
    assert reborn.energy[-1] < 0.2 * best.energy
    weighted = followed(Task(weight=1e-10, end=60.0, below=0.05, fine=False))
    assert weighted.first_below(0.05) == pytest.approx(38.67, abs=0.05)


def test_slopes_of_a_line_with_a_logarithm() -> None:
    logs = 20.0 * 2.0 ** np.arange(5)
    np.testing.assert_allclose(slopes(logs, 3.0 * logs + 1.0), 3.0)
    limit, bar = slope_limit(slopes(logs, logs + 0.5 * np.log(logs)))
    assert abs(limit - 1.0) < 1e-12 < bar


def test_masses_of_the_double_well_are_the_exact_ones() -> None:
    found = wells(300, True, 0.0)
    index = int(np.flatnonzero(found.time == 1.0)[0])
    np.testing.assert_allclose(found.masses[:, index], exact_masses(1.0), rtol=0.01)
    np.testing.assert_allclose(found.masses.sum(axis=0), 1.0, rtol=1e-10)
    assert found.most_kept < 1.0
    # Records are a quarter apart, and the mass between falls by 3 from one to the next.
    assert found.between_at_half == pytest.approx(exact_between_at_half(), rel=0.2)
    assert exact_masses(30.0)[2] > 0.99


def test_the_figure_is_drawn() -> None:
    time = np.geomspace(0.3, 100.0, 20)
    curve = np.stack([time, 1.0 / (1.0 + time)])
    names = ("arc", "reborn", "weight 0", "weight 1", "transport 0", "transport 1")
    curves = dict.fromkeys(names, curve)
    curves |= {"logarithms": np.array([20.0, 40.0]), "times": np.array([30.0, 60.0])}
    curves |= {"gap": np.array([0.67]), "least": np.array([0.1])}
    curves["wells"] = np.stack([time, *(np.exp(-k * time) for k in range(3))])
    drawn = figure(curves)
    assert len(drawn.axes) == 3
    drawn.canvas.draw()


@pytest.mark.long
def test_the_claim_holds_in_full() -> None:
    assert CLAIM.name == "initial_support"
    assert all(number.holds for number in measure(False, print).numbers)
