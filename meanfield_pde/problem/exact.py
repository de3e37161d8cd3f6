"""Problems whose solution is known in closed form, to measure every numerical method against.

All follow from one formula: ``d_t mu = div(mu grad V) - alpha V mu`` carries the density along
the characteristics ``theta' = -grad V`` and multiplies it by ``exp(-alpha int V dt)``; dividing by
the total mass then solves the equation with V less its mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp
from scipy.special import expit, i0e, i1e

from meanfield_pde.errors import require
from meanfield_pde.problem.quadrature import cell_averages

Array = npt.NDArray[np.float64]
Edges = Sequence[npt.ArrayLike]

PANEL_POINTS = 16


@dataclass(frozen=True)
class QuadraticGaussian:
    """A Gaussian that stays Gaussian in ``V = offset + theta.A theta / 2``, in 1 or 2 dimensions.

    Solves ``d_t mu = div(mu grad V) - alpha (V - Vbar) mu``, Vbar the mean of V (Rotskoff,
    Jelassi, Bruna & Vanden-Eijnden 2019). Along ``theta(t) = e^{-At} theta_0`` the potential
    integrates to ``offset t + theta_0.(1 - e^{-2At}) theta_0 / 4``. With this in the weight
    ``exp(-alpha int V dt)`` of each starting point, a start of mean m0 and covariance S0 has

        m(t) = e^{-At} W^-1 m0,        S(t) = e^{-At} W^-1 S0 e^{-At},
        W = 1 + S0 B,        B = alpha (1 - e^{-2At}) / 2,

    so that ``P = S^-1`` obeys ``P' = A P + P A + alpha A``. Without transport the flow is the
    identity and ``B = alpha t A``. If A is not positive, W may become singular: S is infinite.

    Parameters
    ----------
    matrix, initial_mean, initial_covariance : tuple
        A (symmetric, of any sign), m0 and S0, matrices as tuples of rows.
    alpha, offset : float
        Rate of birth and death, at least 0, and the constant in V.
    transport : bool
        Whether the mass also moves; without it the equation is pure birth-death.
    """

    matrix: tuple[tuple[float, ...], ...]
    initial_mean: tuple[float, ...]
    initial_covariance: tuple[tuple[float, ...], ...]
    alpha: float
    transport: bool = True
    offset: float = 0.0

    def __post_init__(self) -> None:
        d = len(self.initial_mean)
        require(d in (1, 2), "initial_mean", self.initial_mean, "1 or 2 numbers")
        for name in ("matrix", "initial_covariance"):
            value = getattr(self, name)
            symmetric = len(value) == d and tuple(zip(*value, strict=False)) == value
            require(symmetric, name, value, f"the rows of a symmetric {d} by {d} matrix")
        smallest = np.linalg.eigvalsh(self.initial_covariance)[0]
        require(smallest > 0, "initial_covariance", self.initial_covariance, "positive definite")
        require(self.alpha >= 0, "alpha", self.alpha, "a number at least 0")

    def mean(self, t: float) -> Array:
        """Mean m(t), shape (d,)."""
        return self._flow(t) @ np.linalg.solve(self._weight(t)[1], self.initial_mean)

    def covariance(self, t: float) -> Array:
        """Covariance S(t), shape (d, d)."""
        start = np.linalg.solve(self._weight(t)[1], self.initial_covariance)
        return self._flow(t) @ start @ self._flow(t)

    def energy(self, t: float) -> float:
        """Mean of V under the law of mass one."""
        a, m = np.array(self.matrix), self.mean(t)
        return float(self.offset + (np.trace(a @ self.covariance(t)) + m @ a @ m) / 2)

    def mass(self, t: float) -> float:
        """Mass without Vbar: ``e^{-alpha offset t} (det W)^{-1/2} exp(-m0.B W^-1 m0 / 2)``."""
        gain, weight = self._weight(t)
        m0 = np.array(self.initial_mean)
        exponent = self.alpha * self.offset * t + m0 @ gain @ np.linalg.solve(weight, m0) / 2
        return float(np.exp(-exponent) / np.sqrt(np.linalg.det(weight)))

    def density(self, t: float, points: npt.ArrayLike) -> Array:
        """Density of mass one at points of shape (..., d), the last axis being the coordinates."""
        information = np.linalg.solve(self.initial_covariance, self._weight(t)[1])
        back = self._flow(-t)
        centred = (np.asarray(points) - self.mean(t)) @ back
        exponent = np.einsum("...i,ij,...j->...", centred, information, centred) / 2
        peak = np.linalg.det(back) * np.sqrt(np.linalg.det(information / (2 * np.pi)))
        return np.asarray(peak * np.exp(-exponent))

    def cell_averages(self, t: float, edges: Edges) -> Array:
        """Mean density of each cell of the grid with these edges, one array of edges per axis."""
        require(len(edges) == len(self.initial_mean), "edges", edges, "one array per axis")
        s = self.covariance(t)
        spread, slice_spread = np.sqrt(np.diag(s)), 1 / np.sqrt(np.diag(np.linalg.inv(s)))
        steps = np.arange(-10, 10, np.min(slice_spread / spread))
        breaks = [m + steps * width for m, width in zip(self.mean(t), spread, strict=True)]
        return cell_averages(
            lambda *axes: self.density(t, np.stack(axes, -1)), edges, breaks, PANEL_POINTS
        )

    def _flow(self, t: float) -> Array:
        """``e^{-At}``, or the identity without transport."""
        rates, axes = np.linalg.eigh(self.matrix)
        return np.asarray((axes * np.exp(-rates * t * self.transport)) @ axes.T)

    def _weight(self, t: float) -> tuple[Array, Array]:
        """The matrices B and W of the class formulas."""
        require(t >= 0, "t", t, "a time at least 0")
        rates, axes = np.linalg.eigh(self.matrix)
        exposure = -np.expm1(-2 * rates * t) / 2 if self.transport else rates * t
        gain = self.alpha * (axes * exposure) @ axes.T
        weight = np.eye(len(rates)) + np.array(self.initial_covariance) @ gain
        require(min(np.linalg.eigvals(weight).real) > 0, "t", t, "a time before the blow-up")
        return gain, weight


@dataclass(frozen=True)
class LinearUnitGaussian:
    """A Gaussian of linear units ``phi = theta psi(x)`` on the line, learning by squared loss.

    Solves ``d_t mu = div(mu grad V) - alpha (V - Vbar) mu`` (Rotskoff, Jelassi, Bruna &
    Vanden-Eijnden 2019). The prediction is ``m psi``, m the mean of mu, so that with
    ``K = int psi^2 dnu`` and ``m* = int psi f* dnu / K``, the best mean,

        V = K (m - m*) theta,        E = residual + K (m - m*)^2 / 2.

    Transport shifts a Gaussian by ``-K (m - m*)`` per unit time and birth and death tilt it, which
    shifts it by alpha times the variance times as much; the variance stays:

        m - m* = (m0 - m*) exp(-K (1 + alpha variance) t).

    Parameters
    ----------
    strength, optimum, residual : float
        K (above 0), m* and the energy at the optimum.
    initial_mean, variance : float
        Of the Gaussian.
    alpha : float
        Rate of birth and death, at least 0.
    transport : bool
        Whether the mass also moves; without it ``1 + alpha variance`` is ``alpha variance``.
    """

    strength: float
    optimum: float
    initial_mean: float
    variance: float
    alpha: float
    transport: bool = True
    residual: float = 0.0

    def __post_init__(self) -> None:
        require(self.strength > 0, "strength", self.strength, "a number above 0")
        require(self.variance > 0, "variance", self.variance, "a number above 0")
        require(self.alpha >= 0, "alpha", self.alpha, "a number at least 0")

    def mean(self, t: float) -> float:
        """m(t)."""
        require(t >= 0, "t", t, "a time at least 0")
        rate = self.strength * (self.transport + self.alpha * self.variance)
        return float(self.optimum + (self.initial_mean - self.optimum) * np.exp(-rate * t))

    def energy(self, t: float) -> float:
        """``residual + K (m - m*)^2 / 2``."""
        return self.residual + self.strength * (self.mean(t) - self.optimum) ** 2 / 2

    def law(self, t: float) -> QuadraticGaussian:
        """The Gaussian at time t, as one at rest: at its time 0."""
        return QuadraticGaussian(((0.0,),), (self.mean(t),), ((self.variance,),), 0.0)


@dataclass(frozen=True)
class CircleFamily:
    """Uniform mass on the circle drawn to theta = 0, with or without interaction.

    Solves ``d_t mu = div(mu grad V) - alpha (V - Vbar) mu`` with
    ``V = -force cos theta + coupling int cos(theta - theta') mu(dtheta')`` (equation of Rotskoff,
    Jelassi, Bruna & Vanden-Eijnden 2019). For mu even with ``R = int cos dmu``, V is
    ``-(force - coupling R) cos theta``, and in the time chi of ``chi' = force - coupling R`` the
    characteristics from theta_0 are ``tan(theta / 2) = e^{-chi} tan(theta_0 / 2)``. Along them

        d theta / d theta_0 = h,        exp(int cos theta dchi) = 1 / h,
        h = cosh chi - sinh chi cos theta = 1 / (cosh chi + sinh chi cos theta_0),

    so the density is ``h^{-(1 + alpha)} / (2 pi P)`` with ``P = P_alpha(cosh chi)``, the Legendre
    function by Laplace's integral, and ``R = (log P)' / alpha``. Without coupling
    ``chi = force t``; with it, R tends to force / coupling, unless this is above 1: then chi grows
    for ever and the mass collapses to a point.

    Parameters
    ----------
    alpha, force, coupling : float
        Rate of birth and death, strength of the fixed potential (above 0) and of the interaction.
    """

    alpha: float
    force: float = 1.0
    coupling: float = 0.0

    def __post_init__(self) -> None:
        require(self.alpha >= 0, "alpha", self.alpha, "a number at least 0")
        require(self.force > 0, "force", self.force, "a number above 0")
        require(self.coupling >= 0, "coupling", self.coupling, "a number at least 0")

    def chi(self, t: float) -> float:
        """How far the family has moved from the uniform density, where it is 0."""
        require(t >= 0, "t", t, "a time at least 0")
        return _coupled_chi(self, t) if self.coupling else self.force * t

    def density(self, t: float, theta: npt.ArrayLike) -> Array:
        """Density of mass one at the angles theta."""
        chi = self.chi(t)
        profile = _log_profile(self.alpha, chi, np.sin(np.asarray(theta) / 2) ** 2)
        return np.exp(profile - _circle_moments(self.alpha, chi)[0])

    def order_parameter(self, t: float) -> float:
        """``R = int cos theta dmu``: 0 when uniform, 1 when all mass is at theta = 0."""
        return _circle_moments(self.alpha, self.chi(t))[1]

    def energy(self, t: float) -> float:
        """``-force R``, or with coupling ``(force - coupling R)^2 / (2 coupling)``, at best 0."""
        r = self.order_parameter(t)
        if self.coupling:
            return (self.force - self.coupling * r) ** 2 / (2 * self.coupling)
        return -self.force * r

    def free_mass(self, t: float) -> float:
        """Mass without Vbar: ``P_alpha(cosh(force t))``."""
        require(self.coupling == 0, "coupling", self.coupling, "0: the free mass would act on V")
        return float(np.exp(log_legendre(self.alpha, self.chi(t))))

    def cell_averages(self, t: float, edges: npt.ArrayLike) -> Array:
        """Mean density of each cell between consecutive edges."""
        return _circle_averages(lambda x: self.density(t, x), edges, np.exp(-self.chi(t)))


@dataclass(frozen=True)
class CircleBirthDeath:
    """Uniform mass on the circle under birth and death alone.

    Solves ``d_t mu = -alpha (V - Vbar) mu`` with ``V = -force cos theta`` (the birth-death part of
    the equation of Rotskoff, Jelassi, Bruna & Vanden-Eijnden 2019). Nothing moves: the density is
    von Mises, ``exp(k cos theta) / (2 pi I0(k))`` with the concentration ``k = alpha force t``.

    Parameters
    ----------
    alpha, force : float
        Rate of birth and death, at least 0, and strength of the potential, above 0.
    """

    alpha: float
    force: float = 1.0

    def __post_init__(self) -> None:
        require(self.alpha >= 0, "alpha", self.alpha, "a number at least 0")
        require(self.force > 0, "force", self.force, "a number above 0")

    def concentration(self, t: float) -> float:
        """``k = alpha force t``."""
        require(t >= 0, "t", t, "a time at least 0")
        return self.alpha * self.force * t

    def density(self, t: float, theta: npt.ArrayLike) -> Array:
        """Density of mass one at the angles theta."""
        k = self.concentration(t)
        return np.asarray(np.exp(k * (np.cos(theta) - 1)) / (2 * np.pi * i0e(k)))

    def energy(self, t: float) -> float:
        """``E = -force I1(k) / I0(k)``, the mean of V."""
        k = self.concentration(t)
        return float(-self.force * i1e(k) / i0e(k))

    def free_mass(self, t: float) -> float:
        """Mass without Vbar: ``I0(k)``."""
        k = self.concentration(t)
        return float(i0e(k) * np.exp(k))

    def cell_averages(self, t: float, edges: npt.ArrayLike) -> Array:
        """Mean density of each cell between consecutive edges."""
        k = self.concentration(t)
        return _circle_averages(lambda x: self.density(t, x), edges, (1 + k) ** -0.5)


@dataclass(frozen=True)
class UniformWaves:
    """Small waves on the uniform state of the circle, each decaying at a rate of its own.

    Linearises ``d_t mu = div(mu grad V) - alpha (V - Vbar) mu`` (Rotskoff, Jelassi, Bruna &
    Vanden-Eijnden 2019) with ``V = int K dmu - int K / (2 pi)`` and
    ``K = const + sum_m kernel[m - 1] cos m(theta - theta')``. Of ``mu = (1 + sum_m a_m cos m theta)
    / (2 pi)`` V is ``sum_m kernel[m - 1] a_m cos(m theta) / 2``, so that to first order

        a_m' = -(kernel[m - 1] / 2) (m^2 + alpha) a_m.

    Birth and death speed wave m up by ``1 + alpha / m^2``. The density is off by the square of the
    amplitudes, the energy ``sum_m kernel[m - 1] a_m^2 / 8`` by their cube.

    Parameters
    ----------
    alpha : float
        Rate of birth and death, at least 0.
    kernel, amplitudes : tuple of float
        At least 0, and a_m at the start, for m = 1, 2, ...
    """

    alpha: float
    kernel: tuple[float, ...]
    amplitudes: tuple[float, ...]

    def __post_init__(self) -> None:
        require(self.alpha >= 0, "alpha", self.alpha, "a number at least 0")
        require(min(self.kernel, default=-1.0) >= 0, "kernel", self.kernel, "numbers at least 0")
        waves = len(self.kernel)
        fits = len(self.amplitudes) == waves and float(np.sum(np.abs(self.amplitudes))) < 1.0
        require(fits, "amplitudes", self.amplitudes, f"{waves} numbers whose sizes add up to < 1")

    def rates(self) -> Array:
        """At which the amplitudes decay, ``(kernel / 2) (m^2 + alpha)``, (waves,)."""
        return np.array(self.kernel) / 2 * (self._numbers() ** 2 + self.alpha)

    def at(self, t: float) -> Array:
        """The amplitudes at a time, (waves,)."""
        require(t >= 0, "t", t, "a time at least 0")
        return np.array(self.amplitudes) * np.exp(-self.rates() * t)

    def density(self, t: float, theta: npt.ArrayLike) -> Array:
        """Density of mass one at the angles theta."""
        waves = np.cos(np.multiply.outer(np.asarray(theta, dtype=float), self._numbers()))
        return (1 + waves @ self.at(t)) / (2 * np.pi)

    def energy(self, t: float) -> float:
        """What V is the derivative of: ``sum_m kernel[m - 1] a_m^2 / 8``."""
        return float(np.array(self.kernel) @ self.at(t) ** 2 / 8)

    def cell_averages(self, t: float, edges: npt.ArrayLike) -> Array:
        """Mean density of each cell between consecutive edges."""
        return cell_averages(lambda x: self.density(t, x), [edges], [np.empty(0)], PANEL_POINTS)

    def _numbers(self) -> Array:
        return np.arange(1.0, len(self.kernel) + 1)


def log_legendre(degree: float, chi: float) -> float:
    """Log of the Legendre function ``P_degree(cosh chi)``, for real degree and chi at least 0."""
    return (1 + degree) * chi + _circle_moments(degree, chi)[0] - float(np.log(2 * np.pi))


def _log_profile(alpha: float, chi: float, height: Array) -> Array:
    """``-(1 + alpha) log(e^chi h)`` where ``sin(theta / 2)^2`` is the height."""
    return np.asarray(-(1 + alpha) * np.log1p(np.expm1(2 * chi) * height))


def _circle_moments(alpha: float, chi: float) -> tuple[float, float]:
    """Log of the integral of the profile, and the mean of cos theta under it.

    In ``y = log tan(theta / 2)`` the integrands are analytic for ``|Im y| < pi / 2``, whatever
    chi, and vanish exponentially: the trapezoidal rule of step 0.1 is exact to round-off.
    """
    y = np.arange(-chi - 40, 40, 0.1)
    profile = np.exp(_log_profile(alpha, chi, expit(2 * y))) / np.cosh(y)
    total = profile.sum()
    return float(np.log(0.2 * total)), float(-np.tanh(y) @ profile / total)


@lru_cache(maxsize=256)
def _coupled_chi(family: CircleFamily, t: float) -> float:
    """Integrate ``chi' = force - coupling R(chi)`` from 0."""

    def speed(_: float, chi: Array) -> float:
        return family.force - family.coupling * _circle_moments(family.alpha, chi[0])[1]

    return float(solve_ivp(speed, (0, t), [0.0], "DOP853", rtol=1e-13, atol=1e-14).y[0, -1])


def _circle_averages(density: Callable[..., Array], edges: npt.ArrayLike, width: float) -> Array:
    """Cell averages of a density peaked at multiples of 2 pi, on panels that double from there."""
    doubling = width * 2.0 ** np.arange(np.ceil(np.log2(np.pi / width)))
    first, last = np.rint(np.take(edges, [0, -1]) / (2 * np.pi))
    peaks = 2 * np.pi * np.arange(first, last + 1)
    breaks = np.add.outer(peaks, np.concatenate([-doubling, [0.0], doubling])).ravel()
    return cell_averages(density, [edges], [breaks], PANEL_POINTS)
