"""Transport: mass, positivity and symmetry, whatever the density and the potential."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    CELL_CENTRED,
    LIMITED,
    SCHEMES,
    landscapes,
    longest_step,
    measures,
    transported,
)

import meanfield_pde as mf
from meanfield_pde.errors import StepTooLong
from meanfield_pde.kernels import finite_volumes as kernel
from meanfield_pde.problem.energy import PotentialLandscape

CODES = [scheme.code for scheme in (*CELL_CENTRED, mf.Muscl("none"))]


@given(st.data())
def test_mass_is_kept(data):
    """By every scheme, limited or not, with walls or without; relative to round-off."""
    mu = data.draw(measures(SCHEMES))
    landscape = data.draw(landscapes(mu))
    moved = transported(mu, landscape, longest_step(mu, landscape, 0.2))
    assert moved.mass == pytest.approx(mu.mass, rel=1e-14)
    assert not np.array_equal(moved.density, mu.density)


@given(st.data())
def test_limited_schemes_stay_positive_up_to_the_bound(data):
    mu = data.draw(measures(LIMITED))
    landscape = data.draw(landscapes(mu))
    dt = longest_step(mu, landscape, 0.4999)
    for _ in range(5):
        mu = transported(mu, landscape, dt)
        assert mu.smallest >= 0.0


@given(st.data())
def test_steps_beyond_the_bound_are_refused_with_the_bound(data):
    mu = data.draw(measures(LIMITED))
    landscape = data.draw(landscapes(mu))
    with pytest.raises(StepTooLong, match="the step must be at most") as refusal:
        transported(mu, landscape, longest_step(mu, landscape, 0.51))
    limit = refusal.value.limit
    assert limit == pytest.approx(longest_step(mu, landscape, 0.5), rel=1e-12)
    transported(mu, landscape, limit * (1 - 1e-12))


@given(st.data())
def test_nothing_leaves_a_space_without_slope(data):
    mu = data.draw(measures(SCHEMES))
    still = tuple(np.zeros(faces.shape) for faces in mu.grid.faces)
    flat = PotentialLandscape(np.full(mu.density.shape, 3.7), (), still)
    moved = transported(mu, flat, 1e6)
    assert np.array_equal(moved.density, mu.density)


def stage(current, potential, periodic, limiter, scales=(0.7, 1.3)):
    """One Euler stage of the kernel, and its rate."""
    out = np.empty_like(current)
    arrays = [np.ascontiguousarray(array) for array in (current, current, potential)]
    rate = kernel.stage(*arrays[:2], out, arrays[2], (1.0, 1.0, 0.03), scales, periodic, limiter)
    return out, rate


def random_fields(seed, shape):
    rng = np.random.default_rng(seed)
    return rng.random(shape), rng.normal(size=shape)


shapes = st.tuples(st.integers(4, 11), st.integers(4, 11))
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("limiter", CODES)
@given(shape=shapes, seed=seeds, shift=st.integers(1, 10))
def test_shifted_fields_give_shifted_bits_on_a_torus(limiter, shape, seed, shift):
    u, v = random_fields(seed, shape)
    plain, rate = stage(u, v, (True, True), limiter)
    for axis in (0, 1):
        rolled = (np.roll(field, shift, axis) for field in (u, v))
        moved, same_rate = stage(*rolled, (True, True), limiter)
        assert np.array_equal(moved, np.roll(plain, shift, axis))
        assert same_rate == rate


@pytest.mark.parametrize("limiter", CODES)
@pytest.mark.parametrize("periodic", [(True, True), (True, False), (False, False)])
@given(shape=shapes, seed=seeds)
def test_reflected_fields_give_reflected_bits(periodic, limiter, shape, seed):
    u, v = random_fields(seed, shape)
    plain, rate = stage(u, v, periodic, limiter)
    for axis in (0, 1):
        moved, same_rate = stage(np.flip(u, axis), np.flip(v, axis), periodic, limiter)
        assert np.array_equal(moved, np.flip(plain, axis))
        assert same_rate == rate


@pytest.mark.parametrize("limiter", CODES)
@pytest.mark.parametrize("periodic", [(True, True), (True, False), (False, True), (False, False)])
@given(shape=shapes, seed=seeds)
def test_transposed_fields_give_transposed_bits(periodic, limiter, shape, seed):
    """Both axes are treated alike, walls included."""
    u, v = random_fields(seed, shape)
    plain, rate = stage(u, v, periodic, limiter)
    moved, same_rate = stage(u.T, v.T, periodic[::-1], limiter, scales=(1.3, 0.7))
    assert np.array_equal(moved, plain.T)
    assert same_rate == rate


@given(st.data())
def test_fixed_potentials_lose_energy_for_ever(data):
    """(V_j - V_{j+1}) * flux >= 0 on every face: no step of a limited scheme gains energy."""
    mu = data.draw(measures(CELL_CENTRED))
    landscape = data.draw(landscapes(mu))
    dt = longest_step(mu, landscape, 0.45)
    energies = [landscape.at(mu).energy]
    for _ in range(10):
        mu = transported(mu, landscape, dt)
        energies.append(landscape.at(mu).energy)
    assert np.diff(energies).max() <= 1e-14 * np.abs(landscape.potential).max()


def test_a_wall_holds_what_is_pushed_against_it():
    """All mass ends in the last cell, none beyond."""
    space = mf.Interval(0.0, 1.0)
    mu = mf.FiniteVolumes(10).project(mf.Uniform(), space)
    slope = PotentialLandscape(-mu.grid.centres[0], (np.full(10, -1.0),), ())
    for _ in range(400):
        mu = transported(mu, slope, 0.04)
    assert mu.density[-1] * mu.weight == pytest.approx(1.0, abs=1e-6)
    assert mu.mass == pytest.approx(1.0, abs=1e-13)


def test_mass_does_not_drift_over_ten_thousand_steps():
    """Never renormalised; V interacts, the density sharpens."""
    energy = mf.Energy(
        mf.VonMises(2.0), mf.Teacher((1.0, -2.0), (0.6, 0.4)), mf.UniformCircle(16), mf.Circle()
    )
    mu = mf.FiniteVolumes(24).project(mf.Uniform(-1.0, 2.0), energy.space)
    equation, end = mf.Equation(energy, [mf.Transport()]), mf.AtTimes(())
    solution = mf.solve(equation, mu, 30.0, step=mf.Fixed(0.003), record=end, save=end)
    assert solution.steps[-1] == 10_000
    assert abs(solution.mass[-1] / solution.mass[0] - 1) < 1e-13
    assert solution.smallest_density[-1] >= 0
    assert np.abs(solution.measure[-1] - mu.density).max() > 0.1
