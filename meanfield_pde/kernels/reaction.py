r"""The reaction kernel: d_t mu = - (V - shift) mu for a frozen V, cell by cell."""

from __future__ import annotations

import math

from numba import get_num_threads, njit, prange

BLOCKS = 16
PARALLEL_CELLS = 1 << 15


@njit(cache=True, error_model="numpy")
def _reweight_range(first, last, values, potential, scale, shift, out):
    for i in range(first, last):
        out[i] = values[i] * math.exp(scale * (potential[i] - shift))


@njit(cache=True, error_model="numpy")
def _reweight_serial(values, potential, scale, shift, out):
    n = values.size
    for k in range(BLOCKS):
        _reweight_range(
            k * n // BLOCKS, (k + 1) * n // BLOCKS, values, potential, scale, shift, out
        )


@njit(cache=True, error_model="numpy", parallel=True)
def _reweight_parallel(values, potential, scale, shift, out):
    n = values.size
    for k in prange(BLOCKS):
        _reweight_range(
            k * n // BLOCKS, (k + 1) * n // BLOCKS, values, potential, scale, shift, out
        )


def reweight(values, potential, scale, shift, out):
    """out = values * exp(scale * (potential - shift)); flat float64 arrays of one length."""
    parallel = get_num_threads() > 1 and values.size >= PARALLEL_CELLS
    (_reweight_parallel if parallel else _reweight_serial)(values, potential, scale, shift, out)
