"""Sums and small matrix products in a fixed order, whatever the number of threads.

Within a row or a chunk the compiler may reassociate a sum (so that it vectorises); which terms
belong to a row or chunk depends on sizes only, and partial sums are added in order.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange

CHUNK = 4096
PARALLEL_ENTRIES = 1 << 20
"""Entries of a table from which two threads gain more than they cost."""

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
def _matvec_serial(table, vector, out):
    for q in range(table.shape[0]):
        out[q] = dot(table[q], vector)


@njit(cache=True, error_model="numpy", parallel=True)
def _matvec_parallel(table, vector, out):
    for q in prange(table.shape[0]):
        out[q] = dot(table[q], vector)


def matvec(table, vector):
    """Table @ vector for a table (m, n)."""
    out = np.empty(table.shape[0])
    parallel = table.size >= PARALLEL_ENTRIES and get_num_threads() > 1
    (_matvec_parallel if parallel else _matvec_serial)(table, vector, out)
    return out


@njit(cache=True, error_model="numpy")
def _add_rows(table, vector, start, stop, out):
    """Columns start to stop of table.T @ vector, four rows at a time while they are in cache."""
    columns = out[start:stop]
    rows = table.shape[0]
    whole = rows - rows % 4
    for q in range(0, whole, 4):
        a, b, c, d = vector[q], vector[q + 1], vector[q + 2], vector[q + 3]
        row0, row1 = table[q, start:stop], table[q + 1, start:stop]
        row2, row3 = table[q + 2, start:stop], table[q + 3, start:stop]
        for i in range(columns.size):
            columns[i] += (a * row0[i] + b * row1[i]) + (c * row2[i] + d * row3[i])
    for q in range(whole, rows):
        factor, row = vector[q], table[q, start:stop]
        for i in range(columns.size):
            columns[i] += factor * row[i]


@njit(cache=True, error_model="numpy")
def _transposed_serial(table, vector, out):
    for start in range(0, out.size, CHUNK):
        _add_rows(table, vector, start, min(start + CHUNK, out.size), out)


@njit(cache=True, error_model="numpy", parallel=True)
def _transposed_parallel(table, vector, out):
    for k in prange((out.size + CHUNK - 1) // CHUNK):
        _add_rows(table, vector, k * CHUNK, min((k + 1) * CHUNK, out.size), out)


def transposed_matvec(table, vector):
    """table.T @ vector for a table (m, n)."""
    out = np.zeros(table.shape[1])
    parallel = table.size >= PARALLEL_ENTRIES and get_num_threads() > 1
    (_transposed_parallel if parallel else _transposed_serial)(table, vector, out)
    return out


@njit(cache=True, error_model="numpy")
def matmul(a, b):
    """A @ b for a (m, k) and b (k, n)."""
    out = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        _add_rows(b, a[i], 0, b.shape[1], out[i])
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
