"""Laws: their cell averages, their tails, their samples, and where they are refused."""

import numpy as np
import pytest
from scipy.stats import norm

import meanfield_pde as mf
from meanfield_pde.problem.laws import law_factors, mass_outside

(CIRCLE,) = mf.Circle().axes
(RANGE,) = mf.Interval(-4.0, 6.0).axes
EDGES = np.linspace(-4.0, 6.0, 41)
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2
WIDTH = EDGES[1] - EDGES[0]


@pytest.mark.parametrize(
    "law",
    [mf.Uniform(), mf.Uniform(-1.03, 2.2), mf.Normal(0.3, 0.7), mf.Point(1.234), mf.Point(6.0)],
    ids=repr,
)
def test_cell_averages_hold_all_the_mass(law):
    averages = law.cell_averages(EDGES, RANGE)
    assert np.all(averages >= 0)
    assert averages.sum() * WIDTH == pytest.approx(1 - law.mass_outside(RANGE), abs=1e-12)


def test_uniform_law_fills_its_range_exactly():
    averages = mf.Uniform(-1.1, 2.2).cell_averages(EDGES, RANGE)
    inside = (EDGES[:-1] >= -1.1) & (EDGES[1:] <= 2.2)
    assert averages[inside] == pytest.approx(1 / 3.3, rel=1e-14)
    assert averages[(EDGES[1:] <= -1.1) | (EDGES[:-1] >= 2.2)] == pytest.approx(0.0, abs=0)
    cut = np.searchsorted(EDGES, -1.1) - 1
    assert averages[cut] == pytest.approx((EDGES[cut + 1] + 1.1) / WIDTH / 3.3, rel=1e-12)


def test_uniform_law_fills_the_space_where_no_bounds_are_given():
    assert mf.Uniform().bounds(RANGE) == (-4.0, 6.0)
    assert mf.Uniform(lower=1.0).bounds(RANGE) == (1.0, 6.0)
    assert mf.Uniform().cell_averages(EDGES, RANGE) == pytest.approx(0.1, rel=1e-13)


@pytest.mark.parametrize("deviation", [0.05, 0.1, 0.7, 3.0])
def test_normal_cell_averages_against_its_distribution(deviation):
    """Down to a fifth of a cell."""
    averages = mf.Normal(0.31, deviation).cell_averages(EDGES, RANGE)
    expected = np.diff(norm.cdf(EDGES, 0.31, deviation)) / WIDTH
    assert averages == pytest.approx(expected, abs=2e-9 / deviation)


def test_normal_tails_are_not_rounded_to_zero():
    """Both tails, down to the smallest numbers: exp(-650) counts, birth and death multiply it."""
    edges = np.linspace(-40.0, 40.0, 401)
    (axis,) = mf.Interval(-40.0, 40.0).axes
    averages = mf.Normal(0.0, 1.0).cell_averages(edges, axis)
    left, right = edges[:-1] >= -36.0, edges[1:] <= 36.0
    assert np.all(averages[left & right] > 0)
    assert averages == pytest.approx(averages[::-1], rel=1e-12, abs=0)
    far = np.searchsorted(edges, 35.0)
    expected = (norm.sf(edges[far]) - norm.sf(edges[far + 1])) / 0.2
    assert averages[far] == pytest.approx(expected, rel=1e-10, abs=0)


@pytest.mark.parametrize("location", [-3.9, -1.0, 0.031, 1.234, 5.8])
def test_point_keeps_its_mean(location):
    averages = mf.Point(location).cell_averages(EDGES, RANGE)
    if CENTRES[0] <= location <= CENTRES[-1]:
        assert averages @ CENTRES * WIDTH == pytest.approx(location, abs=1e-12)
    assert np.count_nonzero(averages) <= 2


def test_point_keeps_its_mean_across_the_ends_of_a_circle():
    edges = np.linspace(-np.pi, np.pi, 25)
    centres = (edges[1:] + edges[:-1]) / 2
    averages = mf.Point(-np.pi).cell_averages(edges, CIRCLE)
    assert np.flatnonzero(averages).tolist() == [0, 23]
    assert averages[0] == pytest.approx(averages[23], rel=1e-12)
    assert averages.sum() * (edges[1] - edges[0]) == pytest.approx(1.0, rel=1e-13)
    mean = np.angle(averages @ np.exp(1j * centres))
    assert abs(mean) == pytest.approx(np.pi, abs=1e-12)


@pytest.mark.parametrize(
    ("law", "mean", "deviation"),
    [
        (mf.Uniform(-1.0, 2.0), 0.5, np.sqrt(0.75)),
        (mf.Uniform(), 1.0, np.sqrt(100 / 12)),
        (mf.Normal(0.5, 1.1), 0.5, 1.1),
        (mf.Point(0.4), 0.4, 0.0),
    ],
    ids=repr,
)
def test_moments_of_samples(law, mean, deviation):
    number = 40000
    sample = law.sample(np.random.default_rng(5), number, RANGE)
    assert sample.shape == (number,)
    assert sample.mean() == pytest.approx(mean, abs=4 * deviation / np.sqrt(number) + 1e-12)
    assert sample.std() == pytest.approx(deviation, rel=0.02, abs=1e-12)


def test_samples_stay_inside_the_space():
    (axis,) = mf.Interval(-2.5, 2.5).axes
    sample = mf.Normal(0.2, 0.9).sample(np.random.default_rng(1), 20000, axis)
    assert -2.5 < sample.min() < -2.0
    assert 2.5 > sample.max() > 2.0


def test_mass_outside():
    assert mf.Uniform(-5.0, 5.0).mass_outside(RANGE) == pytest.approx(0.1)
    assert mf.Uniform(7.0, 8.0).mass_outside(RANGE) == 1.0
    expected = norm.cdf(-4.0, 1.0, 2.0) + norm.sf(6.0, 1.0, 2.0)
    assert mf.Normal(1.0, 2.0).mass_outside(RANGE) == pytest.approx(expected, rel=1e-12)
    assert mf.Point(6.1).mass_outside(RANGE) == 1.0
    both = mf.ProductLaw((mf.Normal(1.0, 1.8), mf.Normal(1.0, 1.9)))
    parts = [factor.mass_outside(RANGE) for factor in both.factors]
    assert mass_outside(both, (RANGE, RANGE)) == pytest.approx(sum(parts))


def test_projections_have_mass_one_whatever_was_cut():
    space = mf.Box((-2.0, 0.0), (2.0, 3.0))
    law = mf.ProductLaw((mf.Normal(0.1, 0.75), mf.Uniform(0.5, 3.01)))
    assert mass_outside(law, space.axes) > 0.005
    mu = mf.FiniteVolumes((20, 30)).project(law, space)
    assert mu.mass == pytest.approx(1.0, abs=1e-15)
    assert mu.density.sum() * 12 / 600 == pytest.approx(1.0, abs=1e-14)
    assert mu.density.shape == (20, 30)
    outer = np.multiply.outer(mu.density.sum(1), mu.density.sum(0)) / mu.density.sum()
    assert mu.density == pytest.approx(outer, abs=1e-14)


def test_a_law_inside_a_cell_is_refused_unless_it_is_a_point():
    space = mf.Interval(-1.0, 1.0)
    with pytest.raises(mf.InputError, match=r"law .*0\.001.*expected .*wider than a cell"):
        mf.FiniteVolumes(10).project(mf.Normal(0.07, 0.001), space)
    assert mf.FiniteVolumes(10).project(mf.Point(0.07), space).mass == pytest.approx(1.0)


def test_one_uniform_law_serves_all_parameters():
    factors = law_factors(mf.Uniform(), (RANGE, CIRCLE))
    assert factors == (mf.Uniform(), mf.Uniform())


@pytest.mark.parametrize(
    ("law", "axes", "says"),
    [
        (mf.Uniform(3.0, 8.0), (RANGE,), "law .*40 %"),
        (mf.Uniform(lower=9.0), (RANGE,), "law .*100 %"),
        (mf.Normal(5.0, 1.0), (RANGE,), "law .*15.9 %"),
        (mf.Point(7.0), (RANGE,), "law .*100 %"),
        (mf.Normal(0.0, 0.1), (CIRCLE,), "not on a circle"),
        (mf.Normal(), (RANGE, RANGE), "law .*expected 2"),
        (mf.ProductLaw((mf.Normal(),) * 3), (RANGE, RANGE), "law .*expected 2"),
    ],
    ids=repr,
)
def test_laws_that_do_not_fit_the_space_are_refused(law, axes, says):
    with pytest.raises(mf.InputError, match=says):
        law_factors(law, axes)


@pytest.mark.parametrize(
    "make",
    [
        lambda: mf.Uniform(1.0, 1.0),
        lambda: mf.Uniform(2.0, 1.0),
        lambda: mf.Normal(0.0, 0.0),
        lambda: mf.Normal(0.0, -1.0),
        lambda: mf.Normal(0.0, float("nan")),
    ],
)
def test_laws_that_are_none_are_refused(make):
    with pytest.raises(mf.InputError, match="expected"):
        make()
