"""Birth and death: mass, positivity, support and the relation of the balances."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import CELL_CENTRED, landscapes, measures

import meanfield_pde as mf
from meanfield_pde.problem.energy import PotentialLandscape

rates = st.floats(0.01, 20.0)


def flow(mu, landscape, balance, rate):
    """One step of birth and death alone with alpha dt scaled to the spread of V."""
    spread = np.ptp(landscape.potential)
    return mf.BirthDeath(rate / spread, balance).flow(mu, landscape, 0.0, 1.0)


def shifted(landscape, mu, mean_potential):
    """The same landscape, raised or lowered until the mean of V under mu is as given."""
    offset = mean_potential - landscape.at(mu).energy / mu.mass
    return replace(landscape, potential=landscape.potential + offset)


@given(st.data(), rates)
def test_the_mean_balance_is_positive_and_keeps_mass_and_support(data, rate):
    mu = data.draw(measures())
    moved = flow(mu, data.draw(landscapes(mu)), mf.Mean(), rate).measure
    assert moved.smallest >= 0.0
    assert moved.mass == pytest.approx(mu.mass, rel=1e-14)
    assert np.all(moved.density[mu.density == 0] == 0)


@given(st.data(), rates)
def test_the_drift_is_the_change_of_mass_before_it_was_balanced(data, rate):
    """In a fixed potential: of mu exp(-alpha dt (V - Vbar)), Vbar taken at the midpoint."""
    mu = data.draw(measures(CELL_CENTRED))
    landscape = data.draw(landscapes(mu))
    time = rate / np.ptp(landscape.potential)
    half = flow(mu, landscape, mf.Mean(), rate / 2).measure
    mean = landscape.at(half).energy / half.mass
    changed = mu.density * np.exp(-time * (landscape.potential - mean))
    expected = abs(changed.sum() / mu.density.sum() - 1)
    drift = flow(mu, landscape, mf.Mean(), rate).mass_drift
    assert drift == pytest.approx(expected, rel=1e-8, abs=1e-12)


@given(st.data(), rates, st.floats(-2.0, 2.0))
def test_reinjection_is_positive_and_keeps_mass(data, rate, mean_potential):
    mu = data.draw(measures())
    landscape = data.draw(landscapes(mu))
    landscape = shifted(landscape, mu, mean_potential * np.ptp(landscape.potential))
    moved = flow(mu, landscape, mf.Reinjection(mf.Uniform()), rate).measure
    assert moved.smallest >= 0.0
    assert moved.mass == pytest.approx(mu.mass, rel=1e-14)


@given(st.data(), rates)
def test_free_mass_is_positive_and_exact_in_a_fixed_potential(data, rate):
    mu = data.draw(measures(CELL_CENTRED))
    landscape = data.draw(landscapes(mu))
    moved = flow(mu, landscape, mf.Free(), rate).measure
    exact = mu.density * np.exp(-rate / np.ptp(landscape.potential) * landscape.potential)
    assert moved.density == pytest.approx(exact, rel=1e-12, abs=0)


@given(st.data(), rates, st.floats(0.0, 3.0))
def test_reinjection_is_the_mean_balance_where_the_mean_potential_is_not_positive(
    data, rate, depth
):
    """Birth and death only lower Vbar in a fixed potential, so it stays below zero."""
    mu = data.draw(measures())
    landscape = data.draw(landscapes(mu))
    landscape = shifted(landscape, mu, -depth * np.ptp(landscape.potential))
    reinjected = flow(mu, landscape, mf.Reinjection(mf.Uniform()), rate).measure
    balanced = flow(mu, landscape, mf.Mean(), rate).measure
    assert reinjected.density == pytest.approx(balanced.density, rel=1e-12, abs=1e-300)


@given(st.data(), rates)
def test_reinjection_differs_where_the_mean_potential_is_positive(data, rate):
    mu = data.draw(measures())
    assume(np.ptp(mu.density) > 0.1)
    landscape = data.draw(landscapes(mu))
    landscape = shifted(landscape, mu, 2 * np.ptp(landscape.potential))
    reinjected = flow(mu, landscape, mf.Reinjection(mf.Uniform()), rate).measure
    balanced = flow(mu, landscape, mf.Mean(), rate).measure
    assert np.abs(reinjected.density - balanced.density).sum() * mu.weight > 1e-4
    assert reinjected.smallest > 0.0  # born everywhere


@given(st.data(), rates, st.floats(-100.0, 100.0))
def test_the_mean_balance_does_not_see_a_constant_in_the_potential(data, rate, constant):
    mu = data.draw(measures())
    landscape = data.draw(landscapes(mu))
    raised = replace(landscape, potential=landscape.potential + constant)
    moved = flow(mu, landscape, mf.Mean(), rate).measure
    assert flow(mu, raised, mf.Mean(), rate).measure.density == pytest.approx(
        moved.density, rel=1e-9, abs=1e-300
    )


@pytest.mark.parametrize("balance", [mf.Free(), mf.Mean()], ids=lambda b: b.kind)
def test_tails_are_multiplied_not_lost(balance):
    """A tail of exp(-600) that birth favours by exp(590) arrives at its size."""
    mu = mf.FiniteVolumes(8).project(mf.Uniform(), mf.Circle())
    log_density = np.array([0.0, -1, -2, -600, -3, -2, -1, 0])
    mu = mu.with_density(np.exp(log_density))
    potential = np.zeros(8)
    potential[3] = -1.0
    landscape = PotentialLandscape(potential, (np.zeros(8),), ())
    for _ in range(10):
        mu = mf.BirthDeath(1.0, balance).flow(mu, landscape, 0.0, 59.0).measure
    ratio = mu.density[3] / mu.density[0]
    assert np.log(ratio) == pytest.approx(-10.0, abs=1e-9)
