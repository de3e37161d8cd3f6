"""Compiled kernels against the same formulas in plain NumPy."""

import math

import numpy as np
import pytest

from meanfield_pde.kernels import finite_volumes as kernel
from meanfield_pde.kernels import reductions
from meanfield_pde.kernels.reaction import reweight

LIMITERS = {
    kernel.UPWIND: lambda a, b: 0 * a,
    kernel.UNLIMITED: lambda a, b: (a + b) / 2,
    kernel.MINMOD: lambda a, b: np.where(a * b > 0, np.sign(a) * np.minimum(abs(a), abs(b)), 0),
    kernel.VAN_LEER: lambda a, b: np.where(a * b > 0, 2 * a * b / np.where(a * b > 0, a + b, 1), 0),
    kernel.MONOTONIZED_CENTRAL: lambda a, b: np.where(
        a * b > 0,
        np.sign(a) * np.minimum(2 * np.minimum(abs(a), abs(b)), abs(a + b) / 2),
        0,
    ),
}
PERIODIC = [(a, b) for a in (False, True) for b in (False, True)]
SHAPES = [(1, 4), (1, 37), (5, 9), (17, 8)]


def divergence_along(u, v, axis, scale, periodic, limiter):
    """- difference of fluxes along one axis, and the largest |w|."""
    u, v = np.moveaxis(u, axis, -1), np.moveaxis(v, axis, -1)
    backward, forward = u - np.roll(u, 1, -1), np.roll(u, -1, -1) - u
    w = (v - np.roll(v, -1, -1)) * scale  # on the face behind each cell
    if not periodic:
        backward[..., 0] = 0
        forward[..., -1] = 0
        w[..., -1] = 0
    slope = limiter(backward, forward)
    left, right = u + slope / 2, np.roll(u - slope / 2, -1, -1)
    flux = w * np.where(w > 0, left, right)
    return np.moveaxis(np.roll(flux, 1, -1) - flux, -1, axis), np.abs(w).max()


@pytest.mark.parametrize("limiter", LIMITERS)
@pytest.mark.parametrize("periodic", PERIODIC)
@pytest.mark.parametrize("shape", SHAPES)
def test_stage_against_its_formula(shape, periodic, limiter):
    rng = np.random.default_rng(0)
    base, current = rng.random(shape), rng.random(shape)
    potential, scales, weights = rng.normal(size=shape), (0.7, 1.3), (0.9, 0.4, 0.05)
    out = np.empty(shape)
    arguments = (base, current, out, potential, weights, scales, periodic, limiter)
    rate = kernel.stage(*arguments)
    divergence, rates = 0.0, []
    for axis in range(2):
        if shape[axis] > 1:
            part, fastest = divergence_along(
                current, potential, axis, scales[axis], periodic[axis], LIMITERS[limiter]
            )
            divergence = divergence + part
            rates.append(fastest)
    expected = 0.9 * base + 0.4 * (current - base) + 0.05 * divergence
    assert out == pytest.approx(expected, abs=1e-14)
    assert rate == pytest.approx(sum(rates), rel=1e-14)
    assert kernel.face_rate(potential, scales, periodic) == pytest.approx(rate, rel=1e-14)


def test_reweighting_against_its_formula():
    rng = np.random.default_rng(1)
    values, potential, out = rng.random(57), rng.normal(size=57), np.empty(57)
    reweight(values, potential, -0.3, 0.8, out)
    assert out == pytest.approx(values * np.exp(-0.3 * (potential - 0.8)), rel=1e-15)


SIZES = [1, 7, reductions.CHUNK - 1, reductions.CHUNK, reductions.CHUNK + 1, 3 * reductions.CHUNK]


@pytest.mark.parametrize("size", SIZES)
def test_sums_against_exact_sums(size):
    a, b, c = np.random.default_rng(size).normal(size=(3, size))
    scale = 1e-15 * size
    assert reductions.total(a) == pytest.approx(math.fsum(a), abs=scale)
    assert reductions.dot(a, b) == pytest.approx(math.fsum(a * b), abs=scale)
    assert reductions.dot3(a, b, c) == pytest.approx(math.fsum(a * b * c), abs=scale)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, reductions.CHUNK + 3), (40, 12)])
def test_products_against_numpy(shape):
    rng = np.random.default_rng(2)
    table, left, right = (rng.normal(size=size) for size in (shape, *shape))
    assert reductions.matvec(table, right) == pytest.approx(table @ right, abs=1e-11)
    assert reductions.transposed_matvec(table, left) == pytest.approx(left @ table, abs=1e-12)
    moments = reductions.row_moments(table, right)
    expected = [table.sum(1), table @ right, table @ right**2]
    assert moments == pytest.approx(np.array(expected), abs=1e-11)


def test_sums_keep_nan():
    values = np.ones(5000)
    values[4321] = np.nan
    assert math.isnan(reductions.total(values))
    assert math.isnan(reductions.dot(values, np.zeros(5000)))
