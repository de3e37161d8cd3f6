"""Transport: gradient descent of the parameters, d_t mu = div(mu M grad V)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.coefficients import (
    Coefficient,
    acceptable,
    corners,
    largest_over,
    require_until,
    text,
    value_at,
)
from meanfield_pde.errors import require, require_type
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.representations.grid import POSITIVITY_LIMIT
from meanfield_pde.representations.measure import Measure, Moved, Weighted

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Transport:
    """d_t mu = div(mu M grad V), M = diag(mobility), one coefficient >= 0 a parameter.

    Without a mobility M is the identity; a mobility of zero freezes a parameter. The energy loses
    int grad V . M grad V dmu per unit time. Source: Rotskoff, Jelassi, Bruna & Vanden-Eijnden
    (2019).
    """

    mobility: tuple[Coefficient, ...] | None = None
    kind: Literal["transport"] = "transport"

    def __post_init__(self) -> None:
        if self.mobility is not None:
            require_type("mobility", self.mobility, (tuple, list), "a number for each parameter")
            positive = len(self.mobility) > 0 and all(map(acceptable, self.mobility))
            expected = "numbers >= 0, or formulas or tables in time, one a parameter"
            require(positive, "mobility", self.mobility, expected)

    def require_until(self, t_end: float) -> None:
        """Raise `InputError` if the mobility is seen to fail before t_end."""
        for entry in self.mobility or ():
            require_until("mobility", entry, t_end)

    def factors(self, parameters: int, time: float) -> tuple[float, ...]:
        """The diagonal of M at a time."""
        if self.mobility is None:
            return (1.0,) * parameters
        return tuple(value_at("mobility", entry, time) for entry in self.mobility)

    def largest_factors(self, parameters: int, time: float, dt: float) -> tuple[float, ...]:
        """The largest entries of M in [time, time + dt]."""
        if self.mobility is None:
            return (1.0,) * parameters
        return tuple(largest_over("mobility", entry, time, dt) for entry in self.mobility)

    def corners(self) -> tuple[float, ...]:
        """Times at which an entry of M has a corner."""
        return tuple(corner for entry in self.mobility or () for corner in corners(entry))

    def flow(self, mu: Measure, landscape: Landscape, time: float, dt: float) -> Moved:
        """mu after dt of this term alone, from `time` on."""
        mobility = partial(self.factors, mu.parameters)
        return Moved(mu.transported(landscape, mobility, time, dt))

    def rate(self, mu: Weighted, field: Field, time: float) -> Array:
        """div(mu M grad V), per cell."""
        return mu.transport_rate(field, self.factors(mu.parameters, time))

    def dissipation(self, field: Field, time: float) -> float:
        """int grad V . M grad V dmu."""
        slopes = field.mean_square_slopes
        return sum(m * s for m, s in zip(self.factors(len(slopes), time), slopes, strict=True))

    def feedback_rate(self, field: Field, time: float, dt: float = 0.0) -> float:
        """A bound on the rate at which this term alone changes f[mu] back towards the target.

        d/dt (f - f*) = - T (f - f*) with T = int grad phi . M grad phi' dmu, whose largest
        eigenvalue is at most its trace, int int grad phi . M grad phi dnu dmu. An Euler step of
        at most 2 / trace does not raise the energy. M is the largest in [time, time + dt].
        """
        _, norms = field.mean_square_norms
        factors = self.largest_factors(len(norms), time, dt)
        return sum(m * s for m, s in zip(factors, norms, strict=True))

    def emptying_rate(self, mu: Weighted, field: Field, time: float, dt: float = 0.0) -> float:
        """The largest part of a cell that this term takes out of it, per unit time."""
        return mu.face_rate(field, self.largest_factors(mu.parameters, time, dt)) / POSITIVITY_LIMIT

    def __str__(self) -> str:
        return "+ div(mu grad V)" if self.mobility is None else "+ div(mu M grad V)"

    def symbols(self) -> str:
        """The values of this term's symbols."""
        return "" if self.mobility is None else f"M = diag({', '.join(map(text, self.mobility))})"
