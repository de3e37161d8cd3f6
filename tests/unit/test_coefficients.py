"""Coefficients of time: their values and means, how they print, and which are refused."""

import numpy as np
import pytest
from scipy.integrate import quad

import meanfield_pde as mf
from meanfield_pde.dynamics.coefficients import (
    largest_over,
    mean_over,
    require_until,
    value_at,
)

RAMP = mf.PiecewiseLinear((1.0, 2.0, 4.0), (3.0, 5.0, 0.0))
WAVE = mf.FormulaOfTime("2 + sin(3*t)")


@pytest.mark.parametrize(
    ("coefficient", "time", "value"),
    [
        (2.5, 7.0, 2.5),
        (3, 0.0, 3.0),
        (RAMP, 0.0, 3.0),
        (RAMP, 1.5, 4.0),
        (RAMP, 2.0, 5.0),
        (RAMP, 3.0, 2.5),
        (RAMP, 9.0, 0.0),
        (mf.PiecewiseLinear((1.0,), (2.0,)), 0.3, 2.0),
        (WAVE, 0.7, 2 + np.sin(2.1)),
        (mf.FormulaOfTime("5"), 0.7, 5.0),
    ],
)
def test_values(coefficient, time, value):
    assert value_at("alpha", coefficient, time) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("interval", [(0.0, 0.5), (0.5, 1.0), (0.0, 5.0), (1.5, 1.0), (5.0, 2.0)])
@pytest.mark.parametrize("coefficient", [2.5, RAMP, WAVE], ids=str)
def test_means_over_steps_are_exact(coefficient, interval):
    """Against adaptive quadrature; the mean and not the value at the middle."""
    time, dt = interval
    corners = [c for c in (1.0, 2.0, 4.0) if time < c < time + dt]
    expected = quad(
        lambda t: value_at("alpha", coefficient, t), time, time + dt, points=corners or None
    )[0]
    assert mean_over("alpha", coefficient, time, dt) == pytest.approx(expected / dt, rel=1e-13)


def test_means_add_up():
    whole = mean_over("alpha", RAMP, 0.5, 3.0)
    parts = [mean_over("alpha", RAMP, 0.5 + 0.3 * k, 0.3) for k in range(10)]
    assert np.mean(parts) == pytest.approx(whole, rel=1e-14)


def test_largest_values_over_steps():
    """Of a table exactly; of a formula among the start, the middle and the end."""
    assert largest_over("alpha", 2.0, 0.0, 1.0) == 2.0
    assert largest_over("alpha", RAMP, 1.5, 2.0) == 5.0
    assert largest_over("alpha", RAMP, 2.5, 1.0) == pytest.approx(3.75)
    assert largest_over("alpha", RAMP, 1.5, 0.0) == 4.0
    assert largest_over("alpha", mf.FormulaOfTime("t"), 1.0, 2.0) == 3.0
    assert largest_over("alpha", mf.FormulaOfTime("4 - (t - 2)**2"), 1.0, 2.0) == 4.0


def test_coefficients_are_printed_as_they_were_written():
    energy = mf.PotentialEnergy(mf.Quadratic(((1.0, 0.0), (0.0, 1.0))), mf.Box((-1, -1), (1, 1)))
    terms = [mf.BirthDeath(mf.FormulaOfTime("5*exp(-t)")), mf.Transport((0.25, RAMP))]
    lines = str(mf.Equation(energy, terms)).splitlines()
    table = "linear through (1, 3), (2, 5), (4, 0)"
    assert lines[-1] == f"alpha = 5*exp(-t), M = diag(0.25, {table})"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: mf.FormulaOfTime("5*exp(-s)"), "'s'"),
        (lambda: mf.FormulaOfTime("5*"), r"5\*"),
        (lambda: mf.PiecewiseLinear((), ()), r"times = \(\): expected increasing"),
        (lambda: mf.PiecewiseLinear((0.0, 0.0), (1.0, 1.0)), "times = .*expected increasing"),
        (lambda: mf.PiecewiseLinear((0.0, 1.0), (1.0,)), "values = .*expected 2 numbers >= 0"),
        (lambda: mf.PiecewiseLinear((0.0, 1.0), (1.0, -0.1)), "values = .*expected 2 numbers >= 0"),
        (lambda: mf.PiecewiseLinear((0.0,), (float("nan"),)), "values = .*expected 1 numbers >= 0"),
        (lambda: mf.BirthDeath("5"), "alpha = '5': expected a number >= 0"),
        (lambda: mf.BirthDeath(float("inf")), "alpha = inf: expected a number >= 0"),
        (lambda: mf.BirthDeath(WAVE.at), "alpha = .*expected a number >= 0"),
        (lambda: mf.Transport((1.0, None)), "mobility = .*expected numbers >= 0"),
    ],
)
def test_wrong_coefficients_are_refused(make, says):
    with pytest.raises(mf.InputError, match=says):
        make()


@pytest.mark.parametrize("kind", [np.float32, np.int64, int, float])
def test_any_real_number_is_a_coefficient(kind):
    term = mf.BirthDeath(kind(2))
    assert value_at("alpha", term.alpha, 0.0) == 2.0
    assert term.symbols() == "alpha = 2"


def test_a_formula_is_tried_at_many_times_before_a_run():
    alpha = mf.FormulaOfTime("1 - t/2")
    require_until("alpha", alpha, 2.0)
    with pytest.raises(mf.InputError, match=r"alpha = '1 - t/2' is -0.\d+ at t = 2.\d+: expected"):
        require_until("alpha", alpha, 2.1)
    with pytest.raises(mf.InputError, match=r"alpha = '1/t' is inf at t = 0: expected a number"):
        require_until("alpha", mf.FormulaOfTime("1/t"), 1.0)
    with pytest.raises(mf.InputError, match=r"mobility = 'log\(t - 1\)' is nan at t = 0: expected"):
        require_until("mobility", mf.FormulaOfTime("log(t - 1)"), 1.0)


def well(*terms):
    energy = mf.PotentialEnergy(mf.CosineWell(), mf.Circle())
    return mf.Equation(energy, terms), mf.FiniteVolumes(16).project(mf.Uniform(), mf.Circle())


def test_a_formula_that_turns_negative_is_refused_before_a_run():
    equation, mu = well(mf.BirthDeath(mf.FormulaOfTime("1 - t")), mf.Transport())
    with pytest.raises(mf.InputError, match=r"alpha = '1 - t' is -\d.* at t = 1.\d+: expected"):
        mf.solve(equation, mu, 2.0)
    equation, mu = well(mf.Transport((mf.FormulaOfTime("1 - t"),)))
    with pytest.raises(mf.InputError, match="mobility = '1 - t' is"):
        mf.solve(equation, mu, 2.0)


def test_a_formula_that_fails_between_the_times_it_was_tried_at_stops_the_run():
    """What was computed until then is kept."""
    alpha = mf.FormulaOfTime("1 - 2*exp(-((t - 0.5003)/0.0001)**2)")
    equation, mu = well(mf.BirthDeath(alpha))
    with pytest.raises(
        mf.NumericalFailure, match=r"stopped at t = 0.5: alpha = .* at t = "
    ) as stop:
        mf.solve(equation, mu, 1.0, step=mf.Fixed(0.001), record=mf.AtTimes((0.4,)))
    assert stop.value.solution.time.tolist() == pytest.approx([0.0, 0.25, 0.4, 0.5])


@pytest.mark.parametrize("splitting", [mf.Strang(), mf.Unsplit()], ids=lambda s: s.kind)
def test_a_mobility_of_zero_freezes_a_parameter(splitting):
    """Slices along the frozen parameter keep their mass, and evolve as if each were alone."""
    space = mf.Box((-2.0, -2.0), (2.0, 2.0))
    energy = mf.PotentialEnergy(mf.Quadratic(((1.0, 0.5), (0.5, 1.0))), space)
    mu = mf.FiniteVolumes((12, 8)).project(
        mf.ProductLaw((mf.Normal(0.3, 0.5), mf.Normal(0.0, 0.5))), space
    )
    equation, end = mf.Equation(energy, [mf.Transport((1.0, 0.0))]), mf.AtTimes(())
    solution = mf.solve(equation, mu, 1.0, splitting=splitting, record=end, save=end)
    masses = [density.sum(axis=0) for density in solution.measure]
    assert masses[1] == pytest.approx(masses[0], rel=1e-13)
    assert np.abs(solution.measure[1] - mu.density).max() > 0.01
    still = mf.solve(mf.Equation(energy, [mf.Transport((0.0, 0.0))]), mu, 1.0, splitting=splitting)
    assert np.array_equal(still.measure[-1], mu.density)


def test_particles_take_the_coefficients_of_the_start_of_a_step():
    space = mf.Interval(-2.0, 2.0)
    energy = mf.PotentialEnergy(mf.Quadratic(((1.0,),)), space)
    mu = mf.Particles(number=40, dt=0.1).project(mf.Uniform(), space)
    landscape = mu.landscape(energy)
    rising = mf.FormulaOfTime("2*t")
    moved = mf.Transport((rising,)).flow(mu, landscape, 0.3, 0.1).measure
    assert moved.points == pytest.approx(mu.points * (1 - 0.1 * 0.6), rel=1e-14)
    jumped = mf.BirthDeath(rising).flow(mu, landscape, 0.3, 0.1).measure
    expected = mf.BirthDeath(0.6).flow(mu, landscape, 0.0, 0.1).measure
    assert np.array_equal(jumped.points, expected.points)
    still = mf.BirthDeath(rising).flow(mu, landscape, 0.0, 0.1).measure
    assert np.array_equal(still.points, mu.points)


def test_controlled_steps_see_a_coefficient_that_is_switched_on():
    """alpha is zero at first, and the first step must not run over what follows."""
    equation, mu = well(mf.BirthDeath(mf.PiecewiseLinear((1.0, 1.1), (0.0, 40.0))))
    end = mf.AtTimes(())
    solution = mf.solve(equation, mu, 2.0, record=end, save=end)
    exact = np.exp(40.0 * 0.95 * np.cos(mu.grid.centres[0]))
    exact /= exact.sum() * mu.weight
    assert solution.measure[-1] == pytest.approx(exact, rel=1e-9)
    assert solution.steps[-1] > 10
    assert abs(solution.identity_defect[-1]) < 1e-3
