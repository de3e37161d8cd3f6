"""A measure that moves: an animated GIF of a density, of particles, or of both side by side."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from meanfield_pde.errors import InputError, require
from meanfield_pde.plotting.axes import log_axis, number, time_axis, value_axis
from meanfield_pde.plotting.density import TALLEST
from meanfield_pde.plotting.parameters import parameter_range, parameter_ticks, symbol
from meanfield_pde.plotting.shades import Shades
from meanfield_pde.plotting.snapshots import MOST_ALONE, bins, described, few, require_same_space
from meanfield_pde.plotting.style import DARK, DASHED, INK, WARM, styled
from meanfield_pde.representations.following import folded
from meanfield_pde.results.disk import check_writable
from meanfield_pde.results.solution import Solution

Array = NDArray[np.float64]
Update = Callable[[int], None]

DPI = 100
COLOURS = 128
"""Of the whole animation: its frames share a palette, so that what stands still is stored once."""

WHITE = 250
"""What the palette has of white is a mean of it and its neighbours, above this."""

MOST_FRAMES = 200
FRAME, LAST = 120, 1500
"""Milliseconds that a frame is shown, and the last one."""

DOT = 3.0
"""Area of a particle of mean mass, in points."""

SIDE, ALONE, GAP, PANEL, ENERGY = 2.6, 3.6, 0.16, 2.2, 0.95
"""Inches: widths of a panel beside another and alone, between two, heights of both kinds."""

LEFT, RIGHT, ABOVE, BETWEEN, BELOW = 0.62, 0.12, 0.24, 0.42, 0.4
"""Inches around them."""

LOOKS: tuple[tuple[str, Any], ...] = ((DARK, "solid"), (WARM, DASHED))


@dataclass(frozen=True)
class Film:
    """A result, or two on the same physics, at the snapshots that are shown.

    Attributes
    ----------
    density : Solution or None
    particles : Solution or None
    times : array (frames,)
    """

    density: Solution | None
    particles: Solution | None
    times: Array

    @property
    def results(self) -> list[Solution]:
        """One or two."""
        return [result for result in (self.density, self.particles) if result is not None]

    def densities(self) -> list[Array]:
        """Of each frame."""
        assert self.density is not None
        kept = _indices(self.density, self.times)
        return [np.nan_to_num(self.density.measure[index], posinf=0.0) for index in kept]

    def clouds(self) -> list[tuple[Array, Array]]:
        """Positions and masses of each frame."""
        run = self.particles
        assert run is not None
        found = []
        for index in _indices(run, self.times):
            points, count = run.measure[index], run.layout.particles
            mass = np.exp(run.nodes[index][:, -1]) if run.nodes else np.full(count, 1.0 / count)
            found.append((folded(points, run.layout.axes), mass))
        return found


def film(result: Solution, particles: Solution | None = None) -> Film:
    """What can be shown of a result, and of particles beside it.

    Raises
    ------
    InputError
        If there are more than two parameters, no measure, or fewer than two snapshots in common.
    """
    count = len(result.layout.parameters)
    require(count <= 2, "parameters", result.layout.parameters, "one or two to animate")
    first = None if result.layout.particles else result
    if first is not None:
        require(first.layout.on_grid, "result", first.layout.representation, "a density on cells")
    if particles is not None:
        require(first is not None, "result", result.layout.representation, "a density first")
        known = particles.layout.particles > 0
        require(known, "second result", particles.layout.representation, "particles")
        require_same_space(result.layout, particles.layout)
    times = result.snapshot_time
    if particles is not None:
        apart = np.abs(times[:, None] - particles.snapshot_time).min(axis=1, initial=np.inf)
        times = times[apart <= 1e-6 * np.maximum(1.0, times)]
    if times.size < 2:
        raise InputError(
            f"snapshots = {times.size}: expected two or more, of all results at the same times, "
            "for example by --set output.save='{kind = \"every\", interval = 0.25}' in their run"
        )
    some = np.unique(np.linspace(0, times.size - 1, min(MOST_FRAMES, times.size)).round())
    second = particles if first is not None else result
    return Film(first, second, times[some.astype(int)])


def _indices(run: Solution, times: Array) -> list[int]:
    return [int(np.argmin(np.abs(run.snapshot_time - time))) for time in times]


@styled
def animation_frames(shown: Film) -> list[Image.Image]:
    """The pictures, in the colours of one palette."""
    figure, update = _scene(shown)
    canvas = FigureCanvasAgg(figure)
    pictures = []
    for index in range(shown.times.size):
        update(index)
        canvas.draw()
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    chosen = [pictures[0], pictures[len(pictures) // 2], pictures[-1]]
    palette = Image.fromarray(np.vstack([np.asarray(picture) for picture in chosen]))
    palette = palette.quantize(COLOURS, dither=Image.Dither.NONE)
    entries = np.array(palette.getpalette())
    palette.putpalette(np.where(entries >= WHITE, 255, entries).tolist())
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]


def save_animation(result: Solution, path: Path, particles: Solution | None = None) -> Path:
    """Write an animated GIF, one frame a snapshot that all results have.

    Parameters
    ----------
    result : Solution
        With a density, or particles, over one parameter or two.
    path : Path
        Of the GIF.
    particles : Solution, optional
        Of the same physics: beside the density over two parameters, in it over one.

    Returns
    -------
    Path
        The file, complete.

    Raises
    ------
    InputError
        If there is nothing to animate, or the file cannot be written.
    """
    shown = film(result, particles)
    check_writable(path)
    first, *others = animation_frames(shown)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        first.save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=others,
            duration=[FRAME] * len(others) + [LAST],
            loop=0,
        )
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _scene(shown: Film) -> tuple[Figure, Update]:
    """A figure, and what brings it to a frame."""
    plane = len(shown.results[0].layout.parameters) == 2
    count = len(shown.results) if plane else 1
    side = SIDE if count > 1 else ALONE
    width = LEFT + count * side + (count - 1) * GAP + RIGHT
    height = ABOVE + PANEL + BETWEEN + ENERGY + BELOW
    figure = Figure(figsize=(width, height), dpi=DPI)

    def place(left: float, bottom: float, wide: float, tall: float) -> Axes:
        return figure.add_axes((left / width, bottom / height, wide / width, tall / height))

    bottom = BELOW + ENERGY + BETWEEN
    panels = [place(LEFT + k * (side + GAP), bottom, side, PANEL) for k in range(count)]
    energy = place(LEFT, BELOW, width - LEFT - RIGHT, ENERGY)
    updates = [_energies(energy, shown), *(_planes if plane else _line)(panels, shown)]
    above = 1.0 - (ABOVE - 0.07) / height
    time = figure.text(LEFT / width, above, "")

    def update(index: int) -> None:
        time.set_text(f"$t = {number(float(shown.times[index]))}$")
        for part in updates:
            part(index)

    return figure, update


def _energies(axes: Axes, shown: Film) -> Update:
    """The curves of E, a dot on each that moves, and its height."""
    labels = [described(result.layout) for result in shown.results]
    dots = []
    for result, label, (colour, dashes) in zip(shown.results, labels, LOOKS, strict=False):
        axes.plot(result.time, result.energy, label=label, color=colour, linestyle=dashes)
        dots += axes.plot([], [], "o", markersize=5.0, color=colour, clip_on=False, zorder=5)
    value_axis(axes, [result.energy for result in shown.results])
    time_axis(axes, np.unique(np.concatenate([result.time for result in shown.results])))
    axes.set_ylabel("$E$")
    # The best place might be another one in each frame.
    words = axes.legend(loc="lower left", fontsize=7).get_texts()
    first = axes.get_xlim()[0]

    def update(index: int) -> None:
        now = float(shown.times[index])
        for result, label, dot, word in zip(shown.results, labels, dots, words, strict=True):
            value = float(np.interp(now, result.time, result.energy))
            word.set_text(f"{label}: $E = {number(value)}$")
            # A logarithmic axis has no place for the start but its end.
            dot.set_data([max(now, first)], [value])

    return update


def _planes(panels: list[Axes], shown: Film) -> list[Update]:
    """Two parameters: the density in colour, then particles as dots of their masses."""
    layout = shown.results[0].layout
    points = None if shown.particles is None else shown.particles.measure
    limits = [parameter_range(layout, k, points) for k in (0, 1)]
    updates: list[Update] = []
    free = list(panels)
    if shown.density is not None:
        updates.append(_image(free.pop(0), shown, limits))
    if shown.particles is not None:
        updates.append(_dots(free.pop(0), shown))
    for axes in panels:
        axes.set_xlim(*limits[0])
        axes.set_ylim(*limits[1])
        parameter_ticks(axes.xaxis, layout, 0, limits[0], inner=len(panels) > 1)
        parameter_ticks(axes.yaxis, layout, 1, limits[1])
        axes.set_xlabel(f"${symbol(layout.parameters[0])}$")
        axes.tick_params(axis="y", labelleft=axes is panels[0])
    panels[0].set_ylabel(f"${symbol(layout.parameters[1])}$")
    return updates


def _image(axes: Axes, shown: Film, limits: list[tuple[float, float]]) -> Update:
    densities = shown.densities()
    shades = Shades.of(densities)
    extent = (*limits[0], *limits[1])
    image = axes.imshow(shades.image(densities[0]), origin="lower", extent=extent, aspect="auto")

    def update(index: int) -> None:
        image.set_data(shades.image(densities[index]))

    return update


def _dots(axes: Axes, shown: Film) -> Update:
    clouds = shown.clouds()
    count = len(clouds[0][0])
    if count > MOST_ALONE:
        axes.set_title(rf"$\circ$ {MOST_ALONE} of {count}", loc="right", fontsize=8, pad=4.0)
    cloud = axes.scatter([], [], s=DOT, facecolors="none", edgecolors=INK, linewidths=0.4)

    def update(index: int) -> None:
        both = np.column_stack(clouds[index])
        points = few(both, MOST_ALONE)
        cloud.set_offsets(points[:, :2])
        cloud.set_sizes(DOT * points[:, 2] * count)

    return update


def _line(panels: list[Axes], shown: Film) -> list[Update]:
    """One parameter: the density as a curve, particles as a histogram under it."""
    (axes,), layout = panels, shown.results[0].layout
    points = None if shown.particles is None else shown.particles.measure
    limits = parameter_range(layout, 0, points)
    updates: list[Update] = []
    peaks: list[float] = []
    if shown.particles is not None:
        updates.append(_histogram(axes, shown, limits, peaks))
    if shown.density is not None:
        updates.append(_curve(axes, shown, peaks))
    low, high = min(peaks), max(peaks)
    if high > TALLEST * low:
        log_axis(axes, "y", 1e-2 * low, 2.0 * high)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.set_ylim(0.0, 1.06 * high)
    axes.set_xlim(*limits)
    parameter_ticks(axes.xaxis, layout, 0, limits)
    name = symbol(layout.parameters[0])
    axes.set_xlabel(f"${name}$")
    axes.set_ylabel(rf"density $\mu(t, {name})$")
    return updates


def _curve(axes: Axes, shown: Film, peaks: list[float]) -> Update:
    assert shown.density is not None
    densities, centres = shown.densities(), shown.density.layout.centres[0]
    (curve,) = axes.plot(centres, densities[0], color=DARK)
    peaks += [peak for density in densities if (peak := float(density.max())) > 0.0]

    def update(index: int) -> None:
        curve.set_ydata(densities[index])

    return update


def _histogram(axes: Axes, shown: Film, limits: tuple[float, float], peaks: list[float]) -> Update:
    clouds = shown.clouds()
    edges = np.linspace(*limits, bins(len(clouds[0][0])) + 1)
    heights = [
        np.histogram(points[:, 0], bins=edges, weights=mass)[0] / np.diff(edges)
        for points, mass in clouds
    ]
    colour = WARM if shown.density is not None else DARK
    stairs = axes.stairs(heights[0], edges, color=colour, alpha=0.5, fill=True)
    peaks += [peak for height in heights if (peak := float(height.max())) > 0.0]

    def update(index: int) -> None:
        stairs.set_data(heights[index])

    return update
