"""The minimum of E of a case over measures, as a table, a file, and a figure of its certificate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import tomli_w

from meanfield_pde.case import Case
from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.optimum import Measures, Optimum, best_units, optimum
from meanfield_pde.results.disk import check_writable, reason
from meanfield_pde.results.provenance import provenance
from meanfield_pde.studies.tables import table

KINDS: tuple[Measures, ...] = ("probability", "nonnegative", "signed")

WORDS = {
    "probability": "probability measures",
    "nonnegative": "non-negative measures of mass at most {mass:.4g}",
    "signed": "signed measures of total variation at most {mass:.4g}",
}


def optimum_of(case: Case, over: Measures | None, tolerance: float) -> Optimum:
    """Over the measures that are named, or those that the equation of the case keeps to."""
    chosen = over or ("nonnegative" if case.free else "probability")
    charge = case.certificate.charge
    require(charge != "unbounded", "[certificate] charge", charge, "a number: over all c no E is")
    assert charge != "unbounded"
    mass = case.certificate.mass
    return optimum(case.energy(), chosen, charge=charge, mass=mass, tolerance=tolerance)


def optimum_table(found: Optimum, names: tuple[str, ...]) -> str:
    """Energy, gap and atoms."""
    over = WORDS[found.over].format(mass=found.mass)
    header = [*names, "mass", "V"]
    rows = [
        [*(f"{value:.10g}" for value in point), f"{mass:.10g}", f"{potential:.6g}"]
        for point, mass, potential in zip(found.points, found.masses, found.potential, strict=True)
    ]
    bound = f"min E over {over} is {found.energy:.12g}, or less by at most {found.gap:.2g}"
    return f"{table('Atoms', header, rows)}\n{bound}"


def units_table(case: Case, units: int) -> str:
    """The least energies of few units."""
    energy = case.energy()
    require(isinstance(energy, Energy), "units", units, "none, for a potential")
    assert isinstance(energy, Energy)
    rows = [
        [str(len(found.masses)), f"{found.energy:.6e}", f"{found.gap:.3e}"]
        for found in best_units(energy, units)
    ]
    return table("The best of few units (of many starts)", ["units", "E", "gap"], rows)


def write_optimum(found: Optimum, case: Case, path: Path) -> Path:
    """As TOML: energy, gap, atoms, and how it was made.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    check_writable(path)
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
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(tomli_w.dumps(content, multiline_strings=True), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {reason(error)}") from error
    finally:
        part.unlink(missing_ok=True)
    return path
