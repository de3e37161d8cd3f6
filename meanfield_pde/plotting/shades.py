"""The logarithmic colour scale that all panels of a density share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from meanfield_pde.plotting.style import SEQUENCE, colours

Array = NDArray[np.float64]

DEPTH = 6
"""Powers of ten the scale spans at most."""


@dataclass(frozen=True)
class Shades:
    """Decimal logarithms at the ends of the scale; smaller densities are white.

    Logarithmic, because a broad initial law and the spikes it ends in differ by such powers.

    Attributes
    ----------
    low, high : float
    darkest : float
        How much of the colour map is used; less than 1 leaves dark dots visible.
    """

    low: float
    high: float
    darkest: float = 1.0

    @classmethod
    def of(cls, densities: list[Array], darkest: float = 1.0) -> Shades:
        """A scale with about two powers of ten of the flattest density and all above."""
        peaks = [float(np.nanmax(density)) for density in densities]
        peaks = [peak for peak in peaks if np.isfinite(peak) and peak > 0.0] or [1.0]
        high = float(np.log10(max(peaks)))
        low = float(np.floor(np.log10(min(peaks)) - 1.7))
        return cls(max(low, np.floor(high - DEPTH)), high, darkest)

    def image(self, density: Array) -> NDArray[np.uint8]:
        """RGB of a density, first parameter to the right, second up."""
        logarithm = np.log10(np.maximum(density.T, 10.0 ** (self.low - 1)))
        return colours(self.darkest * (logarithm - self.low) / (self.high - self.low))

    def draw(self, axes: Axes) -> None:
        """The scale itself, labelled on the right."""
        axes.imshow(
            colours(np.linspace(0.0, self.darkest, len(SEQUENCE)))[:, None, :],
            origin="lower",
            extent=(0.0, 1.0, self.low, self.high),
            aspect="auto",
            rasterized=True,
        )
        axes.set_xticks([])
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        powers = range(int(self.low), int(np.floor(self.high)) + 1)
        axes.set_yticks(list(powers), labels=[f"$10^{{{power}}}$" for power in powers])
        axes.set_ylabel(r"density $\mu$ (logarithmic)")
