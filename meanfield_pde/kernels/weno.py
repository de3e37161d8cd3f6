r"""Fifth-order finite volumes (WENO-Z) that stay positive; fourth order in the plane.

One stage of a Runge-Kutta method for cell averages u, with exact slopes of V at face centres::

    out = keep * base + fraction * (u - base) + duration * div(u M grad V)

Flux through a face, L and R the cells on its sides, w = - M dV/dn / h the velocity at its centre
over the cell width, w_- and w_+ at the next faces along it (McCorquodale & Colella 2011)::

         |  L  |  R  |        flux    = W U + (delta w) (delta u) / 12   the mean of w u, to h^4
      ---+----w_+----+---     W       = w + (w_- - 2 w + w_+) / 24       the mean of w
         |  L  w  R  |        delta   = a central difference along the face
      ---+----w_----+---      U       = WENO-Z of five averages across it (Borges, Carmona, Costa
         |  L  |  R  |                  & Don 2008), upwind by the sign of W

What WENO takes for smooth is relative to the sum of the five averages, so that densities of any
magnitude are treated alike and critical points keep the order.

Positivity. Velocities on a face lie in W -+ |delta w| / 2; the flux is held between

    - 2 w_R u_R <= flux <= 2 w_L u_L,      w_L = max(W + |delta w| / 2, 0),
                                           w_R = max(|delta w| / 2 - W, 0).

Let rate be the largest sum, over the faces of one cell, of the w_L or w_R by which that cell can
lose. A cell loses at most 2 rate u a unit of time, so an Euler step keeps u >= 0 if
rate * dt <= 1/2, and so does a convex combination of such steps. Face values of a smooth positive
density are within a factor of two of the averages beside them once it is resolved: then no flux
is held back and the order is kept.

Beyond a wall averages are continued by reflection, and the flux through it is zero: orders hold
where the density or its normal derivative vanishes there. All arrays are (rows, columns), at
least four of each; a one-dimensional grid is one row.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange

BLOCKS = 16
PARALLEL_CELLS = 1 << 15

SMOOTH = 1e-6
"""Square of a change that counts as smooth, relative to the sum of five averages."""

VANISHING = 1e-290
"""Averages below this stay: rounding among subnormal numbers could make them negative."""


# Passes read at most eight arrays: with more, the compiler gives up telling whether they overlap
# and does not vectorise. For the same reason neighbours come as shifted slices.


@njit(cache=True, error_model="numpy")
def _face_values(l3, l2, l1, r1, r2, r3, w, face):
    """WENO-Z from three cells to the left and three to the right, five of them used."""
    for j in range(face.size):
        right = w[j] > 0.0
        a, b, c, d, e = (
            l3[j] if right else r3[j],
            l2[j] if right else r2[j],
            l1[j] if right else r1[j],
            r1[j] if right else l1[j],
            r2[j] if right else l2[j],
        )
        ab, bc, cd, de = b - a, c - b, d - c, e - d
        inverse = 1.0 / max(a + b + c + d + e, VANISHING)
        x1, x2, x3, x4 = ab * inverse, bc * inverse, cd * inverse, de * inverse
        bend0, bend1, bend2 = x2 - x1, x3 - x2, x4 - x3
        slope0, slope1, slope2 = 3.0 * x2 - x1, x2 + x3, 3.0 * x3 - x4
        rough0 = 13.0 / 12.0 * (bend0 * bend0) + 0.25 * (slope0 * slope0)
        rough1 = 13.0 / 12.0 * (bend1 * bend1) + 0.25 * (slope1 * slope1)
        rough2 = 13.0 / 12.0 * (bend2 * bend2) + 0.25 * (slope2 * slope2)
        q0, q1, q2 = rough0 + SMOOTH, rough1 + SMOOTH, rough2 + SMOOTH
        tau = abs(rough0 - rough2)
        q12, q02, q01 = q1 * q2, q0 * q2, q0 * q1
        common = q0 * q12
        weight0 = common + tau * q12
        weight1 = 6.0 * (common + tau * q02)
        weight2 = 3.0 * (common + tau * q01)
        change = (
            weight0 * (5.0 * bc - 2.0 * ab)
            + weight1 * (bc + 2.0 * cd)
            + weight2 * (4.0 * cd - de)
        )  # fmt: skip
        face[j] = c + change / (6.0 * (weight0 + weight1 + weight2))


@njit(cache=True, error_model="numpy")
def _velocities(before, slope, after, scale, w, turn):
    """Mean velocities over faces, and their differences along them."""
    for j in range(w.size):
        bend = (before[j] + after[j]) - 2.0 * slope[j]
        w[j] = -scale * (slope[j] + bend / 24.0)
        turn[j] = -0.5 * scale * (after[j] - before[j])


@njit(cache=True, error_model="numpy")
def _across(before_left, before_right, after_left, after_right, out):
    """Four times the difference along a face: between the cells on both sides of it."""
    for j in range(out.size):
        out[j] = (after_left[j] + after_right[j]) - (before_left[j] + before_right[j])


@njit(cache=True, error_model="numpy")
def _fluxes(left, right, across, w, turn, flux):
    """In place of the face values in `flux`."""
    for j in range(flux.size):
        half = 0.5 * abs(turn[j])
        upper = 2.0 * max(w[j] + half, 0.0) * (left[j] if left[j] > VANISHING else 0.0)
        lower = -2.0 * max(half - w[j], 0.0) * (right[j] if right[j] > VANISHING else 0.0)
        value = w[j] * flux[j] + turn[j] * across[j] / 48.0
        value = upper if value > upper else value
        flux[j] = lower if value < lower else value


@njit(cache=True, error_model="numpy")
def _outflow(w_left, turn_left, w_right, turn_right, outflow):
    for j in range(outflow.size):
        through_left = max(0.5 * abs(turn_left[j]) - w_left[j], 0.0)
        through_right = max(w_right[j] + 0.5 * abs(turn_right[j]), 0.0)
        outflow[j] = through_left + through_right


@njit(cache=True, error_model="numpy")
def _keep_largest(one, other, largest):
    for j in range(largest.size):
        largest[j] = max(largest[j], one[j] + other[j])


@njit(cache=True, error_model="numpy")
def _combine(out, base, u, keep, fraction, duration, below, above, before, after):
    for j in range(out.size):
        divergence = (below[j] - above[j]) + (before[j] - after[j])
        change = fraction * (u[j] - base[j]) + duration * divergence
        out[j] = keep * base[j] + change


@njit(cache=True, error_model="numpy")
def _inside(i, rows, periodic):
    """The row seen at i, by reflection beyond walls."""
    if periodic:
        return i % rows
    return -1 - i if i < 0 else 2 * rows - 1 - i if i >= rows else i


@njit(cache=True, error_model="numpy")
def _pad(u, periodic, padded):
    """A row with the cells beyond its ends."""
    n = u.size
    width = (padded.size - n) // 2
    padded[width:-width] = u
    for k in range(1, width + 1):
        padded[width - k] = u[_inside(-k, n, periodic)]
        padded[width + n - 1 + k] = u[_inside(n - 1 + k, n, periodic)]


@njit(cache=True, error_model="numpy")
def _extrapolate(first, second, third, fourth):
    """The value before the first by a cubic: V is smooth at walls, but not even."""
    return 4.0 * (first + third) - 6.0 * second - fourth


@njit(cache=True, error_model="numpy")
def _velocities_between_rows(f, slopes, scale, periodic0, periodic1, padded, w, turn):
    """On the faces between rows f - 1 and f."""
    rows = slopes.shape[0] - 1
    if not periodic0 and (f == 0 or f == rows):
        w[:] = 0.0
        turn[:] = 0.0
        return
    s = slopes[f % rows]
    padded[1:-1] = s
    if periodic1:
        padded[0], padded[-1] = s[-1], s[0]
    else:
        padded[0] = _extrapolate(s[0], s[1], s[2], s[3])
        padded[-1] = _extrapolate(s[-1], s[-2], s[-3], s[-4])
    _velocities(padded[:-2], s, padded[2:], scale, w, turn)


@njit(cache=True, error_model="numpy")
def _velocities_in_row(i, slopes, scale, periodic0, periodic1, beyond, w, turn):
    """On the faces between the cells of row i, both ends included."""
    rows, s = slopes.shape[0], slopes[i]
    before, after = slopes[(i - 1) % rows], slopes[(i + 1) % rows]
    if not periodic0 and i == 0:
        beyond[:] = _extrapolate(s, slopes[1], slopes[2], slopes[3])
        before = beyond
    if not periodic0 and i == rows - 1:
        beyond[:] = _extrapolate(s, slopes[i - 1], slopes[i - 2], slopes[i - 3])
        after = beyond
    _velocities(before, s, after, scale, w, turn)
    if periodic1:
        w[-1], turn[-1] = w[0], turn[0]
    else:
        w[0], turn[0], w[-1], turn[-1] = 0.0, 0.0, 0.0, 0.0


@njit(cache=True, error_model="numpy")
def _stage_rows(
    first, last, base, current, out, slopes0, slopes1, weights, scale0, scale1, periodic0, periodic1
):
    """Rows first to last - 1 of a stage; returns the largest rate."""
    rows, n = current.shape
    wraps = periodic0 or rows == 1
    keep, fraction, duration = weights
    lines = np.empty((6, n + 6))  # row i, with three more cells at each end, is lines[i % 6]
    w_below, turn_below, below, outflow0 = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    w_above, turn_above, above, outflow1 = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    w1, turn1, along, across = np.empty(n + 1), np.empty(n + 1), np.empty(n + 1), np.empty(n + 1)
    padded, beyond, largest = np.empty(n + 2), np.empty(n + 1), np.zeros(n)
    for i in range(first - 3, first + 2):
        _pad(current[_inside(i, rows, wraps)], periodic1, lines[i % 6])
    for f in range(first, last + 1):
        _pad(current[_inside(f + 2, rows, wraps)], periodic1, lines[(f + 2) % 6])
        if rows > 1:
            below, above = above, below
            w_below, turn_below, w_above, turn_above = w_above, turn_above, w_below, turn_below
            _velocities_between_rows(
                f, slopes0, scale0, periodic0, periodic1, padded, w_above, turn_above
            )
            l1, r1 = lines[(f - 1) % 6], lines[f % 6]
            _across(l1[2:-4], r1[2:-4], l1[4:-2], r1[4:-2], across[:-1])
            _face_values(
                lines[(f - 3) % 6, 3:-3], lines[(f - 2) % 6, 3:-3], l1[3:-3],
                r1[3:-3], lines[(f + 1) % 6, 3:-3], lines[(f + 2) % 6, 3:-3], w_above, above,
            )  # fmt: skip
            _fluxes(l1[3:-3], r1[3:-3], across[:-1], w_above, turn_above, above)
        if f == first:
            continue
        i = f - 1
        u, before, after = lines[i % 6], lines[(i - 1) % 6], lines[(i + 1) % 6]
        _velocities_in_row(i, slopes1, scale1, wraps, periodic1, beyond, w1, turn1)
        _across(before[2:-3], before[3:-2], after[2:-3], after[3:-2], across)
        _face_values(u[:-5], u[1:-4], u[2:-3], u[3:-2], u[4:-1], u[5:], w1, along)
        _fluxes(u[2:-3], u[3:-2], across, w1, turn1, along)
        _outflow(w_below, turn_below, w_above, turn_above, outflow0)
        _outflow(w1[:-1], turn1[:-1], w1[1:], turn1[1:], outflow1)
        _keep_largest(outflow0, outflow1, largest)
        _combine(
            out[i], base[i], u[3:-3], keep, fraction, duration, below, above, along[:-1], along[1:]
        )
    return largest.max()


@njit(cache=True, error_model="numpy")
def _stage_serial(
    base, current, out, slopes0, slopes1, weights, scale0, scale1, periodic0, periodic1
):
    return _stage_rows(
        0, current.shape[0], base, current, out, slopes0, slopes1, weights,
        scale0, scale1, periodic0, periodic1,
    )  # fmt: skip


@njit(cache=True, error_model="numpy", parallel=True)
def _stage_parallel(
    base, current, out, slopes0, slopes1, weights, scale0, scale1, periodic0, periodic1
):
    rows = current.shape[0]
    blocks = min(rows, BLOCKS)
    rates = np.zeros(blocks)
    for k in prange(blocks):
        rates[k] = _stage_rows(
            k * rows // blocks, (k + 1) * rows // blocks, base, current, out, slopes0, slopes1,
            weights, scale0, scale1, periodic0, periodic1,
        )  # fmt: skip
    return rates.max()


def _parallel(array):
    return get_num_threads() > 1 and array.size >= PARALLEL_CELLS and array.shape[0] > 1


def stage(base, current, out, slopes0, slopes1, weights, scales, periodic):
    """One Runge-Kutta stage of transport, into `out`.

    Parameters
    ----------
    base, current, out : float64 arrays (rows, columns)
        `out` must not share memory with `current`.
    slopes0, slopes1 : float64 arrays (rows + 1, columns) and (rows, columns + 1)
        dV/dtheta_0 at the centres of the faces between rows and dV/dtheta_1 at those between
        columns, the outer ones included. A single row has no use for `slopes0`.
    weights : tuple of float
        (keep, fraction, duration) of the module's formula.
    scales : tuple of float
        M / h along axis 0 and axis 1.
    periodic : tuple of bool
        Along axis 0 and axis 1; otherwise walls of zero flux.

    Returns
    -------
    rate : float
        Cell averages stay non-negative if `rate * dt <= 1/2`.
    """
    run = _stage_parallel if _parallel(current) else _stage_serial
    return run(base, current, out, slopes0, slopes1, weights, *scales, *periodic)


@njit(cache=True, error_model="numpy")
def face_rate(slopes0, slopes1, scales, periodic):
    """The `rate` that `stage` would return for these slopes."""
    rows, n = slopes1.shape[0], slopes1.shape[1] - 1
    w_below, turn_below, outflow0 = np.zeros(n), np.zeros(n), np.zeros(n)
    w_above, turn_above, outflow1 = np.zeros(n), np.zeros(n), np.zeros(n)
    w1, turn1, beyond = np.empty(n + 1), np.empty(n + 1), np.empty(n + 1)
    padded, largest = np.empty(n + 2), np.zeros(n)
    wraps = periodic[0] or rows == 1
    for f in range(rows + 1):
        if rows > 1:
            w_below, turn_below, w_above, turn_above = w_above, turn_above, w_below, turn_below
            _velocities_between_rows(f, slopes0, scales[0], *periodic, padded, w_above, turn_above)
        if f > 0:
            _velocities_in_row(f - 1, slopes1, scales[1], wraps, periodic[1], beyond, w1, turn1)
            _outflow(w_below, turn_below, w_above, turn_above, outflow0)
            _outflow(w1[:-1], turn1[:-1], w1[1:], turn1[1:], outflow1)
            _keep_largest(outflow0, outflow1, largest)
    return largest.max()
