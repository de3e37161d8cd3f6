"""Unsplit steps: mass, positivity and their bound, whatever the density and the potential."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import CELL_CENTRED, LIMITED, SCHEMES, landscapes, measures

import meanfield_pde as mf
from meanfield_pde.errors import StepTooLong

BALANCES = {"free": mf.Free(), "mean": mf.Mean(), "reinjection": mf.Reinjection(mf.Uniform())}
methods = st.sampled_from([mf.Unsplit("ssp3"), mf.Unsplit("ssp4")])
balances = st.sampled_from(sorted(BALANCES))


def equation(mu, landscape, balance, share):
    """Both terms, death as fast as `share` times transport; its energy plays no part in a step."""
    space = mf.Box((-1.0,) * mu.parameters, (1.0,) * mu.parameters)
    if mu.parameters == 1:
        space = mf.Interval(-1.0, 1.0)
    energy = mf.PotentialEnergy(mf.Quadratic(tuple(map(tuple, np.eye(mu.parameters)))), space)
    sweep = mu.face_rate(landscape.at(mu), (1.0,) * mu.parameters)
    alpha = share * sweep / np.abs(landscape.potential).max()
    return mf.Equation(energy, [mf.BirthDeath(alpha, BALANCES[balance]), mf.Transport()])


def longest(eq, mu, landscape, splitting):
    """The longest step within the bound of every stage, wherever Vbar goes."""
    potential, alpha = landscape.potential, eq.birth_death.alpha
    sweep = mu.face_rate(landscape.at(mu), (1.0,) * mu.parameters) / 0.5
    death = alpha * max(np.ptp(potential), potential.max())
    return 0.9999 * splitting.coefficient / (sweep + death)


@given(st.data(), methods, balances, st.floats(0.0, 10.0))
def test_averages_stay_positive_up_to_the_bound(data, splitting, balance, share):
    mu = data.draw(measures(LIMITED))
    landscape = data.draw(landscapes(mu))
    eq = equation(mu, landscape, balance, share)
    dt = longest(eq, mu, landscape, splitting)
    for _ in range(4):
        mu = splitting.advance(eq, mu, landscape, 0.0, dt).measure
        assert mu.smallest >= 0.0


@given(st.data(), methods, st.sampled_from(["mean", "reinjection"]), st.floats(0.0, 10.0))
def test_mass_is_kept_without_being_scaled(data, splitting, balance, share):
    """The rates of a balanced equation sum to zero, by every scheme, limited or not.

    Averages below zero, which only a limiter prevents, take Vbar outside the range of V.
    """
    mu = data.draw(measures(SCHEMES))
    landscape = data.draw(landscapes(mu))
    eq = equation(mu, landscape, balance, share)
    dt = 0.3 * longest(eq, mu, landscape, splitting)
    rate = eq.rate(mu, landscape.at(mu), 0.0)
    assert abs(rate.sum()) * dt <= 1e-13 * mu.density.sum()
    moved = splitting.advance(eq, mu, landscape, 0.0, dt).measure
    assert moved.mass == pytest.approx(mu.mass, rel=1e-13)


@given(st.data(), methods, balances, st.floats(0.01, 10.0))
def test_steps_beyond_the_bound_are_refused_with_the_bound(data, splitting, balance, share):
    """The bound is met in the first stage: no later one is reached."""
    mu = data.draw(measures(LIMITED))
    landscape = data.draw(landscapes(mu))
    eq = equation(mu, landscape, balance, share)
    field = landscape.at(mu)
    mean, largest = field.integral / field.mass, landscape.potential.max()
    death = {"free": largest, "mean": largest - mean, "reinjection": largest - min(mean, 0.0)}
    sweep = mu.face_rate(field, (1.0,) * mu.parameters) / 0.5
    limit = splitting.coefficient / (sweep + eq.birth_death.alpha * max(death[balance], 0.0))
    with pytest.raises(
        StepTooLong, match="would empty a cell: the step must be at most"
    ) as refusal:
        splitting.advance(eq, mu, landscape, 0.0, 1.01 * limit)
    assert refusal.value.limit == pytest.approx(limit, rel=1e-12)


@given(st.data(), st.floats(0.01, 10.0))
def test_the_bound_is_sharp_for_death_alone(data, share):
    """An Euler step of that length empties the cell where V is highest."""
    mu = data.draw(measures(CELL_CENTRED))
    landscape = data.draw(landscapes(mu))
    eq = equation(mu, landscape, "mean", share)
    alone = mf.Equation(eq.energy, [eq.birth_death])
    field = landscape.at(mu)
    highest = landscape.potential == landscape.potential.max()
    rate = alone.rate(mu, field, 0.0)[highest]
    emptying = alone.emptying_rate(mu, field, 0.0)
    assume(emptying > 0)  # not all mass lies where V is highest
    assert mu.density[highest] + rate / emptying == pytest.approx(0.0, abs=1e-12 * mu.density.max())


def test_mass_does_not_drift_over_a_thousand_steps():
    """Never renormalised; V interacts, neurons die and are born."""
    energy = mf.Energy(
        mf.VonMises(2.0), mf.Teacher((1.0, -2.0), (0.6, 0.4)), mf.UniformCircle(16), mf.Circle()
    )
    mu = mf.FiniteVolumes(24).project(mf.Uniform(-1.0, 2.0), energy.space)
    equation, end = mf.Equation(energy, [mf.BirthDeath(4.0), mf.Transport()]), mf.AtTimes(())
    solution = mf.solve(
        equation, mu, 10.0, splitting=mf.Unsplit(), step=mf.Fixed(0.01), record=end, save=end
    )
    assert solution.steps[-1] == 1000
    assert abs(solution.mass[-1] / solution.mass[0] - 1) < 1e-13
    assert solution.mass_drift[-1] == 0.0
    assert solution.smallest_density[-1] >= 0
    assert solution.energy[-1] < 0.1 * solution.energy[0]
