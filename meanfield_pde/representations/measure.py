"""What every representation of a measure is, and what a term of the equation makes of it."""

from __future__ import annotations

from typing import NamedTuple

from meanfield_pde.representations.grid import GridMeasure
from meanfield_pde.representations.particles import ParticleMeasure

Measure = GridMeasure | ParticleMeasure


class Moved(NamedTuple):
    """A measure after a sub-step, and the relative change of mass before it was balanced."""

    measure: Measure
    mass_drift: float = 0.0


__all__ = ["GridMeasure", "Measure", "Moved", "ParticleMeasure"]
