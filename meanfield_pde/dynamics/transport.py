"""Transport: gradient descent of the parameters, d_t mu = div(mu M grad V)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import require
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.representations.measure import GridMeasure, Measure, Moved

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Transport:
    """d_t mu = div(mu M grad V), M = diag(mobility), one number >= 0 a parameter.

    Without a mobility M is the identity. The energy loses int grad V . M grad V dmu per unit
    time. Source: Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019).
    """

    mobility: tuple[float, ...] | None = None
    kind: Literal["transport"] = "transport"

    def __post_init__(self) -> None:
        if self.mobility is not None:
            positive = len(self.mobility) > 0 and all(m >= 0 for m in self.mobility)
            require(positive, "mobility", self.mobility, "numbers >= 0, one a parameter")

    def factors(self, parameters: int) -> tuple[float, ...]:
        """The diagonal of M."""
        return (1.0,) * parameters if self.mobility is None else self.mobility

    def flow(self, mu: Measure, landscape: Landscape, dt: float) -> Moved:
        """mu after dt of this term alone."""
        return Moved(mu.transported(landscape, self.factors(mu.parameters), dt))

    def rate(self, mu: GridMeasure, field: Field) -> Array:
        """div(mu M grad V), per cell."""
        return mu.transport_rate(field, self.factors(mu.parameters))

    def dissipation(self, field: Field) -> float:
        """int grad V . M grad V dmu."""
        _, slopes = field.mean_squares
        return sum(m * s for m, s in zip(self.factors(len(slopes)), slopes, strict=True))

    def feedback_rate(self, field: Field) -> float:
        """A bound on the rate at which this term alone changes f[mu] back towards the target.

        d/dt (f - f*) = - T (f - f*) with T = int grad phi . M grad phi' dmu, whose largest
        eigenvalue is at most its trace, int int grad phi . M grad phi dnu dmu. An Euler step of
        at most 2 / trace does not raise the energy.
        """
        _, norms = field.mean_square_norms
        return sum(m * s for m, s in zip(self.factors(len(norms)), norms, strict=True))

    def __str__(self) -> str:
        return "+ div(mu grad V)" if self.mobility is None else "+ div(mu M grad V)"

    def symbols(self) -> str:
        """The values of this term's symbols."""
        return "" if self.mobility is None else f"M = diag{self.mobility}"
