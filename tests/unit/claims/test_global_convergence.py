"""Times to levels, gaps and ratios, pieces of the runs, and the figure."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meanfield_pde.dynamics.birth_death import BirthDeath
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.plotting.claims.global_convergence import FACTORS, figure, shade
from meanfield_pde.problem.energy import PotentialEnergy
from meanfield_pde.problem.one_parameter_laws import Uniform
from meanfield_pde.problem.potentials import CosineWell
from meanfield_pde.problem.spaces import Circle
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.studies.claims.global_convergence import CLAIM, gap, measure, ratio
from meanfield_pde.studies.theory import speed_up
from meanfield_pde.studies.theory.descent import Descent, descend
from meanfield_pde.studies.theory.four_problems import (
    PROBLEMS,
    RUN_B,
    SPIKES,
    Runs,
    Task,
    case,
    followed,
    tasks,
)
from meanfield_pde.studies.theory.speed_up import LEVEL, LONGEST, Map, Place, never, reached
from meanfield_pde.timestepping.step_size import Controlled


def made(energy: np.ndarray, time: np.ndarray) -> Descent:
    return Descent(time, energy, -1.0, -1.0, np.empty(0))


def test_a_power_law_crosses_a_level_where_it_should() -> None:
    time = np.geomspace(0.1, 100.0, 60)
    run = made(time**-2.0, time)
    assert run.first_below(1e-3) == pytest.approx(1e-3**-0.5, rel=1e-8)
    assert run.at(7.0) == pytest.approx(7.0**-2, rel=1e-7)
    assert math.isinf(run.first_below(1e-5))
    assert run.first_below(1e4) == 0.1


def test_a_run_falls_as_the_exact_one() -> None:
    """V = - cos theta from the uniform law: E = - tanh(t / 2) by gradient descent."""
    energy = PotentialEnergy(CosineWell(), Circle())
    start = Characteristics(32, picture=0).project(Uniform(), energy.space)
    run = descend(Equation(energy, [Transport()]), start, 2.0, Controlled(1e-10), extra=(1.0,))
    # E of a potential is negative here, and has no logarithm.
    at_one = run.energy[np.argmin(np.abs(run.time - 1.0))]
    assert at_one == pytest.approx(-math.tanh(0.5), abs=1e-6)
    assert np.all(np.diff(run.time) > 0.0)
    assert np.all(np.diff(run.energy) < 0.0)


def test_bars_are_the_largest_difference_and_infinite_times_have_none() -> None:
    time = np.geomspace(0.1, 10.0, 40)
    task = Task(SPIKES, "C", True)
    runs = Runs.of(task, [made(factor * time**-1.0, time) for factor in (1.1, 1.02, 1.0)])
    assert runs.at(2.0) == (pytest.approx(0.5, rel=1e-5), pytest.approx(0.05, rel=1e-4))
    assert runs.below(1e-9) == (math.inf, 0.0)
    assert runs.below(0.5) == (pytest.approx(2.0, rel=1e-5), pytest.approx(0.2, rel=1e-4))


def test_ratio_adds_relative_bars() -> None:
    assert ratio((6.0, 0.6), (3.0, 0.03)) == (2.0, pytest.approx(0.22))


def test_the_target_itself_has_no_gap() -> None:
    energy, _ = case("spikes_torus")
    assert gap(energy, energy.target_values, 0.0) == 0.0  # type: ignore[arg-type, attr-defined]


def test_every_problem_is_run_by_gradient_descent_and_with_birth_and_death() -> None:
    pairs = {(task.problem, task.dynamics) for task in tasks(True)}
    assert {(problem, d) for problem in PROBLEMS for d in "AC"} <= pairs
    assert (RUN_B, "D") in pairs
    assert len(pairs) == len(tasks(True))


def test_birth_and_death_alone_on_the_torus() -> None:
    runs = followed(Task(SPIKES, "F", True))
    value, bar = runs.at(30.0)
    assert 30.0 * value == pytest.approx(0.125301, abs=1e-6)
    assert bar < 1e-9


def test_both_mobilities_only_change_the_clock() -> None:
    """b and alpha, against 1 and alpha / b after b t."""
    start = Characteristics(64, picture=0).project(Uniform(), speed_up.CIRCLE.space)
    times = [
        descend(
            Equation(speed_up.CIRCLE, [BirthDeath(alpha), Transport((b,))]),
            *(start, 20.0, Controlled(1e-8)),
            below=LEVEL,
        ).first_below(LEVEL)
        for b, alpha in ((2.0, 6.0), (1.0, 3.0))
    ]
    assert 2.0 * times[0] == pytest.approx(times[1], rel=1e-4)


def test_birth_and_death_are_sooner_on_the_circle() -> None:
    slow, fast = (reached(Place(alpha, width=1.6)) for alpha in (0.0, 10.0))
    assert fast == pytest.approx(1.61147, rel=1e-4)
    assert slow / fast > 8.0


def test_a_map_counts_columns_that_are_bounds() -> None:
    found = Map(np.ones(2), np.ones(1), np.array([math.inf, 10.0]), np.full((1, 2), 5.0))
    assert never(found) == 1
    np.testing.assert_allclose(found.ratio, [[LONGEST / 5.0, 2.0]])


def test_shades_are_linear_in_the_logarithm() -> None:
    middle = math.sqrt(FACTORS[0] * FACTORS[1])
    np.testing.assert_allclose(shade(np.array([*FACTORS, middle])), [0.0, 1.0, 0.5])


def test_the_figure_draws_every_curve_and_map() -> None:
    time = np.linspace(0.0, 30.0, 50)
    curve = np.stack([time, 0.1 / (1.0 + time)])
    curves = {f"{problem} {d}": curve for problem in PROBLEMS for d in "AC"}
    curves |= {"spikes F": curve, "Run B D": curve}
    axis = np.geomspace(0.1, 10.0, 4)
    for name in ("width C", "width D", "charge C"):
        values = np.multiply.outer(axis, axis) + 2.0
        curves |= {
            f"map {name} across": axis,
            f"map {name} alphas": axis,
            f"map {name} descent": np.array([np.inf, 1.0, 1.0, 1.0]),
            f"map {name} ratio": values,
        }
    drawn = figure(curves)
    assert len(drawn.axes) == 8
    assert [len(axes.lines) > 1 for axes in drawn.axes[:4]] == [True] * 4
    drawn.canvas.draw()


@pytest.mark.long
def test_the_claim_holds_in_full() -> None:
    assert all(number.holds for number in measure(False, print).numbers)


def test_the_claim_is_named_as_its_module() -> None:
    assert CLAIM.name == "global_convergence"
