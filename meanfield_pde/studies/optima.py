"""The minimum of E of a case over measures, as a table, a file, and a figure of its certificate."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import tomli_w

from meanfield_pde.case import Case
from meanfield_pde.errors import require
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.optimum import Measures, Optimum, best_units, optimum
from meanfield_pde.results.disk import write_text
from meanfield_pde.results.provenance import provenance
from meanfield_pde.studies.tables import table

MOST_UNITS = 12

WORDS = {
    "probability": "probability measures",
    "nonnegative": "non-negative measures of mass at most {mass:.4g}",
    "signed": "signed measures of total variation at most {mass:.4g}",
}


def optimum_of(
    case: Case, over: Measures | None, tolerance: float, mass: float | None = None
) -> Optimum:
    """Over the measures that are named, or those that the equation of the case keeps to."""
    chosen = over or ("nonnegative" if case.free else "probability")
    free = chosen != "probability"
    expected = "none, over probability measures"
    require(free or mass is None, "--mass", mass, expected)
    mass = case.certificate.mass if mass is None and free else mass
    return optimum(case.energy(), chosen, charge=_charge(case), mass=mass, tolerance=tolerance)


def check_request(case: Case, tolerance: float, units: int | None) -> None:
    """Raise `InputError` unless a gap can be as small, and the best of so many units be found."""
    require(0.0 < tolerance < math.inf, "--tolerance", tolerance, "a positive number")
    possible = units is None or (1 <= units <= MOST_UNITS and isinstance(case.energy(), Energy))
    require(possible, "--units", units, f"1 to {MOST_UNITS}, of a case with units")


def _charge(case: Case) -> float | None:
    charge = case.certificate.charge
    require(charge != "unbounded", "[certificate] charge", charge, "a number, to have a minimum")
    assert charge != "unbounded"
    return charge


def optimum_table(found: Optimum, names: tuple[str, ...], tolerance: float) -> str:
    """Energy, gap and atoms, and whether the gap is as small as was asked for."""
    over = WORDS[found.over].format(mass=found.mass)
    header = [*names, "mass", "V"]
    rows = [
        [*(f"{value:.10g}" for value in point), f"{mass:.10g}", f"{potential:.6g}"]
        for point, mass, potential in zip(found.points, found.masses, found.potential, strict=True)
    ]
    bound = f"min E over {over} is {_plain(found.energy)}, or less by at most {found.gap:.2g}"
    if found.gap > tolerance:
        bound += f"\nafter {found.iterations} iterations: more than the tolerance {tolerance:g}"
    return f"{table('Atoms', header, rows)}\n{bound}"


def _plain(energy: float) -> str:
    return f"{energy:.12g}" if abs(energy) > 1e-9 else f"{energy:.2g}"


def units_table(case: Case, units: int) -> str:
    """The least energies of few units."""
    energy = case.energy()
    assert isinstance(energy, Energy)
    rows = [
        [str(len(found.masses)), f"{found.energy:.6e}", f"{found.gap:.3e}"]
        for found in best_units(energy, units, _charge(case))
    ]
    return table("The best of few units (of many starts)", ["units", "E", "gap"], rows)


def write_optimum(found: Optimum, case: Case, path: Path) -> Path:
    """As TOML: energy, gap, atoms, and how it was made.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    names = case.energy().parameters
    atoms = [
        {**dict(zip(names, map(float, point), strict=True)), "mass": float(mass)}
        for point, mass in zip(found.points, found.masses, strict=True)
    ]
    content: dict[str, Any] = {
        "title": case.title,
        "energy": float(found.energy),
        "gap": float(found.gap),
        "over": found.over,
        "largest_mass": float(found.mass),
        "atoms": atoms,
        "made": dict(provenance()),
        "case": case.text(),
    }
    return write_text(path, tomli_w.dumps(content, multiline_strings=True))
