"""Rates of particles: power laws with intervals, control variates, and the runs they come from."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import poisson

import meanfield_pde as mf
from meanfield_pde.fluctuations import mean_excess
from meanfield_pde.studies import noisy_runs, paper
from meanfield_pde.studies.noisy_runs import METHODS, equation, follow
from meanfield_pde.studies.power_laws import Estimate, controlled, expansion, power_law, smoothed
from meanfield_pde.studies.rates import DT, Plan, biases, conducted, deficit, report

SIZES = np.array([100.0, 200.0, 400.0, 800.0, 1600.0])
JUMPING = ("Algorithm 1", "Algorithm 2")


def estimates(values, errors):
    return [Estimate(float(v), float(e), 50) for v, e in zip(values, errors, strict=True)]


def test_a_power_law_is_found():
    law = power_law(SIZES, estimates(3.0 * SIZES**-0.5, 0.01 * SIZES**-0.5))
    assert law.slope == pytest.approx(-0.5, abs=1e-9)
    assert law.at(SIZES) == pytest.approx(3.0 * SIZES**-0.5, rel=1e-8)
    assert law.chance == pytest.approx(1.0)
    # Five equal relative errors s: the deviation of a slope is s over the root of sum (log N)^2.
    spread = np.sqrt(np.sum((np.log(SIZES) - np.log(SIZES).mean()) ** 2))
    assert law.half_width == pytest.approx(1.96 * 0.01 / 3.0 / spread, rel=1e-3)


def test_intervals_cover_the_slope():
    """95 of 100 do, and the slopes are right in the mean, at errors of 15 per cent."""
    generator, repeats = np.random.default_rng(1), 1000
    errors = 0.15 / SIZES
    laws = [
        power_law(SIZES, estimates(1.0 / SIZES + errors * generator.normal(size=5), errors))
        for _ in range(repeats)
    ]
    covered = np.mean([abs(law.slope + 1.0) < law.half_width for law in laws])
    assert covered == pytest.approx(0.95, abs=5 * np.sqrt(0.05 * 0.95 / repeats))
    slopes = np.array([law.slope for law in laws])
    assert slopes.mean() == pytest.approx(-1.0, abs=0.01)
    chances = np.array([law.chance for law in laws])
    assert np.mean(chances < 0.1) == pytest.approx(0.1, abs=0.05)


def test_intervals_of_roots_of_squares_cover_the_slope():
    """Of fewer runs where there are more particles: errors of their own would make it steeper."""
    generator, repeats = np.random.default_rng(8), 600
    sizes, runs = 100.0 * 2.0 ** np.arange(9), (192,) * 5 + (32,) * 4
    slopes = {"own": [], "smooth": []}
    covered = []
    for _ in range(repeats):
        means = [
            Estimate.of(generator.exponential(1.0 / size, size=count)).root
            for size, count in zip(sizes, runs, strict=True)
        ]
        slopes["own"].append(power_law(sizes, means).slope)
        law = power_law(sizes, smoothed(sizes, means))
        slopes["smooth"].append(law.slope)
        covered.append(abs(law.slope + 0.5) < law.half_width)
    assert np.mean(covered) == pytest.approx(0.95, abs=5 * np.sqrt(0.05 * 0.95 / repeats))
    error = np.std(slopes["smooth"]) / np.sqrt(repeats)
    assert np.mean(slopes["smooth"]) == pytest.approx(-0.5, abs=5 * error)
    assert np.mean(slopes["own"]) < -0.5 - 5 * error


def test_a_bent_line_is_no_power_law():
    values = 1.0 / SIZES + 100.0 / SIZES**2
    means = estimates(values, 0.02 * values)
    assert power_law(SIZES, means).chance < 1e-6
    terms = expansion(SIZES, means)
    assert (terms.first, terms.second) == pytest.approx((1.0, 100.0), rel=1e-9)
    assert terms.chance == pytest.approx(1.0)


def test_an_expansion_knows_its_error():
    generator, errors = np.random.default_rng(2), 0.1 / SIZES
    found = [
        expansion(SIZES, estimates(2.0 / SIZES + errors * generator.normal(size=5), errors))
        for _ in range(400)
    ]
    firsts = np.array([terms.first for terms in found])
    assert firsts.std() == pytest.approx(found[0].error, rel=0.15)
    assert firsts.mean() == pytest.approx(2.0, abs=5 * found[0].error / 20)


def test_no_line_without_values():
    assert np.isnan(power_law(SIZES, estimates(-1.0 / SIZES, 1.0 / SIZES)).slope)


def test_a_root_has_the_error_of_its_square():
    squares = np.random.default_rng(3).exponential(size=(2000, 64))
    roots = [Estimate.of(row).root for row in squares]
    spread = np.std([root.value for root in roots])
    assert np.mean([root.error for root in roots]) == pytest.approx(spread, rel=0.1)


def test_control_keeps_the_mean_and_lowers_the_variance():
    """Also where values are no linear function of the variates, of few runs."""
    generator = np.random.default_rng(4)
    raw, clean, ratios = [], [], []
    for _ in range(200):
        variates = generator.normal(size=(64, 6))
        values = 1.0 + variates @ np.arange(6.0) + variates[:, 0] ** 2 - 0.5
        (rest,) = controlled([(values, variates)], [1.0])
        raw.append(values.mean())
        clean.append(rest.mean())
        ratios.append(rest.var() / values.var())
    assert np.mean(ratios) < 0.1
    assert np.std(clean) < 0.35 * np.std(raw)
    assert np.mean(clean) == pytest.approx(1.5, abs=5 * np.std(clean) / np.sqrt(200))


def test_control_shares_what_noise_does():
    """Two groups whose noise has the same weights; a variate that is always zero has none."""
    generator = np.random.default_rng(5)
    groups = []
    for mean, scale in ((3.0, 1.0), (1.0, 0.5)):
        variates = np.column_stack([scale * generator.normal(size=(80, 2)), np.zeros(80)])
        groups.append((mean + variates @ [2.0, -1.0, 7.0], variates))
    for rest, (values, _), mean in zip(
        controlled(groups, [1.0, 4.0]), groups, (3.0, 1.0), strict=True
    ):
        assert rest == pytest.approx(np.full(80, mean), abs=0.05)
        assert values.std() > 1.0


def test_polynomials_are_orthonormal_under_the_start():
    law = mf.Particles(200_000, seed=3).project(paper.FULL_SUPPORT, paper.energy(12.0, 8.0).space)
    parts = np.array([noisy_runs.polynomials(row[None]) for row in law.points[:4000]])
    assert np.all(np.abs(noisy_runs.polynomials(law.points)) < 5.0 / np.sqrt(200_000))
    low = [k for k, (i, j) in enumerate(noisy_runs.DEGREES) if i + j <= 3]
    assert parts.T[low] @ parts[:, low] / 4000 == pytest.approx(np.eye(len(low)), abs=0.3)


def test_weighted_sums_are_what_they_say():
    generator = np.random.default_rng(6)
    points, weights = generator.normal(size=(50, 2)) * [3.0, 1.5], generator.normal(size=50)
    y, c = points.T
    places = np.arange(-3, 4)
    bumps = np.exp(-0.5 * ((y - places[:, None]) / noisy_runs.WIDTH) ** 2)
    expected = [bumps @ (weights * c**power) for power in range(noisy_runs.POWERS)]
    sums = noisy_runs.weighted_sums(points, weights)
    assert sums == pytest.approx(np.concatenate(expected), rel=1e-12)
    reborn = mf.Particles(400_000, seed=1).project(paper.REBORN, paper.energy(12.0, 8.0).space)
    drawn = noisy_runs.weighted_sums(reborn.points, np.full(400_000, 1 / 400_000))
    assert noisy_runs.reborn_means() == pytest.approx(drawn, abs=0.004)


@pytest.mark.parametrize("method", JUMPING)
@pytest.mark.parametrize("bias", [-0.4, 0.0, 0.4])
def test_noise_of_jumps_has_mean_zero(method, bias):
    """Of few particles, with deficits and surpluses: exactly, not to leading order."""
    law = getattr(METHODS[method], "law", None)
    mu = mf.Particles(12, seed=2).project(paper.FULL_SUPPORT, equation(method).energy.space)
    factors = np.random.default_rng(7).normal(bias, 0.6, size=12)
    steps = [replace(mu, draws=k) for k in range(6000)]
    found = np.array([noisy_runs.noise(step, factors, step.jumped(factors, law)) for step in steps])
    error = found.std(axis=0) / np.sqrt(len(found))
    assert np.all(np.abs(found.mean(axis=0)) < 5.0 * error)
    assert np.all(found.std(axis=0) > 0.0)


@pytest.mark.parametrize("method", METHODS)
def test_runs_are_those_of_solve(method):
    times, seed = (0.2, 1.0), 11
    run = follow(method, 150, DT, times, seed)
    mu = mf.Particles(150, DT, seed).project(paper.FULL_SUPPORT, equation(method).energy.space)
    looks = mf.AtTimes(times)
    solution = mf.solve(equation(method), mu, 1.0, record=looks, save=looks)
    assert np.array_equal(run.energy, solution.energy[1:])
    assert np.array_equal(run.prediction, solution.prediction[1:])
    assert (run.reborn[-1] > 0.0) == (method == "Algorithm 2")


def test_seeds_are_all_different():
    every = [
        seed
        for method in METHODS
        for number in (100, 200)
        for dt in (0.04, 0.02)
        for seed in noisy_runs.seeds(method, number, dt, 50)
    ]
    assert len(set(every)) == len(every)
    assert noisy_runs.seeds("Algorithm 1", 100, 0.04, 3) == noisy_runs.seeds(
        "Algorithm 1", 100, 0.04, 3
    )


@pytest.mark.parametrize(("births", "deaths"), [(0.3, 0.2), (4.0, 4.0), (60.0, 40.0), (0.0, 2.0)])
def test_deficits_of_poisson_numbers(births, deaths):
    counts = np.arange(200)
    joint = np.outer(poisson.pmf(counts, births), poisson.pmf(counts, deaths))
    missing = np.maximum(counts[None, :] - counts[:, None], 0)
    assert deficit(births, deaths) == pytest.approx(np.sum(joint * missing), rel=1e-9)
    if births == deaths:
        assert deficit(births, deaths) == pytest.approx(0.5 * mean_excess(2.0 * births), rel=1e-9)


def test_noise_is_most_of_what_runs_fluctuate_by():
    """Of the paper's experiment: E_N at t = 1 fluctuates three times less or better without it."""
    what = [("gradient descent", DT), ("Algorithm 1", DT)]
    for sizes in conducted(what, {100: 64, 200: 64}, (0.2, 1.0)).values():
        for size, mean in zip(sizes, biases(sizes, 1.0), strict=True):
            raw = Estimate.of(size.excess[:, 1])
            assert mean.error < 0.5 * raw.error
            assert abs(mean.value - raw.value) < 4.0 * raw.error
            assert mean.value > 3.0 * mean.error
            square = Estimate.of(size.squares[:, 1])
            assert size.distance(1.0).value ** 2 == pytest.approx(square.value)
            assert 0.0 <= size.shift(1.0) < 0.5


def test_the_report(tmp_path, capsys):
    plan = Plan({100: 16, 200: 16, 400: 16}, (1.0,), (0.04,), {100: 16, 200: 16}, (1.0,))
    report(plan, tmp_path)
    printed = capsys.readouterr().out
    for words in ("distance", "bias of E", "births from the law", "limit - equation"):
        assert words in printed
    assert "nan" not in printed
    assert (tmp_path / "rates.png").stat().st_size > 10_000
    assert (tmp_path / "rates.pdf").exists()


def test_smoothed_errors_of_sizes_without_any():
    """A size whose runs were all alike has the deviation of its neighbours."""
    means = [Estimate(2.0, 0.1, 16), Estimate(1.0, 0.0, 16), Estimate(0.5, 0.1, 16)]
    errors = [mean.error for mean in smoothed([1.0, 2.0, 4.0], means)]
    assert errors == pytest.approx([0.1, 0.1, 0.1], rel=1e-12)
    alone = [Estimate(2.0, 0.1, 16), Estimate(1.0, 0.0, 16)]
    assert smoothed([1.0, 2.0], alone) == alone
