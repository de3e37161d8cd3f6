"""Energies of many runs of particles as bands, under the curve of the mean field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from meanfield_pde.errors import require
from meanfield_pde.plotting.axes import time_axis, value_axis
from meanfield_pde.plotting.style import DARK, DASHED, INK, WARM, column_figure, styled
from meanfield_pde.results.ensemble import EnsembleResult

COLOURS = (DARK, WARM, "#5b8c5a")

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Ends of the wide band and of the narrow one, the median between them."""


@styled
def ensemble_figure(results: Sequence[EnsembleResult]) -> Figure:
    """Bands of 90 % and 50 % of the runs about their median, and the mean field.

    Parameters
    ----------
    results : sequence of EnsembleResult
        Up to three of the same problem, which differ in the number of particles, say.

    Raises
    ------
    InputError
        If they are too many.
    """
    require(1 <= len(results) <= len(COLOURS), "ensembles", len(results), "up to three")
    figure, (axes,) = column_figure([2.0])
    drawn = []
    for result, colour in zip(results, COLOURS, strict=False):
        low, lower, median, upper, high = result.quantiles(LEVELS)
        particles = result.attributes.get("particles", "?")
        words = f"{len(result.finished)} runs of {particles} particles"
        axes.plot(result.time, median, color=colour, label=words, zorder=2)
        look: dict[str, Any] = {"color": colour, "linewidth": 0.0, "zorder": 1}
        part = "of the runs" if result is results[-1] else ""
        axes.fill_between(
            result.time, lower, upper, alpha=0.35, label=part and f"half {part}", **look
        )
        axes.fill_between(result.time, low, high, alpha=0.2, label=part and f"90 % {part}", **look)
        drawn += [low, high]
    limit = next((result for result in results if result.mean_field is not None), None)
    if limit is not None and limit.mean_field is not None:
        energy = limit.mean_field.energy
        axes.plot(limit.time, energy, color=INK, linestyle=DASHED, label="mean field", zorder=3)
        drawn.append(energy)
    value_axis(axes, drawn)
    time_axis(axes, np.unique(np.concatenate([result.time for result in results])))
    axes.set_ylabel("energy $E$")
    axes.legend(loc="best")
    return figure


def save_ensemble_figure(
    results: Sequence[EnsembleResult], folder: Path, stem: str, formats: Sequence[str]
) -> list[Path]:
    """Write the figure as `<stem>.<format>`; the files, each complete."""
    from meanfield_pde.plotting import write_figure

    if not formats:
        return []
    figure = ensemble_figure(results)
    return [write_figure(figure, folder / f"{stem}.{form}", form) for form in formats]
