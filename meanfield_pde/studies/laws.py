"""Laws of decay: the limits of t E, and of t^2 E with transport, extrapolated from long runs.

Without transport, from a density that is positive around the minimisers,

    fixed V, one minimum          alpha t (E - E*) -> sum over parameters of 1 / (order of V there)
    interacting, E* = 0, atoms    alpha t E        -> parameters / 8
    with transport, one unit      8 K''''(0) t^2 E -> 1

The second asks that phi at the atoms, with its first and second derivatives, be linearly
independent in L2(nu); the third that the mass left elsewhere decay faster than 1/t: on a circle it
sits opposite the atom and decays like t^-q,

    q = (alpha (K''(pi) - K''(0)) + max(-K''''(pi), 0)) / (2 K''''(0)),

by death and by leaving its maximum of V, so that alpha must exceed the threshold where q = 1.

Where nothing moves, the density stays in an exponential family, and the equation is an ordinary one
with as many unknowns as data points:

    rho_t = rho_0 exp(- phi . g) / Z,        dg / dt = alpha w (f[rho_t] - f*).

It is stiff but small, and reaches times a thousand times those of a run along characteristics,
which it is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meanfield_pde.studies.law_problems import (
    ONE_UNIT,
    OTHERS,
    ROOTS,
    SPIKES,
    WELLS,
    Curve,
    Spikes,
    Terms,
    Well,
)
from meanfield_pde.studies.tables import table

WINDOWS = (10.0, 30.0, 100.0)
"""Limits are fitted from each of these parts of the last time on."""


@dataclass(frozen=True)
class Limit:
    """An extrapolated value, and how far it may be off."""

    value: float
    bar: float

    def __str__(self) -> str:
        return f"{self.value:.5f} +- {self.bar:.0e}"


def extrapolated(curve: Curve, terms: Terms, against: Sequence[Curve] = ()) -> Limit:
    """The constant c of values = c + sum_k a_k terms[k](times), by least squares.

    The value is that of the shortest window. The bar is how far the longer windows differ, and the
    shortest one of the same curve computed less accurately: an estimate, no bound.
    """
    fits = [_constant(curve, terms, part) for part in WINDOWS]
    others = [_constant(other, terms, WINDOWS[0]) for other in against]
    return Limit(fits[0], max(abs(fit - fits[0]) for fit in (*fits[1:], *others)))


def _constant(curve: Curve, terms: Terms, part: float) -> float:
    late = curve.times >= curve.times[-1] / part * (1.0 - 1e-9)
    times = curve.times[late]
    columns = np.stack([np.ones_like(times), *(term(times) for term in terms)], axis=1)
    scale = np.max(np.abs(columns), axis=0)
    fit = np.linalg.lstsq(columns / scale, curve.values[late], rcond=None)[0]
    return float(fit[0] / scale[0])


def _wells(wells: Sequence[Well], shorter: float) -> list[list[str]]:
    rows = []
    for well in wells:
        last = 1e4 / shorter
        curve, coarse = well.run(last), well.run(last, coarser=1)
        limit = extrapolated(curve, well.terms, [coarse])
        rows.append(
            [well.name, f"{last:.0e}", f"{curve.values[-1]:.5f}", str(limit), f"{well.limit:.5f}"]
        )
    return rows


def _spikes(spikes: Spikes, shorter: float) -> list[str]:
    last = spikes.last / shorter
    curve = spikes.family(last)
    run = spikes.run(min(1e3 if len(spikes.energy.parameters) == 1 else 1e2, last))
    row = [
        spikes.name,
        f"{spikes.independence():.0e}",
        f"{run.times[-1]:.0e}",
        f"{curve.difference(run):.0e}",
        f"{last:.0e}",
    ]
    if spikes in OTHERS:
        return [*row, f"{curve.values[-1]:.1e}", "none", "none"]
    limit = extrapolated(curve, ROOTS, [spikes.family(last, coarser=1, tolerance=1e-7)])
    return [*row, f"{curve.values[-1]:.5f}", str(limit), f"{spikes.limit:.5f}"]


def _one_unit(shorter: float) -> list[list[str]]:
    rows = []
    for unit in ONE_UNIT:
        last = unit.last / shorter
        curve, coarse = unit.run(128, last, 1e-9), unit.run(96, last, 1e-8)
        above = unit.exponent > 1.0
        rows.append(
            [
                unit.name,
                f"{unit.alpha:g}",
                f"{unit.threshold:.3f}",
                f"{unit.exponent:.3f}",
                f"{last:.0e}",
                f"{curve.values[-1]:.5f}",
                str(extrapolated(curve, unit.terms, [coarse])),
                "1.00000" if above else "none",
            ]
        )
    return rows


def main(quick: bool = False) -> None:
    """Print the tables; if quick, of shorter runs and without those in the plane."""
    shorter = 10.0 if quick else 1.0
    wells = [well for well in WELLS if not quick or len(well.at) == 1]
    spikes = [one for one in (*SPIKES, *OTHERS) if not quick or one.atoms.shape[1] == 1]
    header = ["potential", "last t", "t (E - E*)", "limit", "law"]
    print(table("Fixed potentials, birth and death alone", header, _wells(wells, shorter)))
    header = ["units", "independence", "run to", "difference", "last t", "t E", "limit", "law"]
    rows = [_spikes(one, shorter) for one in spikes]
    print(table("Interacting units, birth and death alone", header, rows))
    header = ["unit", "alpha", "threshold", "q", "last t", "8 K4 t^2 E", "limit", "law"]
    rows = _one_unit(shorter)
    print(table("One unit on the circle, transport with birth and death", header, rows))
