"""Times to reach E = 1e-3, over the width of the initial law, alpha and the mobility of charges.

Spikes on the circle (von Mises units of concentration 8, masses 0.5, 0.2, 0.3 at 1, 2.5, 4.5) from
a von Mises law about 1.7 of deviation `width`, by gradient descent, with birth and death (both
along characteristics) and with rebirth from the uniform law (on a grid). Then the mixture of
Rotskoff et al. (2019), Run A, with alpha and the mobility of the charges varied; that of y is one.

    d_t mu = b div(mu M grad V) - alpha (V - Vbar) mu

is after t what b = 1 and alpha / b give after b t: mobilities of both need no map of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import Balance, BirthDeath, Mean, Reinjection
from meanfield_pde.dynamics.equation import AnyTerm, Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.one_parameter_laws import CircularNormal, Uniform
from meanfield_pde.problem.spaces import Circle
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import VonMises
from meanfield_pde.representations.characteristics import Characteristics
from meanfield_pde.representations.grid import FiniteVolumes
from meanfield_pde.representations.measure import Measure
from meanfield_pde.studies import paper
from meanfield_pde.studies.theory.descent import descend
from meanfield_pde.studies.workers import all_answers
from meanfield_pde.timestepping.step_size import Controlled

Array = NDArray[np.float64]

LEVEL = 1e-3
"""Of E."""

LONGEST = 300.0
"""No run takes longer."""

CIRCLE = Energy(
    VonMises(8.0), Teacher((1.0, 2.5, 4.5), (0.5, 0.2, 0.3)), UniformCircle(40), Circle()
)
MIDDLE = 1.7
"""Of the initial law on the circle."""


@dataclass(frozen=True)
class Place:
    """One run of a map.

    Parameters
    ----------
    alpha : float
        Zero for gradient descent.
    width : float
        Of the initial law on the circle; zero for Run A.
    mobility : float
        Of the charges, in Run A.
    reborn : bool
        From the uniform law, on the circle.
    fine : bool
    """

    alpha: float
    width: float = 0.0
    mobility: float = 1.0
    reborn: bool = False
    fine: bool = False


@dataclass(frozen=True, eq=False)
class Map:
    """Times to `LEVEL`.

    Attributes
    ----------
    across : array (columns,)
        Widths or mobilities.
    alphas : array (rows,)
    descent : array (columns,)
        By gradient descent; infinite where it takes more than `LONGEST`.
    times : array (rows, columns)
    bars : (float, float)
        What finer runs change of the largest and of the smallest ratio.
    """

    across: Array
    alphas: Array
    descent: Array
    times: Array
    bars: tuple[float, float] = (0.0, 0.0)

    @property
    def ratio(self) -> Array:
        """How much faster; a lower bound where gradient descent does not get there."""
        return np.minimum(self.descent, LONGEST) / self.times


def reached(place: Place) -> float:
    """When E falls below `LEVEL`."""
    run = _on_circle if place.width else _in_plane
    return run(place)


def _terms(place: Place, transport: Transport, balance: Balance) -> list[AnyTerm]:
    return [BirthDeath(place.alpha, balance), transport] if place.alpha else [transport]


def _on_circle(place: Place) -> float:
    law = CircularNormal(MIDDLE, place.width**-2)
    balance: Balance = Reinjection(Uniform()) if place.reborn else Mean()
    equation = Equation(CIRCLE, _terms(place, Transport(), balance))
    cells, nodes = (384, 160) if place.fine else (192, 96)
    method: FiniteVolumes | Characteristics = (
        FiniteVolumes(cells)
        if place.reborn
        else Characteristics(nodes, redistribute=1e-6 if place.fine else 1e-4, picture=0)
    )
    tolerance = 1e-6 if place.reborn else 1e-9 if place.fine else 1e-7
    start = method.project(law, CIRCLE.space)
    return _when(equation, start, tolerance)


def _in_plane(place: Place) -> float:
    energy = paper.energy(charge_range=400.0, location_range=40.0, points=61)
    equation = Equation(energy, _terms(place, Transport((1.0, place.mobility)), Mean()))
    nodes, redistribute = ((24, 32), 1e-5) if place.fine else ((16, 24), 1e-4)
    method = Characteristics(nodes, redistribute=redistribute, picture=0)
    start = method.project(paper.FULL_SUPPORT, energy.space)
    return _when(equation, start, 1e-8 if place.fine else 1e-6)


def _when(equation: Equation, start: Measure, tolerance: float) -> float:
    run = descend(equation, start, LONGEST, Controlled(tolerance), below=LEVEL, per_decade=8)
    return run.first_below(LEVEL)


def measured(
    places: Callable[[float, float], Place],
    across: Array,
    alphas: Array,
    tell: Callable[[str], None],
    descent: Array | None = None,
) -> Map:
    """A map whose runs are places(across, alpha); alpha = 0 is gradient descent, unless known."""
    first = [] if descent is not None else [0.0]
    flat = [places(x, alpha) for alpha in [*first, *alphas.tolist()] for x in across.tolist()]
    # Gradient descent from narrow laws takes longest, and goes first.
    times = np.array(all_answers(reached, flat, lambda time: tell("speed-up")))
    if descent is None:
        descent, times = times[: across.size], times[across.size :]
    coarse = Map(across, alphas, descent, times.reshape(-1, across.size))
    ratio = coarse.ratio

    def change(index: int) -> float:
        row, column = np.unravel_index(index, ratio.shape)
        slow, fast = (
            reached(replace(places(float(across[column]), alpha), fine=True))
            for alpha in (0.0, float(alphas[row]))
        )
        return float(abs(min(slow, LONGEST) / fast - ratio[row, column]))

    return replace(coarse, bars=(change(int(ratio.argmax())), change(int(ratio.argmin()))))


def circle(size: int, tell: Callable[[str], None]) -> tuple[Map, Map]:
    """Over widths and alpha, by birth and death, and also with rebirth."""

    def place(width: float, alpha: float) -> Place:
        return Place(alpha, width=width)

    def reborn(width: float, alpha: float) -> Place:
        return Place(alpha, width=width, reborn=alpha > 0.0)

    widths, alphas = np.geomspace(0.1, 1.6, size), np.geomspace(0.1, 100.0, size)
    first = measured(place, widths, alphas, tell)
    return first, measured(reborn, widths, alphas, tell, first.descent)


def plane(size: int, tell: Callable[[str], None]) -> Map:
    """Over the mobility of charges and alpha."""

    def place(mobility: float, alpha: float) -> Place:
        return Place(alpha, mobility=mobility)

    mobilities, alphas = np.geomspace(0.03, 10.0, size), np.geomspace(0.1, 100.0, size)
    return measured(place, mobilities, alphas, tell)


def never(found: Map) -> int:
    """In how many columns gradient descent does not get there."""
    return int(np.sum(np.isinf(found.descent)))
