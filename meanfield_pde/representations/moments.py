"""Moments of masses at places, and what of them lies on walls."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.spaces import Axis

Array = NDArray[np.float64]


def axis_moments(theta: Array, share: Array, axis: Axis) -> tuple[float, float]:
    """Mean and variance of one parameter under weights that sum to one."""
    if axis.periodic:
        turn = 2.0 * math.pi / axis.period
        vector = complex(np.sum(share * np.exp(1j * turn * theta)))
        return float(np.angle(vector)) / turn, 1.0 - abs(vector)
    mean = float(np.sum(share * theta))
    return mean, float(np.sum(share * (theta - mean) ** 2))


def point_moments(points: Array, share: Array, axes: tuple[Axis, ...]) -> tuple[Array, Array]:
    """Mean and variance of each parameter (on a circle: circular) over points."""
    pairs = [axis_moments(column, share, a) for column, a in zip(points.T, axes, strict=True)]
    return np.array([m for m, _ in pairs]), np.array([v for _, v in pairs])


def on_walls(points: Array, axes: tuple[Axis, ...]) -> NDArray[np.bool_]:
    """Which points are on a wall, or beyond."""
    held = np.zeros(points.shape[0], dtype=bool)
    for column, axis in zip(points.T, axes, strict=True):
        if not axis.periodic:
            held |= (column <= axis.lower) | (column >= axis.upper)
    return held
