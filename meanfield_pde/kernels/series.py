"""Sums over nodes of Chebyshev polynomials or of waves, and series in them at the nodes.

Nodes are taken in blocks that stay in registers and cache; the recurrence runs over the order
outside, over the nodes of a block inside, where it vectorises. Sums over blocks are added in order.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

BLOCK = 64

_SUMS = {"reassoc", "contract", "nsz"}


@njit(cache=True, error_model="numpy", fastmath=_SUMS)
def chebyshev_moments(places, masses, count):
    """sum_i masses[i] T_k(places[i]) for k < count; places in [-1, 1]."""
    out = np.zeros(count)
    before, current = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, places.size, BLOCK):
        size = min(BLOCK, places.size - start)
        s, m = places[start : start + size], masses[start : start + size]
        for i in range(size):
            before[i] = s[i]
            current[i] = 1.0
        for k in range(count):
            total = 0.0
            for i in range(size):
                total += m[i] * current[i]
                after = 2.0 * s[i] * current[i] - before[i]
                before[i] = current[i]
                current[i] = after
            out[k] += total
    return out


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def chebyshev_series(places, coefficients):
    """sum_k coefficients[k] T_k(places[i]), by Clenshaw's recurrence."""
    out = np.empty(places.size)
    one, two = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, places.size, BLOCK):
        size = min(BLOCK, places.size - start)
        s, values = places[start : start + size], out[start : start + size]
        for i in range(size):
            one[i] = 0.0
            two[i] = 0.0
        for k in range(coefficients.size - 1, 0, -1):
            a = coefficients[k]
            for i in range(size):
                new = a + 2.0 * s[i] * one[i] - two[i]
                two[i] = one[i]
                one[i] = new
        for i in range(size):
            values[i] = coefficients[0] + s[i] * one[i] - two[i]
    return out


@njit(cache=True, error_model="numpy")
def _turns(angles, cosine, sine):
    """The cosine and the sine of a block of angles."""
    for i in range(angles.size):
        cosine[i] = math.cos(angles[i])
        sine[i] = math.sin(angles[i])


@njit(cache=True, error_model="numpy", fastmath=_SUMS)
def wave_moments(angles, masses, count):
    """sum_i masses[i] exp(1j k angles[i]) for k < count: real parts and imaginary parts."""
    out = np.zeros((2, count))
    cosine, sine = np.empty(BLOCK), np.empty(BLOCK)
    real, imaginary = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, angles.size, BLOCK):
        size = min(BLOCK, angles.size - start)
        a, m = angles[start : start + size], masses[start : start + size]
        _turns(a, cosine, sine)
        for i in range(size):
            real[i] = m[i]
            imaginary[i] = 0.0
        for k in range(count):
            total_real = 0.0
            total_imaginary = 0.0
            for i in range(size):
                total_real += real[i]
                total_imaginary += imaginary[i]
                turned = real[i] * cosine[i] - imaginary[i] * sine[i]
                imaginary[i] = real[i] * sine[i] + imaginary[i] * cosine[i]
                real[i] = turned
            out[0, k] += total_real
            out[1, k] += total_imaginary
    return out


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def wave_series(angles, cosines, sines):
    """sum_k cosines[k] cos(k a_i) + sines[k] sin(k a_i), by Horner's rule in exp(1j a)."""
    out = np.empty(angles.size)
    cosine, sine = np.empty(BLOCK), np.empty(BLOCK)
    real, imaginary = np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, angles.size, BLOCK):
        size = min(BLOCK, angles.size - start)
        a, values = angles[start : start + size], out[start : start + size]
        _turns(a, cosine, sine)
        for i in range(size):
            real[i] = 0.0
            imaginary[i] = 0.0
        # The real part of sum_k (cosines[k] - 1j sines[k]) exp(1j k a).
        for k in range(cosines.size - 1, -1, -1):
            p, q = cosines[k], -sines[k]
            for i in range(size):
                turned = real[i] * cosine[i] - imaginary[i] * sine[i] + p
                imaginary[i] = real[i] * sine[i] + imaginary[i] * cosine[i] + q
                real[i] = turned
        for i in range(size):
            values[i] = real[i]
    return out
