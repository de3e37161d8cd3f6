"""The mixture-of-Gaussians experiment of Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019).

Units c psi(x, y) with psi the Gaussian of variance 0.5; theta = (y, c); target
(N(-2, 0.5) - 2 N(0, 1) + N(2, 0.5)) / 3; alpha = 5. "Full support" starts from y uniform on
[-2, 2], "bad initialisation" from y normal about -2 with deviation 0.1; c is standard normal.
"""

from __future__ import annotations

from meanfield_pde.dynamics.birth_death import Balance, BirthDeath, Mean
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.dynamics.transport import Transport
from meanfield_pde.problem.data import Line
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.laws import Law, ProductLaw
from meanfield_pde.problem.one_parameter_laws import Normal, Point, Uniform
from meanfield_pde.problem.spaces import Box
from meanfield_pde.problem.targets import Mixture
from meanfield_pde.problem.units import Charged, Gaussian
from meanfield_pde.representations.grid import FiniteVolumes, GridMeasure, Muscl, Reconstruction

ALPHA = 5.0
FULL_SUPPORT = ProductLaw((Uniform(-2.0, 2.0), Normal()))
SMOOTH = ProductLaw((Normal(), Normal()))
BAD_INITIALISATION = ProductLaw((Normal(-2.0, 0.1), Normal()))
REBORN = ProductLaw((Normal(), Point(0.0)))

TIMES = (1.0, 2.0, 5.0, 10.0)
REFERENCE = {
    "gradient descent": (4.468774854e-2, 3.014063253e-2, 1.198728774e-2, 4.49248584e-3),
    "birth-death": (2.340736654e-2, 1.008729856e-2, 7.94892248e-4, 1.74348155e-4),
}
"""Energies at `TIMES` from full support, by characteristics (`studies.full_support`)."""


def energy(charge_range: float = 6.0, location_range: float = 4.0, points: int = 51) -> Energy:
    """The energy on |y| <= location_range, |c| <= charge_range, by points of the data."""
    return Energy(
        unit=Charged(Gaussian(0.5)),
        target=Mixture((1 / 3, -2 / 3, 1 / 3), (-2.0, 0.0, 2.0), (0.5, 1.0, 0.5)),
        data=Line(-10.0, 10.0, points),
        space=Box((-location_range, -charge_range), (location_range, charge_range)),
    )


def equation(energy: Energy, balance: Balance | None, alpha: float = ALPHA) -> Equation:
    """Gradient descent where there is no balance, otherwise with birth and death."""
    if balance is None:
        return Equation(energy, [Transport()])
    return Equation(energy, [BirthDeath(alpha, balance), Transport()])


def start(
    energy: Energy,
    cells: int | tuple[int, int],
    law: Law = FULL_SUPPORT,
    reconstruction: Reconstruction = Muscl(),  # noqa: B008
) -> GridMeasure:
    """A law on a grid of cells (y, c), or cells x cells."""
    both = (cells, cells) if isinstance(cells, int) else cells
    return FiniteVolumes(both, reconstruction).project(law, energy.space)


METHODS: dict[str, Balance | None] = {"gradient descent": None, "birth-death": Mean()}
