r"""The minimum of E over measures on the whole space, with a bound on how far it may be.

E is convex in mu, and its minimum over probability, non-negative or signed measures is a convex
problem without a grid. It is solved by the fully corrective Frank-Wolfe method with moving atoms::

    add       the places where V = dE/dmu is lowest on the space
    correct   minimise E over the masses of all atoms                    (convex)
    move      minimise E over masses and places together                 (from there on)

until the duality gap, which bounds E - min E, is below a tolerance. Signed measures are those on
two copies of the space: charges between -1 and 1 with the unit.

Source: Denoyelle, Duval, Peyré & Soubies (2019), "The sliding Frank-Wolfe algorithm and its
application to super-resolution microscopy"; Jaggi (2013) for the gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from meanfield_pde.errors import require
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.energy import (
    AnyEnergy,
    Energy,
    PotentialEnergy,
)
from meanfield_pde.problem.losses import Huber, Logistic, NegativeLogLikelihood, Squared
from meanfield_pde.problem.lowest import Scan, scan
from meanfield_pde.problem.moving_atoms import Atoms, Masses, MovingAtoms
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.problem.penalties import AnyPenalty, ConstantPenalty, WeightDecay
from meanfield_pde.problem.spaces import Axis, Interval, Product
from meanfield_pde.problem.units import Charged

Array = NDArray[np.float64]

Measures = Literal["probability", "nonnegative", "signed"]

LARGEST = 1e6
"""Of a mass or a charge that is given."""

BUDGET = 2.0
"""Of a free mass: the bound holds over measures of this many times the mass found, at least 1."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best measure that was found, and what is known of the best there is.

    Attributes
    ----------
    energy : float
        E of this measure.
    gap : float
        At least E - min E, the minimum over the measures named in `over`.
    points : array (atoms, parameters)
    masses : array (atoms,)
        Of either sign, of signed measures.
    over : "probability", "nonnegative" or "signed"
    mass : float
        The largest total mass of the measures the bound holds for.
    potential : array (atoms,)
        V at the atoms: equal at all of them at an optimum; of signed measures, at sign and place.
    iterations : int
    nodes : tuple of arrays
        Along each parameter, of a grid over the space; of signed measures the signs are the last.
    landscape : array
        V on that grid: at a minimum nowhere less than at the atoms.
    floor : float
        Below which no energy is, whatever the measure: by earlier gaps, or zero for losses that
        are not negative.
    """

    energy: float
    gap: float
    points: Array
    masses: Array
    over: Measures
    mass: float
    potential: Array
    iterations: int
    nodes: tuple[Array, ...] = field(default=(), repr=False)
    landscape: Array = field(default_factory=lambda: np.empty(0), repr=False)
    floor: float = -math.inf

    @property
    def least(self) -> float:
        """No such measure has less energy."""
        return max(self.energy - self.gap, self.floor)


@dataclass(frozen=True)
class _OfBase:
    """A penalty on all parameters but the last."""

    penalty: AnyPenalty
    kind: str = "own"

    def check(self, parameters: tuple[str, ...]) -> None:
        self.penalty.check(parameters[:-1])

    def value(self, theta: Theta, parameters: tuple[str, ...]) -> Array:
        return self.penalty.value(theta[:-1], parameters[:-1])

    def gradient(self, theta: Theta, parameters: tuple[str, ...]) -> Theta:
        inner = self.penalty.gradient(theta[:-1], parameters[:-1])
        return (*inner, np.zeros(theta[0].shape))


def optimum(
    energy: AnyEnergy,
    over: Measures = "probability",
    *,
    charge: float | None = None,
    mass: float | None = None,
    tolerance: float = 1e-10,
    most: int = 60,
) -> Optimum:
    """The minimum of an energy over measures on its space, in up to three parameters.

    Parameters
    ----------
    energy : Energy or PotentialEnergy
    over : "probability", "nonnegative" or "signed"
        Which measures: of mass one, of any mass, or of any sign.
    charge : float, optional
        The largest |c| of charged units, in place of the walls.
    mass : float, optional
        Over non-negative or signed measures the gap bounds E - min E over those of at most this
        total mass; `BUDGET` times the mass found, at least 1, unless given.
    tolerance : float
        Of the gap.
    most : int
        Iterations; what was found by then is returned, with its gap.

    Returns
    -------
    Optimum

    Raises
    ------
    InputError
        If there are too many parameters, or nothing to bound the energy from below.
    """
    kinds = ", ".join(get_args(Measures))
    require(over in get_args(Measures), "over", over, f"one of {kinds}")
    for name, value in (("charge", charge), ("mass", mass)):
        positive = value is None or 0.0 < value <= LARGEST
        require(positive, name, value, f"a positive number, at most {LARGEST:g}")
    require(0.0 <= tolerance < math.inf, "tolerance", tolerance, "a number >= 0")
    if over == "signed":
        return _signed(energy, charge, mass, tolerance, most)
    if isinstance(energy, PotentialEnergy):
        return _of_potential(energy, over, mass)
    whole = scan(energy, charge)
    whole.warn_if_coarse()
    if over == "probability":
        return _minimum(MovingAtoms(energy, whole, 1.0, None), tolerance, most)
    return _nonnegative(energy, whole, mass, tolerance, most)


def _nonnegative(
    energy: Energy, whole: Scan, mass: float | None, tolerance: float, most: int
) -> Optimum:
    """Of a mass that is free, or as large as it may be if the free one is larger."""
    bounded = not isinstance(energy.loss, NegativeLogLikelihood)
    expected = "probability, for a likelihood: its energy falls with the mass for ever"
    require(bounded, "over", "nonnegative", expected)
    free = _minimum(MovingAtoms(energy, whole, None, mass), tolerance, most)
    if mass is None or float(np.sum(free.masses)) <= mass:
        return free
    held = _minimum(MovingAtoms(energy, whole, mass, mass), tolerance, most)
    return replace(held, over="nonnegative")


def _minimum(solver: MovingAtoms, tolerance: float, most: int) -> Optimum:
    """Atoms added, corrected and moved until the gap is small enough."""
    # The same bits for any number of threads; and small matrices are slower in several.
    with threadpool_limits(limits=1, user_api="blas"):
        atoms = solver.first()
        best = _state(solver, atoms, 0)
        for iteration in range(1, most + 1):
            if best.gap <= tolerance:
                break
            atoms = solver.improved(atoms)
            state = _state(solver, atoms, iteration)
            states = [best, state]
            if state.gap > tolerance:
                states.append(_state(solver, solver.sharpened(atoms), iteration))
            floor = max(one.least for one in states)
            best = replace(min(states, key=lambda found: found.gap), floor=floor)
    return best


def best_units(
    energy: Energy,
    units: int,
    charge: float | None = None,
    starts: int = 24,
    seed: int = 0,
) -> list[Optimum]:
    """The least energies that 1, 2, ... units reach, of mass one in all.

    Not convex: each is the best of several starts, the best of one unit fewer with one added where
    V is lowest among them, the others random. It bounds the true one from above.

    Parameters
    ----------
    energy : Energy
    units : int
        The most.
    charge : float, optional
        The largest |c| of charged units, in place of the walls.
    starts, seed : int
        Random ones, for each number of units.

    Returns
    -------
    list of Optimum
        One for each number; the gap is over all measures of mass one.
    """
    require(units >= 1, "units", units, "at least 1")
    require(isinstance(energy, Energy), "energy", energy, "one of units")
    solver = MovingAtoms(energy, scan(energy, charge), 1.0, None)
    lower = np.array([axis.lower for axis in solver.scan.axes])
    lengths = np.array([axis.length for axis in solver.scan.axes])
    generator = np.random.default_rng(seed)
    found: list[Optimum] = []
    atoms: Atoms | None = None
    with threadpool_limits(limits=1, user_api="blas"):
        for count in range(1, units + 1):
            points = [
                lower + lengths * generator.random((count, lengths.size)) for _ in range(starts)
            ]
            if atoms is not None:
                places = solver.scan.lowest(solver.field(atoms))[0][:3]
                points += [np.concatenate([atoms.points, place[None, :]]) for place in places]
            tried = [solver.moved(Atoms(p, np.full(len(p), 1.0 / len(p)))) for p in points]
            atoms = min(tried, key=lambda one: solver.field(one).energy)
            found.append(_state(solver, atoms, 0))
    return found


def _of_potential(energy: PotentialEnergy, over: Measures, mass: float | None) -> Optimum:
    """All mass at the lowest place that the scan finds, which is all that is known of the gap."""
    whole = scan(energy)
    middle = np.array([[0.5 * (axis.lower + axis.upper) for axis in whole.axes]])
    anywhere = energy.on(PointNodes(middle)).at(Masses(np.ones(1)))
    points, values = whole.lowest(anywhere)
    lowest = float(values[0])
    landscape = anywhere.potential_in(whole.landscape).reshape(whole.shape)
    if over == "nonnegative":
        expected = "a potential that is nowhere negative, or a largest mass"
        require(lowest >= 0.0 or mass is not None, "over", over, expected)
        most = 0.0 if lowest >= 0.0 or mass is None else mass
        held, there = np.full(1, most), (whole.nodes, landscape)
        largest = math.inf if mass is None else mass
        return Optimum(most * lowest, 0.0, points[:1], held, over, largest, values[:1], 0, *there)
    return Optimum(
        lowest, 0.0, points[:1], np.ones(1), over, 1.0, values[:1], 0, whole.nodes, landscape
    )


def _signed(
    energy: AnyEnergy, charge: float | None, mass: float | None, tolerance: float, most: int
) -> Optimum:
    """Non-negative measures of charges between -1 and 1: at an optimum they are at the ends."""
    expected = "probability or nonnegative, for a potential"
    require(isinstance(energy, Energy), "over", "signed", expected)
    assert isinstance(energy, Energy)
    charged = isinstance(energy.unit, Charged)
    require(not charged, "over", "signed", "the others, for units that are charged already")
    require(charge is None, "charge", charge, "none, for units without charges c")
    paid = not (isinstance(energy.penalty, ConstantPenalty) and energy.penalty.price < 0.0)
    require(paid, "penalty", str(energy.penalty), "a price >= 0, for signed measures")
    extended: Any = None if energy.penalty is None else _OfBase(energy.penalty)
    base: Any = energy.unit
    space: Any = energy.space
    factors = space.factors if isinstance(space, Product) else (space,)
    both = replace(
        energy,
        unit=Charged(base),
        space=Product((*factors, Interval(-1.0, 1.0))),
        penalty=extended,
    )
    whole = scan(both, linear=True)
    whole.warn_if_coarse()
    found = _nonnegative(both, whole, mass, tolerance, most)
    return replace(
        found,
        points=found.points[:, :-1],
        masses=found.masses * found.points[:, -1],
        over="signed",
    )


def _state(solver: MovingAtoms, atoms: Atoms, iterations: int) -> Optimum:
    """With the gap: the mean of V less its minimum on the space."""
    here = solver.field(atoms)
    lowest = min(float(solver.scan.lowest(here)[1][0]), float(np.min(here.potential)))
    if solver.total is not None and solver.mass is None:
        budget, gap = solver.total, here.integral - solver.total * lowest
    else:
        budget = max(BUDGET * here.mass, 1.0) if solver.mass is None else solver.mass
        gap = here.integral - budget * min(lowest, 0.0)
    return Optimum(
        energy=here.energy,
        gap=max(gap, 0.0),
        points=_inside(atoms.points, solver.scan.axes),
        masses=atoms.masses,
        over="probability" if solver.mass is None and solver.balanced else "nonnegative",
        mass=budget,
        potential=here.potential,
        iterations=iterations,
        nodes=solver.scan.nodes,
        landscape=here.potential_in(solver.scan.landscape).reshape(solver.scan.shape),
        floor=_floor(solver.energy),
    )


def _inside(points: Array, axes: tuple[Axis, ...]) -> Array:
    """Angles brought back into the range of their circles."""
    columns = [
        axis.lower + np.mod(column - axis.lower, axis.length) if axis.periodic else column
        for axis, column in zip(axes, points.T, strict=True)
    ]
    return np.stack(columns, axis=1)


def _floor(energy: Energy) -> float:
    """Of E, where it is known."""
    known = isinstance(energy.loss, Squared | Huber | Logistic)
    priced = energy.penalty is None or isinstance(energy.penalty, WeightDecay | ConstantPenalty)
    negative = isinstance(energy.penalty, ConstantPenalty) and energy.penalty.price < 0.0
    return 0.0 if known and priced and not negative else -math.inf
