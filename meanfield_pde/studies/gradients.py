"""Gradients of every unit, loss, penalty and potential of the cases against differences."""

from __future__ import annotations

from pathlib import Path

from meanfield_pde.case import load
from meanfield_pde.problem.gradients import compare_gradients
from meanfield_pde.studies.tables import table


def main(quick: bool = False) -> None:
    """Print the table."""
    rows = []
    for path in sorted(Path("cases").glob("*.toml")):
        for found in compare_gradients(load(path).energy()):
            places = f"{found.places - found.corners} of {found.places}"
            rows.append([path.stem, found.name, f"{found.deviation:.1e}", places])
    header = ["case", "derivative", "largest deviation", "smooth places"]
    print(table("Derivatives against central differences, relative to the largest", header, rows))
