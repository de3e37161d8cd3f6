"""Waves on the uniform law: the law of their decay, one measured, and the figure."""

from __future__ import annotations

import numpy as np
import pytest

from meanfield_pde.plotting.claims.mode_speed_up import SHOWN, figure
from meanfield_pde.plotting.claims.mode_speed_up import UNITS as DRAWN
from meanfield_pde.studies.claims.mode_speed_up import (
    CLAIM,
    UNITS,
    WAVES,
    Task,
    decay,
    extrapolated,
    kappa,
    law,
    left_of_blind_wave,
    speed_up,
)
from meanfield_pde.studies.laws import Limit


@pytest.mark.parametrize("unit", list(UNITS))
def test_waves_of_the_kernel(unit):
    """kappa_m by the unit itself, and a target that the uniform law fits."""
    energy = UNITS[unit]
    theta = 2.0 * np.pi * np.arange(96) / 96
    values = energy.unit.value(energy.inputs, (theta,))
    assert values.mean(axis=1) == pytest.approx(energy.target_values, abs=1e-12)
    kernel = energy.data_weights * values[:, 0] @ values
    waves = 2.0 * np.fft.rfft(kernel).real / 96
    assert [kappa(unit, m) for m in range(1, 7)] == pytest.approx(waves[1:7], abs=1e-10)


def test_one_wave_of_each_unit():
    for unit in UNITS:
        found = decay(Task(unit, 2, 3.0))
        expected = law(unit, 2, 3.0)
        assert found.rate.value == pytest.approx(expected, abs=max(found.rate.bar, 1e-9))
        assert found.rate.bar < 1e-5 * expected
        assert abs(found.rates[0] / expected - 1.0) > 1e-6
        assert found.energy[-1] == pytest.approx(np.exp(-4.0), rel=1e-3)


def test_extrapolation_is_exact_for_even_rates():
    amplitudes = np.array([0.4, 0.2, 0.1])
    limit = extrapolated(2.0 + 3.0 * amplitudes**2)
    assert limit.value == pytest.approx(2.0, abs=1e-13)
    assert limit.bar < 1e-13


def test_bars_of_a_ratio():
    ratio = speed_up(Limit(6.0, 0.06), Limit(2.0, 0.04))
    assert ratio.value == 3.0
    assert ratio.bar == pytest.approx(0.09)


def test_a_wave_that_is_not_seen_stays():
    assert left_of_blind_wave(coarse=True) == pytest.approx(1.0, abs=1e-4)


def test_the_figure():
    assert set(DRAWN) == set(UNITS)
    times = np.linspace(0.0, 2.0, 5)
    curves = {
        f"energy, wave {m}, alpha {alpha}": np.stack([times, np.exp(-m * times)])
        for m in WAVES
        for alpha in SHOWN
    }
    for name in DRAWN:
        curves[f"speed-ups, {name}"] = np.array([[1.0, 2.0], [0.1, 10.0], [1.1, 3.5], [0.0, 0.0]])
    curves["amplitudes"] = np.array([[0.4, 0.2, 0.1], [4e-2, 1e-2, 2.5e-3]])
    drawn = figure(curves)
    drawn.canvas.draw()
    assert drawn.get_size_inches()[0] == 7.0
    assert len(drawn.axes) == 3


@pytest.mark.long
def test_the_claim_holds():
    findings = CLAIM.measure(True, lambda words: None)
    assert all(number.holds for number in findings.numbers)
    assert len(findings.sentences) == 3
