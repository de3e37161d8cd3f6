"""Sparse spikes on the circle: gradient descent stalls, birth and death do not."""

from __future__ import annotations

import numpy as np

from meanfield_pde.studies.cases import solved
from meanfield_pde.studies.tables import table

DYNAMICS = {
    "gradient descent": ["terms=[{kind = 'transport', mobility = [0.01]}]"],
    "birth and death, alpha = 1": [],
    "birth and death alone": ["terms=[{kind = 'birth_death', alpha = 1.0}]"],
}


def main(quick: bool = False) -> None:
    """Print the table."""
    rows = []
    for name, settings in DYNAMICS.items():
        for cells in (256, 512) if quick else (512, 1024, 2048):
            solution, _, final = run = solved("spikes_torus", f"method.cells={cells}", *settings)
            field = run.field
            end, middle = (float(solution.at("energy", [t])[0]) for t in (30.0, 15.0))
            gap = field.integral / field.mass - float(np.min(field.potential))
            rows.append(
                [
                    name,
                    str(final.density.size),
                    f"{end:.4e}",
                    f"{gap:.3e}",
                    f"{-np.log2(end / middle):.3f}",
                    f"{30.0 * end:.4f}",
                ]
            )
    header = ["dynamics", "cells", "E", "gap", "-dlogE/dlogt", "t E"]
    print(table("Three spikes, from the uniform state, at t = 30", header, rows))
