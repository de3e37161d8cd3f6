"""Two runs of the same physics side by side."""

from __future__ import annotations

import numpy as np

from meanfield_pde.results.solution import Solution


def comparison_table(first: Solution, second: Solution) -> str:
    """Energies of both at the save times of the first, and the distance of their predictions."""
    rows = [
        f"{'t':>8}  {'E, ' + first.layout.representation:>18}  "
        f"{'E, ' + second.layout.representation:>14}  {'difference':>11}"
    ]
    times = [t for t in first.snapshot_time if np.any(np.isclose(second.time, t, rtol=1e-9))]
    pairs = zip(times, first.at("energy", times), second.at("energy", times), strict=True)
    for time, one, two in pairs:
        rows.append(f"{time:8.4g}  {one:18.6e}  {two:14.6e}  {two - one:11.2e}")
    return "\n".join(rows)
