"""Characteristics: quadrature nodes that move, with the logarithms of their masses.

The equation has an exact Lagrangian form,

    d theta / dt = - M grad V,        d log w / dt = - alpha (V - Vbar),

so that mu at any time is the initial quadrature carried along, and every integral over mu is one of
a smooth function of the initial parameter xi. Weights are kept as logarithms: one of e^-5000 that
birth and death may still amplify is as exact as any other. The density at a node is its mass over
the volume it stands for,

    log rho(theta(xi)) = log w - log (weight of the rule) - log |det d theta / d xi|,

with the map theta(xi) differentiated between the nodes (`rules`). Where the map stretches so far
that the nodes no longer resolve what is integrated, they are redistributed: panels are halved and
positions and log-weights interpolated. Neurons reborn from a law are new nodes, thinned when there
are many (`thinning`).

Source: the characteristic form of Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019), section 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import NumericalFailure, require
from meanfield_pde.kernels.reductions import total
from meanfield_pde.problem.energy import AnyEnergy
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.problem.laws import AnyLaw
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.problem.spaces import Axis, Space
from meanfield_pde.representations.flow_map import FlowMap
from meanfield_pde.representations.following import FollowingLandscape, folded
from meanfield_pde.representations.initial_nodes import (
    RuleName,
    initial_nodes,
    log_sum,
)
from meanfield_pde.representations.moments import on_walls, point_moments
from meanfield_pde.representations.rules import LONGEST_PANEL, PANEL, Rule
from meanfield_pde.representations.runge_kutta import SSP3, Mobility
from meanfield_pde.representations.sizes import checked, one_each
from meanfield_pde.representations.thinning import thinned

Array = NDArray[np.float64]
Axes = tuple[Axis, ...]

PICTURE_CELLS = {1: 512, 2: 128, 3: 0}
"""Cells along each of so many parameters of the grid on which snapshots hold the density."""

MOST_GROWTH = 64
"""Largest number of nodes after redistribution, over that at the start of a law that is no mixture.

A unit with a corner is resolved by no number of panels.
"""

MOST_NODES = 1 << 17
"""Largest number of nodes after redistribution, unless there were more at the start."""

MOST_CHANGE = 1e-2
"""Largest logarithm of the mass lost or gained by a redistribution.

Above it nodes were too few to interpolate log-masses between them, and stay where they are.
"""

MOST_LOOSE = 8192
"""Nodes born since the start that are kept before they are thinned."""

CUT_DENSITY = 1e-2
"""Largest density at the outermost nodes of a law that goes on beyond them, over its mean."""

LARGEST_SHARE = 0.75
"""Of a law on one node: with more there are too few nodes for it."""

FINER = 1.25
"""Times the nodes, or times the reach, of the next finer method."""


@dataclass(frozen=True, eq=False)
class CharacteristicsMeasure:
    """sum_i exp(log_masses[i]) delta_{points[i]}.

    Attributes
    ----------
    axes : tuple of Axis
    rules : tuple of tuples of Rule
        The tensor products of rules that the nodes began as, one after the other.
    points : array (nodes, parameters)
        On a circle they are not brought back between its ends.
    log_masses : array (nodes,)
    method : Characteristics
    """

    axes: Axes
    rules: tuple[tuple[Rule, ...], ...]
    points: Array
    log_masses: Array
    method: Characteristics

    representation: ClassVar[str] = "characteristics"
    smallest: ClassVar[float] = 0.0
    weight: ClassVar[float] = 1.0

    @cached_property
    def values(self) -> Array:
        """The masses of the nodes."""
        return np.exp(self.log_masses)

    @property
    def coordinates(self) -> tuple[Array, ...]:
        """Where `values` are, one array a parameter."""
        return PointNodes(folded(self.points, self.axes)).coordinates()

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return len(self.axes)

    @cached_property
    def mass(self) -> float:
        """Total mass."""
        return float(total(self.values))

    def landscape(self, energy: AnyEnergy) -> Landscape:
        """An energy seen from wherever the nodes are."""
        return FollowingLandscape(energy)

    @cached_property
    def state(self) -> Array:
        """Positions and log-masses, (nodes, parameters + 1)."""
        return np.column_stack([self.points, self.log_masses])

    def with_state(self, state: Array) -> CharacteristicsMeasure:
        """The same nodes elsewhere, stopped by walls."""
        return replace(self, points=self._stopped(state[:, :-1]), log_masses=state[:, -1])

    def _stopped(self, points: Array) -> Array:
        columns = [
            column if axis.periodic else np.clip(column, axis.lower, axis.upper)
            for column, axis in zip(points.T, self.axes, strict=True)
        ]
        return np.column_stack(columns)

    def error(self, change: Array, end: Array) -> float:
        """The size of an error of the state at the end of a step.

        The largest, relative to max(1, |y|) of each entry; how far beyond a wall a node would have
        gone does not count.
        """
        errors = np.abs(change) / np.maximum(1.0, np.abs(self.state))
        for k, axis in enumerate(self.axes):
            if not axis.periodic:
                beyond = (end[:, k] <= axis.lower) | (end[:, k] >= axis.upper)
                errors[:, k] = np.where(beyond, 0.0, errors[:, k])
        with np.errstate(invalid="ignore"):
            largest = float(np.max(errors))
        return largest if math.isfinite(largest) else math.inf

    def transport_rate(self, field: Field, mobility: tuple[float, ...]) -> Array:
        """How fast the state changes: velocities - M grad V; walls stop nodes (`with_state`)."""
        rate = np.zeros((self.points.shape[0], self.parameters + 1))
        for k in range(self.parameters):
            rate[:, k] = -mobility[k] * field.gradient[k]
        return rate

    def multiplied(self, factor: Array) -> Array:
        """How fast the state changes under d_t mu = factor mu."""
        rate = np.zeros((self.points.shape[0], self.parameters + 1))
        rate[:, -1] = factor
        return rate

    def transported(
        self, landscape: Landscape, mobility: Mobility, time: float, dt: float
    ) -> CharacteristicsMeasure:
        """The flow of d theta / dt = - M grad V over dt: SSP3."""

        def euler(points: Array, moment: float, length: float) -> Array:
            at = replace(self, points=self._stopped(points))
            rate = at.transport_rate(landscape.at(at), mobility(moment))
            return points + length * rate[:, :-1]

        return replace(self, points=self._stopped(SSP3.advance(self.points, time, dt, euler)))

    def face_rate(self, field: Field, mobility: tuple[float, ...]) -> float:
        """Nothing here bounds a step but its error."""
        return 0.0

    def reweighted(
        self, potential: Array, scale: float, shift: float = 0.0
    ) -> CharacteristicsMeasure:
        """mu exp(scale * (potential - shift))."""
        # A potential taken after more nodes were born has these last.
        there = potential[: self.log_masses.size]
        return replace(self, log_masses=self.log_masses + scale * (there - shift))

    def scaled(self, factor: float) -> CharacteristicsMeasure:
        """factor * mu.

        Raises
        ------
        NumericalFailure
            If no number holds the factor.
        """
        if not 0.0 < factor < math.inf:
            raise NumericalFailure(
                "birth and death changed the mass by more than a number holds: take shorter steps"
            )
        return replace(self, log_masses=self.log_masses + math.log(factor))

    def injected(self, base: object, mass: float) -> CharacteristicsMeasure:
        """mu + mass * base, by new nodes: loose ones, that no rule stands behind."""
        assert isinstance(base, CharacteristicsMeasure)
        some = np.isfinite(base.log_masses)
        return replace(
            self,
            points=np.concatenate([self.points, base.points[some]]),
            log_masses=np.concatenate([self.log_masses, base.log_masses[some] + math.log(mass)]),
        )

    def born(self, law: AnyLaw, field: Field) -> tuple[CharacteristicsMeasure, Array]:
        """A law from which neurons are born, and V at its nodes."""
        new = self.project(law)
        return new, field.potential_at(PointNodes(new.points))

    def injection_rate(self, law: AnyLaw, rate: float) -> Array:
        """Not defined: new nodes are no rate of old ones."""
        raise TypeError("neurons are reborn at new nodes: take a splitting")

    def project(self, law: AnyLaw) -> CharacteristicsMeasure:
        """Another law, by nodes of its own."""
        return self.method.on_axes(law, self.axes)

    def moments(self) -> tuple[Array, Array]:
        """Mean and variance of each parameter (on a circle: circular)."""
        return point_moments(self.points, self.values / self.mass, self.axes)

    def wall_mass(self) -> float:
        """Mass of the nodes on a wall."""
        return float(np.sum(self.values[on_walls(self.points, self.axes)]))

    @property
    def centres(self) -> tuple[Array, ...]:
        """Cell centres of the grid on which snapshots hold the density; none in 3D."""
        cells = self.method.picture
        if cells is None:
            cells = PICTURE_CELLS[self.parameters]
        if cells == 0:
            return ()
        return tuple(a.lower + a.length * (np.arange(cells) + 0.5) / cells for a in self.axes)

    @property
    def snapshot(self) -> Array:
        """What a snapshot holds besides nodes: the density at `centres`."""
        centres = self.centres
        if not centres:
            return np.empty((0, self.parameters))
        grids = np.meshgrid(*centres, indexing="ij")
        density = self.density(np.stack([grid.ravel() for grid in grids], axis=1))
        return density.reshape(grids[0].shape) + self._born(centres)

    def _born(self, centres: tuple[Array, ...]) -> Array:
        """The density of loose nodes, spread over the cells they are in."""
        sizes = tuple(c.size for c in centres)
        widths = np.array([a.length / n for a, n in zip(self.axes, sizes, strict=True)])
        lowest = np.array([axis.lower for axis in self.axes])
        cells = np.floor((self.points[self._loose] - lowest) / widths).astype(np.intp)
        periodic = np.array([axis.periodic for axis in self.axes])
        cells = np.where(periodic, np.mod(cells, sizes), np.clip(cells, 0, np.array(sizes) - 1))
        flat = np.ravel_multi_index(tuple(cells.T), sizes)
        masses = np.bincount(flat, self.values[self._loose], math.prod(sizes))
        return masses.reshape(sizes) / float(np.prod(widths))

    def density(self, at: Array) -> Array:
        """The density at points (points, parameters), by the Jacobian of the map from the start.

        Zero beyond the nodes and next to nodes without mass; mass on a wall or in a point has no
        density and is left out, and so are nodes born since the start, between which there is no
        map.
        """
        result = np.zeros(at.shape[0])
        for part in self._maps():
            result += part.density(at)
        return result

    def _parts(self) -> Iterator[tuple[tuple[Rule, ...], tuple[int, ...], slice]]:
        """The rules of each tensor product, its shape and where its nodes are."""
        start = 0
        for rules in self.rules:
            shape = tuple(rule.nodes.size for rule in rules)
            part = slice(start, start + math.prod(shape))
            yield rules, shape, part
            start = part.stop

    def _maps(self) -> Iterator[FlowMap]:
        for rules, _, part in self._parts():
            yield FlowMap(self.axes, rules, self.points[part], self.log_masses[part])

    def unresolved(self, field: Field) -> float:
        """The largest tail of what is integrated, relative to the integral of its size.

        Integrated are mu itself, theta (which jumps where a circle ends), V and grad V. The error
        of an integral is about the square of that: a Gauss rule is exact for twice the degree, and
        a trapezoidal rule for twice the frequency, that its nodes can tell.
        """
        return _largest(self._tails(field))

    def _tails(self, field: Field) -> list[list[Array]]:
        """For each tensor product and parameter, of each panel."""
        weighted = [np.ones_like(self.values), *self.points.T, field.potential, *field.gradient]
        integrands = []
        for function in weighted:
            product = self.values * function
            size = float(np.sum(np.abs(product)))
            if size > 0.0:
                integrands.append(product / size)
        return [
            [
                np.max([_tails_along(k, rule, i[part].reshape(shape)) for i in integrands], axis=0)
                for k, rule in enumerate(rules)
            ]
            for rules, shape, part in self._parts()
        ]

    def cut_density(self) -> float:
        """The largest density in xi where nodes end but the initial law does not, over its mean.

        Birth and death may multiply the tail of a law until what was cut off matters.
        """
        largest = 0.0
        for part in self._maps():
            for k, rule in enumerate(part.rules):
                if any(rule.cut):
                    largest = max(largest, part.end_density(k) / self.mass)
        return largest

    def maintained(self, field: Field) -> CharacteristicsMeasure:
        """Itself, or with redistributed nodes where they no longer resolve what is integrated.

        Raises
        ------
        NumericalFailure
            If the tail that was cut off matters.
        """
        if not 0.0 < self.mass < math.inf:
            return self
        if self.cut_density() > CUT_DENSITY:
            raise NumericalFailure(
                "birth and death have lifted the tail of the initial law up to the outermost "
                f"nodes, {self.method.reach:g} deviations from its mean: the solution may blow up, "
                "or depends on a tail that takes a larger `reach`"
            )
        moved = self._thinned() if self._loose.stop - self._loose.start > MOST_LOOSE else self
        return moved if moved is not self else self._redistributed(field)

    @property
    def _loose(self) -> slice:
        """The nodes that were born since the start."""
        structured = sum(math.prod(r.nodes.size for r in rules) for rules in self.rules)
        return slice(structured, self.points.shape[0])

    def _thinned(self) -> CharacteristicsMeasure:
        first = self._loose.start
        points, masses = thinned(self.points[first:], self.log_masses[first:])
        return replace(
            self,
            points=np.concatenate([self.points[:first], points]),
            log_masses=np.concatenate([self.log_masses[:first], masses]),
        )

    def _redistributed(self, field: Field) -> CharacteristicsMeasure:
        limit = self.method.redistribute
        if limit is None:
            return self
        every = self._tails(field)
        if _largest(every) <= limit:
            return self
        rules, points, masses = [], [], []
        for piece, tails in zip(self._maps(), every, strict=True):
            # Between nodes of which some have no mass, log-masses are no smooth function.
            smooth = bool(np.all(np.isfinite(piece.log_masses)))
            if smooth and _largest([tails]) > limit:
                new = tuple(
                    rule.refined(t > limit) if t.max() > limit else rule
                    for rule, t in zip(piece.rules, tails, strict=True)
                )
                piece = piece.on(new)
            rules.append(piece.rules)
            points.append(piece.points)
            masses.append(piece.log_masses)
        if tuple(rules) == self.rules:
            return self
        points.append(self.points[self._loose])
        masses.append(self.log_masses[self._loose])
        started = self.method.count(self.axes)
        most = min(MOST_GROWTH * started, max(MOST_NODES, started))
        if sum(part.shape[0] for part in points) > most:
            return self
        moved = replace(
            self,
            rules=tuple(rules),
            points=self._stopped(np.concatenate(points)),
            log_masses=np.concatenate(masses),
        )
        change = log_sum(self.log_masses) - log_sum(moved.log_masses)
        if not abs(change) < MOST_CHANGE:
            return self
        return replace(moved, log_masses=moved.log_masses + change)


def _tails_along(k: int, rule: Rule, masses: Array) -> Array:
    """The tails of a rule along parameter k, summed over all others."""
    return rule.tails(np.moveaxis(masses, k, 0)).sum(axis=1)


def _largest(every: list[list[Array]]) -> float:
    return max((float(tail.max()) for tails in every for tail in tails), default=0.0)


def _whole_panels(number: float) -> int:
    """A number of nodes, rounded up; to whole panels if it is more than one has."""
    if number <= LONGEST_PANEL:
        return math.ceil(number)
    return PANEL * round(number / PANEL)


@dataclass(frozen=True)
class Characteristics:
    """Nodes with log-weights that move along characteristics, in one to three parameters.

    Parameters
    ----------
    nodes : int or tuple of int
        Along each parameter.
    rule : str or tuple of str
        Of each parameter: chosen from its law, or one that is named (`initial_nodes`).
    reach : float
        Deviations on either side of the mean within which the nodes of a normal law lie: the cut in
        the initial parameters.
    redistribute : float or None
        The largest `unresolved` before nodes are redistributed; None never does.
    picture : int or None
        Cells along each parameter of the grid on which snapshots hold the density, besides the
        nodes: 512 for one parameter and 128 for two, unless given; 0 for none, which costs nothing.
    """

    nodes: int | tuple[int, ...] = 32
    rule: RuleName | tuple[RuleName, ...] = "automatic"
    reach: float = 9.0
    redistribute: float | None = 1e-6
    picture: int | None = None
    kind: Literal["characteristics"] = "characteristics"

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", checked("nodes", self.nodes, 4))
        require(1.0 <= self.reach < math.inf, "reach", self.reach, "a number of at least 1")
        limit = self.redistribute
        require(limit is None or 0 < limit < 1, "redistribute", limit, "a number in (0, 1)")
        cells = self.picture
        counts = cells is None or (isinstance(cells, Integral) and cells >= 0)
        require(counts, "picture", cells, "a whole number of cells >= 0")
        named = self.rule if isinstance(self.rule, tuple | list) else (self.rule,)
        known = all(name in get_args(RuleName) for name in named)
        require(known, "rule", self.rule, "one of " + ", ".join(get_args(RuleName)))

    def _numbers(self, axes: Axes) -> tuple[int, ...]:
        return one_each("nodes", self.nodes, len(axes))

    def count(self, axes: Axes) -> int:
        """Nodes of a law that is no mixture."""
        return math.prod(self._numbers(axes))

    def check(self, axes: Axes) -> None:
        """Raise `InputError` if the method does not fit a space."""
        require(len(axes) <= 3, "parameters", len(axes), "1 to 3 of them on characteristics")
        self._numbers(axes)
        one_each("rule", self.rule, len(axes))

    def finer(self, axes: Axes) -> Characteristics:
        """A quarter more nodes along each parameter, redistributed at a tail four times shorter."""
        nodes = tuple(_whole_panels(FINER * number) for number in self._numbers(axes))
        limit = self.redistribute
        return replace(self, nodes=nodes, redistribute=limit and limit / 4.0)

    def wider(
        self, axes: Axes, chosen: tuple[bool, ...]
    ) -> tuple[Characteristics, tuple[float, ...]]:
        """More reach, by a quarter or so, and nodes to fill it along the chosen parameters.

        Returns
        -------
        Characteristics, tuple of float
            And by which factors the space must be stretched about its middle.
        """
        numbers = self._numbers(axes)
        pairs = tuple(zip(numbers, chosen, strict=True))
        # As many on both sides, so that those of an equispaced rule stay where they are.
        nodes = tuple(n + 2 * max(1, round(n / 8)) if wider else n for n, wider in pairs)
        factors = tuple(new / old for new, old in zip(nodes, numbers, strict=True))
        return replace(self, nodes=nodes, reach=max(factors) * self.reach), factors

    def on_axes(self, law: AnyLaw, axes: Axes) -> CharacteristicsMeasure:
        """Nodes for a law, of total mass 1."""
        self.check(axes)
        names: tuple[RuleName, ...] = one_each("rule", self.rule, len(axes))
        parts = initial_nodes(law, axes, self._numbers(axes), names, self.reach)
        for part in parts:
            shape = tuple(rule.nodes.size for rule in part.rules)
            masses = np.exp(part.log_masses - log_sum(part.log_masses)).reshape(shape)
            for k, rule in enumerate(part.rules):
                along = np.moveaxis(masses, k, 0).reshape(rule.nodes.size, -1).sum(axis=1)
                resolved = rule.nodes.size == 1 or float(along.max()) < LARGEST_SHARE
                require(resolved, "nodes", self.nodes, f"more, for the law {law}")
        return CharacteristicsMeasure(
            axes=axes,
            rules=tuple(part.rules for part in parts),
            points=np.concatenate([part.points for part in parts]),
            log_masses=np.concatenate([part.log_masses for part in parts]),
            method=self,
        )

    def project(self, law: AnyLaw, space: Space) -> CharacteristicsMeasure:
        """Nodes for a law on a space, of total mass 1.

        Raises
        ------
        InputError
            If the law or the method does not fit the space.
        """
        require(hasattr(space, "axes"), "space", space, "a space, such as Interval(-1.0, 1.0)")
        return self.on_axes(law, space.axes)
