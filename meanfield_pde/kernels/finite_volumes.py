r"""Finite-volume transport, d_t mu = div(mu M grad V), on a uniform grid.

One stage of a Runge-Kutta method for cell averages u, potential V at cell centres::

    out = keep * base + fraction * (u - base) + duration * div(u M grad V)

(base + fraction * (u - base) rather than a weighted sum of both: the weights of a weighted sum
add up to one only up to rounding, and mass would drift by that much at every step)

    face velocity    w_{j+1/2} = M (V_j - V_{j+1}) / h^2           (velocity over cell width)
    reconstruction   u_j -+ s_j,  s_j = half the limited slope of u in cell j
    flux             w_{j+1/2} * (u_j + s_j            if w > 0
                                  u_{j+1} - s_{j+1}    otherwise)
    divergence       flux_{j-1/2} - flux_{j+1/2}, summed over both axes

        j-1       j        j+1      j+2
     |    o    |    o    |    o    |    o    |        o  averages and V
               s_j       ^  s_{j+1}                   ^  face j+1/2: w and flux

All arrays are (rows, columns); a one-dimensional grid is one row. Fluxes along axis 1 never cross a
row; fluxes along axis 0 are carried from one row to the next. Walls have zero flux, and a cell at
a wall sees itself beyond it (so its limited slope is zero). A velocity that is a difference of V
at cell centres makes the semi-discrete energy decay: dE/dt = sum of (V_{j+1} - V_j) * flux <= 0.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange

UPWIND, UNLIMITED, MINMOD, VAN_LEER, MONOTONIZED_CENTRAL = range(5)

BLOCKS = 16
PARALLEL_CELLS = 1 << 15


@njit(cache=True, error_model="numpy")
def _half_slope(backward, forward, limiter):
    if limiter == UPWIND:
        return 0.0
    if limiter == UNLIMITED:
        return 0.25 * (backward + forward)
    if limiter == MINMOD:
        return 0.5 * (max(min(backward, forward), 0.0) + min(max(backward, forward), 0.0))
    if limiter == VAN_LEER:
        # Below slopes of 1e-162 the product underflows and tails are first order there.
        product = backward * forward
        return product / (backward + forward) if product > 0.0 else 0.0
    central = 0.25 * (backward + forward)
    upper = max(min(min(backward, forward), central), 0.0)
    return upper + min(max(max(backward, forward), central), 0.0)


# Shifted neighbours come as slices: an index j + 1 would be tested for wrapping around, which
# keeps a loop from being vectorised.


@njit(cache=True, error_model="numpy")
def _half_slopes(lower, middle, upper, limiter, slope):
    for j in range(slope.size):
        slope[j] = _half_slope(middle[j] - lower[j], upper[j] - middle[j], limiter)


@njit(cache=True, error_model="numpy")
def _fluxes(left, right, slope_left, slope_right, v_left, v_right, scale, floor, flux, fastest):
    for j in range(flux.size):
        w = (v_left[j] - v_right[j]) * scale
        fastest[j] = max(fastest[j], abs(w))
        flux[j] = w * max(left[j] + slope_left[j] if w > 0.0 else right[j] - slope_right[j], floor)


@njit(cache=True, error_model="numpy")
def _slopes_and_fluxes(
    u, up, beyond, slope, v, v_up, scale, limiter, floor, slope_up, flux, fastest
):  # fmt: skip
    """`_half_slopes` of the row above and `_fluxes` into it, in one pass."""
    for j in range(flux.size):
        w = (v[j] - v_up[j]) * scale
        fastest[j] = max(fastest[j], abs(w))
        slope_j = _half_slope(up[j] - u[j], beyond[j] - up[j], limiter)
        slope_up[j] = slope_j
        flux[j] = w * max(u[j] + slope[j] if w > 0.0 else up[j] - slope_j, floor)


@njit(cache=True, error_model="numpy")
def _combine(out, base, u, keep, fraction, duration, below, above, before, after):
    for j in range(out.size):
        divergence = (below[j] - above[j]) + (before[j] - after[j])
        change = fraction * (u[j] - base[j]) + duration * divergence
        out[j] = keep * base[j] + change


@njit(cache=True, error_model="numpy")
def _stage_rows(
    first, last, base, current, out, potential, weights, scale0, scale1, periodic0, periodic1,
    limiter,
):  # fmt: skip
    """Rows first to last - 1 of a stage; returns the largest |w| along axis 0 and along axis 1."""
    rows, n = current.shape
    keep, fraction, duration = weights
    # A limited face value is at least zero, but where neighbours differ by 1e16 rounding takes it
    # below, and the flux would make the emptier of them negative.
    floor = -np.inf if limiter == UNLIMITED else 0.0
    slope, slope_up, along = np.zeros(n), np.zeros(n), np.zeros(n)
    below, above, flux = np.zeros(n), np.zeros(n), np.zeros(n + 1)
    fastest0, fastest1 = np.zeros(n), np.zeros(n)
    if rows > 1:
        if periodic0:
            i0, i1, i3 = (first - 2) % rows, (first - 1) % rows, (first + 1) % rows
        else:
            i0, i1, i3 = max(first - 2, 0), max(first - 1, 0), min(first + 1, rows - 1)
        # At the lower wall i1 == first: equal potentials give the face zero velocity.
        _half_slopes(current[i0], current[i1], current[first], limiter, slope_up)
        _slopes_and_fluxes(
            current[i1], current[first], current[i3], slope_up, potential[i1], potential[first],
            scale0, limiter, floor, slope, below, fastest0,
        )  # fmt: skip
    for i in range(first, last):
        u, v = current[i], potential[i]
        if rows > 1:
            if periodic0:
                i2, i3 = (i + 1) % rows, (i + 2) % rows
            else:
                i2, i3 = min(i + 1, rows - 1), min(i + 2, rows - 1)
            _slopes_and_fluxes(
                u, current[i2], current[i3], slope, v, potential[i2],
                scale0, limiter, floor, slope_up, above, fastest0,
            )  # fmt: skip
            slope, slope_up = slope_up, slope
        _half_slopes(u[:-2], u[1:-1], u[2:], limiter, along[1:-1])
        beyond_left, beyond_right = (u[-1:], u[:1]) if periodic1 else (u[:1], u[-1:])
        _half_slopes(beyond_left, u[:1], u[1:2], limiter, along[:1])
        _half_slopes(u[-2:-1], u[-1:], beyond_right, limiter, along[-1:])
        if periodic1:
            _fluxes(
                u[-1:], u[:1], along[-1:], along[:1], v[-1:], v[:1],
                scale1, floor, flux[:1], fastest1,
            )  # fmt: skip
            flux[n] = flux[0]
        _fluxes(
            u[:-1], u[1:], along[:-1], along[1:], v[:-1], v[1:], scale1, floor, flux[1:-1], fastest1
        )  # fmt: skip
        _combine(out[i], base[i], u, keep, fraction, duration, below, above, flux[:-1], flux[1:])
        below, above = above, below
    return fastest0.max(), fastest1.max()


@njit(cache=True, error_model="numpy")
def _stage_serial(
    base, current, out, potential, weights, scale0, scale1, periodic0, periodic1, limiter
):
    return _stage_rows(
        0, current.shape[0], base, current, out, potential, weights,
        scale0, scale1, periodic0, periodic1, limiter,
    )  # fmt: skip


@njit(cache=True, error_model="numpy", parallel=True)
def _stage_parallel(
    base, current, out, potential, weights, scale0, scale1, periodic0, periodic1, limiter
):
    rows = current.shape[0]
    blocks = min(rows, BLOCKS)
    fastest = np.zeros((blocks, 2))
    for k in prange(blocks):
        fastest[k, 0], fastest[k, 1] = _stage_rows(
            k * rows // blocks, (k + 1) * rows // blocks, base, current, out, potential, weights,
            scale0, scale1, periodic0, periodic1, limiter,
        )  # fmt: skip
    return fastest[:, 0].max(), fastest[:, 1].max()


def stage(base, current, out, potential, weights, scales, periodic, limiter):
    """One Runge-Kutta stage of transport, into `out`.

    Parameters
    ----------
    base, current, out, potential : float64 arrays (rows, columns)
        `out` must not share memory with `current`.
    weights : tuple of float
        (keep, fraction, duration) of the module's formula.
    scales : tuple of float
        M / h^2 along axis 0 and axis 1.
    periodic : tuple of bool
        Along axis 0 and axis 1; otherwise walls of zero flux.
    limiter : int
        One of the constants of this module.

    Returns
    -------
    rate : float
        Largest |w| along axis 0 plus largest |w| along axis 1. Cell averages stay non-negative
        under the limited schemes if `rate * dt <= 1/2`: a face value is at most twice its average.
    """
    run = (
        _stage_parallel
        if get_num_threads() > 1 and current.size >= PARALLEL_CELLS and current.shape[0] > 1
        else _stage_serial
    )
    fastest = run(base, current, out, potential, weights, *scales, *periodic, limiter)
    return fastest[0] + fastest[1]


@njit(cache=True, error_model="numpy")
def face_rate(potential, scales, periodic):
    """The `rate` that `stage` would return for this potential, up to rounding."""
    rows, n = potential.shape
    fastest0, fastest1 = np.zeros(n), np.zeros(n)
    for i in range(rows):
        v = potential[i]
        if i + 1 < rows or (periodic[0] and rows > 1):
            upper = potential[(i + 1) % rows]
            for j in range(n):
                fastest0[j] = max(fastest0[j], abs(v[j] - upper[j]))
        for j in range(n - 1):
            fastest1[j] = max(fastest1[j], abs(v[j] - v[j + 1]))
        if periodic[1]:
            fastest1[n - 1] = max(fastest1[n - 1], abs(v[n - 1] - v[0]))
    return fastest0.max() * scales[0] + fastest1.max() * scales[1]
