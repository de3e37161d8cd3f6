"""Laws of decay by long runs, and that what is compared with them says no when it should."""

import math

import numpy as np
import pytest

from meanfield_pde.studies.law_problems import (
    BUMP,
    KERNEL,
    ONE_UNIT,
    OTHERS,
    ROOTS,
    SPIKES,
    WELLS,
    Curve,
    OneUnit,
    logarithm,
    power,
)
from meanfield_pde.studies.laws import extrapolated

ONE_PARAMETER = [spikes for spikes in SPIKES if spikes.atoms.shape[1] == 1]
TIMES = 10.0 ** (np.arange(33) / 8.0)


def named(problems):
    return pytest.mark.parametrize("problem", problems, ids=lambda problem: problem.name)


def test_a_limit_is_found_behind_its_corrections():
    values = 0.125 + 0.3 * TIMES**-0.5 - 2.0 * np.log(TIMES) / TIMES + 5.0 / TIMES
    limit = extrapolated(Curve(TIMES, values), ROOTS)
    assert limit.value == pytest.approx(0.125, abs=1e-9)
    assert limit.bar < 1e-9


def test_the_bar_has_the_size_of_a_term_that_is_not_fitted():
    values = 1.0 + TIMES**-0.3
    limit = extrapolated(Curve(TIMES, values), (logarithm, power(-1.0)))
    assert abs(limit.value - 1.0) > 1e-3
    assert limit.bar > 0.1 * abs(limit.value - 1.0)


def test_the_bar_sees_a_less_accurate_curve():
    curve = Curve(TIMES, 1.0 + 1.0 / TIMES)
    limit = extrapolated(curve, (power(-1.0),), [Curve(TIMES, curve.values + 0.01)])
    assert limit.bar == pytest.approx(0.01, rel=1e-6)


@named([well for well in WELLS if len(well.at) == 1])
def test_fixed_potential(problem):
    limit = extrapolated(problem.run(1e4), problem.terms)
    assert limit.value == pytest.approx(problem.limit, abs=limit.bar + 1e-6)
    assert limit.bar < 3e-3 * problem.limit


@pytest.mark.long
@named([well for well in WELLS if len(well.at) == 2])
def test_fixed_potential_in_the_plane(problem):
    limit = extrapolated(problem.run(1e4), problem.terms)
    assert limit.value == pytest.approx(problem.limit, abs=limit.bar + 1e-6)
    assert limit.bar < 3e-3 * problem.limit


@named(ONE_PARAMETER)
def test_the_exponential_family_is_what_characteristics_follow(problem):
    assert problem.family(1e2).difference(problem.run(1e2)) < 1e-6


@named(ONE_PARAMETER)
def test_interacting_units(problem):
    assert problem.independence() > 0.01
    limit = extrapolated(problem.family(problem.last), ROOTS)
    assert limit.value == pytest.approx(0.125, abs=limit.bar + 1e-6)
    assert limit.bar < 1e-3 * problem.limit


@pytest.mark.long
@named([spikes for spikes in SPIKES if spikes.atoms.shape[1] == 2])
def test_interacting_units_in_the_plane(problem):
    assert problem.independence() > 0.01
    curve = problem.family(problem.last)
    limit = extrapolated(curve, ROOTS)
    assert curve.difference(problem.run(1e2)) < 1e-6
    assert limit.value == pytest.approx(0.25, abs=limit.bar + 1e-6)
    assert limit.bar < 1e-2 * problem.limit


def test_fewer_data_points_than_conditions_end_the_law():
    few = OTHERS[0]
    assert few.independence() == 0.0
    assert few.family(few.last).values[-1] < 1e-6


@pytest.mark.long
def test_neurons_that_others_can_replace_end_the_law():
    neurons = OTHERS[1]
    assert neurons.independence() < 1e-6
    assert neurons.family(neurons.last).values[-1] < 1e-3


def test_derivatives_of_a_kernel():
    kernel = OneUnit("", KERNEL, 1.0, 1.0)
    assert kernel.kernel(0.0, 2) == pytest.approx(-math.e, rel=1e-6)
    assert kernel.kernel(0.0, 4) == pytest.approx(4.0 * math.e, rel=1e-6)
    assert kernel.kernel(math.pi, 2) == pytest.approx(math.exp(-1.0), rel=1e-6)
    assert kernel.kernel(math.pi, 4) == pytest.approx(2.0 * math.exp(-1.0), rel=1e-4)


def test_the_threshold_is_where_remote_mass_decays_like_one_over_t():
    threshold = OneUnit("", BUMP, 3.0, 1.0).threshold
    assert OneUnit("", BUMP, threshold, 1.0).exponent == pytest.approx(1.0)
    assert threshold == pytest.approx(1.9293, abs=1e-4)


@pytest.mark.parametrize("problem", ONE_UNIT[:2], ids=lambda problem: f"{problem.alpha:g}")
def test_transport_with_birth_and_death(problem):
    curve = problem.run(96, 1e4, 1e-8)
    off = abs(extrapolated(curve, problem.terms).value - 1.0)
    assert off < 1e-3
    assert off < 0.1 * abs(curve.values[-1] - 1.0)


@pytest.mark.long
@pytest.mark.parametrize("problem", ONE_UNIT[:2], ids=lambda problem: f"{problem.alpha:g}")
def test_transport_with_birth_and_death_for_longer(problem):
    limit = extrapolated(problem.run(96, problem.last, 1e-8), problem.terms)
    assert limit.value == pytest.approx(1.0, abs=limit.bar)
    assert limit.bar < 1e-4


@pytest.mark.long
@pytest.mark.parametrize("problem", ONE_UNIT[2:4], ids=lambda problem: f"{problem.alpha:g}")
def test_transport_with_birth_and_death_of_another_kernel(problem):
    limit = extrapolated(problem.run(96, problem.last, 1e-8), problem.terms)
    assert limit.value == pytest.approx(1.0, abs=limit.bar)
    assert limit.bar < 1e-3


def test_below_the_threshold_the_limit_is_another():
    below = OneUnit("", BUMP, 1.0, 1e3)
    assert below.exponent < 1.0
    limit = extrapolated(below.run(96, 1e3, 1e-8), below.terms)
    assert abs(limit.value - 1.0) > 10.0 * limit.bar
