"""A solution made up first, and the forcing with which it solves the equation.

Any density rho > 0 solves ``d_t mu = div(mu grad V) - alpha (V - Vbar) mu + s mu`` with

    s = d_t log rho - lap V - grad log rho . grad V + alpha (V - Vbar),

V that of rho itself. With V known by a formula s is, and every method can be measured where no
solution is known otherwise (Roache, J. Fluids Eng. 124 (2002) 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from meanfield_pde.errors import require
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.data import UniformCircle
from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.own_units import FormulaUnit
from meanfield_pde.problem.quadrature import cell_averages
from meanfield_pde.problem.spaces import Circle, Product
from meanfield_pde.problem.targets import FormulaTarget

Array = npt.NDArray[np.float64]

PANEL_POINTS = 8


@dataclass(frozen=True)
class TravellingTorus:
    """Interacting units ``cos(x - a) (1 + cos(b) / 2)`` on a torus, the density a travelling hill.

    Theta = (a, b), both of period 2 pi, x uniform on the circle, and the target
    ``target[0] cos x + target[1] sin x + target[2] cos 2x``, of which the last term is out of
    reach. The density is oblique, has every wave, and moves at constant speed,

        rho = P_r(a - psi) P_q(b - a - chi) / (4 pi^2),        psi = speed[0] t, chi = speed[1] t,

    with Poisson's kernel ``P_r(u) = (1 - r^2) / (1 - 2 r cos u + r^2) = 1 + 2 sum r^k cos k u``. So
    ``int e^{ia} (1 + cos(b) / 2) dmu = C + i S`` is, of ``f[mu] = C cos x + S sin x``,

        C + i S = r e^{i psi} + q (r^2 e^{i (2 psi + chi)} + e^{-i chi}) / 4

    and ``V = (1 + cos(b) / 2) ((C - target[0]) cos a + (S - target[1]) sin a) / 2``.

    Parameters
    ----------
    alpha : float
        Rate of birth and death, at least 0.
    sharpness, speed : tuple of float
        (r, q), in [0, 1), and the speeds of psi and chi.
    target : tuple of float
        Three coefficients.
    """

    alpha: float
    sharpness: tuple[float, float] = (0.4, 0.3)
    speed: tuple[float, float] = (1.0, -0.7)
    target: tuple[float, float, float] = (0.5, -0.3, 0.2)

    def __post_init__(self) -> None:
        require(self.alpha >= 0, "alpha", self.alpha, "a number at least 0")
        inside = all(0.0 <= r < 1.0 for r in self.sharpness)
        require(inside, "sharpness", self.sharpness, "two numbers in [0, 1)")

    @cached_property
    def problem(self) -> Energy:
        """The energy of the equation that is solved."""
        unit = FormulaUnit("cos(x - a)*(1 + cos(b)/2)", ("a", "b"))
        c, d, e = self.target
        target = FormulaTarget(f"{c!r}*cos(x) + {d!r}*sin(x) + {e!r}*cos(2*x)")
        return Energy(unit, target, UniformCircle(8), Product((Circle(), Circle())))

    def density(self, t: float, theta: Theta) -> Array:
        """Density of mass one at coordinate arrays a, b."""
        (u, r), (w, q) = self._phases(t, theta)
        return np.asarray(_poisson(u, r) * _poisson(w, q) / (4 * np.pi**2))

    def energy(self, t: float) -> float:
        """``E = ((C - target[0])^2 + (S - target[1])^2 + target[2]^2) / 4``."""
        return float((abs(self._excess(t)) ** 2 + self.target[2] ** 2) / 4)

    def relative_rate(self, theta: Theta, t: float) -> Array:
        """The forcing s at coordinate arrays a, b."""
        a, b = theta
        (u, r), (w, q) = self._phases(t, theta)
        along_u, along_w = _log_slope(u, r), _log_slope(w, q)
        slope_a, slope_b = along_u - along_w, along_w
        moving = -self.speed[0] * along_u - self.speed[1] * along_w

        excess = self._excess(t)
        wave = excess.real * np.cos(a) + excess.imag * np.sin(a)
        turned = excess.imag * np.cos(a) - excess.real * np.sin(a)
        gain = 1 + np.cos(b) / 2
        potential = gain * wave / 2
        laplacian = -(gain + np.cos(b) / 2) * wave / 2
        mean = (excess.conjugate() * self._moment(t)).real / 2

        carried = slope_a * gain * turned / 2 - slope_b * np.sin(b) * wave / 4
        return np.asarray(moving - laplacian - carried + self.alpha * (potential - mean))

    def cell_averages(self, t: float, edges: Sequence[npt.ArrayLike]) -> Array:
        """Mean density of each cell of the grid with these edges, one array of edges per axis."""
        nothing = [np.empty(0)] * 2
        return cell_averages(lambda *theta: self.density(t, theta), edges, nothing, PANEL_POINTS)

    def _phases(self, t: float, theta: Theta) -> tuple[tuple[Array, float], ...]:
        """The argument of each Poisson kernel and its sharpness."""
        a, b = theta
        psi, chi = (speed * t for speed in self.speed)
        return (a - psi, self.sharpness[0]), (b - a - chi, self.sharpness[1])

    def _moment(self, t: float) -> complex:
        """C + i S."""
        (r, q), (psi, chi) = self.sharpness, (speed * t for speed in self.speed)
        both = r**2 * np.exp(1j * (2 * psi + chi)) + np.exp(-1j * chi)
        return complex(r * np.exp(1j * psi) + q * both / 4)

    def _excess(self, t: float) -> complex:
        """(C - target[0]) + i (S - target[1])."""
        return self._moment(t) - complex(*self.target[:2])


def _poisson(u: Array, r: float) -> Array:
    return np.asarray((1 - r**2) / (1 - 2 * r * np.cos(u) + r**2))


def _log_slope(u: Array, r: float) -> Array:
    """d log P_r / du."""
    return np.asarray(-2 * r * np.sin(u) / (1 - 2 * r * np.cos(u) + r**2))
