"""The one style of every figure: sizes, fonts, colours that also differ in grey."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[np.float64]
P = ParamSpec("P")
R = TypeVar("R")

COLUMN = 3.4
"""Width of one column in inches."""

PAGE = 7.0
"""Width of the page in inches."""

STYLE: Any = {
    "font.family": "STIXGeneral",
    "font.size": 9,
    "mathtext.fontset": "stix",
    "text.usetex": False,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "axes.linewidth": 0.5,
    "axes.labelpad": 2.5,
    "axes.formatter.limits": (-5, 5),
    "axes.formatter.use_mathtext": True,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "xtick.major.pad": 2.5,
    "ytick.major.pad": 2.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "legend.borderaxespad": 0.4,
    "legend.labelspacing": 0.3,
    "figure.facecolor": "white",
    "savefig.dpi": 180,
    "savefig.bbox": None,
    "pdf.fonttype": 42,
}

INK = "#1a1a1a"
DARK = "#1d4e89"
WARM = "#e08214"
PALE = "#cccccc"
DASHED = (0, (4.0, 1.6))


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a function under the style, whatever the defaults of the caller's session are."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return inside


def _sequential(size: int = 256) -> NDArray[np.uint8]:
    """White to teal to indigo, its lightness linear in the OKLab space: rows of RGB."""
    s = np.linspace(0.0, 1.0, size)
    lightness = 1.0 - 0.68 * s
    chroma = 0.125 * np.sin(np.pi * np.minimum(s, 0.62) / 1.24) ** 0.9
    hue = np.radians(175.0 + 100.0 * s)
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    cone = np.stack(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    to_rgb = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(to_rgb @ cone**3, 0.0, 1.0)
    curved = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, curved)
    return np.round(255 * rgb.T).astype(np.uint8)


SEQUENCE = _sequential()
"""RGB rows of the sequential colour map; the first is empty (white)."""


def colours(values: Array) -> NDArray[np.uint8]:
    """RGB image of values between 0 (empty) and 1; others are clipped, NaN is empty."""
    scaled = np.nan_to_num(np.clip(values, 0.0, 1.0), nan=0.0) * (len(SEQUENCE) - 1)
    return SEQUENCE[np.round(scaled).astype(np.intp)]


def early_to_late(count: int) -> list[dict[str, Any]]:
    """Looks of the lines of up to four snapshots, light to dark and dotted to solid."""
    shades = np.linspace(0.42, 1.0, count) if count > 1 else np.ones(1)
    dashes = [(0, (1.0, 1.2)), (0, (5.0, 1.4, 1.0, 1.4)), (0, (4.5, 1.4)), "solid"]
    rows = colours(shades).astype(float) / 255
    return [
        {"color": tuple(row), "linestyle": dash}
        for row, dash in zip(rows, dashes[-count:], strict=True)
    ]


def column_figure(
    heights: list[float], above: float = 0.18, gap: float = 0.1
) -> tuple[Figure, list[Axes]]:
    """A one-column figure of panels on top of each other, sizes in inches.

    Parameters
    ----------
    heights : list of float
        Of the panels, from the top.
    above, gap : float
        Space over the first panel and between panels.
    """
    left, right, below = 0.62, 0.1, 0.4
    height = above + sum(heights) + gap * (len(heights) - 1) + below
    figure = Figure(figsize=(COLUMN, height))
    FigureCanvasAgg(figure)
    width = COLUMN - left - right
    panels: list[Axes] = []
    top = height - above
    for tall in heights:
        box = (left / COLUMN, (top - tall) / height, width / COLUMN, tall / height)
        panels.append(figure.add_axes(box))
        top -= tall + gap
    for panel in panels if len(panels) > 1 else ():
        panel.yaxis.set_label_coords(-0.45 / width, 0.5)
    return figure, panels


def legend_room(labels: list[str]) -> float:
    """Inches that `legend_above` takes for these labels."""
    return 0.3 if _one_row(labels) else 0.44


def legend_above(axes: Axes) -> None:
    """A legend over the axes, where it covers no curve: one row if it fits, else rows of three."""
    handles, labels = axes.get_legend_handles_labels()
    columns = len(labels) if _one_row(labels) else 3
    by_rows = [i for column in range(columns) for i in range(column, len(labels), columns)]
    axes.legend(
        [handles[i] for i in by_rows],
        [labels[i] for i in by_rows],
        loc="lower center",
        bbox_to_anchor=(0.46, 1.0),
        ncols=columns,
        handlelength=1.4,
        handletextpad=0.5,
        columnspacing=1.1,
    )


def _one_row(labels: list[str]) -> bool:
    """Whether labels are short enough to stand side by side over one column."""
    return sum(len(label.replace("$", "")) + 5 for label in labels) <= 56
