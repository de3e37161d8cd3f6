"""The function the network computes, and what it should be."""

from __future__ import annotations

from matplotlib.figure import Figure

from meanfield_pde.plotting.curves import curve_figure
from meanfield_pde.plotting.maps import fills_plane, map_figure
from meanfield_pde.plotting.parity import margin_figure, parity_figure
from meanfield_pde.plotting.snapshots import is_labelled
from meanfield_pde.plotting.style import styled
from meanfield_pde.results.solution import Solution


def has_prediction_figure(solution: Solution) -> bool:
    """Whether there is a function to draw: of one input, of two, or against a target."""
    layout = solution.layout
    if not solution.has_prediction or not solution.snapshot_time.size:
        return False
    return layout.inputs.ndim == 1 or fills_plane(layout.inputs) or layout.target.size > 0


@styled
def prediction_figure(solution: Solution) -> Figure:
    """f[mu] at the snapshots: curves of one input, maps of two.

    Of more inputs, and of two that lie on a line, f is drawn against f*; of labels, the share of
    them that is met by a margin.

    Parameters
    ----------
    solution : Solution
        One with `has_prediction_figure`.
    """
    layout = solution.layout
    if layout.inputs.ndim == 1:
        return curve_figure(solution)
    if fills_plane(layout.inputs):
        return map_figure(solution)
    return margin_figure(solution) if is_labelled(layout) else parity_figure(solution)
