"""Laws of one parameter, products and mixtures: cell averages, tails, draws, refusals."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import i0e, i1e
from scipy.stats import kstest, norm, vonmises

import meanfield_pde as mf
from meanfield_pde.problem.laws import averages_of, draws_from, mass_outside, on_space

CIRCLE = mf.Circle().axes
SHORT = mf.Circle(period=1.0).axes
RANGE = mf.Interval(-4.0, 6.0).axes
EDGES = np.linspace(-4.0, 6.0, 41)
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2
WIDTH = EDGES[1] - EDGES[0]
ROUND = np.linspace(-np.pi, np.pi, 33)

MIXTURE = mf.MixtureLaw((1.0, 3.0), (mf.Normal(-1.0, 0.5), mf.Uniform(0.0, 2.5)))


def draws(law, number, axes, seed=5):
    return draws_from(law, np.random.default_rng(seed), number, axes)


@pytest.mark.parametrize(
    "law",
    [mf.Uniform(), mf.Uniform(-1.03, 2.2), mf.Normal(0.3, 0.7), mf.Point(1.234), mf.Point(6.0)],
    ids=repr,
)
def test_cell_averages_hold_all_the_mass(law):
    averages = law.averages((EDGES,), RANGE)
    assert np.all(averages >= 0)
    assert averages.sum() * WIDTH == pytest.approx(1 - law.mass_outside(RANGE), abs=1e-12)


def test_uniform_law_fills_its_range_exactly():
    averages = mf.Uniform(-1.1, 2.2).averages((EDGES,), RANGE)
    inside = (EDGES[:-1] >= -1.1) & (EDGES[1:] <= 2.2)
    assert averages[inside] == pytest.approx(1 / 3.3, rel=1e-14)
    assert averages[(EDGES[1:] <= -1.1) | (EDGES[:-1] >= 2.2)] == pytest.approx(0.0, abs=0)
    cut = np.searchsorted(EDGES, -1.1) - 1
    assert averages[cut] == pytest.approx((EDGES[cut + 1] + 1.1) / WIDTH / 3.3, rel=1e-12)


def test_uniform_law_fills_the_space_where_no_bounds_are_given():
    (axis,) = RANGE
    assert mf.Uniform().bounds(axis) == (-4.0, 6.0)
    assert mf.Uniform(lower=1.0).bounds(axis) == (1.0, 6.0)
    assert mf.Uniform().averages((EDGES,), RANGE) == pytest.approx(0.1, rel=1e-13)


@pytest.mark.parametrize("deviation", [0.05, 0.1, 0.7, 3.0])
def test_normal_cell_averages_against_its_distribution(deviation):
    """Down to a fifth of a cell."""
    averages = mf.Normal(0.31, deviation).averages((EDGES,), RANGE)
    expected = np.diff(norm.cdf(EDGES, 0.31, deviation)) / WIDTH
    assert averages == pytest.approx(expected, abs=2e-9 / deviation)


def test_normal_tails_are_not_rounded_to_zero():
    """Both tails, down to the smallest numbers: exp(-650) counts, birth and death multiply it."""
    edges = np.linspace(-40.0, 40.0, 401)
    averages = mf.Normal(0.0, 1.0).averages((edges,), mf.Interval(-40.0, 40.0).axes)
    left, right = edges[:-1] >= -36.0, edges[1:] <= 36.0
    assert np.all(averages[left & right] > 0)
    assert averages == pytest.approx(averages[::-1], rel=1e-12, abs=0)
    far = np.searchsorted(edges, 35.0)
    expected = (norm.sf(edges[far]) - norm.sf(edges[far + 1])) / 0.2
    assert averages[far] == pytest.approx(expected, rel=1e-10, abs=0)


@pytest.mark.parametrize("concentration", [0.0, 0.3, 5.0, 300.0])
@pytest.mark.parametrize("period", [2 * np.pi, 1.0, 7.5])
def test_von_mises_law_and_its_tails_against_adaptive_integration(period, concentration):
    """Every cell to 1e-11 of itself: the smallest average is exp(-600) of the largest."""
    law = mf.CircularNormal(0.21 * period, concentration)
    edges = np.linspace(-period / 2, period / 2, 41)
    averages = averages_of(law, (edges,), mf.Circle(period).axes)

    def density(theta):
        angle = 2 * np.pi * (theta / period - 0.21)
        return np.exp(concentration * (np.cos(angle) - 1)) / (period * i0e(concentration))

    expected = [
        quad(density, low, high, epsabs=0, epsrel=1e-12)[0] / (high - low)
        for low, high in pairwise(edges)
    ]
    assert averages == pytest.approx(expected, rel=1e-11, abs=0)
    assert averages.sum() * period / 40 == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("period", [2 * np.pi, 1.0, 7.5])
def test_moments_on_circles_of_any_period(period):
    """Of the angle: the resultant is I_1 / I_0, which averages over cells of 1/64 turn shorten."""
    mean, variance = (
        mf.FiniteVolumes(64)
        .project(mf.CircularNormal(0.4 * period, 4.0), mf.Circle(period))
        .moments()
    )
    resultant = i1e(4.0) / i0e(4.0) * np.sinc(1 / 64)
    assert mean == pytest.approx([0.4 * period], abs=1e-12 * period)
    assert variance == pytest.approx([1 - resultant], abs=1e-12)


@pytest.mark.parametrize("location", [-3.9, -1.0, 0.031, 1.234, 5.8])
def test_point_keeps_its_mean(location):
    averages = mf.Point(location).averages((EDGES,), RANGE)
    if CENTRES[0] <= location <= CENTRES[-1]:
        assert averages @ CENTRES * WIDTH == pytest.approx(location, abs=1e-12)
    assert np.count_nonzero(averages) <= 2


def test_point_keeps_its_mean_across_the_ends_of_a_circle():
    edges = np.linspace(-np.pi, np.pi, 25)
    centres = (edges[1:] + edges[:-1]) / 2
    averages = mf.Point(-np.pi).averages((edges,), CIRCLE)
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
def test_moments_of_draws(law, mean, deviation):
    number = 40000
    sample = law.draws(np.random.default_rng(5), number, RANGE)
    assert sample.shape == (number, 1)
    assert sample.mean() == pytest.approx(mean, abs=4 * deviation / np.sqrt(number) + 1e-12)
    assert sample.std() == pytest.approx(deviation, rel=0.02, abs=1e-12)


def mixture_distribution(theta):
    return norm.cdf(theta, -1.0, 0.5) / 4 + 0.75 * np.clip(theta / 2.5, 0.0, 1.0)


@pytest.mark.parametrize(
    ("law", "axes", "distribution"),
    [
        (mf.Uniform(-1.0, 2.0), RANGE, lambda t: (t + 1) / 3),
        (mf.Normal(0.5, 1.1), RANGE, norm(0.5, 1.1).cdf),
        (MIXTURE, RANGE, mixture_distribution),
        (mf.CircularNormal(0.0, 2.5), CIRCLE, vonmises(2.5).cdf),
        (mf.CircularNormal(0.0, 2.5), SHORT, lambda t: vonmises(2.5).cdf(2 * np.pi * t)),
    ],
    ids=["uniform", "normal", "mixture", "von Mises", "von Mises of period 1"],
)
def test_draws_follow_the_law(law, axes, distribution):
    """Kolmogorov-Smirnov: 20000 draws tell distributions 0.014 apart."""
    sample = draws(law, 20000, axes)[:, 0]
    assert kstest(sample, distribution).pvalue > 0.01
    assert kstest(sample + 0.05 * axes[0].length, distribution).pvalue < 1e-6


def test_draws_on_a_circle_are_turned_with_the_law():
    still, turned = (draws(mf.CircularNormal(mean, 4.0), 1000, SHORT)[:, 0] for mean in (0.0, 0.45))
    assert -0.5 <= turned.min() < turned.max() < 0.5
    turns = (turned - still - 0.45) % 1.0
    assert np.minimum(turns, 1.0 - turns) == pytest.approx(0.0, abs=1e-12)


def test_random_numbers_of_products_are_drawn_one_parameter_after_the_other():
    law = mf.ProductLaw((mf.Uniform(-2.0, 2.0), mf.Normal(0.0, 1.0)))
    points = draws(law, 100, mf.Box((-4.0, -40.0), (4.0, 40.0)).axes, seed=3)
    generator = np.random.default_rng(3)
    first, second = generator.uniform(-2.0, 2.0, 100), generator.uniform(0.0, 1.0, 100)
    assert np.array_equal(points[:, 0], first)
    assert points[:, 1] == pytest.approx(norm.ppf(second), abs=1e-12)


def test_draws_stay_inside_the_space():
    sample = draws(mf.Normal(0.2, 0.9), 20000, mf.Interval(-2.5, 2.5).axes, seed=1)
    assert -2.5 < sample.min() < -2.0
    assert 2.5 > sample.max() > 2.0


def test_mass_outside():
    assert mf.Uniform(-5.0, 5.0).mass_outside(RANGE) == pytest.approx(0.1)
    assert mf.Uniform(7.0, 8.0).mass_outside(RANGE) == 1.0
    expected = norm.cdf(-4.0, 1.0, 2.0) + norm.sf(6.0, 1.0, 2.0)
    assert mf.Normal(1.0, 2.0).mass_outside(RANGE) == pytest.approx(expected, rel=1e-12)
    assert mf.Point(6.1).mass_outside(RANGE) == 1.0


def test_mass_outside_of_products_and_mixtures():
    wide, wider = mf.Normal(1.0, 1.8), mf.Normal(1.0, 1.9)
    lost, more = (mass_outside(law, RANGE) for law in (wide, wider))
    assert 0.005 < lost < more < 0.01
    both = mass_outside(mf.ProductLaw((wide, wider)), RANGE * 2)
    assert both == pytest.approx(1 - (1 - lost) * (1 - more), rel=1e-12)
    mixed = mass_outside(mf.MixtureLaw((3.0, 1.0), (wide, wider)), RANGE)
    assert mixed == pytest.approx((3 * lost + more) / 4, rel=1e-12)
    tiny = mass_outside(mf.ProductLaw((mf.Normal(1.0, 0.5),) * 2), RANGE * 2)
    assert tiny == pytest.approx(4 * norm.sf(10.0), rel=1e-10, abs=0)


def test_mixtures_are_means_of_their_parts():
    normal, uniform = (averages_of(part, (EDGES,), RANGE) for part in MIXTURE.parts)
    expected = normal / 4 + 0.75 * uniform
    assert averages_of(MIXTURE, (EDGES,), RANGE) == pytest.approx(expected, rel=1e-14, abs=0)
    assert str(MIXTURE) == "mixture(0.25 normal(-1.0, 0.5^2), 0.75 uniform on [0.0, 2.5])"


def test_mixtures_of_products_on_a_cylinder():
    """Two bumps that no product has; the draws have their correlation."""
    axes = (*CIRCLE, *RANGE)
    bumps = tuple(
        mf.ProductLaw((mf.CircularNormal(side, 8.0), mf.Normal(side, 0.4))) for side in (-1.0, 1.0)
    )
    law = mf.MixtureLaw((1.0, 1.0), bumps)
    averages = averages_of(law, (ROUND, EDGES), axes)
    parts = [averages_of(bump, (ROUND, EDGES), axes) for bump in bumps]
    assert averages == pytest.approx((parts[0] + parts[1]) / 2, rel=1e-13, abs=0)
    assert averages.sum() * (ROUND[1] - ROUND[0]) * WIDTH == pytest.approx(1.0, abs=1e-7)
    points = draws(law, 20000, axes)
    same = np.mean((points[:, 0] > 0) == (points[:, 1] > 0))
    agree = [[part[:16, :16].sum(), part[16:, 16:].sum()] for part in parts]
    expected = np.sum(agree) / 2 * (ROUND[1] - ROUND[0]) * WIDTH
    assert expected > 0.98
    assert same == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 20000))


def test_parts_of_a_mixture_weigh_what_they_have_inside():
    """Both for draws and for cell averages, which are scaled to mass one."""
    space = mf.Interval(-4.0, 6.0)
    law = mf.MixtureLaw((1.0, 1.0), (mf.Uniform(-4.0, 0.0), mf.Uniform(0.0, 6.06)))
    inside = 6.0 / 6.06
    expected = inside / (1.0 + inside)
    mu = mf.FiniteVolumes(40).project(law, space)
    assert mu.density[16:].sum() * WIDTH == pytest.approx(expected, rel=1e-12)
    number = 200_000
    assert np.mean(draws(law, number, space.axes) > 0) == pytest.approx(expected, abs=0.005)


@given(
    st.lists(st.floats(0.0, 10.0), min_size=1, max_size=4).filter(lambda w: sum(w) > 1e-3),
    st.floats(-2.0, 4.0),
    st.floats(0.3, 0.6),
)
def test_mixtures_have_mass_one_whatever_their_weights(weights, mean, deviation):
    parts = (mf.Normal(mean, deviation), mf.Uniform(), mf.Point(mean), MIXTURE)
    law = mf.MixtureLaw(tuple(weights), parts[: len(weights)])
    averages = averages_of(law, (EDGES,), RANGE)
    kept = 1.0 - mass_outside(law, RANGE)
    assert averages.sum() * WIDTH == pytest.approx(kept, abs=1e-9)
    assert np.all(averages >= 0)


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


@pytest.mark.parametrize(
    "law",
    [
        mf.Normal(0.07, 0.001),
        mf.MixtureLaw((1.0, 1e-3), (mf.Uniform(), mf.Normal(0.07, 0.001))),
        mf.ProductLaw((mf.Normal(0.07, 0.001),)),
    ],
    ids=str,
)
def test_a_law_inside_a_cell_is_refused_unless_it_is_a_point(law):
    space = mf.Interval(-1.0, 1.0)
    with pytest.raises(mf.InputError, match=r"law 'normal.*0\.001.*expected .*wider than a cell"):
        mf.FiniteVolumes(10).project(law, space)
    assert mf.FiniteVolumes(10).project(mf.Point(0.07), space).mass == pytest.approx(1.0)


def test_one_uniform_law_serves_all_parameters():
    law = on_space(mf.Uniform(), (*RANGE, *CIRCLE))
    assert law == mf.ProductLaw((mf.Uniform(), mf.Uniform()))
    mixed = mf.MixtureLaw((1.0,), (mf.Uniform(),))
    averages = averages_of(mixed, (EDGES, ROUND), (*RANGE, *CIRCLE))
    assert averages == pytest.approx(1 / (20 * np.pi), rel=1e-12)


@pytest.mark.parametrize(
    ("law", "axes", "says"),
    [
        (mf.Uniform(3.0, 8.0), RANGE, r"law 'uniform.*inside \[-4, 6\].*40 %"),
        (mf.Uniform(lower=9.0), RANGE, "law .*100 %"),
        (mf.Normal(5.0, 1.0), RANGE, "law .*15.9 %"),
        (mf.Point(7.0), RANGE, "law .*100 %"),
        (mf.Normal(0.0, 0.1), CIRCLE, "not on a circle"),
        (mf.CircularNormal(), RANGE, "not on an interval"),
        (mf.Normal(), RANGE * 2, "law .*expected 2"),
        (mf.ProductLaw((mf.Normal(),) * 3), RANGE * 2, "law .*expected 2"),
        (mf.ProductLaw(()), RANGE, r"law = \[\].*expected 1"),
        (mf.MixtureLaw((1.0, 1.0), (mf.Uniform(), mf.Point(7.0))), RANGE, "'all at 7.0'.*100 %"),
        (mf.MixtureLaw((1.0,), (mf.Normal(),)), RANGE * 2, r"law = \['normal'\]: expected 2"),
        (
            mf.ProductLaw((mf.Uniform(), mf.ProductLaw((mf.Normal(),) * 2))),
            RANGE * 2,
            r"\['normal', 'normal'\]: expected 1",
        ),
    ],
    ids=str,
)
def test_laws_that_do_not_fit_the_space_are_refused(law, axes, says):
    for ask in (
        lambda: mass_outside(law, axes),
        lambda: averages_of(law, (np.linspace(*EDGES[[0, -1]], 9),) * len(axes), axes),
        lambda: draws(law, 10, axes),
    ):
        with pytest.raises(mf.InputError, match=says):
            ask()


@pytest.mark.parametrize(
    "make",
    [
        lambda: mf.Uniform(1.0, 1.0),
        lambda: mf.Uniform(2.0, 1.0),
        lambda: mf.Normal(0.0, 0.0),
        lambda: mf.Normal(0.0, -1.0),
        lambda: mf.Normal(0.0, float("nan")),
        lambda: mf.CircularNormal(0.0, -1.0),
        lambda: mf.CircularNormal(0.0, float("nan")),
        lambda: mf.MixtureLaw((), ()),
        lambda: mf.MixtureLaw((1.0,), (mf.Normal(), mf.Normal())),
        lambda: mf.MixtureLaw((1.0, -0.5), (mf.Normal(), mf.Normal())),
        lambda: mf.MixtureLaw((0.0,), (mf.Normal(),)),
        lambda: mf.MixtureLaw((float("nan"),), (mf.Normal(),)),
    ],
)
def test_laws_that_are_none_are_refused(make):
    with pytest.raises(mf.InputError, match="expected"):
        make()
