"""The lowest places of V over the whole space: a scan of a grid, then polishing.

What lies between two nodes of the scan is found only if the scan falls towards it: a dip of V that
is narrower than a spacing may be missed. In one, two and three parameters the spacing is 1/512,
1/96 and 1/24 of the range, and more where there are very many data. Which dips are polished is
decided by the values at their bottoms, estimated from the nodes around them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from meanfield_pde.errors import require
from meanfield_pde.problem.energy import AnyEnergy, Energy, unit_value
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.problem.spaces import Axis
from meanfield_pde.problem.units import Charged

Array = NDArray[np.float64]

SPACINGS = (512, 96, 24)
"""Of the scan, along each of one, two and three parameters."""

LARGEST_TABLE, FEWEST = 2 * 10**7, 12
"""Entries of a table over the scan, and spacings that are kept whatever its size."""

CANDIDATES, ALL = 24, 256
"""How many local minima of a scan are polished, and how many at most."""

DIFFERENCE = 1e-5
"""Of the range: between places whose gradients give second derivatives."""

COARSE = 0.3
"""Mean of |difference|^2 / sum of |.|^2 of units at neighbouring nodes; 1 if nothing is common."""

RIM = 1e-12
"""Of the range: how far from the walls places end."""

NEWTON_STEPS = 20
"""At most; a few are enough."""


@dataclass(frozen=True, eq=False)
class Scan:
    """An energy seen from a grid over its whole space.

    Attributes
    ----------
    energy : Energy or PotentialEnergy
    axes : tuple of Axis
        The space.
    nodes : tuple of arrays
        Along each axis, walls included.
    landscape : Landscape
        The energy at all of them.
    """

    energy: AnyEnergy
    axes: tuple[Axis, ...]
    nodes: tuple[Array, ...]
    landscape: Landscape

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an array with one entry a node."""
        return tuple(nodes.size for nodes in self.nodes)

    def lowest(self, field: Field, most: int = CANDIDATES) -> tuple[Array, Array]:
        """Local minima of V, polished, from the lowest on.

        Parameters
        ----------
        field : Field
            Of this energy, at any mu.
        most : int
            How many are wanted; all that may be the lowest are polished besides, up to `ALL`.

        Returns
        -------
        points : array (places, parameters)
        values : array (places,)
            V there.
        """
        values = field.potential_in(self.landscape).reshape(self.shape)
        wrapped = ["wrap" if axis.periodic else "nearest" for axis in self.axes]
        dips = np.argwhere(values == minimum_filter(values, size=3, mode=wrapped))
        below = self._below(values, dips)
        bottoms = values[tuple(dips.T)] - below
        # On a flat stretch all nodes are dips: the first of equal ones are as good as any.
        order = np.argsort(bottoms, kind="stable")
        possible = int(np.sum(bottoms - below <= bottoms[order[0]])) if below.any() else 1
        order = order[: min(max(most, possible), ALL)]
        columns = zip(self.nodes, dips[order].T, strict=True)
        points, found = self._polished(field, np.stack([n[i] for n, i in columns], axis=1))
        order = np.argsort(found, kind="stable")
        return points[order], found[order]

    def warn_if_coarse(self) -> None:
        """Warn if units at neighbouring nodes have little in common: V may dip between them.

        Of 64 places and each parameter; ends of charges apart.
        """
        if not isinstance(self.energy, Energy):
            return
        generator = np.random.default_rng(0)
        theta = [n[generator.integers(0, n.size, 64)] for n in self.nodes]
        weights = self.energy.data_weights[:, None]
        for k, nodes in enumerate(self.nodes):
            if nodes.size == 2:
                continue
            step = [
                t + (0.5 * (nodes[1] - nodes[0]) if j == k else 0.0) for j, t in enumerate(theta)
            ]
            back = [
                t - (0.5 * (nodes[1] - nodes[0]) if j == k else 0.0) for j, t in enumerate(theta)
            ]
            with np.errstate(all="ignore"):
                one, two = (
                    unit_value(self.energy.unit, self.energy.inputs, tuple(at))
                    for at in (back, step)
                )
                apart = np.sum(weights * (one - two) ** 2, axis=0)
                both = np.sum(weights * (one**2 + two**2), axis=0)
                share = apart / both
            if np.nanmean(np.where(both > 0.0, share, 0.0)) > COARSE:
                name = self.energy.parameters[k]
                warnings.warn(
                    f"units change between the {nodes.size} places of {name} where V is scanned: "
                    "its minimum may be missed, and with it what the gap bounds",
                    RuntimeWarning,
                    stacklevel=4,
                )
                return

    def _below(self, values: Array, dips: NDArray[np.intp]) -> Array:
        """How far the bottom of each dip is below its node, by parabolas along each parameter."""
        here = values[tuple(dips.T)]
        total = np.zeros(here.size)
        for k, axis in enumerate(self.axes):
            sides = []
            for shift in (-1, 1):
                moved = dips.copy()
                moved[:, k] += shift
                inside = (moved[:, k] >= 0) & (moved[:, k] < values.shape[k]) | axis.periodic
                moved[:, k] %= values.shape[k]
                sides.append(np.where(inside, values[tuple(moved.T)], here))
            behind, ahead = sides
            bend = behind + ahead - 2.0 * here
            slope = 0.5 * (ahead - behind)
            with np.errstate(over="ignore", invalid="ignore"):
                bowl = 0.5 * slope * (slope / np.where(bend > 0.0, bend, np.inf))
            total += np.where(np.isfinite(bowl), bowl, 0.0)
        return total

    def _polished(self, field: Field, starts: Array) -> tuple[Array, Array]:
        """All at once, by Newton's method held within a spacing and within the walls.

        Second derivatives are differences of the gradient; where they are not positive their size
        is taken. A step that does not lead down is taken again, shorter.
        """
        count, size = starts.shape
        lengths = np.array([axis.length for axis in self.axes])
        walls = np.array(
            [[-np.inf, np.inf] if a.periodic else [a.lower, a.upper] for a in self.axes]
        )
        longest = lengths / np.array([max(n.size - 1, 1) for n in self.nodes])
        inward = np.where(starts + DIFFERENCE * lengths > walls[:, 1], -1.0, 1.0)
        best, low = starts.copy(), np.full(count, np.inf)
        slopes, steps = np.zeros((count, size)), np.zeros((count, size))
        tried = starts
        for _ in range(NEWTON_STEPS):
            shifts = DIFFERENCE * lengths * inward
            around = tried[:, None, :] + np.concatenate(
                [np.zeros((count, 1, size)), shifts[:, None, :] * np.eye(size)], axis=1
            )
            landscape = self.energy.on(PointNodes(around.reshape(-1, size)))
            values = field.potential_in(landscape).reshape(count, size + 1)[:, 0]
            gradient = np.stack(
                [
                    np.broadcast_to(g, (around.shape[0] * (size + 1),))
                    for g in field.gradient_in(landscape)
                ],
                axis=1,
            )
            gradient = gradient.reshape(count, size + 1, size)
            lower = values < low
            best, low = np.where(lower[:, None], tried, best), np.where(lower, values, low)
            slopes = np.where(lower[:, None], gradient[:, 0], slopes)
            hessian = (gradient[:, 1:] - gradient[:, :1]) / shifts[:, :, None]
            held = ((best <= walls[:, 0]) & (slopes > 0.0)) | (
                (best >= walls[:, 1]) & (slopes < 0.0)
            )
            fresh = _newton(np.where(held, 0.0, slopes), hessian, held, lengths)
            fresh = np.clip(fresh, -longest, longest)
            steps = np.where(lower[:, None], fresh, 0.25 * steps)
            tried = np.clip(best + steps, walls[:, 0], walls[:, 1])
            gain = np.max(np.abs(np.sum(slopes * (tried - best), axis=1)))
            if gain <= 1e-16 * (1e-300 + np.max(np.abs(low))) or not np.any(tried != best):
                break
        return best, low


def _newton(slopes: Array, hessian: Array, held: NDArray[np.bool_], lengths: Array) -> Array:
    """- |H|^-1 g for each place, in units of the ranges, held components apart."""
    scaled = 0.5 * (hessian + np.swapaxes(hessian, 1, 2)) * lengths[:, None] * lengths
    apart = held[:, :, None] | held[:, None, :]
    scaled = np.where(apart & ~np.eye(lengths.size, dtype=bool), 0.0, scaled)
    eigenvalues, vectors = np.linalg.eigh(np.nan_to_num(scaled))
    sizes = np.abs(eigenvalues)
    sizes = np.maximum(sizes, 1e-10 * sizes.max(axis=1, keepdims=True) + 1e-300)
    along = np.einsum("pji,pj->pi", vectors, slopes * lengths) / sizes
    return -lengths * np.einsum("pij,pj->pi", vectors, along)


def scan(energy: AnyEnergy, charge: float | None = None, linear: bool = False) -> Scan:
    """A scan of the space of an energy, of one to three parameters.

    Parameters
    ----------
    energy : Energy or PotentialEnergy
    charge : float, optional
        The largest |c| of charged units, in place of the walls.
    linear : bool
        Whether V is known to be linear in the last parameter: it is lowest at an end. Of charged
        units without a penalty it always is.

    Raises
    ------
    InputError
        If there are more parameters, or a charge without charged units.
    """
    axes = energy.space.axes
    require(len(axes) <= len(SPACINGS), "parameters", len(axes), "1 to 3 of them to scan a space")
    charged = isinstance(energy, Energy) and isinstance(energy.unit, Charged)
    if charge is not None:
        require(charged, "charge", charge, "charged units, c psi(x, y), to bound c of")
        axes = (*axes[:-1], Axis(-charge, charge, False))
    axes = tuple(_inside(axis) for axis in axes)
    ends = linear or (charged and energy.penalty is None)  # type: ignore[union-attr]
    scanned = max(len(axes) - ends, 1)
    spacings = [_spacings(energy, scanned)] * scanned + [1] * (len(axes) - scanned)
    nodes = tuple(_nodes(axis, count) for axis, count in zip(axes, spacings, strict=True))
    return Scan(energy, axes, nodes, energy.on(_all(nodes)))


def _spacings(energy: AnyEnergy, parameters: int) -> int:
    """Along each parameter, fewer where the table of all data at all nodes would be too large."""
    rows = energy.data_weights.size if isinstance(energy, Energy) else 1
    count = SPACINGS[parameters - 1]
    while rows * count**parameters > LARGEST_TABLE and count > FEWEST:
        count //= 2
    return count


def _inside(axis: Axis) -> Axis:
    """Without the walls themselves, where a unit may have no value."""
    rim = 0.0 if axis.periodic else RIM * axis.length
    return Axis(axis.lower + rim, axis.upper - rim, axis.periodic)


def _all(nodes: Sequence[Array]) -> PointNodes:
    columns = [column.ravel() for column in np.meshgrid(*nodes, indexing="ij")]
    return PointNodes(np.stack(columns, axis=1))


def _nodes(axis: Axis, spacings: int) -> Array:
    if axis.periodic:
        return axis.lower + axis.length * np.arange(spacings) / spacings
    return np.linspace(axis.lower, axis.upper, spacings + 1)
