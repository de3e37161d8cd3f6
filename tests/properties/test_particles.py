"""Particles: their number, their bits, their places, and Algorithm 1 in the mean."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import meanfield_pde as mf

ENERGY = mf.Energy(
    mf.VonMises(3.0), mf.Teacher((1.0, -2.0), (0.6, 0.4)), mf.UniformCircle(32), mf.Circle()
)
numbers, seeds = st.integers(1, 60), st.integers(0, 2**31)


def cloud(number, seed):
    return mf.Particles(number=number, seed=seed).project(mf.Uniform(), mf.Circle())


def run(mu, alpha=20.0, t_end=0.5):
    equation = mf.Equation(ENERGY, [mf.Transport(), mf.BirthDeath(alpha)])
    return mf.solve(equation, mu, t_end, splitting=mf.Lie(), step=mf.Fixed(0.05))


@given(numbers, seeds, st.floats(0.0, 5.0))
def test_jumps_keep_the_number_and_leave_a_subset_of_the_points(number, seed, strength):
    mu = cloud(number, seed)
    factors = strength * np.random.default_rng(seed).normal(size=number)
    factors[0] = abs(factors[0])  # one particle cannot be killed
    moved = mu.jumped(factors)
    assert moved.points.shape == mu.points.shape
    assert set(moved.points[:, 0]) <= set(mu.points[:, 0])
    assert np.array_equal(mu.jumped(factors).points, moved.points)
    assert moved.draws == mu.draws + 1


@given(numbers, seeds)
def test_without_factors_nobody_jumps(number, seed):
    mu = cloud(number, seed)
    assert np.array_equal(mu.jumped(np.zeros(number)).points, mu.points)


@given(st.integers(2, 40), seeds)
def test_the_same_seed_gives_the_same_bits(number, seed):
    one, again = run(cloud(number, seed)), run(cloud(number, seed))
    assert np.array_equal(one.measure, again.measure)
    assert np.array_equal(one.energy, again.energy)
    assert not np.array_equal(run(cloud(number, seed + 1)).measure, one.measure)
    assert one.measure.shape == (5, number, 1)
    assert np.all(one.mass == 1.0)


def test_consecutive_jumps_draw_different_numbers():
    mu = cloud(200, 3)
    factors = np.full(200, 1.0)
    first = mu.jumped(factors)
    again = replace(first, points=mu.points).jumped(factors)
    assert not np.array_equal(first.points, again.points)


def test_jumps_follow_algorithm_1_in_the_mean():
    """Masses are multiplied by e^-x for x > 0 and by 2 - e^x for x < 0, then normalised."""
    number, x = 200_000, np.array([0.7, 0.0, -0.4, -1.1])
    quarter = number // 4
    labels = np.repeat(np.arange(4.0), quarter)
    mu = replace(cloud(number, 1), points=labels[:, None])
    moved = mu.jumped(-np.repeat(x, quarter))
    counts = np.array([np.count_nonzero(moved.points == label) for label in range(4)])
    factors = np.where(x > 0, np.exp(-x), 2 - np.exp(x))
    expected = number * factors / factors.sum()
    assert counts.sum() == number
    assert counts == pytest.approx(expected, abs=5 * np.sqrt(quarter))


def test_killing_everybody_stops_with_a_sentence():
    with pytest.raises(mf.NumericalFailure, match="every particle was killed"):
        cloud(5, 0).jumped(np.full(5, -np.inf))


def test_transport_is_a_step_down_the_gradient():
    space = mf.Product((mf.Circle(), mf.Interval(-1.0, 1.0)))
    energy = mf.Energy(
        mf.Charged(mf.VonMises(2.0)), mf.Teacher((0.5,), (30.0,)), mf.UniformCircle(24), space
    )
    law = mf.ProductLaw((mf.Uniform(), mf.Uniform()))
    mu = mf.Particles(number=500).project(law, space)
    landscape = mu.landscape(energy)
    slopes = landscape.at(mu).gradient
    moved = mu.transported(landscape, lambda time: (1.0, 0.1), 0.0, 0.2)
    free = mu.points - 0.2 * np.column_stack([slopes[0], 0.1 * slopes[1]])
    turns = (moved.points[:, 0] - free[:, 0]) / (2 * np.pi)
    assert turns == pytest.approx(np.rint(turns), abs=1e-12)
    assert np.any(np.rint(turns) != 0)
    assert np.all(np.abs(moved.points[:, 0]) <= np.pi)
    assert moved.points[:, 1] == pytest.approx(np.clip(free[:, 1], -1, 1), abs=1e-14)
    assert 0 < moved.wall_mass() < 1
    assert moved.wall_mass() == pytest.approx(np.mean(np.abs(free[:, 1]) >= 1))


def test_particles_in_a_fixed_potential_take_euler_steps():
    space = mf.Interval(-2.0, 2.0)
    energy = mf.PotentialEnergy(mf.Quadratic(((1.5,),), offset=0.2), space)
    mu = mf.Particles(number=50).project(mf.Uniform(), space)
    equation = mf.Equation(energy, [mf.Transport()])
    end = mf.AtTimes(())
    solution = mf.solve(equation, mu, 1.0, step=mf.Fixed(0.1), record=end, save=end)
    assert solution.steps[-1] == 10
    assert solution.measure[-1] == pytest.approx(mu.points * (1 - 0.15) ** 10, abs=1e-14)
    expected = 0.2 + 0.75 * np.mean(solution.measure[-1] ** 2)
    assert solution.energy[-1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 6.0])
def test_particles_follow_the_equation(alpha):
    """Mean energy of 12 seeds within three standard errors, plus the error of dt, of the grid's."""
    terms = [mf.Transport(), *([mf.BirthDeath(alpha)] if alpha else [])]
    equation = mf.Equation(ENERGY, terms)
    grid = mf.FiniteVolumes(256).project(mf.Uniform(), mf.Circle())
    expected = mf.solve(equation, grid, 0.6, record=mf.AtTimes(()), save=mf.AtTimes(()))
    energies = []
    for seed in range(12):
        end = mf.solve(
            equation,
            cloud(1500, seed),
            0.6,
            splitting=mf.Lie(),
            step=mf.Fixed(0.01),
            record=mf.AtTimes(()),
            save=mf.AtTimes(()),
        )
        energies.append(end.energy[-1])
    standard_error = np.std(energies, ddof=1) / np.sqrt(len(energies))
    difference = np.mean(energies) - expected.energy[-1]
    assert abs(difference) < 3 * standard_error + 0.01 * expected.energy[-1]
    assert standard_error < 0.05 * expected.energy[-1]
    assert expected.energy[-1] < 0.8 * expected.energy[0]
