"""What every representation of a measure is, and what a term of the equation makes of it."""

from __future__ import annotations

from typing import NamedTuple

from meanfield_pde.representations.characteristics import CharacteristicsMeasure
from meanfield_pde.representations.fourier import FourierMeasure
from meanfield_pde.representations.grid import GridMeasure
from meanfield_pde.representations.particles import ParticleMeasure

Gridded = GridMeasure | FourierMeasure
"""Measures on nodes that stay."""

Weighted = Gridded | CharacteristicsMeasure
"""Measures whose masses can be multiplied, and whose rates of change are arrays."""

Measure = Weighted | ParticleMeasure


class Moved(NamedTuple):
    """A measure after a sub-step.

    Attributes
    ----------
    measure : Measure
    mass_drift : float
        Relative change of mass before it was balanced.
    error : float
        The estimated error of the state, of a method that has one.
    dissipated : float or None
        The energy that the terms took, of a method that integrates it along.
    """

    measure: Measure
    mass_drift: float = 0.0
    error: float = 0.0
    dissipated: float | None = None


__all__ = [
    "CharacteristicsMeasure",
    "FourierMeasure",
    "GridMeasure",
    "Gridded",
    "Measure",
    "Moved",
    "ParticleMeasure",
    "Weighted",
]
