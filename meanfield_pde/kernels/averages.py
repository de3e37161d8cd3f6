r"""Between averages and point values: what a density is at cell centres, and its products.

With the averages u and the values P at cell centres of one smooth density, undivided differences
d2 and d4 of u, and those D2 of P::

    u = P + D2/24 + ...,        P = u - d2/24 + 3 d4/640 - ...

P = u - (e_{j+1/2} - e_{j-1/2}), with an exchange e between any two neighbours and none through
walls, beyond which averages are continued by reflection.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange

BLOCKS = 16
PARALLEL_CELLS = 1 << 15


# These two stand in `weno` too: the cache of a kernel does not see changes in another module.


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
def _exchange(before, left, right, after):
    step = right - left
    return (step - 9.0 / 80.0 * ((after - before) - 3.0 * step)) / 24.0


@njit(cache=True, error_model="numpy")
def _exchanges(u_before, u_left, u_right, u_after, before, left, right, after, exchange):
    """Of a change of the averages u, the others; of u itself if they are u."""
    for j in range(exchange.size):
        free = _exchange(u_before[j], u_left[j], u_right[j], u_after[j])
        most = 0.125 * min(u_left[j], u_right[j])
        bound = 0.125 * (left[j] if u_left[j] < u_right[j] else right[j])
        value = _exchange(before[j], left[j], right[j], after[j])
        value = bound if free > most else value
        exchange[j] = -bound if free < -most else value


@njit(cache=True, error_model="numpy")
def _exchanges_between_rows(f, averages, changes, periodic, exchange):
    rows = averages.shape[0]
    i0, i1 = _inside(f - 2, rows, periodic), _inside(f - 1, rows, periodic)
    i2, i3 = _inside(f, rows, periodic), _inside(f + 1, rows, periodic)
    _exchanges(
        averages[i0], averages[i1], averages[i2], averages[i3],
        changes[i0], changes[i1], changes[i2], changes[i3], exchange,
    )  # fmt: skip


@njit(cache=True, error_model="numpy")
def _exchanges_in_row(u, change, exchange):
    """Rows come with two more cells at each end."""
    _exchanges(
        u[:-3], u[1:-2], u[2:-1], u[3:], change[:-3], change[1:-2], change[2:-1], change[3:],
        exchange,
    )  # fmt: skip


@njit(cache=True, error_model="numpy")
def _points(u, below, above, before, after, out):
    for j in range(out.size):
        out[j] = u[j] + ((below[j] - above[j]) + (before[j] - after[j]))


@njit(cache=True, error_model="numpy")
def _point_rates_rows(first, last, averages, rates, periodic0, periodic1, out):
    rows, n = averages.shape
    below, above = np.zeros(n), np.zeros(n)
    along, padded, padded_rates = np.empty(n + 1), np.empty(n + 4), np.empty(n + 4)
    for f in range(first, last + 1):
        if rows > 1:
            below, above = above, below
            _exchanges_between_rows(f, averages, rates, periodic0, above)
        if f > first:
            _pad(averages[f - 1], periodic1, padded)
            _pad(rates[f - 1], periodic1, padded_rates)
            _exchanges_in_row(padded, padded_rates, along)
            _points(rates[f - 1], below, above, along[:-1], along[1:], out[f - 1])


@njit(cache=True, error_model="numpy")
def _point_rates_serial(averages, rates, periodic0, periodic1, out):
    _point_rates_rows(0, averages.shape[0], averages, rates, periodic0, periodic1, out)


@njit(cache=True, error_model="numpy", parallel=True)
def _point_rates_parallel(averages, rates, periodic0, periodic1, out):
    rows = averages.shape[0]
    blocks = min(rows, BLOCKS)
    for k in prange(blocks):
        first, last = k * rows // blocks, (k + 1) * rows // blocks
        _point_rates_rows(first, last, averages, rates, periodic0, periodic1, out)


def _parallel(array):
    return get_num_threads() > 1 and array.size >= PARALLEL_CELLS and array.shape[0] > 1


def point_rates(averages, rates, periodic, out):
    """How fast `point_values` change where the averages change at these rates, of any sign."""
    run = _point_rates_parallel if _parallel(averages) else _point_rates_serial
    run(averages, rates, *periodic, out)


def point_values(averages, periodic, out):
    """Values P at cell centres from cell averages u >= 0, both (rows, columns), with equal sums.

    Along each axis u - d2 u / 24 + 3 d4 u / 640, d2 and d4 undivided differences: of sixth order,
    in the plane of fourth. An exchange is at most an eighth of the smaller of both averages, so
    that u/2 <= P <= 3u/2. P is homogeneous in u: its own rate of change along u.
    """
    point_rates(averages, averages, periodic, out)


@njit(cache=True, error_model="numpy")
def _shared(left, right, exchange):
    smaller = min(left, right)
    return max(0.5 * abs(exchange), min((left + right) / 48.0, 0.125 * smaller))


@njit(cache=True, error_model="numpy")
def _to_left(left, right, factor_left, factor_right, exchange, gain):
    for j in range(gain.size):
        weight = _shared(left[j], right[j], exchange[j]) + 0.5 * exchange[j]
        gain[j] = (factor_right[j] - factor_left[j]) * weight


@njit(cache=True, error_model="numpy")
def _to_right(left, right, factor_left, factor_right, exchange, gain):
    for j in range(gain.size):
        weight = _shared(left[j], right[j], exchange[j]) - 0.5 * exchange[j]
        gain[j] = (factor_left[j] - factor_right[j]) * weight


@njit(cache=True, error_model="numpy")
def _product(u, factor, from_below, from_above, from_before, from_after, out):
    for j in range(out.size):
        gain = (from_below[j] + from_above[j]) + (from_before[j] + from_after[j])
        out[j] = factor[j] * u[j] + gain


@njit(cache=True, error_model="numpy")
def _multiply_rows(first, last, averages, factor, periodic0, periodic1, out):
    rows, n = averages.shape
    from_below, to_above, from_above = np.zeros(n), np.zeros(n), np.zeros(n)
    from_before, from_after = np.empty(n + 1), np.empty(n + 1)
    exchange0, exchange1 = np.empty(n), np.empty(n + 1)
    padded, weights = np.empty(n + 4), np.empty(n + 2)
    for f in range(first, last + 1):
        if rows > 1:
            from_below, to_above = to_above, from_below
            _exchanges_between_rows(f, averages, averages, periodic0, exchange0)
            left, right = _inside(f - 1, rows, periodic0), _inside(f, rows, periodic0)
            beside = averages[left], averages[right], factor[left], factor[right], exchange0
            _to_left(*beside, from_above)
            _to_right(*beside, to_above)
        if f > first:
            u, here = averages[f - 1], factor[f - 1]
            _pad(u, periodic1, padded)
            _pad(here, periodic1, weights)
            left, right = padded[1:-2], padded[2:-1]
            _exchanges_in_row(padded, padded, exchange1)
            _to_left(left, right, weights[:-1], weights[1:], exchange1, from_after)
            _to_right(left, right, weights[:-1], weights[1:], exchange1, from_before)
            _product(u, here, from_below, from_above, from_before[:-1], from_after[1:], out[f - 1])


@njit(cache=True, error_model="numpy")
def _multiply_serial(averages, factor, periodic0, periodic1, out):
    _multiply_rows(0, averages.shape[0], averages, factor, periodic0, periodic1, out)


@njit(cache=True, error_model="numpy", parallel=True)
def _multiply_parallel(averages, factor, periodic0, periodic1, out):
    rows = averages.shape[0]
    blocks = min(rows, BLOCKS)
    for k in prange(blocks):
        first, last = k * rows // blocks, (k + 1) * rows // blocks
        _multiply_rows(first, last, averages, factor, periodic0, periodic1, out)


def multiply(averages, factor, periodic, out):
    """Cell averages of factor * density, of fourth order; all arrays (rows, columns).

    With the factor at cell centres and e the exchange of `point_values` with a neighbour k,
    counted in the direction of k,

        out = factor u + sum over neighbours of (factor_k - factor) ((u + u_k) / 48 + e / 2)

    The last bracket is held between 0 and 3 u / 16, which makes out / u a mean of the factor here
    and at the neighbours: of its sign, and never beyond its extremes. A constant factor multiplies
    exactly. As e enters with opposite signs on both sides of a face, the sum of `out` is that of
    factor * P: a rate of mean zero at the point values keeps the mass.
    """
    run = _multiply_parallel if _parallel(averages) else _multiply_serial
    run(averages, factor, *periodic, out)
