"""The t^-2 law of one atom: its universal curve, closed forms for K = cos, and the figure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from meanfield_pde.plotting.claims.transport_rate import figure
from meanfield_pde.studies.claims.transport_rate import (
    CLAIM,
    FULL,
    QUICK,
    REMOTE,
    Found,
    moving,
    steady,
    wave_limit,
    wave_terms,
)
from meanfield_pde.studies.theory.one_atom import UNITS, Run, course, opposite, remote, universal


def test_the_universal_curve_solves_its_equation():
    tau = np.geomspace(1e-3, 1e3, 13)
    u = universal(tau)
    result = solve_ivp(
        lambda t, y: -(y**2) * (1.0 + y), (tau[0], tau[-1]), u[:1], "Radau", tau, rtol=1e-10, atol=0
    )
    assert u == pytest.approx(result.y[0], rel=1e-7)


def test_the_universal_curve_joins_both_powers():
    """u^2 = 1 / (2 tau) is E = 1 / (8 alpha t), u = 1 / tau is E = 1 / (8 K4 b^2 t^2)."""
    early, late = np.array([1e-10]), np.array([1e9])
    assert 2.0 * early * universal(early) ** 2 == pytest.approx(1.0, rel=1e-4)
    assert late * universal(late) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize(("unit", "threshold"), [("von Mises", 1.9293013), ("cosine", 0.5)])
def test_thresholds(unit, threshold):
    assert UNITS[unit].threshold == pytest.approx(threshold, rel=1e-7)


def test_the_mobility_is_a_matter_of_the_clock():
    """With b = 1/4 all is as with b = 1 and 4 alpha at a quarter of the time."""
    slow, fast = course(Run("cosine", 1.0, 0.25, 40.0)), course(Run("cosine", 4.0, 1.0, 10.0))
    shared = fast.times.size
    assert slow.times[-shared:] == pytest.approx(4.0 * fast.times, rel=1e-12)
    assert slow.energy[-shared:] == pytest.approx(fast.energy, rel=1e-8)
    assert slow.run.crossover == pytest.approx(4.0 * fast.run.crossover)


def test_a_wave_against_its_closed_form():
    run = Run("cosine", 1.0, 1.0, 30.0)
    runs = {run: course(run)}
    coarse = {run: course(Run("cosine", 1.0, 1.0, 30.0, coarse=True))}
    assert Found(runs, coarse).exact([run]).value < 1e-8
    assert runs[run].constant.values[-1] == pytest.approx(1.0, abs=0.2)


def test_q_is_read_where_it_is_known():
    """At late times from the density opposite the atom, at a tenth of a percent."""
    one = course(Run("von Mises", 6.0, 1.0, 300.0))
    assert one.exponent.values[-1] == pytest.approx(one.run.one.exponent, rel=4e-3)


def test_what_is_elsewhere():
    theta = 0.3 + np.linspace(-np.pi, np.pi, 2001)[:-1] + np.pi / 2000
    nodes = np.column_stack([theta, np.full(2000, -np.log(2000.0))])
    assert remote(nodes) == pytest.approx(35.0 / 128.0)
    assert opposite(nodes) == pytest.approx(1.0 / (2.0 * np.pi))
    turned = nodes + np.array([2.0 * np.pi, 0.0])
    assert remote(turned) == pytest.approx(remote(nodes))
    assert opposite(turned) == pytest.approx(opposite(nodes))


def test_limits_of_a_wave():
    assert wave_limit(0.1) == pytest.approx(4.0 / 1.44)
    assert wave_limit(0.5) == wave_limit(100.0) == 1.0
    values = [term(np.array([16.0]))[0] for term in wave_terms(0.3)]
    assert values == pytest.approx([0.5, 0.25, 0.125, 0.0625])


@pytest.mark.parametrize("plan", [QUICK, FULL])
def test_plans_hold_what_is_measured(plan):
    runs = steady(plan)
    assert len(set(runs)) == len(runs)
    for unit, alphas in REMOTE.items():
        assert all(Run(unit, alpha, 1.0, plan.last) in runs for alpha in alphas)
    assert plan.waves[-1] / plan.waves[0] == pytest.approx(1e3)
    assert [run.last / run.crossover for run in moving(plan)] == pytest.approx(
        [10.0**1.5] * len(plan.mobilities)
    )


def test_the_figure():
    times = np.geomspace(1.0, 1e4, 9)
    curves = {f"energy, mobility {b}": np.stack([times, 0.1 / times]) for b in ("1", "0.1", "0")}
    tau = np.geomspace(1e-4, 30.0, 9)
    curves |= {f"ratio, mobility {b}": np.stack([tau, 1.0 + 0.1 / tau]) for b in ("1", "0.1")}
    curves["constants, cosine"] = np.array([[0.1, 1.0, 10.0], [2.8, 1.0, 1.0], [0.1, 0.0, 0.0]])
    for name in UNITS:
        curves[f"elsewhere, {name}"] = np.array([[0.5, 2.0, 3.0], [1.0, 2.0, 3.0], [0.5, 2.0, 3.0]])
    drawn = figure(curves)
    drawn.canvas.draw()
    assert tuple(drawn.get_size_inches()) == (7.0, 4.0)
    assert len(drawn.axes) == 4


@pytest.mark.long
def test_the_claim_holds():
    findings = CLAIM.measure(True, lambda words: None)
    assert all(number.holds for number in findings.numbers)
    assert len(findings.sentences) == 3
