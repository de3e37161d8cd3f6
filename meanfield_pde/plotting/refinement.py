"""Errors against a refined parameter with their order, or observables against a varied one."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

from meanfield_pde.plotting.axes import at_time, log_axis, number, positive, value_axis
from meanfield_pde.plotting.style import (
    INK,
    column_figure,
    early_to_late,
    legend_above,
    legend_room,
    styled,
)
from meanfield_pde.results.study import StudyResult
from meanfield_pde.variations import QUANTITIES

Array = NDArray[np.float64]

WORDS = {
    "energy": "$E$",
    "mass": "mass",
    "prediction": r"$f[\mu]$, in $L^2(\nu)$",
    "density": r"$\mu$, in $L^1$",
    "mean_potential": r"$\langle V\rangle$",
}

MARKERS = ("^", "s", "D", "o")
"""Of up to four times, from early to late."""

CROWDED = 0.08
"""The least distance of two labelled values, as a part of the axis."""

LETTERS = 48
"""That fit under an axis."""

SPAN, BELOW = 0.14, 0.08
"""Half the width of a slope triangle and its depth under the curves, as parts of the axes."""


@styled
def study_figure(result: StudyResult) -> Figure:
    """A panel for each quantity, in it a curve for each of up to four save times.

    Of a refinement the axes are logarithmic, and a triangle under the curves has the slope of the
    last time, least squares through all runs. Of varied values the axes are what the values are.

    Parameters
    ----------
    result : StudyResult
        One with something to draw (`has_curves`).
    """
    curves = _curves(result)
    shown = result.shown()
    labels = [at_time(float(result.time[j])) for j in shown]
    height = 2.0 if len(curves) == 1 else 1.45
    figure, panels = column_figure([height] * len(curves), above=legend_room(labels), gap=0.12)
    places = result.size if _numeric(result) else np.arange(len(result.outcome), dtype=float)
    looks = early_to_late(len(shown))
    joined = {} if _numeric(result) else {"linestyle": "none"}
    for axes, (name, values) in zip(panels, curves.items(), strict=True):
        columns = [values[:, j] for j in shown]
        for column, label, look, marker in zip(
            columns, labels, looks, MARKERS[-len(shown) :], strict=True
        ):
            face = {"marker": marker, "markerfacecolor": "white", "markeredgewidth": 0.9}
            axes.plot(places, column, **{**look, **joined, **face}, label=label)
        if result.refines:
            corners = _triangle(axes, places, columns)
            value_axis(axes, [*columns, corners], always=True)
        else:
            value_axis(axes, columns)
        last = axes is panels[-1]
        _value_ticks(axes, result, places)
        axes.tick_params(axis="x", labelbottom=last)
        axes.set_ylabel(("error of " if result.refines else "") + _words(name))
    others = ", ".join(list(result.values)[1:])
    panels[-1].set_xlabel(result.key + (f" (with {others})" if others else ""))
    legend_above(panels[0])
    return figure


def has_curves(result: StudyResult) -> bool:
    """Whether some run can be drawn."""
    return any(np.isfinite(values).any() for values in _curves(result).values())


def save_study_figure(
    result: StudyResult, folder: Path, stem: str, formats: Sequence[str]
) -> list[Path]:
    """Write the figure of a study as `<stem>.<format>`; none if there is nothing to draw.

    Returns
    -------
    list of Path
        The files, each complete.
    """
    from meanfield_pde.plotting import write_figure

    if not has_curves(result):
        return []
    figure = study_figure(result)
    return [write_figure(figure, folder / f"{stem}.{form}", form) for form in formats]


def _curves(result: StudyResult) -> dict[str, Array]:
    """What is drawn, by name; errors that are zero have no logarithm and leave gaps."""
    if not result.refines:
        return dict(result.observed)
    return {name: positive(result.errors[name]) for name in QUANTITIES if name in result.errors}


def _numeric(result: StudyResult) -> bool:
    return bool(np.isfinite(result.size).all())


def _words(name: str) -> str:
    return WORDS.get(name, name.replace("_", " "))


def _value_ticks(axes: Axes, result: StudyResult, places: Array) -> None:
    """Ticks at the values themselves, where they do not crowd."""
    low, high = float(places.min()), float(places.max())
    numeric = _numeric(result)
    logarithmic = numeric and low > 0.0 and (result.refines or high >= 30.0 * low)
    ratio = (high / low) ** 0.08 if logarithmic else 1.0
    pad = 0.08 * (high - low) if numeric else 0.5
    limits = (low / ratio, high * ratio) if logarithmic else (low - pad, high + pad)
    scaled = np.sort(np.log(places) if logarithmic else places)
    apart = np.diff(scaled).min() >= CROWDED * (scaled[-1] - scaled[0])
    if apart or not numeric:
        axes.set_xscale("log" if logarithmic else "linear")
        axes.set_xlim(*limits)
        axes.xaxis.set_ticks(places.tolist(), labels=[_tick(result, k) for k in range(len(places))])
        axes.xaxis.set_minor_locator(NullLocator())
    elif logarithmic:
        log_axis(axes, "x", *limits)
    else:
        axes.set_xlim(*limits)
        axes.xaxis.set_major_locator(MaxNLocator(6))


def _tick(result: StudyResult, index: int) -> str:
    """The value of a run, in the room that each has under the axis."""
    texts = result.values[result.key]
    value = tomllib.loads(f"value = {texts[index]}")["value"]
    numbers = value if isinstance(value, list) else [value]
    if all(type(entry) in (int, float) for entry in numbers):
        between = r" \times " if result.refines else r",\, "
        return f"${between.join(number(float(entry)) for entry in numbers)}$"
    if isinstance(value, dict):
        others = [entry for key, entry in value.items() if key != "kind"]
        value = ", ".join(map(str, [value.get("kind", ""), *others]))
    words, room = str(value), max(4, LETTERS // len(texts))
    return words if len(words) <= room else f"{words[: room - 1]}\N{HORIZONTAL ELLIPSIS}"


def _triangle(axes: Axes, sizes: Array, columns: list[Array]) -> Array:
    """A triangle under all curves with the slope of the last; heights that it needs room for."""
    order = np.argsort(sizes)
    curves = []
    for column in columns:
        known = order[np.isfinite(column[order])]
        curves += [(np.log(sizes[known]), np.log(column[known]))] if known.size >= 2 else []
    if not curves:
        return np.empty(0)
    x, y = curves[-1]
    slope = float(np.polyfit(x, y, 1)[0])
    middle, half = 0.5 * (x[0] + x[-1]), SPAN * (x[-1] - x[0])
    across = np.linspace(middle - half, middle + half, 9)
    line = slope * (across - middle)
    heights = np.concatenate([heights for _, heights in curves])
    deep = BELOW * max(float(np.ptp(heights)), math.log(100.0))
    line += min(float(np.min(np.interp(across, *curve) - line)) for curve in curves) - deep
    ends, low = across[[0, -1]], float(line.min())
    upright = ends[int(np.argmax(line[[0, -1]]))]
    corners = np.exp([[ends[0], line[0]], [ends[1], line[-1]], [upright, low]])
    axes.add_patch(Polygon(corners, closed=True, fill=False, edgecolor=INK, linewidth=0.6))
    falls = (slope < 0.0) == (sizes[0] < sizes[-1])
    beside: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7.5, "color": INK}
    left = upright == ends[0]
    axes.annotate(
        f"${abs(slope) if falls else -abs(slope):.2f}$",
        (float(np.exp(upright)), float(np.exp(0.5 * (line.min() + line.max())))),
        xytext=(-3 if left else 3, 0),
        ha="right" if left else "left",
        va="center",
        **beside,
    )
    axes.annotate(
        "1", np.exp([middle, low]).tolist(), xytext=(0, -2.5), ha="center", va="top", **beside
    )
    return np.exp([low - 2.0 * deep, *line])
