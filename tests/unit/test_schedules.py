"""Schedules: when something is recorded, and that a run lands there exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import meanfield_pde as mf


def test_every_time_includes_both_ends():
    assert mf.EveryTime(0.3).times(1.0) == pytest.approx((0.0, 0.3, 0.6, 0.9, 1.0))
    assert mf.EveryTime(0.25).times(1.0) == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert mf.EveryTime(5.0).times(1.0) == (0.0, 1.0)


def test_at_times_includes_both_ends_and_drops_what_comes_later():
    assert mf.AtTimes((0.5, 0.7)).times(1.0) == (0.0, 0.5, 0.7, 1.0)
    assert mf.AtTimes((0.0, 0.5, 1.0)).times(1.0) == (0.0, 0.5, 1.0)
    assert mf.AtTimes((0.5, 2.0)).times(1.0) == (0.0, 0.5, 1.0)
    assert mf.AtTimes(()).times(1.0) == (0.0, 1.0)


@given(st.floats(0.01, 1e3), st.integers(1, 300))
def test_every_time_divides_the_run_evenly(t_end, parts):
    times = mf.EveryTime(t_end / parts).times(t_end)
    assert len(times) == parts + 1
    assert (times[0], times[-1]) == (0.0, t_end)
    assert times == pytest.approx(np.linspace(0, t_end, parts + 1), rel=1e-12)


@given(st.floats(0.01, 1e3), st.floats(0.001, 1.5))
def test_every_time_is_increasing_by_at_most_the_interval(t_end, share):
    steps = np.diff(mf.EveryTime(share * t_end).times(t_end))
    assert np.all(steps > 0)
    assert np.all(steps <= share * t_end * (1 + 1e-9))
    assert np.all(steps[:-1] > 0.99 * share * t_end)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: mf.EveryTime(0.0), "interval"),
        (lambda: mf.EveryTime(-1.0), "interval"),
        (lambda: mf.EveryTime(float("nan")), "interval"),
        (lambda: mf.AtTimes((1.0, 1.0)), "values"),
        (lambda: mf.AtTimes((2.0, 1.0)), "values"),
        (lambda: mf.AtTimes((-1.0, 1.0)), "values"),
    ],
)
def test_wrong_times_are_refused(make, name):
    with pytest.raises(mf.InputError, match=f"{name} = .*expected"):
        make()


def equation():
    energy = mf.PotentialEnergy(mf.CosineWell(), mf.Circle())
    return mf.Equation(energy, [mf.Transport()])


@pytest.mark.parametrize("step", [mf.Controlled(), mf.Fixed(0.03)], ids=repr)
def test_a_run_lands_exactly_on_every_requested_time(step):
    eq = equation()
    mu = mf.FiniteVolumes(16).project(mf.Uniform(), eq.energy.space)
    record, save = mf.AtTimes((0.1, 0.123456789)), mf.AtTimes((0.1, 0.3))
    solution = mf.solve(eq, mu, 0.7, step=step, record=record, save=save)
    assert solution.time.tolist() == [0.0, 0.1, 0.123456789, 0.3, 0.7]
    assert solution.snapshot_time.tolist() == [0.0, 0.1, 0.3, 0.7]
    assert solution.measure.shape == (4, 16)
    assert solution.at("energy", [0.3]) == solution.energy[3]


@pytest.mark.parametrize("t_end", [1.0, 1.7, 63.7])
def test_default_records_and_snapshots_share_their_times(t_end):
    """25 * (t_end / 100) and t_end / 4 may differ by a rounding: that is one time, not two."""
    eq = equation()
    mu = mf.FiniteVolumes(8).project(mf.Uniform(), eq.energy.space)
    solution = mf.solve(eq, mu, t_end)
    assert solution.time.size == 101
    assert np.diff(solution.time).min() > 0.99 * t_end / 100
    assert np.isin(solution.snapshot_time, solution.time).all()
