"""The paper's bad initialisation: when do birth and death leave the plateau, and by which tail?

On the whole plane, along characteristics (`ancestors`); then what a cut of the law, a wall, a
number of draws and a grid make of that time. What is small is carried by the field of the plateau:

    a path that ends in the right well gains A(t) = c(t) - c_0 of charge, whatever its c_0, and the
    factor exp(alpha (A c_0 + A^2 / 2)) of mass; its ancestor has exp(-(y_0 + 2)^2 / 0.02 - c_0^2/2)

so the plateau is left when the best c_0 breaks even, c_0 = alpha A unless a cut forbids it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.dynamics.birth_death import Mean
from meanfield_pde.evolution import evolve
from meanfield_pde.plotting.tail import Ancestors, Curve, Paths, save_tail_figure
from meanfield_pde.problem.data import Line
from meanfield_pde.representations.grid import Muscl, Reconstruction, Upwind
from meanfield_pde.representations.initial_nodes import log_sum, tensor_log_weights
from meanfield_pde.representations.particles import Particles
from meanfield_pde.schedules import AtTimes, EveryTime
from meanfield_pde.studies import paper
from meanfield_pde.studies.ancestors import (
    DEVIATION,
    LEVEL,
    MEAN,
    RIGHT,
    TOLERANCE,
    Escape,
    History,
    Panels,
    Run,
    ancestors,
    core,
    drawn,
    energy,
    log_law,
    log_shares,
    run,
)
from meanfield_pde.studies.tables import table
from meanfield_pde.timestepping.step_size import Controlled, Fixed

Array = NDArray[np.float64]

COARSE = Panels(core=(5, 16))
BASE = Panels()
FINE = Panels(
    core=(12, 32),
    reach=1.3,
    charges=(-14.0, 16.0),
    tail_charges=(1.0, 59.0),
    tail_panel=2.0,
    first=1e-5,
    growth=1.7,
    width=0.4,
    points=(10, 10),
)

OTHER = {
    1.0: 5.7368955483e-2,
    5.0: 1.4615238719e-2,
    10.0: 1.3789327324e-2,
    20.0: 1.3736070424e-2,
    40.0: 5.3552186373e-4,
    60.0: 1.9764931835e-4,
    100.0: 1.8014229345e-5,
}
"""E from another code: Fourier sums for v, masses by the invariant, other nodes."""

WIDE = 26.0
"""Walls beyond the charges that matter: 23.2 +- 1.0."""

UNTIL = 110.0

EARLY, MODERATE, LARGE = 20.0, 16.0, 24.0
"""A time on the plateau, and the charges at which grids are compared then."""

STEEP = 200.0
"""- d ln rho_0 / dy at y = 0."""

LAW, WALLS = "law: |c_0| <=", "walls: |c| <="


@dataclass(frozen=True, eq=False)
class Plateau:
    """What all parts need: the field of the plateau and the run on the whole plane."""

    history: History
    whole: Run
    escape: Escape

    @property
    def gained(self) -> tuple[Array, Array]:
        """Times, and the charge A that the mean ancestor has gained by then."""
        time = np.linspace(0.0, self.history.end, 161)
        path = self.history.paths(self.escape.mean[None, :2], time)
        return time, path[:, 0, 1] - path[0, 0, 1]

    def estimate(self, largest: float = math.inf) -> float:
        """When the best c_0 <= largest breaks even; a late A grows as at the end."""
        charge = np.linspace(2.0, min(largest, 40.0), 400)
        cost = ((self.history.line(charge) - MEAN) / DEVIATION) ** 2
        needed = np.sqrt(charge**2 + (charge**2 + cost) / paper.ALPHA) - charge
        time, gained = self.gained
        rate = (gained[-1] - gained[-9]) / (time[-1] - time[-9])
        later = time[-1] + (needed.min() - gained[-1]) / rate
        return float(np.interp(needed.min(), gained, time)) if later < time[-1] else float(later)


def whole_plane(quick: bool) -> Plateau:
    """The run that the figure and all comparisons are about."""
    history = History.of(COARSE, energy())
    until, interval = (45.0, 2.0) if quick else (100.0, 1.0)
    times = np.append(np.linspace(0.0, 2.0, 17), np.arange(4.0, 46.0, interval))
    start = ancestors(COARSE if quick else BASE, energy(), history.line)
    whole = run(start, energy(), until, save=AtTimes(tuple(times)), after=math.inf)
    return Plateau(history, whole, Escape.of(whole, whole.crossing))


def bar_table(plateau: Plateau, quick: bool) -> str:
    """The crossing time, and what moves it."""
    line = plateau.history.line
    data = Line(-14.0, 14.0, 201)
    near, far = replace(COARSE, reach=0.8, core=(4, 16)), replace(COARSE, reach=1.4, core=(7, 16))
    variations: list[tuple[str, Panels, Controlled, Line | None]] = [
        ("coarse nodes", COARSE, TOLERANCE, None),
        ("tolerance 1e-10", COARSE, Controlled(tolerance=1e-10), None),
    ]
    if not quick:
        variations += [
            ("nodes of the tables", BASE, TOLERANCE, None),
            ("tolerance 1e-6", COARSE, Controlled(tolerance=1e-6), None),
            ("core: |y_0 + 2| <= 0.8", near, TOLERANCE, None),
            ("core: |y_0 + 2| <= 1.4", far, TOLERANCE, None),
            ("core: -9 <= c_0 <= 11", replace(COARSE, charges=(-9.0, 11.0)), TOLERANCE, None),
            ("tail: c_0 <= 30", replace(COARSE, tail_charges=(3.0, 30.0)), TOLERANCE, None),
            ("tail: 1 <= c_0 <= 60", replace(COARSE, tail_charges=(1.0, 60.0)), TOLERANCE, None),
            ("tail: y_0 <= b + 0.15", replace(COARSE, width=0.15), TOLERANCE, None),
            ("tail: y_0 <= b + 0.6", replace(COARSE, width=0.6), TOLERANCE, None),
            ("tail: from b + 1e-6", replace(COARSE, first=1e-6), TOLERANCE, None),
            ("201 data, |x| <= 14", COARSE, TOLERANCE, data),
            ("fine in everything", FINE, TOLERANCE, data),
        ]
    rows = []
    for name, panels, step, points in variations:
        with_data = energy(data=points)
        varied = run(ancestors(panels, with_data, line), with_data, 45.0, step)
        error = f"{varied.invariant_error(-1):.0e}"
        rows.append([name, str(varied.start.points.shape[0]), f"{varied.crossing:.7f}", error])
    header = ["varied", "nodes", f"E = {LEVEL} at t", "invariant"]
    return table("Whole plane, and how far log m - alpha c^2/2 strays between paths", header, rows)


def energy_table(plateau: Plateau) -> str:
    """E on the way, beside that of another code, and its plateau and what comes after."""
    time, values = plateau.whole.time, plateau.whole.values
    rows = []
    for t in (1.0, 5.0, 10.0, 20.0, 38.0, 39.0, 40.0, 60.0, 100.0):
        if t <= time[-1]:
            other = f"{OTHER[t]:.9e}" if t in OTHER else ""
            rows.append([f"{t:g}", f"{values[np.argmin(np.abs(time - t))]:.9e}", other])
    return table("Whole plane", ["t", "E", "E, by another code"], rows)


def path_table(plateau: Plateau) -> str:
    """The way of the leading ancestor, and the shares of what ends right."""
    whole, escape = plateau.whole, plateau.escape
    times = np.array([0.0, 0.5, 1.0, 2.0, 6.0, 10.0, 20.0, 30.0, 38.0])
    path = plateau.history.paths(leading_ancestor(plateau)[None, :], times)[:, 0]
    index = [int(np.argmin(np.abs(whole.saved - t))) for t in times]
    states = whole.states[index]
    ends_right = log_shares(states, escape.right)
    typical = log_shares(states, escape.typical(whole.start.points))
    rows = []
    for k, time in enumerate(times):
        now = states[k, :, 0] > RIGHT
        there = log_shares(states[k : k + 1], now)[0] if now.any() else -math.inf
        numbers = [f"{x:.1f}" for x in (ends_right[k], typical[k], there)]
        rows.append([f"{time:g}", f"{path[k, 0]:.4f}", f"{path[k, 1]:.3f}", *numbers])
    header = ["t", "y", "c", "of what ends there", "of ancestors within 2 spreads", "y > 1 now"]
    return table("The leading ancestor, and ln(share) of what is right of y = 1", header, rows)


def leading_ancestor(plateau: Plateau) -> Array:
    """(y_0, c_0) of the largest density over ancestors at the crossing: refined about the mean."""
    centre, half = plateau.escape.mean[:2], 3.0 * plateau.escape.spread[:2]
    for _ in range(4):
        grid = [np.linspace(m - h, m + h, 21) for m, h in zip(centre, half, strict=True)]
        points = np.stack([axis.ravel() for axis in np.meshgrid(*grid)], axis=1)
        end = plateau.history.carried(points, 0.0, plateau.whole.crossing)
        grown = 0.5 * paper.ALPHA * (end[:, 1] ** 2 - points[:, 1] ** 2)
        density = np.where(end[:, 0] > RIGHT, log_law(points) + grown, -math.inf)
        centre, half = points[np.argmax(density)], 0.15 * half
    return np.asarray(centre)


def cut_runs(plateau: Plateau, quick: bool) -> Iterator[tuple[str, float, Run]]:
    """Runs with less of the law, or walls: of what kind, where the cut is, the run."""
    line, whole = plateau.history.line, energy()
    tail = replace(COARSE, tail_panel=2.0)
    for largest in (8.0,) if quick else (4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0):
        start = ancestors(COARSE.within(largest), whole, line)
        yield LAW, largest, run(start, whole, UNTIL)
    for last in () if quick else (0.05, 0.0, -0.01, -0.02):
        yield "law: y_0 <=", last, run(ancestors(COARSE, whole, line, last), whole, UNTIL)
    for number in () if quick else (205.0, 220.0, 260.0, 300.0, 400.0):
        yield "ln(draws) =", number, run(drawn(ancestors(tail, whole, line), number), whole, UNTIL)
    for wall in (8.0,) if quick else (6.0, 8.0, 12.0, 16.0, 20.0, 24.0):
        walled = energy(wall)
        start = ancestors(replace(COARSE.within(wall), before=0.02), walled, line)
        # A path is not smooth where it meets a wall: error estimates would ask for tiny steps.
        yield WALLS, wall, run(start, walled, UNTIL, Fixed(0.2), after=4.0)


def cut_table(plateau: Plateau, runs: list[tuple[str, float, Run]]) -> str:
    """Crossing times, ancestors, the chance of a draw."""
    rows = []
    for kind, cut, one in [("none", math.inf, plateau.whole), *runs]:
        found = Escape.of(one, one.crossing)
        law = kind in ("none", LAW)
        rows.append(
            [
                "whole plane" if kind == "none" else f"{kind} {cut:g}",
                f"{one.crossing:.3f}",
                f"{plateau.estimate(cut):.1f}" if law else "",
                f"{found.mean[0]:.4f} +- {found.spread[0]:.4f}",
                *(f"{found.mean[k]:.2f} +- {found.spread[k]:.2f}" for k in (1, 3)),
                f"{found.log_draw:.0f}",
            ]
        )
    header = ["", f"E = {LEVEL} at t", "estimate", "y_0", "c_0", "c then", "ln(chance of a draw)"]
    return table("Cuts of the law, numbers of draws, walls", header, rows)


def compact_table(quick: bool) -> str:
    """Laws of y that end left of the dividing line."""
    times = (20.0, 100.0) if quick else (20.0, 100.0, 200.0, 400.0)
    rows = []
    for reach in (0.3,) if quick else (0.3, 1.5):
        panels = replace(COARSE, core=(4 + round(4 * reach), 20), reach=reach)
        one = run_core(panels, times)
        positive = one.states[-1, :, 1] > 0.0
        furthest = float(one.states[-1, positive, 0].max())
        rows.append(
            [
                f"|y_0 + 2| <= {reach:g}",
                *(f"{one.values[np.argmin(np.abs(one.time - t))]:.6e}" for t in times),
                f"{furthest:.3f}",
            ]
        )
    header = ["law of y cut to", *(f"E({t:g})" for t in times), "largest y with c > 0, at the end"]
    return table("y with compact support left of the dividing line: no way right", header, rows)


def run_core(panels: Panels, times: tuple[float, ...]) -> Run:
    """The core alone, to the last time."""
    return run(core(panels, energy()), energy(), times[-1], record=AtTimes(times))


def log_shares_by_charge(location: Array, charge: Array, log_masses: Array) -> tuple[str, str]:
    """ln(share) of y > 1 with moderate and with large charges, as words."""
    right = location > RIGHT
    sides = (right & (charge < MODERATE), right & (charge > LARGE))
    moderate, large = (f"{log_sum(log_masses[s]):.0f}" if s.any() else "" for s in sides)
    return moderate, large


@dataclass(frozen=True, eq=False)
class OnGrid:
    """A run by finite volumes: E in time, and ln(share) of y > 1 at t = 20 by charge."""

    name: str
    cells: tuple[int, int]
    charges: float
    time: Array
    values: Array
    shares: tuple[str, str]

    @property
    def crossing(self) -> float:
        """Linear between records; infinite if never."""
        below = np.flatnonzero(self.values < LEVEL)
        if below.size == 0:
            return math.inf
        k = int(below[0])
        (t0, t1), (e0, e1) = self.time[k - 1 : k + 1], self.values[k - 1 : k + 1]
        return float(t0 + (t1 - t0) * (e0 - LEVEL) / (e0 - e1))


def on_grid(cells: int, charges: float, reconstruction: Reconstruction) -> OnGrid:
    """|y| <= 4, cells twice as long along c as along y; until it has left the plateau for good."""
    on_box = paper.energy(charges)
    both = (cells, round(cells * charges / 8.0))
    start = paper.start(on_box, both, paper.BAD_INITIALISATION, reconstruction)
    time, values, shares = [], [], ("", "")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="mass gathers at the walls")
        for frame in evolve(
            *(paper.equation(on_box, Mean()), start, UNTIL),
            step=Controlled(tolerance=1e-6),
            record=EveryTime(0.25),
            save=AtTimes((EARLY,)),
        ):
            time.append(frame.time)
            values.append(frame.scalars["energy"])
            if frame.time == EARLY and frame.snapshot is not None:
                with np.errstate(divide="ignore"):
                    log_masses = np.log(frame.snapshot.measure * start.grid.volume)
                location, charge = start.grid.coordinates
                shares = log_shares_by_charge(location, charge, log_masses)
            if values[-1] < 0.1 * LEVEL:
                break
    name = getattr(reconstruction, "limiter", reconstruction.kind)
    return OnGrid(name.replace("_", " "), both, charges, np.array(time), np.array(values), shares)


def grid_runs(quick: bool) -> list[OnGrid]:
    """Four resolutions, wide and narrow; two schemes that diffuse more."""
    sizes = (48, 64) if quick else (64, 96, 128, 256)
    middle = sizes[1 if quick else 2]
    return [
        *(on_grid(n, WIDE, Muscl()) for n in sizes),
        *(on_grid(n, 8.0, Muscl()) for n in sizes),
        on_grid(middle, 8.0, Muscl("minmod")),
        on_grid(middle, 8.0, Upwind()),
    ]


def grid_table(grids: list[OnGrid], exact: dict[float, Run]) -> str:
    """What grids say beside what is true for their walls."""
    rows = [
        [
            *(one.name, f"{one.charges:g}", "{} x {}".format(*one.cells), f"{one.crossing:.2f}"),
            f"{one.crossing - exact[one.charges].crossing:+.2f}",
            *(*one.shares, f"{STEEP * 8.0 / one.cells[0]:.0f}"),
        ]
        for one in grids
    ]
    for charges, truth in exact.items():
        now = truth.state_at(EARLY)
        place = "" if charges == WIDE else f"{charges:g}"
        shares = log_shares_by_charge(*now.T)
        rows.append(["characteristics", place, "", f"{truth.crossing:.2f}", "", *shares, ""])
    header = [
        "",
        "|c| <=",
        "cells",
        "leaves at",
        "off by",
        f"c < {MODERATE:g}",
        f"c > {LARGE:g}",
        "ln q",
    ]
    title = f"Finite volumes; ln(share of y > 1) at t = {EARLY:g} by charge; ln q at y_0 = 0"
    return table(title, header, rows)


GRIDS = """\
A tail that falls by the factor q from cell to cell should leave a cell with ln q / (q - 1) of its
average. Van Leer's limiter takes 2 / (q + 1), so that it moves tails at tanh(x) / x of their speed,
x = ln(q) / 2: where the charge is moderate too little gets right, and with walls at 8 grids are
late. Minmod takes 1/2 and upwind 1, too much by e^(ln q): they are early. Where the charge is large
all have too much right of y = 1 from the first time unit on, presumably as the fast flow empties
what is left of the ridge and a cell on it no longer knows on which side its mass is; it grows the
faster for its charge, and with wide walls grids are early. All move towards the exact times. No
rounding is in it: the leading ancestors have a density of e^-395, and doubles end at e^-745."""


def particle_curve(number: int, until: float) -> Curve:
    """E of particles, in time: one run of Algorithm 1."""
    on_box = paper.energy(WIDE)
    equation = paper.equation(on_box, Mean())
    start = Particles(number, 0.02).project(paper.BAD_INITIALISATION, on_box.space)
    frames = evolve(equation, start, until, record=EveryTime(0.5), save=AtTimes(()))
    time, values = np.array([(frame.time, frame.scalars["energy"]) for frame in frames]).T
    return Curve(time, values, "particles", f"{number} particles")


def density_of_ancestors(plateau: Plateau) -> tuple[Array, Array, Array]:
    """y_0, c_0 and ln of the density of what is right at the crossing, on the nodes of the tail."""
    whole = plateau.whole
    rules = whole.start.rules[1]
    shape = tuple(rule.nodes.size for rule in rules)
    tail = slice(-math.prod(shape), None)
    log_masses = whole.state_at(whole.crossing)[tail, 2] - tensor_log_weights(rules)
    density = np.where(plateau.escape.right[tail], log_masses, -math.inf).reshape(shape)
    location, charge = (column.reshape(shape) for column in whole.start.points[tail].T)
    return location, charge, density - density.max()


def paths(plateau: Plateau) -> Paths:
    """The leading ancestor, its mirror image across the dividing line, and others."""
    leader = leading_ancestor(plateau)
    mirrored = [2.0 * float(plateau.history.line(leader[1])) - leader[0], leader[1]]
    starts = np.array([[-2.0, 1.5], [-2.0, -1.5], [0.028, 8.0], [0.022, 12.0], mirrored, leader])
    crossing = plateau.whole.crossing
    time = np.concatenate([np.linspace(0.0, 3.0, 241), np.linspace(3.0, crossing, 120)[1:]])
    return Paths(
        time=time,
        places=plateau.history.paths(starts, time),
        marks=(0.0, 0.5, 10.0, 20.0, 30.0, crossing),
        ridge=plateau.history.ridge,
    )


def draw(
    plateau: Plateau, cuts: list[tuple[str, float, Run]], grids: list[OnGrid], number: int
) -> list[Path]:
    """The figure, in output/; number particles are drawn too."""
    whole, escape = plateau.whole, plateau.escape
    energies = [Curve(whole.time, whole.values, "exact", "whole plane")]
    for kind, cut, one in cuts:
        if kind == WALLS and cut in (8.0, 12.0):
            energies.append(Curve(one.time, one.values, "walls", f"walls $|c| \\leq {cut:g}$"))
    finest = max(grid.cells[0] for grid in grids)
    for grid in grids:
        if grid.name == "van leer" and grid.cells[0] == finest:
            words = f"grid, $|c| \\leq {grid.charges:g}$"
            energies.append(Curve(grid.time, grid.values, "grids", words))
    energies.append(particle_curve(number, float(whole.time[-1])))
    until = whole.saved <= math.ceil(whole.crossing) + 5.0
    states, time = whole.states[until], whole.saved[until]
    typical = escape.typical(whole.start.points)
    shares = [
        Curve(time, log_shares(states, escape.right), "exact", "all that ends right of $y = 1$"),
        Curve(time, log_shares(states, typical), "walls", "its ancestors within two deviations"),
        Curve(time, np.full(time.size, -math.log(number)), "particles", f"one of {number}"),
    ]
    charge = np.linspace(4.0, 30.0, 400)
    laws = [(cut, Escape.of(one, one.crossing)) for kind, cut, one in cuts if kind == LAW]
    leaders = [found.mean[:2] for cut, found in laws if cut < 20.0] + [escape.mean[:2]]
    found = Ancestors(
        *density_of_ancestors(plateau),
        line=np.array([charge, plateau.history.line(charge)]),
        leaders=np.array(leaders).T,
    )
    drawn_paths = paths(plateau)
    return save_tail_figure(energies, shares, found, drawn_paths, Path("output"), ("png", "pdf"))


def main(quick: bool = False) -> None:
    """Print the tables and draw the figure, output/tail.png and output/tail.pdf."""
    plateau = whole_plane(quick)
    print(bar_table(plateau, quick))
    print(energy_table(plateau))
    print(path_table(plateau))
    cuts = list(cut_runs(plateau, quick))
    print(cut_table(plateau, cuts))
    print(compact_table(quick))
    grids = grid_runs(quick)
    walled = next(one for kind, cut, one in cuts if kind == WALLS and cut == 8.0)
    print(grid_table(grids, {WIDE: plateau.whole, 8.0: walled}))
    print(GRIDS)
    for path in draw(plateau, cuts, grids, 1_000 if quick else 10_000):
        print(f"wrote {path}")
