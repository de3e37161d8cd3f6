"""The waves of a Fourier series on circles, and the nodes at which products are taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.nodes import GridNodes
from meanfield_pde.problem.spaces import Axis

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Counts = tuple[int, ...]


@dataclass(frozen=True)
class Waves:
    """exp(2 pi i k . (theta - lower) / length), |k_j| < modes[j] / 2, in one or two parameters.

    Coefficients of a real function are held for k_j >= 0 along the last axis, those of the other
    half being their conjugates, and in the order 0, 1, ..., -2, -1 along the one before it. The
    wave k_j = modes[j] / 2, whose sine is zero at as many points as there are modes, is left out.

    Attributes
    ----------
    axes : tuple of Axis
        All periodic.
    modes : tuple of int
    """

    axes: tuple[Axis, ...]
    modes: Counts

    @cached_property
    def nodes(self) -> tuple[Array, ...]:
        """Along each axis: half as many again as modes, for products without aliasing.

        A product of two series has waves up to twice the highest, K. At more than 3 K nodes those
        of them beyond K are taken for waves that are beyond K as well, and cut off (Orszag 1971).
        """
        return tuple(
            axis.lower + axis.length * np.arange(count) / count
            for axis, count in zip(self.axes, self._padded, strict=True)
        )

    @cached_property
    def coordinates(self) -> tuple[Array, ...]:
        """Of the nodes, one array a parameter."""
        return GridNodes(self.nodes).coordinates()

    @cached_property
    def _padded(self) -> Counts:
        return tuple(-(-3 * n // 2) for n in self.modes)

    @cached_property
    def centres(self) -> tuple[Array, ...]:
        """As many equispaced points as modes along each axis, in the middle of as many cells."""
        return tuple(
            axis.lower + axis.length * (np.arange(n) + 0.5) / n
            for axis, n in zip(self.axes, self.modes, strict=True)
        )

    @cached_property
    def volume(self) -> float:
        """Of the space."""
        return math.prod(axis.length for axis in self.axes)

    @cached_property
    def weight(self) -> float:
        """Volume a node."""
        return self.volume / math.prod(self._padded)

    @cached_property
    def numbers(self) -> tuple[NDArray[np.intp], ...]:
        """k along each axis of the coefficients."""
        highest = [(n - 1) // 2 for n in self.modes]
        both = [np.concatenate([np.arange(k + 1), np.arange(-k, 0)]) for k in highest[:-1]]
        return (*both, np.arange(highest[-1] + 1))

    @cached_property
    def highest(self) -> tuple[float, ...]:
        """2 pi k / length of the highest wave along each axis."""
        return tuple(
            2.0 * math.pi * int(k.max()) / axis.length
            for k, axis in zip(self.numbers, self.axes, strict=True)
        )

    @property
    def shape(self) -> Counts:
        """Of an array of coefficients."""
        return tuple(k.size for k in self.numbers)

    @cached_property
    def derivatives(self) -> tuple[NDArray[np.complexfloating], ...]:
        """What differentiation in each parameter multiplies coefficients by."""
        each = np.meshgrid(*self.numbers, indexing="ij", sparse=True)
        scales = [2.0 * math.pi / axis.length for axis in self.axes]
        return tuple(1j * (scale * k) for k, scale in zip(each, scales, strict=True))

    @cached_property
    def _half_a_cell(self) -> Complex:
        each = np.meshgrid(*self.numbers, indexing="ij", sparse=True)
        return np.exp(1j * math.pi * sum(k / n for k, n in zip(each, self.modes, strict=True)))

    def values(self, coefficients: Complex) -> Array:
        """A series at the nodes."""
        return self._sampled(coefficients, self._padded)

    def at_centres(self, coefficients: Complex) -> Array:
        """A series at the centres."""
        return self._sampled(coefficients * self._half_a_cell, self.modes)

    def _sampled(self, coefficients: Complex, counts: Counts) -> Array:
        if len(counts) == 2:
            spread = np.zeros((counts[0], coefficients.shape[1]), dtype=np.complex128)
            spread[self.numbers[0] % counts[0]] = coefficients
            coefficients = np.fft.ifft(spread, axis=0, norm="forward")
        return np.fft.irfft(coefficients, counts[-1], norm="forward")

    def coefficients(self, values: Array) -> Complex:
        """Of a function at the nodes, cut off beyond the highest waves."""
        result = np.fft.rfft(values, norm="forward")[..., : self.numbers[-1].size]
        if len(self.modes) == 2:
            spread = np.fft.fft(result, axis=0, norm="forward")
            result = spread[self.numbers[0] % self._padded[0]]
        return result

    def tail(self, coefficients: Complex) -> float:
        """The largest coefficient among the upper quarter of the waves, relative to the largest.

        The larger of those of both axes; a quarter is two waves at least.
        """
        sizes = np.abs(coefficients)
        largest = float(sizes.max())
        if largest == 0.0:
            return 0.0
        ends = [
            float(np.compress(_upper(k), sizes, axis=j).max()) for j, k in enumerate(self.numbers)
        ]
        return max(ends) / largest


def _upper(numbers: NDArray[np.intp]) -> NDArray[np.bool_]:
    highest = int(numbers.max())
    return np.abs(numbers) >= min(3 * highest // 4 + 1, highest - 1)
