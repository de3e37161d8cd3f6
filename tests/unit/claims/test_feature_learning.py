"""Frozen features: the equations for m and w, modes, exponents, and the figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from meanfield_pde.plotting.claims.feature_learning import PROBLEMS, figure
from meanfield_pde.studies.claims.feature_learning import (
    CLAIM,
    NAMES,
    Task,
    exponent,
    followed,
    measure,
    tasks,
)
from meanfield_pde.studies.theory.descent import Descent
from meanfield_pde.studies.theory.frozen_features import Frozen, problems

TIMES = np.array([0.0, 1.0, 10.0])


def test_without_birth_and_death_the_equations_are_the_sum_over_modes() -> None:
    frozen = Frozen.of(problems()["Run A"], 60)
    linear = frozen.linear(TIMES)
    np.testing.assert_allclose(frozen.energies(0.0, TIMES), linear, rtol=1e-7)
    # Without charges at the start E is half the square of the target, in all modes together.
    assert linear[0] == pytest.approx(0.06886827, abs=1e-8)


def test_one_feature_learns_one_plus_alpha_times_as_fast() -> None:
    """With a single y nothing is left to select."""
    whole = Frozen.of(problems()["Run A"], 10)
    one = replace(whole, unit=whole.unit[:, :1], log_weights=np.zeros(1))
    fast = one.energies(5.0, TIMES / 6.0)
    np.testing.assert_allclose(fast, one.energies(0.0, TIMES), rtol=1e-7)
    np.testing.assert_allclose(fast, one.linear(TIMES), rtol=1e-7)


def test_weights_of_y_are_of_one() -> None:
    for problem in problems().values():
        assert np.logaddexp.reduce(Frozen.of(problem, 80).log_weights) == pytest.approx(0.0)


@pytest.mark.parametrize("alpha", [0.0, 5.0])
def test_frozen_runs_in_the_plane_are_what_the_equations_say(alpha: float) -> None:
    run = followed(Task("Run A", alpha, True, (16, 24), 9.0, 1e-3, 1e-7))
    times = np.array([1.0, 10.0])
    exact = Frozen.of(problems()["Run A"], 100).energies(alpha, times)
    np.testing.assert_allclose(run.at(times), exact, rtol=1e-5)


def test_exponents_of_a_power_law() -> None:
    time = np.geomspace(1.0, 30.0, 40)
    run = Descent(time, 3.0 * time**-1.5, 0.0, 0.0, np.empty(0))
    assert exponent(run, 15.0, 30.0) == pytest.approx(1.5, abs=1e-6)


def test_tasks_come_in_pairs() -> None:
    for quick in (True, False):
        every = tasks(quick)
        for coarse, fine in zip(every[::2], every[1::2], strict=True):
            assert (coarse.problem, coarse.alpha, coarse.frozen) == (
                *(fine.problem, fine.alpha, fine.frozen),
            )
            assert np.prod(coarse.nodes) < np.prod(fine.nodes)


def test_the_figure_is_drawn() -> None:
    assert NAMES == PROBLEMS
    time = np.geomspace(0.1, 30.0, 20)
    curve = np.stack([time, 0.1 / (1.0 + time)])
    curves = {}
    for name in NAMES:
        for dynamics in ("(A)", "(C)"):
            curves |= {f"{name} {dynamics} {words}": curve for words in ("frozen", "learnt")}
        curves |= {f"{name} linear": curve}
        curves[f"{name} modes"] = np.stack([np.geomspace(1.0, 1e-8, 9), np.geomspace(0.1, 1e-9, 9)])
    drawn = figure(curves)
    assert len(drawn.axes) == 6
    drawn.canvas.draw()


@pytest.mark.long
def test_the_claim_holds_in_full() -> None:
    assert CLAIM.name == "feature_learning"
    assert all(number.holds for number in measure(False, print).numbers)
