r"""How far E may be from its minimum: the duality gap, from V alone.

E is convex, so E[nu] >= E[mu] + int V d(nu - mu) for every measure nu on the space, and

    fixed mass      E[mu] - min E <= int V dmu - mass min_D V
    free mass       E[mu] - min E <= int V dmu - most min(min_D V, 0)     over masses up to `most`

Charged units, c psi(x, y), have V = c v(y): the minimum over |c| <= C is - C max |v|, and over all
c there is none. A gap that nothing bounds is infinite.

Source: Jaggi (2013), "Revisiting Frank-Wolfe"; Chizat & Bach (2018) for measures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.energy import AnyEnergy, Energy
from meanfield_pde.problem.landscape import Field
from meanfield_pde.problem.lowest import SPACINGS, Scan, scan
from meanfield_pde.problem.penalties import ConstantPenalty
from meanfield_pde.problem.units import Charged

LARGEST = 1e6
"""Of a budget: nothing larger can be told from rounding."""


@dataclass(frozen=True)
class Certificate:
    """[certificate]: the measures over which the recorded gap bounds E - min E.

    Parameters
    ----------
    charge : float or "unbounded", optional
        The largest |c| of charged units; the walls of c unless given.
    mass : float, optional
        The largest mass where it is free; without one the gap is infinite wherever V < 0.
    """

    charge: float | Literal["unbounded"] | None = None
    mass: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("charge", self.charge), ("mass", self.mass)):
            if value is not None and value != "unbounded":
                positive = isinstance(value, int | float) and 0.0 < value <= LARGEST
                require(positive, name, value, f"a positive number, at most {LARGEST:g}")

    def check(self, energy: AnyEnergy, free: bool) -> None:
        """Raise `InputError` if it does not fit an energy, or a mass that is or is not free."""
        charged = isinstance(energy, Energy) and isinstance(energy.unit, Charged)
        expected = "none, for units without charges c"
        require(charged or self.charge is None, "charge", self.charge, expected)
        expected = "none, for a mass that is not free"
        require(free or self.mass is None, "mass", self.mass, expected)
        penalty = energy.penalty if isinstance(energy, Energy) else None
        known = penalty is None or isinstance(penalty, ConstantPenalty)
        expected = "a number, for a penalty that may grow in c"
        require(known or self.charge != "unbounded", "charge", self.charge, expected)

    def bound(self, energy: AnyEnergy, free: bool) -> Bound | None:
        """What computes the gap; None in more parameters than can be scanned.

        Parameters
        ----------
        energy : Energy or PotentialEnergy
        free : bool
            Whether the mass is free.
        """
        self.check(energy, free)
        if len(energy.space.axes) > len(SPACINGS):
            return None
        most = (math.inf if self.mass is None else self.mass) if free else None
        if self.charge != "unbounded":
            whole = scan(energy, self.charge)
            whole.warn_if_coarse()
            return Bound(whole, most, False)
        assert isinstance(energy, Energy)
        # Of V = c v(y) + price, v is what counts.
        return Bound(scan(replace(energy, penalty=None), 1.0), most, True)

    def words(self, energy: AnyEnergy, free: bool) -> str:
        """Over which measures."""
        if len(energy.space.axes) > len(SPACINGS):
            return "(not computed in more than three parameters)"
        parts = ["over measures on the space"]
        if isinstance(energy, Energy) and isinstance(energy.unit, Charged):
            wall = energy.space.axes[-1]
            largest = max(abs(wall.lower), abs(wall.upper)) if self.charge is None else self.charge
            all_charges = largest == "unbounded"
            parts.append("of all c" if all_charges else f"of |c| <= {largest:g}")
        if free:
            parts.append("of any mass" if self.mass is None else f"of mass <= {self.mass:g}")
        return ", ".join(parts)


@dataclass(frozen=True, eq=False)
class Bound:
    """The gap of any measure.

    Attributes
    ----------
    scan : Scan
    most : float or None
        The largest mass; None where it is fixed.
    unbounded : bool
        Whether charges are.
    """

    scan: Scan
    most: float | None
    unbounded: bool

    def gap(self, field: Field) -> float:
        """At least E - min E; infinite also where V is not finite on the whole space."""
        try:
            with np.errstate(all="ignore"):
                least = float(self.scan.lowest(field, 1)[1][0])
        except InputError:
            return math.inf
        if not math.isfinite(least) or (self.unbounded and least < 0.0):
            return math.inf
        lowest = min(least, float(np.min(field.potential)))
        if self.most is None:
            return max(field.integral - field.mass * lowest, 0.0)
        if lowest >= 0.0:
            return max(field.integral, 0.0)
        return max(field.integral - self.most * lowest, 0.0)
