"""tanh regression on a data set: E converged by refinement of the grid and of the domain."""

from __future__ import annotations

from meanfield_pde.studies.cases import TRANSPORT_ONLY, solved
from meanfield_pde.studies.tables import difference_orders, table

TIMES = (1.0, 5.0, 20.0)
DYNAMICS = {"gradient descent": [TRANSPORT_ONLY], "birth and death, alpha = 3": []}
RECORD = f"output.record={{kind = 'at', values = {list(TIMES)}}}"


def energies(cells: int, half_width: float, *settings: str) -> list[float]:
    """E at the times, on a square box."""
    box = [
        f"space.lower=[-{half_width}, -{half_width}]",
        f"space.upper=[{half_width}, {half_width}]",
    ]
    case = solved("tanh_regression", f"method.cells={cells}", RECORD, *box, *settings)
    return [float(e) for e in case.solution.at("energy", TIMES)]


def main(quick: bool = False) -> None:
    """Print the table."""
    grids = (32, 64, 128) if quick else (96, 192, 384)
    for name, settings in DYNAMICS.items():
        rows, columns = [], []
        for cells in grids:
            columns.append(energies(cells, 6.0, *settings))
            rows.append([f"{cells}^2", "6", *[f"{e:.7f}" for e in columns[-1]]])
        observed = [difference_orders(list(values)) for values in zip(*columns, strict=True)]
        rows.append(["order", "", *[f"{order[-1]:.2f}" for order in observed]])
        for half_width, cells in ((4.5, 3 * grids[1] // 4), (7.5, 5 * grids[1] // 4)):
            values = energies(cells, half_width, *settings)
            rows.append([f"{cells}^2", f"{half_width:g}", *[f"{e:.7f}" for e in values]])
        header = ["cells", "|w|, |b| <=", *[f"E({t:g})" for t in TIMES]]
        print(table(f"tanh regression, {name}", header, rows))
