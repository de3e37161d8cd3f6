"""Energies of students under gradient descent and birth and death, and their ratios by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import TIME, log_axis
from meanfield_pde.plotting.style import DASHED, INK, PAGE, PALE, SEQUENCE, WARM, styled

Array = NDArray[np.float64]

HEIGHT = 2.9

DOTTED = (0, (1.0, 1.0))

EARLIEST = 0.3
"""Before, E has hardly changed."""

COLOURS = (WARM, *(tuple(row / 255) for row in SEQUENCE[[80, 130, 180, 240]].astype(float)))
"""Of gradient descent, and of alpha from small to large."""


@dataclass(frozen=True, eq=False)
class Line:
    """Quantiles over seeds, t > 0.

    Attributes
    ----------
    words : str
    time : array (times,)
    energy : array (3, times)
        5, 50 and 95 % of E.
    ratio : array (3, times)
        25, 50 and 75 % of E over that of gradient descent from the same draws.
    """

    words: str
    time: Array
    energy: Array
    ratio: Array

    @classmethod
    def of(cls, words: str, time: Array, energy: Array, base: Array) -> Line:
        """From E (seeds, times) and that of gradient descent."""
        return cls(
            words,
            time[1:],
            np.quantile(energy, (0.05, 0.5, 0.95), axis=0)[:, 1:],
            np.quantile(energy / base, (0.25, 0.5, 0.75), axis=0)[:, 1:],
        )

    def since(self, time: float) -> Line:
        """What is not before a time."""
        later = self.time >= time - 1e-9
        return Line(self.words, self.time[later], self.energy[:, later], self.ratio[:, later])


@styled
def save_student_teacher_figure(
    lines: Sequence[Line],
    without: Sequence[Line],
    ended: Sequence[Line],
    folder: Path,
    formats: Sequence[str],
) -> list[Path]:
    """E against t, and the ratio to gradient descent, written as student_teacher.<format>.

    Parameters
    ----------
    lines : sequence of Line
        Gradient descent, then birth and death by rising alpha.
    without : sequence of Line
        Birth and death without chance, in the same order.
    ended : sequence of Line
        Gradient descent after birth and death, in the same order.

    Returns
    -------
    list of Path
    """
    from meanfield_pde.plotting import write_figure

    figure = Figure(figsize=(PAGE, HEIGHT))
    FigureCanvasAgg(figure)
    places = [(x / PAGE, 0.42 / HEIGHT, 2.9 / PAGE, 2.12 / HEIGHT) for x in (0.52, 4.0)]
    left, right = (figure.add_axes(place) for place in places)
    for line, colour in zip(lines, COLOURS, strict=True):
        left.fill_between(line.time, line.energy[0], line.energy[2], color=colour, alpha=0.2, lw=0)
        left.plot(
            line.time, line.energy[1], color=colour, label=line.words.replace("alpha", r"$\alpha$")
        )
    right.axhline(1.0, color=PALE, linewidth=1.6, zorder=0)
    for line, colour in zip(lines[1:], COLOURS[1:], strict=True):
        right.fill_between(line.time, line.ratio[0], line.ratio[2], color=colour, alpha=0.2, lw=0)
        right.plot(line.time, line.ratio[1], color=colour)
    for line, colour in zip(without, COLOURS[1:], strict=True):
        right.plot(line.time, line.ratio[1], color=colour, linestyle=DASHED, linewidth=0.9)
    for line, colour in zip(ended, COLOURS[1:], strict=True):
        right.plot(line.time, line.ratio[1], color=colour, linestyle=DOTTED)
    right.plot([], [], color=INK, label="by killing and cloning")
    right.plot([], [], color=INK, linestyle=DASHED, linewidth=0.9, label="by weights")
    since = f"{ended[0].time[0]:g}"
    words = f"by killing and cloning until $t = {since}$"
    right.plot([], [], color=INK, linestyle=DOTTED, label=words)
    for axes in (left, right):
        log_axis(axes, "x", EARLIEST, float(lines[0].time[-1]))
        axes.set_xlabel(TIME)
    log_axis(left, "y", 10.0 ** np.floor(np.log10(min(x.energy.min() for x in lines))), 0.3)
    ends = [x.ratio for x in (*lines[1:], *without, *ended)]
    log_axis(right, "y", 0.7 * min(x.min() for x in ends), 4.0 * max(x.max() for x in ends))
    for axes, words in ((left, "median, 5 to 95 % of seeds"), (right, "median, 25 to 75 %")):
        axes.text(0.03, 0.04, words, transform=axes.transAxes, fontsize=8)
    left.set_ylabel("energy $E$")
    right.set_ylabel("$E_C / E_A$ from the same draws")
    right.legend(loc="upper left")
    figure.legend(
        loc="upper center",
        ncols=5,
        columnspacing=1.6,
        bbox_to_anchor=(0.5, 1.0),
        handles=left.get_legend_handles_labels()[0],
    )
    return [write_figure(figure, folder / f"student_teacher.{form}", form) for form in formats]
