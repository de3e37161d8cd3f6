"""Maximum likelihood of a mixture: weights and locations learnt together and apart.

mu is a maximum-likelihood estimate if and only if its certificate, the largest value over theta of
mean(phi(x, theta) / f(x)), is at most 1 (Lindsay 1983); E is then within (certificate - 1) of its
least value, since E is convex and the certificate less one is the duality gap.
"""

from __future__ import annotations

import numpy as np

from meanfield_pde.studies.cases import TRANSPORT_ONLY, solved
from meanfield_pde.studies.tables import table

DYNAMICS = {
    "weights and locations": [],
    "weights alone": ["terms=[{kind = 'birth_death', alpha = 1.0}]"],
    "locations alone": [TRANSPORT_ONLY],
}
ONE_SIDED = "initial={kind = 'normal', mean = -1.0, deviation = 1.0}"
STARTS = {"uniform": [], "normal(-1, 1)": [ONE_SIDED]}


def main(quick: bool = False) -> None:
    """Print the table."""
    rows = []
    for start, initial in STARTS.items():
        for name, settings in DYNAMICS.items():
            for t_end in (5.0, 20.0) if quick else (5.0, 20.0, 80.0):
                run = solved("gaussian_mixture_mle", f"time.t_end={t_end}", *initial, *settings)
                field = run.field
                certificate = -float(np.min(field.potential))
                rows.append(
                    [
                        start,
                        name,
                        f"{t_end:g}",
                        f"{field.energy:.6f}",
                        f"{certificate:.5f}",
                        f"{field.energy - (certificate - 1.0):.6f}",
                    ]
                )
    header = ["start", "learnt", "t", "E", "certificate", "least E at least"]
    print(table("500 points: minus the mean log-likelihood", header, rows))
