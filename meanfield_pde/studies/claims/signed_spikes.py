r"""Signed sparse spikes at a price for mass: the convex optimum is reached, with a certificate.

Spikes of either sign are non-negative measures on two copies of the circle, phi = s psi(x, theta)
with s = 1 and -1, and a price lambda for mass is the l1 norm:

    E[mu] = 1/2 int |f - f*|^2 dnu + lambda mass,    V = s v(theta) + lambda,    v = <f - f*, psi>.

E is convex in mu; its minimum over all such measures, of whatever mass, is a convex problem
(`problem.optimum`). At the optimum V = 0 on the support and V >= 0 everywhere, that is, the
certificate eta = - v / lambda has |eta| <= 1 and is 1 at positive, -1 at negative spikes. Along
(B), for any optimum mu*, lambda mass(mu*) <= E* <= E, so that with M = E / lambda

    E - E* <= gap = int V dmu - M min(min V, 0),    min V = lambda (1 - max |eta|),

is computable at every instant. E* > 0, and where eta touches +-1 at the spikes only and is curved
there, E - E* decays exponentially. Seen from the optimum the slowest of these sets the rate:

    mass left in another local minimum of V         alpha V
    mass left in a maximum of V                     alpha V + M |V''|     (M the mobility)
    widths of the spikes                            2 M V''
    masses and places of the spikes                 twice the lowest eigenvalue of D^1/2 H D^1/2

with H the Hessian of E in masses m and places and D = diag(alpha m, M / m). Gradient descent alone
keeps the mass of either sign, and stalls.

Source of the problem: Chizat & Bach (2018), section 4.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import argrelextrema

from meanfield_pde.problem.optimum import Optimum, optimum
from meanfield_pde.results.evidence import Number
from meanfield_pde.studies.claims.claim import Claim, Findings
from meanfield_pde.studies.theory.aitken import aitken
from meanfield_pde.studies.theory.signed_circles import (
    ALPHA,
    ANGLES,
    LAMBDA,
    PLACES,
    T_END,
    WEIGHTS,
    Path,
    Run,
    certificate,
    circle,
    gaps,
    hessian,
    largest,
    optimal_residual,
    rates,
    solved,
)
from meanfield_pde.studies.workers import all_answers

Array = NDArray[np.float64]

CERTIFICATES = (0.5, 1.0, 4.0)
"""Times at which the certificate is drawn, besides that of the optimum."""

WINDOWS = (30.0, 35.0, 40.0, 45.0, 50.0)
"""Ends of those in which rates are fitted; later E - E* comes nearer to the rounding of E."""


def limiting_rate(time: Array, excess: Array) -> tuple[float, float]:
    """- d log (E - E*) / dt for late times, and how far it may be off.

    Rates in windows of one length that are due to two exponentials tend geometrically to that of
    the slower one, so that the last three give the limit (Aitken). The bar is what the three before
    them give instead, and all that was extrapolated: a third exponential is not seen.
    """
    fits = []
    for ends in pairwise(WINDOWS):
        inside = (time >= ends[0]) & (time <= ends[1])
        fits.append(-float(np.polyfit(time[inside], np.log(excess[inside]), 1)[0]))
    early, late = aitken(*fits[:3]), aitken(*fits[1:])
    return late, abs(late - early) + abs(late - fits[-1])


def centres(path: Path, best: Optimum) -> tuple[Array, Array]:
    """Place and signed mass of what is near each spike of the optimum at the end."""
    place, sign, mass = path.end[:, 0], path.end[:, 1], np.exp(path.end[:, 2])
    found = []
    for spike, weight in zip(best.points[:, 0], best.masses, strict=True):
        away = np.angle(np.exp(1j * (place - spike)))
        near = (np.abs(away) < 0.3) & (sign == np.sign(weight))
        total = float(np.sum(mass[near]))
        found.append(
            (spike + float(np.sum(mass[near] * away[near])) / total, math.copysign(total, weight))
        )
    places, weights = np.array(found).T
    return places, weights


def bias(price: float) -> tuple[float, float, float]:
    """How much mass the optimum takes from a spike, and how far it moves one, at most.

    And how far both may be off: E grows from the optimum as its Hessian says.
    """
    best = optimum(circle(price), "signed", tolerance=1e-13)
    pairs = [np.argmin(np.abs(best.points[:, 0] - place)) for place in PLACES]
    less = np.abs(WEIGHTS) - np.abs(best.masses[pairs])
    moved = np.abs(best.points[pairs, 0] - PLACES)
    stiffness = float(np.linalg.eigvalsh(hessian(best, price)[0])[0])
    off = math.sqrt(2.0 * max(best.gap, float(np.finfo(float).eps)) / stiffness)
    return float(np.max(np.abs(less))), float(np.max(moved)), off


def measure(quick: bool, tell: Callable[[str], None]) -> Findings:
    """Measure the claim; see `claim.Measure`."""
    energy = circle()
    best = optimum(energy, "signed", tolerance=1e-13)
    mass = float(np.sum(np.abs(best.masses)))
    tell(f"optimum: E* = {best.energy:.12f}, gap {best.gap:.0e}, {best.masses.size} spikes")
    fine, coarse = (192, 128) if quick else (384, 256)
    runs = [
        Run(ALPHA, 1.0, fine, 1e-12),
        Run(ALPHA, 1.0, coarse, 1e-11),
        Run(0.0, mass, fine, 1e-11),
        Run(0.0, mass, coarse, 1e-10),
    ]
    paths = all_answers(solved, runs, lambda path: tell(_told(path)))
    path, path_bar, descent, descent_bar = paths
    excess, excess_bar = path.energy - best.energy, path_bar.energy - best.energy
    gap, possible = gaps(path), rates(best)
    predicted = min(possible.values())
    (rate, off_limit), (rate_bar, _) = (
        limiting_rate(path.time, excess),
        limiting_rate(path_bar.time, excess_bar),
    )
    ratios, ratios_bar = gap / excess, gaps(path_bar) / excess_bar
    (places, weights), (places_bar, _) = centres(path, best), centres(path_bar, best)
    off = float(np.max(np.abs(places - best.points[:, 0])))
    off_bar = float(np.max(np.abs(places_bar - places)))
    eta = certificate(optimal_residual(best, energy), ANGLES)
    peaks = np.sort(np.abs(eta[argrelextrema(np.abs(eta), np.greater, mode="wrap")[0]]))
    over, over_bar = (largest(p.residual[-1]) - 1.0 for p in (path, path_bar))
    (less, shift, off_bias), (half_less, _, off_half) = bias(LAMBDA), bias(0.5 * LAMBDA)
    power_bar = (off_bias / less + off_half / half_less) / math.log(2.0)
    # A polynomial of order 5 that is at most 1 is curved by at most 25.
    between = 25.0 * (ANGLES[1] - ANGLES[0]) ** 2 / 8.0
    stalled = float(descent.energy[-1] - best.energy)
    numbers = (
        Number(
            f"E - E* of (B), t = {T_END:g}, less than its gap",
            float(excess[-1]),
            best.gap + float(abs(excess_bar[-1] - excess[-1])),
            float(gap[-1]),
            "<",
        ),
        Number(
            "rate of E - E* of (B)",
            rate,
            off_limit + abs(rate_bar - rate),
            predicted,
            "=",
        ),
        Number(
            "gap over E - E*, smallest so far",
            float(ratios.min()),
            float(abs(ratios_bar.min() - ratios.min())),
            1.0,
            ">",
        ),
        Number(
            f"E - E* of (A), t = {T_END:g}, more than that of (B)",
            stalled,
            best.gap + float(abs(descent_bar.energy[-1] - descent.energy[-1])),
            float(excess[-1]),
            ">",
        ),
        Number(f"max |eta| - 1 of (B), t = {T_END:g}", over, abs(over_bar - over)),
        Number("max |eta| away from the spikes, optimum", float(peaks[-4]), between, 1.0, "<"),
        Number("places of the spikes of (B) and of the optimum differ by", off, off_bar),
        Number("most mass lost by a true spike, over lambda", less / LAMBDA, off_bias / LAMBDA),
        Number("most a true spike is moved", shift, off_bias),
        Number("power of lambda of the mass lost", math.log2(less / half_less), power_bar),
    )
    x = [int(np.argmin(np.abs(path.time - time))) for time in CERTIFICATES]
    curves = {
        "theta": ANGLES,
        "certificate_time": path.time[x],
        "certificates": np.array([certificate(path.residual[k], ANGLES) for k in x]),
        "optimal_certificate": eta,
        "optimum": np.stack([best.points[:, 0], best.masses]),
        "true": np.stack([np.array(PLACES), np.array(WEIGHTS)]),
        "found": np.stack([places, weights]),
        "time": path.time,
        "excess": excess,
        "gap": gap,
        "descent_excess": descent.energy - best.energy,
        "rate": np.array([predicted]),
    }
    return Findings(numbers, curves, _sentences(numbers, possible, best.masses.size))


def _told(path: Path) -> str:
    run = path.run
    return f"alpha = {run.alpha:g}, {run.nodes} nodes a sign: E = {path.energy[-1]:.12f}"


def _sentences(
    numbers: Sequence[Number], possible: dict[str, float], spikes: int
) -> tuple[str, ...]:
    end, rate, ratio, descent, over, peak, _, less, shift, power = numbers
    slowest = min(possible, key=lambda name: possible[name])
    below = "below" if ratio.holds else "not always below"
    return (
        f"The certificate of birth and death comes to touch 1 and -1 at the {spikes} spikes of the "
        "convex optimum, and E - E* falls, in the end along a straight line on this scale, "
        f"{below} its gap; gradient descent from the uniform law of the optimal mass is at "
        f"{descent.value:.2g} +- {descent.bar:.2g} at the end.",
        f"At t = {T_END:g} E - E* is {end.value:.1e}, the gap {end.expected:.1e} and max |eta| - 1 "
        f"{over.value:.0e}; the gap was never below {ratio.value:.2f} times E - E*, and the rate "
        f"{rate.value:.4f} +- {rate.bar:.4f} (all that was extrapolated, earlier windows, fewer "
        f"nodes) is to be {rate.expected:.4f}, that of {SLOWEST[slowest]}.",
        f"A price has its price: the optimum takes up to {less.value:.3f} lambda from a spike "
        f"(power {power.value:.3f} of lambda) and moves it by up to {shift.value:.1e}; the rate "
        f"is exponential only where |eta| stays below 1 elsewhere ({peak.value:.3f} here), that is "
        "for lambda > 0 and spikes that are apart; spikes and mobility were chosen so that the "
        "slowest rates are apart too: where they are close, the law is not reached by this time.",
    )


SLOWEST = {
    "other minima": "mass that dies in another local minimum of V",
    "maxima": "mass that dies in a maximum of V",
    "widths": "the widths of the spikes",
    "spikes": "masses and places of the spikes",
}

CLAIM = Claim(
    name="signed_spikes",
    title="Signed spikes at a price for mass",
    statement=(
        "With signs on two copies of the circle and a price for mass, (B) reaches the optimum of "
        "the convex problem at a known exponential rate, and certifies it."
    ),
    hypotheses=(
        "Full support at the start; the certificate of the optimum is below 1 in size except at "
        "the spikes and curved there; for the rate, times that are long by the difference between "
        "the slowest rates."
    ),
    source="Chizat & Bach (2018) and derived",
    minutes=(0.1, 0.2),
    measure=measure,
)
