"""Which snapshots a figure shows, and the densities and particles in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import require
from meanfield_pde.representations.following import folded
from meanfield_pde.results.solution import Layout, Solution

Array = NDArray[np.float64]

MOST_DOTS = 500
"""Particles drawn over a density, and data points over a function; more hide it."""

MOST_ALONE = 1000
"""Particles drawn where there is no density; more run together."""


def chosen(time: Array, most: int = 4) -> list[int]:
    """Indices of the snapshots shown: first, last and log-spaced between.

    Parameters
    ----------
    time : array (snapshots,)
        Increasing.
    most : int
        Largest number of indices, at least 2.
    """
    if time.size <= most:
        return list(range(time.size))
    end = float(time[-1])
    start = max(float(time[time > 0.0][0]), 1e-3 * end)
    free = list(range(1, time.size - 1))
    picked = [0, time.size - 1]
    for wanted in np.geomspace(start, end, most)[1:-1]:
        nearest = min(free, key=lambda index: abs(np.log(max(time[index], 1e-300) / wanted)))
        free.remove(nearest)
        picked.append(nearest)
    return sorted(picked)


def is_grid(solution: Solution) -> bool:
    """Whether the measure is a density on cells (otherwise it is particles)."""
    return solution.layout.on_grid


def described(layout: Layout) -> str:
    """A few words for a legend."""
    if layout.particles:
        weighted = "weighted " if layout.moving else ""
        return f"{layout.particles} {weighted}particles"
    if layout.moving:
        return "density, characteristics"
    cells = r" \times ".join(str(centre.size) for centre in layout.centres)
    if layout.representation == "fourier":
        return f"density, ${cells}$ modes"
    return f"density, ${cells}$ cells"


def told_apart(layouts: list[Layout]) -> list[str]:
    """`described`, with the symbols of the equation where that alone would not differ."""
    labels = [described(layout) for layout in layouts]
    if len(set(labels)) == len(labels):
        return labels
    # The printed equation is the PDE, then V; symbols have a line of their own if there are any.
    symbols = [", ".join(layout.equation.splitlines()[2:]) for layout in layouts]
    return [", ".join(w for w in pair if w) for pair in zip(symbols, labels, strict=True)]


def widths(layout: Layout) -> list[float]:
    """Cell width along each parameter; the cells of one axis are equal."""
    bounds = zip(layout.lower, layout.upper, layout.centres, strict=True)
    return [(high - low) / centre.size for low, high, centre in bounds]


def marginal(density: Array, layout: Layout, keep: tuple[int, ...]) -> Array:
    """Density of the parameters kept: the others are integrated out."""
    width = widths(layout)
    others = tuple(k for k in range(density.ndim) if k not in keep)
    return density.sum(axis=others) * float(np.prod([width[k] for k in others]))


def is_labelled(layout: Layout) -> bool:
    """Whether what is learnt are labels -1 and 1: f may pass beyond them."""
    return bool(layout.target.size and np.all(np.abs(layout.target) == 1.0))


def bins(count: int) -> int:
    """Number of bins of a histogram of so many values."""
    return int(np.clip(4.0 * np.cbrt(count), 8, 80))


def histogram(values: Array, limits: tuple[float, float], mass: float = 1.0) -> tuple[Array, Array]:
    """Density of particles in equal bins, whose number grows with the cube root of theirs.

    Returns
    -------
    density : array (bins,)
    edges : array (bins + 1,)
    """
    finite = values[np.isfinite(values)]
    counts, edges = np.histogram(finite, bins=bins(finite.size), range=limits)
    return counts * (mass / max(values.size, 1)) / np.diff(edges), edges


def mass_at(solution: Solution, time: float) -> float:
    """Total mass at a time."""
    return float(np.interp(time, solution.time, solution.scalars["mass"]))


def positions_at(solution: Solution | None, time: float) -> Array | None:
    """Positions of a particle run at the snapshot of this time; None without one."""
    if solution is None or is_grid(solution) or not solution.snapshot_time.size:
        return None
    index = int(np.argmin(np.abs(solution.snapshot_time - time)))
    if abs(float(solution.snapshot_time[index]) - time) > 1e-6 * max(1.0, abs(time)):
        return None
    return cloud(solution, index)


def cloud(solution: Solution, index: int) -> Array:
    """Positions of the particles of a snapshot; of weighted ones, as many points of equal mass.

    Each is then drawn as often as its share of the mass has it, up to one.
    """
    positions = solution.measure[index]
    if solution.nodes and solution.layout.particles:
        masses = np.exp(solution.nodes[index][:, -1])
        ends = np.cumsum(masses) / np.sum(masses)
        middles = (np.arange(masses.size) + 0.5) / masses.size
        positions = positions[np.searchsorted(ends[:-1], middles)]
    return folded(positions, solution.layout.axes)


def require_same_space(first: Layout, second: Layout) -> None:
    """Raise `InputError` unless two results have the same parameters in the same space."""
    for what in ("parameters", "lower", "upper", "periodic"):
        one, two = getattr(first, what), getattr(second, what)
        require(one == two, f"{what} of the second result", two, f"those of the first, {one}")


def few(positions: Array, most: int) -> Array:
    """At most so many of the particles, the same ones for each snapshot."""
    return positions[_some(positions.shape[0], most)]


def dotted(layout: Layout) -> NDArray[np.intp]:
    """The data points that are drawn as dots."""
    return _some(len(layout.inputs), MOST_DOTS)


def _some(count: int, most: int) -> NDArray[np.intp]:
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:most])
