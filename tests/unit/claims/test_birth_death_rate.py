"""Birth and death alone: families around an optimum, kinks, the bound by KL, and the figure."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from meanfield_pde.plotting.claims.birth_death_rate import figure
from meanfield_pde.problem.optimum import Optimum
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.studies.claims.birth_death_rate import CLAIM, bounded, collapse, constant, drawn
from meanfield_pde.studies.law_problems import BUMPS, SPIKES, Curve
from meanfield_pde.studies.laws import Limit, extrapolated
from meanfield_pde.studies.theory.kinks import uniform_with_kinks
from meanfield_pde.studies.theory.misfits import AT_A_WALL, MISFITS, SMALL, Misfit
from meanfield_pde.studies.theory.one_over_t import (
    ALPHAS,
    GROUPS,
    QUICK,
    TOLERANCES,
    Bound,
    Collapse,
    Course,
    Problem,
    smoothed,
    tasks,
)

NOISY, PENALISED = MISFITS[0], MISFITS[1]


@pytest.mark.parametrize("misfit", MISFITS[:4], ids=lambda misfit: misfit.name)
def test_the_family_is_what_a_run_of_the_equation_gives(misfit):
    assert misfit.family(10.0).difference(misfit.run(10.0)) < 1e-5


def test_the_family_around_a_perfect_fit_is_that_of_the_spikes():
    # V* = 0 there, and the reference changes nothing.
    target = BUMPS.target
    assert isinstance(target, Teacher)
    atoms = (np.array(target.centres)[:, None], np.array(target.masses))
    misfit = Misfit("", BUMPS, 256, 7, 1e3)
    known = Optimum(0.0, 0.0, *atoms, "probability", 1.0, np.zeros(3), 0)
    misfit.__dict__["best"] = known
    spikes = replace(SPIKES[1], levels=7)
    assert spikes.energy is BUMPS
    assert misfit.family(1e2).difference(spikes.family(1e2)) < 1e-6


def test_the_excess_is_the_difference_of_energies():
    family, best = NOISY.around(), NOISY.best
    uniform = family.normalised(np.zeros(family.above.size))
    f, y = family.unit @ uniform, NOISY.energy.target_values
    energy = NOISY.energy.data_weights @ (0.5 * (f - y) ** 2)
    assert family.excess(uniform) == pytest.approx(energy - best.energy, rel=1e-10)
    assert family.divergence(uniform) == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("misfit", [NOISY, MISFITS[2], MISFITS[3]], ids=lambda misfit: misfit.name)
def test_the_jacobian_of_a_family_is_the_derivative_of_its_rate(misfit):
    family = misfit.around(coarser=8)
    h = 0.1 * np.sin(np.arange(family.unit.shape[0]))
    jacobian, step = family.jacobian(2.0, h), 1e-5
    for k in (0, 7):
        change = step * np.eye(h.size)[k]
        slope = (family.rate(2.0, h + change) - family.rate(2.0, h - change)) / (2.0 * step)
        np.testing.assert_allclose(jacobian[:, k], slope, atol=1e-9)


def test_the_law_counts_inner_parameters_half_and_those_at_walls_whole():
    assert pytest.approx(0.5) == NOISY.limit
    lower, inner, upper = AT_A_WALL.best.masses[np.argsort(AT_A_WALL.best.points[:, 0])]
    assert AT_A_WALL.limit == pytest.approx(0.5 * inner + lower + upper)
    assert 0.0 < inner < 1.0


def test_an_error_that_is_left_makes_the_constant_one_half():
    curve = PENALISED.family(1e5)
    limit = extrapolated(curve, SMALL, [PENALISED.family(1e5, coarser=1, tolerance=1e-7)])
    assert abs(limit.value - 0.5) <= limit.bar < 1e-3


def test_wall_masses_enter_the_constant():
    curve = AT_A_WALL.family(1e6)
    limit = extrapolated(curve, SMALL)
    assert abs(limit.value - AT_A_WALL.limit) <= limit.bar < 1e-3


def test_data_with_kinks_have_the_kernel_of_uniform_data():
    centres = np.array([0.4, 2.1])
    data = uniform_with_kinks(centres, 12, 6)
    x, w = data.quadrature()
    assert np.sum(w) == pytest.approx(1.0)
    apart = 1.7
    both = np.maximum(np.cos(x - centres[0]), 0.0) * np.maximum(np.cos(x - centres[1]), 0.0)
    exact = ((np.pi - apart) * np.cos(apart) + np.sin(apart)) / (4.0 * np.pi)
    assert w @ both == pytest.approx(exact, abs=1e-6)


def test_a_cubic_kernel_alone_has_the_constant_one_sixth():
    """By another method: K = |d|^3 on the line, densities that are even around the atom."""
    breaks = np.concatenate([[0.0], np.geomspace(1e-2, 2.0, 24)])
    unit, weights = np.polynomial.legendre.leggauss(6)
    halves = 0.5 * np.diff(breaks)
    x = (0.5 * (breaks[1:] + breaks[:-1])[:, None] + halves[:, None] * unit).ravel()
    w = (halves[:, None] * weights).ravel()
    even = 0.5 * (np.abs(x[:, None] - x) ** 3 + (x[:, None] + x) ** 3)

    def masses(g):
        grown = w * np.exp(g.min() - g)
        return grown / grown.sum()

    def rate(t, g):
        mu = masses(g)
        potential = even @ mu - x**3
        return potential - potential @ mu

    end = 1e4
    result = solve_ivp(rate, (0.0, end), np.zeros(x.size), "LSODA", rtol=1e-8, atol=1e-10)
    mu = masses(result.y[:, -1])
    energy = 0.5 * (mu @ even @ mu - 2.0 * mu @ x**3)
    assert end * energy == pytest.approx(1.0 / 6.0, abs=2e-4)


def test_smooth_atoms_go_from_the_initial_law_to_the_atoms():
    family, best = NOISY.around(coarser=4), NOISY.best
    start = smoothed(family, best.points[:, 0], best.masses, 0.0)
    np.testing.assert_allclose(start, family.normalised(np.zeros(start.size)), rtol=1e-12)
    sharp = smoothed(family, best.points[:, 0], best.masses, 1e5)
    assert 0.0 < family.excess(sharp) < 1e-5 < family.excess(start)
    # KL of k narrow bumps: log(2 pi) less the entropies of the masses and of one bump.
    entropy = -best.masses @ np.log(best.masses) + 0.5 * np.log(2.0 * np.pi * np.e / 1e5)
    assert family.divergence(sharp) == pytest.approx(np.log(2.0 * np.pi) - entropy, abs=1e-4)


def test_every_task_is_there_once_and_a_quick_measure_has_fewer():
    full, quick = tasks(False), tasks(True)
    assert len(set(full)) == len(full)
    assert set(quick) < set(full)
    assert all(max(those) < len(GROUPS[group]) for group, those in QUICK.items())


def _course(group: str, value: float, law: float) -> Course:
    times = np.geomspace(1.0, 1e4, 33)
    curve = Curve(times, value * (1.0 - 0.5 / times))
    return Course(group, "made up", curve, Limit(value, 1e-3), law)


def test_numbers_say_whether_their_laws_hold():
    assert constant(_course("fitted", 0.1255, 0.125)).holds
    assert not constant(_course("fitted", 0.127, 0.125)).holds
    rows = np.array([[1.0, 10.0], [0.5, 0.1], [1.0, 0.4]])
    assert bounded(rows, rows).holds
    assert not bounded(np.array([[1.0], [2.0], [1.5]]), np.array([[1.0], [2.0], [1.5]])).holds


@pytest.mark.parametrize(("shift", "holds"), [(0.0, True), (1e-3, False)])
def test_curves_that_do_not_collapse_are_seen(shift, holds):
    times = np.array([1.0, 10.0])
    runs = {
        Collapse(alpha, tolerance): Curve(
            times, np.array([0.3, 0.5]) * (1.0 + shift * (alpha == ALPHAS[-1]) + tolerance)
        )
        for alpha in ALPHAS
        for tolerance in TOLERANCES
    }
    assert collapse(runs).holds is holds


def test_the_figure_is_drawn_from_small_curves():
    laws = {"unfitted": 0.5, "wall": 0.81, "fitted": 0.125, "kinked": 1.0 / 6.0, "fixed": 1.0}
    curves = drawn([_course(group, law, law) for group, law in laws.items()])
    times = np.geomspace(1.0, 1e3, 9)
    for alpha in ALPHAS:
        curves[f"alpha/{alpha:g}"] = np.stack([times, 1.0 / times])
    curves["bound"] = np.stack([times, 1.0 / times, 2.0 / times])
    made = figure(curves)
    made.canvas.draw()
    assert made.get_figwidth() == 7.0
    assert made.get_figheight() <= 4.0
    texts = {text.get_text() for text in made.axes[0].texts}
    assert texts == {"1/2", "0.81", "1/8", "1/6", "1"}


@pytest.mark.long
def test_relu_units_have_the_constant_one_sixth():
    course = Problem("kinked", 0).answer()
    assert abs(course.limit.value - 1.0 / 6.0) <= course.limit.bar < 1e-3


@pytest.mark.long
def test_the_claim_holds():
    findings = CLAIM.measure(True, lambda words: None)
    assert all(number.holds for number in findings.numbers)
    assert len(findings.sentences) == 3
    _, excess, least = Bound(0).answer()
    assert np.all(excess <= least)
