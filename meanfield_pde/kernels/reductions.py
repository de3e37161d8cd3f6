"""Sums and small matrix products in a fixed order, whatever the number of threads.

Within a row or a chunk the compiler may reassociate a sum (so that it vectorises); which terms
belong to a row or chunk depends on sizes only, and partial sums are added in order.
"""

from __future__ import annotations

import numpy as np
from numba import njit

CHUNK = 4096
_SUMS = {"reassoc", "contract", "nsz"}


@njit(cache=True, error_model="numpy", fastmath=_SUMS)
def _dot(a, b):
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@njit(cache=True, error_model="numpy", fastmath=_SUMS)
def _sum(a):
    total = 0.0
    for i in range(a.size):
        total += a[i]
    return total


@njit(cache=True, error_model="numpy")
def total(values):
    """Sum of a flat array."""
    result = 0.0
    for start in range(0, values.size, CHUNK):
        result += _sum(values[start : start + CHUNK])
    return result


@njit(cache=True, error_model="numpy")
def dot(a, b):
    """Sum of a * b, flat arrays of one length."""
    result = 0.0
    for start in range(0, a.size, CHUNK):
        result += _dot(a[start : start + CHUNK], b[start : start + CHUNK])
    return result


@njit(cache=True, error_model="numpy", fastmath=_SUMS)
def _dot3(a, b, c):
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i] * c[i]
    return total


@njit(cache=True, error_model="numpy")
def dot3(a, b, c):
    """Sum of a * b * c, flat arrays of one length."""
    result = 0.0
    for start in range(0, a.size, CHUNK):
        stop = start + CHUNK
        result += _dot3(a[start:stop], b[start:stop], c[start:stop])
    return result


@njit(cache=True, error_model="numpy")
def matvec(table, vector):
    """Table @ vector for a table (m, n)."""
    out = np.empty(table.shape[0])
    for q in range(table.shape[0]):
        out[q] = dot(table[q], vector)
    return out


@njit(cache=True, error_model="numpy")
def transposed_matvec(table, vector):
    """table.T @ vector for a table (m, n)."""
    out = np.zeros(table.shape[1])
    for q in range(table.shape[0]):
        row = table[q]
        factor = vector[q]
        for i in range(out.size):
            out[i] += factor * row[i]
    return out


@njit(cache=True, error_model="numpy", fastmath=_SUMS)
def _row_moments(row, charges):
    zeroth = 0.0
    first = 0.0
    second = 0.0
    for j in range(row.size):
        product = charges[j] * row[j]
        zeroth += row[j]
        first += product
        second += charges[j] * product
    return zeroth, first, second


@njit(cache=True, error_model="numpy")
def row_moments(values, charges):
    """Sums over j of c_j^p values[i, j], p = 0, 1, 2: an array (3, rows)."""
    out = np.empty((3, values.shape[0]))
    for i in range(values.shape[0]):
        out[0, i], out[1, i], out[2, i] = _row_moments(values[i], charges)
    return out
