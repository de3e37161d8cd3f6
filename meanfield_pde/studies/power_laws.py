"""Means with less noise, and power laws through values with known errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import gammaincc, ndtri

Array = NDArray[np.float64]

CONFIDENCE = 0.95
"""Of all intervals, on both sides."""

FOLDS = 8
"""Parts of the runs; the weights of variates used in one come from all others."""

RIDGE = 3e-3
"""Added to the correlations of variates: there may be nearly as many of them as runs."""


@dataclass(frozen=True)
class Estimate:
    """A mean over independent runs, and its standard error."""

    value: float
    error: float
    runs: int

    @classmethod
    def of(cls, values: Array) -> Estimate:
        """Of one number a run."""
        error = float(np.std(values, ddof=1) / np.sqrt(values.size))
        return cls(float(np.mean(values)), error, values.size)

    @property
    def root(self) -> Estimate:
        """Of the root, for a mean of squares."""
        root = float(np.sqrt(self.value))
        return Estimate(root, 0.5 * self.error / root, self.runs)

    def __str__(self) -> str:
        return f"{self.value:.3e} +- {self.error:.0e}"


@dataclass(frozen=True)
class PowerLaw:
    """values = coefficient sizes^slope.

    Attributes
    ----------
    slope, half_width : float
        The slope and half the width of its interval.
    coefficient : float
    chance : float
        That values on the line lie as far from it, by their errors, as these: a small one says that
        they are on no line. Nan of two values.
    """

    slope: float
    half_width: float
    coefficient: float
    chance: float

    def at(self, sizes: Array) -> Array:
        """On the line."""
        return np.asarray(self.coefficient * sizes**self.slope)

    def __str__(self) -> str:
        return f"{self.slope:+.3f} +- {self.half_width:.3f}"


@dataclass(frozen=True)
class Expansion:
    """values = first / size + second / size^2.

    Attributes
    ----------
    first, error : float
        The coefficient of 1 / size and its standard error.
    second : float
    chance : float
        As of a `PowerLaw`.
    """

    first: float
    error: float
    second: float
    chance: float


def expansion(sizes: Sequence[float], means: Sequence[Estimate]) -> Expansion:
    """By weighted least squares."""
    values, errors = _arrays(means)
    inverse = 1.0 / np.asarray(sizes, dtype=float)
    scale = float(inverse.max())
    columns = np.column_stack([inverse / scale, (inverse / scale) ** 2]) / errors[:, None]
    found = np.linalg.lstsq(columns, values / errors, rcond=None)[0]
    error = np.sqrt(np.linalg.inv(columns.T @ columns)[0, 0])
    chance = _chance(columns @ found - values / errors)
    return Expansion(
        float(found[0]) / scale, float(error) / scale, float(found[1]) / scale**2, chance
    )


def smoothed(sizes: Sequence[float], means: Sequence[Estimate]) -> list[Estimate]:
    """With errors as if the deviation of a run were smooth in log size: its log a parabola.

    Squares have means and deviations that are small together: with its own error each would draw a
    line to itself that it has missed.
    """
    runs = np.array([mean.runs for mean in means])
    errors = _arrays(means)[1]
    known = errors > 0.0
    if np.count_nonzero(known) < 2:
        return list(means)
    logs, degree = np.log(sizes), 2 if np.count_nonzero(known) > 4 else 1
    deviations = np.log(errors[known] * np.sqrt(runs[known]))
    fit = np.polyfit(logs[known], deviations, degree, w=np.sqrt(runs[known]))
    errors = np.exp(np.polyval(fit, logs)) / np.sqrt(runs)
    return [replace(mean, error=float(e)) for mean, e in zip(means, errors, strict=True)]


def _arrays(means: Sequence[Estimate]) -> tuple[Array, Array]:
    """Values and errors."""
    return np.array([mean.value for mean in means]), np.array([mean.error for mean in means])


def _chance(misfits: Array) -> float:
    """That a fit of two coefficients is worse, misfits in standard errors."""
    freedom = misfits.size - 2
    return float(gammaincc(0.5 * freedom, 0.5 * np.sum(misfits**2))) if freedom > 0 else np.nan


def power_law(sizes: Sequence[float], means: Sequence[Estimate]) -> PowerLaw:
    """Through positive values by weighted least squares, of the values and not their logarithms.

    A logarithm weighs what chance has made small less than what it has made large. Where no value
    is significant there is no line: all numbers are nan.
    """
    values, errors = _arrays(means)
    logs = np.log(sizes)
    middle = logs - float(np.mean(logs))
    known = values > 0.0
    if np.count_nonzero(known) < 2:
        return PowerLaw(np.nan, np.nan, np.nan, np.nan)
    slope, height = np.polyfit(middle[known], np.log(values[known]), 1)
    found, covariance = curve_fit(
        lambda x, height, slope: np.exp(height + slope * x),
        middle,
        values,
        p0=(height, slope),
        sigma=errors,
        absolute_sigma=True,
    )
    height, slope = found
    half_width = float(ndtri(0.5 * (1.0 + CONFIDENCE)) * np.sqrt(covariance[1, 1]))
    chance = _chance((np.exp(height + slope * middle) - values) / errors)
    return PowerLaw(float(slope), half_width, float(np.exp(height - slope * np.mean(logs))), chance)


def controlled(groups: Sequence[tuple[Array, Array]], weights: Sequence[float]) -> list[Array]:
    """Values less combinations of control variates: same means, less noise.

    All groups share the weights of the variates, each fitted about its own means. Those for a fold
    of the runs are fitted to all other folds, so that the means are exactly what they were.

    Parameters
    ----------
    groups : sequence of (values (runs,), variates (runs, variates))
        The variates have mean zero.
    weights : sequence of float
        How much a group counts: the reciprocal of the variance of its values.
    """
    results = [values.astype(np.float64).copy() for values, _ in groups]
    for fold in range(FOLDS):
        rows, heights = [], []
        for (values, variates), weight in zip(groups, weights, strict=True):
            others = np.arange(values.size) % FOLDS != fold
            root = np.sqrt(weight)
            rows.append(root * (variates[others] - variates[others].mean(axis=0)))
            heights.append(root * (values[others] - values[others].mean()))
        best = _ridge(np.concatenate(rows), np.concatenate(heights))
        for result, (values, variates) in zip(results, groups, strict=True):
            chosen = np.arange(values.size) % FOLDS == fold
            result[chosen] -= variates[chosen] @ best
    return results


def _ridge(rows: Array, heights: Array) -> Array:
    """Weights of columns; one that is zero everywhere gets none."""
    scale = np.sqrt(np.mean(rows**2, axis=0))
    usable = scale > 0.0
    scaled = rows[:, usable] / scale[usable]
    normal = scaled.T @ scaled + RIDGE * len(rows) * np.eye(scaled.shape[1])
    best = np.zeros(rows.shape[1])
    best[usable] = np.linalg.solve(normal, scaled.T @ heights) / scale[usable]
    return best
