"""Targets f*(x): what the network should learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from meanfield_pde.errors import require
from meanfield_pde.problem.units import Charged, Gaussian, Unit

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Teacher:
    """f*(x) = sum_k masses[k] psi(x, centres[k]), psi the unit itself, or what it charges."""

    centres: tuple[float, ...]
    masses: tuple[float, ...]
    kind: Literal["teacher"] = "teacher"

    def __post_init__(self) -> None:
        same = len(self.centres) == len(self.masses)
        require(same, "masses", self.masses, f"{len(self.centres)} numbers, one a centre")

    def value(self, x: Array, unit: Unit) -> Array:
        """f*, shape (inputs,)."""
        base = unit.base if isinstance(unit, Charged) else unit
        return base.value(x, np.array(self.centres, dtype=float)) @ np.array(self.masses)


@dataclass(frozen=True)
class Mixture:
    """f*(x) = sum_k weights[k] N(x; means[k], variances[k]), N of unit mass; any signs."""

    weights: tuple[float, ...]
    means: tuple[float, ...]
    variances: tuple[float, ...]
    kind: Literal["mixture"] = "mixture"

    def __post_init__(self) -> None:
        count = len(self.weights)
        require(len(self.means) == count, "means", self.means, f"{count} numbers, one a weight")
        require(
            len(self.variances) == count and all(v > 0 for v in self.variances),
            "variances",
            self.variances,
            f"{count} positive numbers, one a weight",
        )

    def value(self, x: Array, unit: Unit) -> Array:
        """f*, shape (inputs,); the unit plays no part."""
        parts = zip(self.weights, self.means, self.variances, strict=True)
        return np.sum(
            [w * Gaussian(v).value(x, np.array([m]))[:, 0] for w, m, v in parts], axis=0
        ) + np.zeros_like(x)


Target = Annotated[Teacher | Mixture, Discriminator("kind")]
