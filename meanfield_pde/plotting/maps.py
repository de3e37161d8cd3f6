"""The function the network computes of two inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import at_time, number
from meanfield_pde.plotting.parameters import symbol
from meanfield_pde.plotting.row import Row
from meanfield_pde.plotting.snapshots import MOST_DOTS, chosen, dotted, is_labelled
from meanfield_pde.plotting.style import INK, colours
from meanfield_pde.results.solution import Layout, Solution

Array = NDArray[np.float64]

LIGHTEST, DARKEST = 0.04, 0.75
"""The part of the colour map that is used: neither the page nor the lines and dots are lost."""

THIN = 1e-6
"""Inputs in a strip of this width are on a line."""

FLAT = 1e-9
"""Smaller parts of the scale are rounding errors."""

MOST_LEVELS = 10


def fills_plane(inputs: Array) -> bool:
    """Whether inputs have two components and do not lie on a line."""
    if inputs.ndim != 2 or inputs.shape[1] != 2 or not np.all(np.ptp(inputs, axis=0)):
        return False
    square = _in_square(inputs)
    return int(np.linalg.matrix_rank(square - square.mean(axis=0), rtol=THIN)) == 2


def _in_square(inputs: Array) -> Array:
    """Inputs as they lie in a panel, between 0 and 1."""
    shifted: Array = inputs - inputs.min(axis=0)
    return shifted / np.ptp(shifted, axis=0)


@dataclass(frozen=True)
class Levels:
    """The bands that all maps of a figure share.

    Attributes
    ----------
    edges : array (bands + 1,)
    """

    edges: Array

    @classmethod
    def of(cls, values: list[Array]) -> Levels:
        """Bands with round edges over all values."""
        every = np.concatenate(values)
        low, high = float(every.min()), float(every.max())
        if high - low <= FLAT * max(-low, high):
            low, high = low - 0.1 * (abs(low) or 1.0), high + 0.1 * (abs(high) or 1.0)
        locator = MaxNLocator(MOST_LEVELS, steps=[1, 2, 2.5, 5, 10])
        return cls(np.asarray(locator.tick_values(low, high)))

    @property
    def bands(self) -> Array:
        """RGB of each band, between 0 and 1."""
        return colours(np.linspace(LIGHTEST, DARKEST, self.edges.size - 1)) / 255.0

    def colour(self, values: Array) -> Array:
        """RGB of the bands that values lie in."""
        band = np.searchsorted(self.edges, values, side="left") - 1
        found: Array = self.bands[np.clip(band, 0, self.edges.size - 2)]
        return found

    def draw(self, axes: Axes) -> None:
        """The scale itself, labelled on the right."""
        low, high = self.edges[0], self.edges[-1]
        axes.imshow(
            self.bands[:, None, :], origin="lower", extent=(0.0, 1.0, low, high), aspect="auto"
        )
        axes.set_xticks([])
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        axes.set_yticks(self.edges, labels=[f"${number(edge)}$" for edge in self.edges])
        axes.set_ylabel(r"$f[\mu](x)$")


def map_figure(solution: Solution) -> Figure:
    """f[mu] at up to four snapshots in bands of equal colours, and what it should be over it.

    That is f* as level lines at the edges of the bands, or at samples as dots in the colours of
    the bands; labels -1 and 1 as circles and triangles, which the line f = 0 should part; without
    a target the samples alone. Between the inputs f is interpolated.
    """
    layout = solution.layout
    shown = chosen(solution.snapshot_time)
    found = [solution.prediction[index] for index in shown]
    levels = Levels.of([*found, layout.target])
    row = Row(len(shown), bar=True, marginals=False)
    levels.draw(row.scale())
    corners = Triangulation(*_in_square(layout.inputs).T).triangles
    triangles = Triangulation(layout.inputs[:, 0], layout.inputs[:, 1], corners)
    for i, (index, values) in enumerate(zip(shown, found, strict=True)):
        axes = row.panel(i)
        rounded = np.where(np.abs(values) > FLAT * np.ptp(levels.edges), values, 0.0)
        axes.tricontourf(triangles, rounded, levels=levels.edges, colors=levels.bands)
        if is_labelled(layout):
            _lines(axes, triangles, rounded, np.zeros(1), width=1.4)
            _labels(axes, layout)
        elif layout.sample_weights.size:
            _samples(axes, layout, levels)
        elif layout.target.size:
            _lines(axes, triangles, layout.target, levels.edges, width=0.5)
        _frame(axes, layout, first=i == 0)
        row.title(i, at_time(float(solution.snapshot_time[index])))
    row.note(_words(layout))
    return row.figure


def _lines(
    axes: Axes, triangles: Triangulation, values: Array, levels: Array, width: float
) -> None:
    """The level lines there are, negative ones dashed."""
    crossed = levels[(levels > values.min()) & (levels < values.max())]
    if crossed.size:
        axes.tricontour(triangles, values, levels=crossed, colors=INK, linewidths=width)


def _labels(axes: Axes, layout: Layout) -> None:
    """Circles and triangles at the labels -1 and 1."""
    some = dotted(layout)
    for label, marker, face in ((-1.0, "o", "white"), (1.0, "^", INK)):
        x = layout.inputs[some][layout.target[some] == label]
        axes.plot(
            *(x[:, 0], x[:, 1]),
            linestyle="none",
            marker=marker,
            markersize=2.6,
            markerfacecolor=face,
            markeredgecolor=INK,
            markeredgewidth=0.4,
        )


def _samples(axes: Axes, layout: Layout, levels: Levels) -> None:
    """Dots at the samples, in the colours of f* or empty."""
    some = dotted(layout)
    face = levels.colour(layout.target[some]) if layout.target.size else "none"
    x = layout.inputs[some]
    axes.scatter(x[:, 0], x[:, 1], s=8.0, c=face, edgecolors=INK, linewidths=0.4)


def _frame(axes: Axes, layout: Layout, first: bool) -> None:
    """Limits, ticks and labels of one panel; the vertical ones on the first only."""
    axes.use_sticky_edges = False
    axes.margins(0.03 if layout.sample_weights.size else 0.0, tight=False)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], prune="both"))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    across, up = (f"${symbol(name)}$" for name in layout.input_names)
    axes.set_xlabel(across)
    axes.set_ylabel(up if first else "")
    axes.tick_params(labelleft=first)


def _words(layout: Layout) -> str:
    """What is drawn over f."""
    count = len(layout.inputs)
    part = f"{MOST_DOTS} of {count}" if count > MOST_DOTS else f"{count}"
    if is_labelled(layout):
        return r"$f^*$: $\circ$ $-1$, $\blacktriangle$ $1$; line: $f = 0$"
    if layout.sample_weights.size:
        return rf"$\circ$ {part} samples" + (" of $f^*$" if layout.target.size else "")
    return "lines: $f^*$" if layout.target.size else ""
