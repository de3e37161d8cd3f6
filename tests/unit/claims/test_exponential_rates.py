"""Exponential rates: of fixed potentials, at optima of units, and the figure."""

from __future__ import annotations

import numpy as np
import pytest

from meanfield_pde.plotting.claims.exponential_rates import POTENTIALS, figure
from meanfield_pde.plotting.claims.exponential_rates import UNITS as DRAWN
from meanfield_pde.problem.optimum import optimum
from meanfield_pde.problem.potentials import FormulaPotential
from meanfield_pde.studies.claims.exponential_rates import (
    CLAIM,
    Run,
    course,
    crossing,
    graded,
    laws,
    settled,
    threshold,
)
from meanfield_pde.studies.law_problems import BUMP
from meanfield_pde.studies.theory.aitken import aitken
from meanfield_pde.studies.theory.exponential_problems import LANDSCAPES, UNITS, A, B, C
from meanfield_pde.studies.theory.linearised import rates_at


@pytest.mark.parametrize("name", [name for name in LANDSCAPES if name != "plane"])
def test_ways_are_those_of_the_potential(name):
    """Each way's V is that of a zero of V', and it leaves by - V'' if that is positive."""
    landscape = LANDSCAPES[name]
    potential, (axis,) = landscape.energy.potential, landscape.energy.space.axes
    theta = np.linspace(axis.lower, axis.upper + 0.1, 200_001)
    value, slope = potential.value((theta,)), potential.gradient((theta,))[0]
    bend = np.gradient(slope, theta)
    assert potential.value((np.zeros(1),))[0] == 0.0
    at = np.flatnonzero(slope[1:] * slope[:-1] <= 0.0)
    at = at[value[at] > 1e-6]
    expected = {(round(value[k], 3), round(max(-bend[k], 0.0), 2)) for k in at}
    for way in landscape.ways[1:]:
        near = [pair for pair in expected if abs(pair[0] - way.deaths) < 2e-3]
        assert near
        assert min(abs(pair[1] - way.leaves) for pair in near) < 0.02
    origin = np.argmin(np.abs(theta))
    assert landscape.ways[0].leaves == pytest.approx(2.0 * bend[origin], rel=1e-3)


def test_the_plane_is_what_it_says():
    energy = LANDSCAPES["plane"].energy
    theta = np.random.default_rng(0).uniform(-1.0, 3.0, (2, 20))
    x, y = np.cos(theta)
    expected = A * (1 - x) + B * (1 - y) + C * (1 - x * y)
    assert isinstance(energy.potential, FormulaPotential)
    assert energy.potential.value(tuple(theta)) == pytest.approx(expected, abs=1e-14)


def test_three_regimes_in_the_plane():
    ways = [LANDSCAPES["plane"].way(alpha).name for alpha in (0.02, 0.3, 2.0)]
    assert ways == ["maximum", "saddle", "variance"]


@pytest.mark.parametrize(("name", "threshold"), [("circle", 0.5), ("two wells", 49.7428549)])
def test_alpha_stops_to_help(name, threshold):
    assert LANDSCAPES[name].threshold == pytest.approx(threshold, rel=1e-7)


def test_too_much_mass_in_closed_form():
    """One atom, V* = - K / 2: spread |K''|, remote mass alpha (K(0) - K(pi)) / 2 + K''(pi) / 2."""
    energy = UNITS["mass 3/2"]
    rates = rates_at(energy, optimum(energy), 0.7)
    theta = 2.0 * np.pi * np.arange(64) / 64
    values = energy.unit.value(energy.inputs, (theta,))
    kernel = energy.data_weights * values[:, 0] @ values
    waves = 2.0 * np.fft.rfft(kernel).real / 64
    m = np.arange(waves.size)
    second, far = np.sum(m**2 * waves), -np.sum(m**2 * waves * np.cos(m * np.pi))
    assert rates.spread == pytest.approx([second], rel=1e-7)
    assert rates.atoms == pytest.approx([3.0 * second], rel=1e-7)
    expected = 0.35 * (kernel[0] - kernel[32]) + 0.5 * max(far, 0.0)
    assert rates.remote == pytest.approx([expected], rel=1e-6)
    assert rates.limited_by == "remote"
    assert rates.slowest == rates.all[0]


def test_a_perfect_fit_has_no_rate():
    """V* = 0: neither spread nor mass elsewhere decays exponentially."""
    rates = rates_at(BUMP, optimum(BUMP), 1.0)
    assert rates.spread == pytest.approx([0.0], abs=1e-8)


def test_aitken_is_exact_for_geometric_sequences():
    assert aitken(3.0, 2.5, 2.25) == pytest.approx(2.0)
    assert aitken(1.0, 1.0, 1.0) == 1.0
    slopes = 2.0 + 3.0 * 0.7 ** np.arange(32)
    limit = settled(slopes)
    assert limit.value == pytest.approx(2.0, abs=1e-12)
    assert limit.bar < 1e-12


def test_where_lines_cross():
    assert crossing((0.1, 1.2), (0.3, 1.6), 2.0) == pytest.approx(0.5)
    alphas, rates = np.array([0.1, 0.3, 5.0]), np.array([1.2, 1.6, 2.0])
    found = threshold(alphas, rates, np.array([0.0, 0.0, 0.02]), 0.5)
    assert found.value == pytest.approx(0.5)
    assert found.bar == pytest.approx(0.01)


def test_graded_panels_end_where_they_should():
    (axis,) = LANDSCAPES["two wells"].energy.space.axes
    rule = graded(axis, 3, 10)
    assert np.sum(np.exp(rule.log_weights)) == pytest.approx(axis.length)
    assert axis.upper - rule.nodes[-1] < axis.length * 2.0**-12


def test_a_rate_on_the_circle():
    found = settled(course(Run("circle", 1.0, 9.0)).slopes)
    assert found.value == pytest.approx(2.0, abs=1e-6)


def test_laws_cover_three_decades():
    alphas = {law.run.alpha for law in laws(quick=False) if law.run.problem == "circle"}
    assert max(alphas) / min(alphas) == pytest.approx(1000.0)
    assert {law.run.problem for law in laws(quick=True)} == {*LANDSCAPES, *UNITS}


def test_the_figure():
    assert set(POTENTIALS) == set(LANDSCAPES)
    assert set(DRAWN) == set(UNITS)
    alpha = np.array([0.1, 1.0, 10.0])
    times = np.linspace(0.1, 9.0, 20)
    curves = {f"energy, {a:g}": np.stack([times, np.exp(-times)]) for a in alpha}
    for name in (*POTENTIALS, *DRAWN):
        curves[f"rates, {name}"] = np.stack([alpha, alpha / (1.0 + alpha), 0.01 * alpha])
        curves[f"law, {name}"] = np.stack([alpha, alpha / (1.0 + alpha)])
    drawn = figure(curves)
    drawn.canvas.draw()
    assert drawn.get_size_inches()[0] == 7.0
    assert len(drawn.axes) == 3


@pytest.mark.long
def test_the_claim_holds():
    findings = CLAIM.measure(True, lambda words: None)
    assert all(number.holds for number in findings.numbers)
    assert len(findings.sentences) == 3
