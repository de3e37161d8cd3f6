"""One screen about a result file, of a run, a study or an ensemble."""

from __future__ import annotations

import math
import textwrap
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.results import ensemble
from meanfield_pde.results.ensemble import EnsembleResult, ensemble_in
from meanfield_pde.results.hdf5 import opened, solution_in
from meanfield_pde.results.provenance import PACKAGES
from meanfield_pde.results.solution import Solution
from meanfield_pde.results.study import FINISHED, FORMAT, StudyResult, study_in
from meanfield_pde.studies.tables import table

Array = NDArray[np.float64]

WIDTH, INDENT = 100, 11
"""Characters of a line, and before what it says."""

MOST_TIMES = 6
"""Rows of the table of a run."""

MOST_FAILURES = 3
"""Runs of an ensemble whose failures are told."""

COLUMNS = {
    "energy": ("E", ".8g"),
    "mass": ("mass", ".8g"),
    "mean_potential": ("<V>", ".4g"),
    "gap": ("gap", ".3g"),
    "transport_dissipation": ("transport", ".3g"),
    "birth_death_dissipation": ("birth, death", ".3g"),
    "identity_defect": ("defect", ".1e"),
    "time_error": ("time error", ".1e"),
    "wall_mass": ("at walls", ".1e"),
    "smallest_density": ("smallest", ".1e"),
}
"""Scalars in the table of a run, each with its title and its format."""

TITLES = {
    "energy": "Error of the energy",
    "mass": "Error of the mass",
    "prediction": "Error of the prediction in L2 of the data",
    "density": "Error of the density in L1",
}


def read_result(path: str | Path) -> Solution | StudyResult | EnsembleResult:
    """A result file of any kind.

    Raises
    ------
    InputError
        If it is of none, or damaged.
    """
    with opened(path) as file:
        form = file.attrs.get("format")
        if form == ensemble.FORMAT:
            return ensemble_in(file)
        return study_in(file) if form == FORMAT else solution_in(file)


def summary(result: Solution | StudyResult | EnsembleResult) -> str:
    """A result as text for one screen."""
    attributes = result.attributes
    lines = [str(attributes.get("title", "(no title)"))]
    if isinstance(result, StudyResult):
        lines += [str(attributes.get("equation", "")), study_tables(result), ""]
    elif isinstance(result, EnsembleResult):
        lines += [str(attributes.get("equation", "")), ensemble_table(result), ""]
    else:
        lines += [result.layout.equation, _scalars(result), "", *_run(result)]
    return "\n".join([*lines, *_origin(attributes), *_case(attributes)])


def study_tables(result: StudyResult) -> str:
    """Errors and observed orders of a refinement, or observables; then what did not finish."""
    shown = result.shown()
    times = [f"t = {result.time[j]:.4g}" for j in shown]
    against = result.attributes.get("against")
    parts = []
    if result.refines:
        header = [word for time in times for word in (time, "order")]
        for name in [name for name in TITLES if name in result.errors]:
            pairs = zip(result.errors[name], result.orders[name], strict=True)
            cells = [
                [c for j in shown for c in (_cell(e[j], ".2e"), _cell(o[j], ".2f"))]
                for e, o in pairs
            ]
            parts.append(_table(f"{TITLES[name]}, against {against}", result, header, cells))
    else:
        for name, values in result.observed.items():
            cells = [[_cell(row[j], ".8g") for j in shown] for row in values]
            parts.append(_table(name.replace("_", " "), result, times, cells))
    ended = list(zip(result.labels, result.outcome, strict=True))
    ended.append((f"{against}", str(result.attributes.get("reference_outcome", FINISHED))))
    failed = [f"{label}: {outcome}" for label, outcome in ended if outcome != FINISHED]
    return "\n".join([*parts, *failed])


def ensemble_table(result: EnsembleResult) -> str:
    """Mean energy, its standard error, and quantiles at save times; then what did not finish.

    Beside them the energy of the mean field, and how many standard errors the mean is from it; and
    of predictions, how far they spread and how far their mean is from that of the mean field.
    """
    saved = result.snapshot_time
    picked = np.unique(np.linspace(0, saved.size - 1, min(MOST_TIMES, saved.size)).round())
    at = [int(np.argmin(np.abs(result.time - saved[k]))) for k in picked.astype(int)]
    mean, error = result.mean[at], result.standard_error[at]
    low, high = result.quantiles((0.05, 0.95))[:, at]
    columns = {
        "t": [f"{time:.6g}" for time in result.time[at]],
        "mean E": [_cell(value, ".6g") for value in mean],
        "s.e.": [_cell(value, ".1e") for value in error],
        "sd": [_cell(value, ".2e") for value in result.deviation[at]],
        "5 %": [_cell(value, ".5g") for value in low],
        "95 %": [_cell(value, ".5g") for value in high],
    }
    if result.mean_field is not None:
        limit = result.mean_field.energy[at]
        apart = np.divide(mean - limit, error, out=np.full(len(at), np.nan), where=error > 0.0)
        columns["mean field"] = [_cell(value, ".6g") for value in limit]
        columns["off/s.e."] = [_cell(value, "+.1f") for value in apart]
    if result.weight.size:
        snapshots = picked.astype(int)
        columns["sd of f"] = [_cell(value, ".2e") for value in result.spread[snapshots]]
        if result.mean_field is not None:
            columns["<f> off"] = [_cell(value, ".2e") for value in result.distance[snapshots]]
    particles = result.attributes.get("particles", "?")
    title = f"Energy of {len(result.finished)} runs of {particles} particles"
    if result.weight.size:
        title += " (of f: in L2 of the data)"
    failed = [(k, outcome) for k, outcome in enumerate(result.outcome) if outcome != FINISHED]
    lines = [table(title, list(columns), list(zip(*columns.values(), strict=True)))]
    lines += [f"run {number}: {outcome}" for number, outcome in failed[:MOST_FAILURES]]
    more = len(failed) - MOST_FAILURES
    return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def _table(
    title: str, result: StudyResult, header: Sequence[str], cells: Sequence[Sequence[str]]
) -> str:
    """A table whose first columns are the varied values."""
    values = zip(*result.values.values(), strict=True)
    rows = [[*left, *right] for left, right in zip(values, cells, strict=True)]
    return table(title, [*result.values, *header], rows)


def _cell(value: float, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else "-"


def _scalars(solution: Solution) -> str:
    """What was recorded at the first, the last and some save times."""
    saved = np.searchsorted(solution.time, solution.snapshot_time)
    ends = [0, solution.time.size - 1]
    indices = np.unique([*ends, *saved[saved < solution.time.size]])
    picked = np.linspace(0, indices.size - 1, min(MOST_TIMES, indices.size)).round().astype(int)
    names = [name for name in COLUMNS if np.any(solution.scalars[name] != 0.0)]
    rows = [
        [f"{solution.time[i]:.6g}", *(_cell(solution.scalars[n][i], COLUMNS[n][1]) for n in names)]
        for i in indices[picked]
    ]
    title = "Recorded (transport, birth and death: the decay of E by each, per unit time)"
    return table(title, ["t", *(COLUMNS[name][0] for name in names)], rows)


def _run(solution: Solution) -> list[str]:
    """Outcome, measure, steps and timings."""
    layout, attributes = solution.layout, solution.attributes
    axes = zip(layout.parameters, layout.lower, layout.upper, layout.periodic, strict=True)
    ranges = [
        f"{name} in [{low:.4g}, {high:.4g}]{' (circle)' if circle else ''}"
        for name, low, high, circle in axes
    ]
    cells = " x ".join(str(centres.size) for centres in layout.centres)
    size = f"{cells} cells" if cells else f"{layout.particles} particles"
    if layout.representation == "fourier":
        size = size.replace("cells", "modes")
    if layout.moving and not layout.particles:
        size = f"{len(solution.nodes[-1])} nodes" + (f", drawn on {cells} cells" if cells else "")
    last = {name: values[-1] for name, values in solution.scalars.items()}
    steps = f"{last['steps']:.0f}, {last['rejections']:.0f} rejected, the last {last['step']:.3g}"
    seconds = {
        name.removeprefix("seconds "): value
        for name, value in attributes.items()
        if name.startswith("seconds ") and isinstance(value, int | float)
    }
    parts = ", ".join(f"{name} {value:.3g}" for name, value in seconds.items())
    sizes = f"t = {solution.time[0]:g} to {solution.time[-1]:.6g}, {solution.time.size} records"
    return [
        *_entry("outcome", attributes.get("outcome")),
        *_entry("error bars", attributes.get("error bars")),
        *_entry("times", f"{sizes}, {solution.snapshot_time.size} snapshots"),
        *_entry("measure", f"{size}, {', '.join(ranges)}"),
        *_entry("steps", f"{steps}; mass drift before scaling {last['mass_drift']:.1e} a step"),
        *_entry("seconds", f"{sum(seconds.values()):.3g} in the steps: {parts}" if parts else ""),
    ]


def _origin(attributes: Mapping[str, Any]) -> list[str]:
    """Versions, machine and command."""
    version = {name: attributes.get(f"{name}_version") for name in (*PACKAGES, "python")}
    versions = ", ".join(f"{name} {number}" for name, number in version.items() if number)
    machine = [attributes.get("started"), attributes.get("machine")]
    if "threads" in attributes:
        machine.append(f"{attributes['threads']} threads")
    return [
        *_entry("made", ", ".join(str(word) for word in machine if word)),
        *_entry("commit", attributes.get("commit")),
        *_entry("versions", versions),
        *_entry("command", attributes.get("command")),
    ]


def _case(attributes: Mapping[str, Any]) -> list[str]:
    """The tables of the case, each on a line or two."""
    try:
        tables = tomllib.loads(str(attributes.get("case", "")))
    except tomllib.TOMLDecodeError:
        return []
    tables.pop("title", None)
    lines = []
    for name, value in tables.items():
        plain = isinstance(value, dict) and "kind" not in value
        lines += _entry(name, _keys(value) if plain else _short(value))
    return lines


def _short(value: Any) -> str:
    """A value of a case in few characters; a table by its kind and its keys."""
    if isinstance(value, dict):
        kind, keys = value.get("kind"), _keys(value)
        return f"{{{keys}}}" if kind is None else f"{kind} ({keys})" if keys else str(kind)
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _keys(table: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {_short(value)}" for key, value in table.items() if key != "kind")


def _entry(name: str, text: object) -> list[str]:
    """A name and what is to be said of it, on three lines at most; nothing without a text."""
    return textwrap.wrap(
        str(text or ""),
        WIDTH,
        initial_indent=f"{name:<{INDENT - 1}} ",
        subsequent_indent=" " * INDENT,
        max_lines=3,
        placeholder=" ...",
    )
