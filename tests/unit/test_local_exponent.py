"""Local exponents of power laws, their bars, and where a law begins to hold."""

import numpy as np
import pytest

from meanfield_pde.errors import InputError
from meanfield_pde.studies.theory.local_exponent import local_exponent, window

TIMES = np.geomspace(0.1, 1e5, 49)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_a_power_law_has_its_exponent_everywhere(exponent):
    local = local_exponent(TIMES, 3.0 * TIMES**-exponent)
    np.testing.assert_allclose(local.values, exponent, atol=1e-12)
    np.testing.assert_allclose(local.times**2, TIMES[1:] * TIMES[:-1])
    assert np.all(local.bars == 0.0)


def test_two_powers_are_told_to_second_order_in_the_ratio_of_the_times():
    def error(count):
        times = np.geomspace(0.1, 10.0, count)
        local = local_exponent(times, 1.0 / times + times**-3)
        exact = (1.0 + 3.0 / local.times**2) / (1.0 + 1.0 / local.times**2)
        return np.max(np.abs(local.values - exact))

    assert np.log2(error(21) / error(41)) == pytest.approx(2.0, abs=0.1)


def test_bars_hold_whatever_the_errors_within_the_bars_of_the_values():
    values, bars = 1.0 / TIMES, 1e-3 / TIMES
    local = local_exponent(TIMES, values, bars)
    signs = (-1.0) ** np.arange(TIMES.size)
    shifted = local_exponent(TIMES, values + signs * bars)
    off = np.abs(shifted.values - 1.0)
    np.testing.assert_allclose(off, local.bars, rtol=1e-5)
    np.testing.assert_allclose(local.bars, 2e-3 / np.log(TIMES[1] / TIMES[0]), rtol=1e-12)


def test_the_window_begins_where_the_exponent_comes_to_stay():
    # The exponent of 1/t + c/t^2 is 1 + x/(1 + x), x = c/t: within 0.05 from t = 19 c on.
    begin = window(TIMES, 1.0 / TIMES + 1.0 / TIMES**2, 1.0)
    ratio = TIMES[1] / TIMES[0]
    assert 19.0 / 1.01 < begin < 19.0 * ratio * 1.01
    assert window(TIMES, TIMES**-2.0, 2.0) == pytest.approx(np.sqrt(TIMES[0] * TIMES[1]))


def test_there_is_no_window_if_the_law_is_left_again_or_values_are_not_positive():
    late = np.where(TIMES > 1e4, 1.0 / TIMES * (TIMES / 1e4) ** 0.5, 1.0 / TIMES)
    assert np.isnan(window(TIMES, late, 1.0))
    values = 1.0 / TIMES
    values[-1] = -1e-20
    assert np.isnan(window(TIMES, values, 1.0))
    values = 1.0 / TIMES
    values[10] = 0.0
    assert window(TIMES, values, 1.0) == pytest.approx(np.sqrt(TIMES[11] * TIMES[12]))


@pytest.mark.parametrize("times", [[1.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
def test_times_without_logarithms_or_order_are_refused(times):
    with pytest.raises(InputError, match="increasing"):
        local_exponent(np.array(times), np.ones(len(times)))
