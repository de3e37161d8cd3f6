r"""Without homogeneity: gradient descent of two-homogeneous neurons is birth and death already.

Neurons |w|^2 phi(x, arg w), w in the plane. With w = r (cos theta, sin theta) the prediction is

    f = int r^2 phi(x, theta) dmu = int phi(x, theta) dnu,    nu the image of |w|^2 mu,

and V(w) = r^2 J(theta) with J = dE/dnu. The Euclidean gradient has the radial part 2 r J and the
angular part r J', so that (A), w' = - grad V, is

    r' = - 2 r J,    r theta' = - r J',    hence    theta' = - J',    (r^2)' = - 4 J r^2.

Tested with functions of theta, d_t nu = div(nu J') - 4 J nu: (B) with alpha = 4 and mobility 1.
Nodes that share a direction share it for ever and keep the ratio of their radii. Chizat & Bach
(2018) call it conic transport; Rotskoff et al. (2019) need no homogeneity, and any alpha will do.

ReLU neurons a max(0, w . x), (a, w) in R^3, with weight decay lambda (a^2 + |w|^2) / 2 and x on the
unit circle: V = a |w| j(theta) + lambda (a^2 + |w|^2) / 2, j = int (f - f*) psi dnu(x), and

    a' = - |w| j - lambda a,   |w|' = - a j - lambda |w|,   theta' = - (a / |w|) j',
    (|w|^2 - a^2)' = - 2 lambda (|w|^2 - a^2).

Balanced neurons, a = s |w| with a sign s, stay balanced; for them, r = |w|, J = s j + lambda,

    theta' = - J',    (r^2)' = - 2 J r^2,    E = 1/2 |f - f*|^2 + lambda int r^2 dmu:

(B) with alpha = 2 and mobility 1 on two copies of the circle, at a price lambda for mass. Others
get there at the rate 2 lambda.

Method: characteristics. A law in the plane and its image are integrated by rules that have nothing
in common; nodes on rays, and ReLU neurons, are compared with their own images, where all that is
left are the errors of two integrations in time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.optimum import optimum
from meanfield_pde.results.evidence import Number
from meanfield_pde.studies.claims.claim import Claim, Findings
from meanfield_pde.studies.theory.homogeneous import DIRECTIONS, LAMBDA, PLACES
from meanfield_pde.studies.theory.projections import CORNERS, RADII, T_RELU, Path, Run, solved
from meanfield_pde.studies.workers import all_answers

Array = NDArray[np.float64]

AGREEMENT = 1e-8
"""What is asked for."""


def ray_deviation(path: Path) -> float:
    """How far nodes on a ray are from sharing a direction, and from keeping ratios of radii."""
    points = path.nodes[..., :2].reshape(path.time.size, -1, len(RADII), 2)
    middle = points[:, :, 1:2]
    cross = points[..., 0] * middle[..., 1] - points[..., 1] * middle[..., 0]
    inner = np.sum(points * middle, axis=-1)
    square = np.sum(middle**2, axis=-1)
    ratios = np.array(RADII) / RADII[1]
    return float(max(np.max(np.abs(cross / square)), np.max(np.abs(inner / square / ratios - 1.0))))


def imbalance_rate(path: Path) -> float:
    """- d log int (|w|^2 - a^2) dmu / dt over the whole run."""
    return float(-np.log(path.imbalance[-1] / path.imbalance[0]) / path.time[-1])


def measure(quick: bool, tell: Callable[[str], None]) -> Findings:
    """Measure the claim; see `claim.Measure`."""
    coarse, fine = (24, 28) if quick else (34, 42)
    directions = 32 if quick else 64
    tight, loose = 1e-11, 1e-10
    pairs = ("rays", "directions", "neurons", "signs", "unbalanced")
    runs = [
        Run("plane", fine, tight),
        Run("plane", coarse, loose),
        Run("circle", 256, tight),
        Run("circle", 192, loose),
        Run("mean", 256, tight),
        Run("mean", 192, loose),
        *(Run(system, directions, step) for system in pairs for step in (tight, loose)),
        Run("corners", directions, 0.4 if quick else 0.1),
        Run("corners", directions, 0.8 if quick else 0.2),
    ]
    paths = all_answers(solved, runs, lambda path: tell(_told(path)))
    plane, plane_bar, circle, circle_bar, mean, mean_bar, *rest = paths
    rays, rays_bar, images, images_bar, neurons, neurons_bar, signs, signs_bar = rest[:8]
    unbalanced, unbalanced_bar, corners, corners_bar = rest[8:]
    best = optimum(DIRECTIONS, "signed")
    tell(f"optimum of the ReLU neurons: E* = {best.energy:.8f}, gap {best.gap:.0e}")

    apart, deviation, rate = (
        plane.difference(circle),
        ray_deviation(rays),
        imbalance_rate(unbalanced),
    )
    slopes = [
        np.log(p.energy[-6] / p.energy[-1]) / np.log(p.time[-1] / p.time[-6])
        for p in (mean, mean_bar)
    ]
    left = unbalanced.energy[-1] - signs.energy[-1]
    numbers = (
        Number(
            "plane and circle, alpha = 4: E, f and mass differ by",
            apart,
            plane.difference(plane_bar) + circle.difference(circle_bar),
            AGREEMENT,
            "<",
        ),
        Number(
            "the same from nodes on rays",
            rays.difference(images),
            rays.difference(rays_bar) + images.difference(images_bar),
            AGREEMENT,
            "<",
        ),
        Number(
            "directions and ratios of radii on a ray change by",
            deviation,
            abs(ray_deviation(rays_bar) - deviation),
            AGREEMENT,
            "<",
        ),
        Number(
            "ReLU (a, w) and signed circles, alpha = 2: E, f and mass differ by",
            neurons.difference(signs),
            neurons.difference(neurons_bar) + signs.difference(signs_bar),
            AGREEMENT,
            "<",
        ),
        Number(
            "rate at which |w|^2 - a^2 decays",
            rate,
            abs(imbalance_rate(unbalanced_bar) - rate) + loose,
            2.0 * LAMBDA,
            "=",
        ),
        Number(
            f"E unbalanced less E balanced, t = {T_RELU:g}",
            float(left),
            float(abs(unbalanced_bar.energy[-1] - signs_bar.energy[-1] - left)),
        ),
        Number(
            f"E - E* of balanced ReLU neurons, t = {T_RELU:g}",
            float(signs.energy[-1] - best.energy),
            best.gap + float(abs(signs.energy[-1] - signs_bar.energy[-1])),
        ),
        Number(
            f"E with max(0, cos) at {CORNERS.points} data points less E with waves, t = {T_RELU:g}",
            float(corners.energy[-1] - signs.energy[-1]),
            float(abs(corners.energy[-1] - corners_bar.energy[-1])),
        ),
        Number(
            "slope - d log E / d log t of (C), alpha = 1, on the circle",
            float(slopes[0]),
            float(abs(slopes[1] - slopes[0])),
        ),
    )
    curves = {
        "time": circle.time[1:],
        "plane_energy": plane.energy[1:],
        "circle_energy": circle.energy[1:],
        "mean_energy": mean.energy[1:],
        "differences": plane.differences(circle)[:, 1:],
        "coarse_differences": plane_bar.differences(circle)[:, 1:],
        "ray_differences": rays.differences(images)[:, 1:],
        "ray_points": rays.nodes[..., :2],
        "target": np.array(PLACES),
        "agreement": np.array([AGREEMENT]),
        "relu_time": signs.time,
        "signs_excess": signs.energy - best.energy,
        "neurons_excess": neurons.energy - best.energy,
        "unbalanced_excess": unbalanced.energy - best.energy,
        "imbalance": unbalanced.imbalance,
    }
    return Findings(numbers, curves, _sentences(numbers, mean))


def _told(path: Path) -> str:
    run = path.run
    return f"{run.system}, {run.nodes} nodes, step {run.step:g}: E = {path.energy[-1]:.9f}"


def _sentences(numbers: Sequence[Number], mean: Path) -> tuple[str, ...]:
    apart, same, _, relu, rate, left, excess, corners, slope = numbers
    return (
        "Neurons in the plane turn towards the directions of the target and grow or shrink; their "
        "energy and that of birth and death with alpha = 4 on the circle lie on one another to "
        f"{apart.value:.0e}, and so do, to {relu.value:.0e}, those of balanced ReLU neurons with "
        "weight decay and of alpha = 2 on two circles.",
        f"From rules with nothing in common E, f and the mass differ by {apart.value:.1e} "
        f"(bar {apart.bar:.0e}: fewer nodes and a tenfold tolerance in both), from the same nodes "
        f"by {same.value:.1e}, for ReLU by {relu.value:.1e}, all relative to their largest value.",
        f"Nothing of this needs alpha = 4: with the mean subtracted and alpha = 1, which is no "
        f"projection, E falls to {mean.energy[-1] / mean.energy[0]:.1e} of its start and its slope "
        f"is -{slope.value:.2f}; ReLU neurons that start unbalanced differ, their imbalance decays "
        f"at the rate {rate.value:.4f}, and at t = {T_RELU:g} they are {left.value:.1e} above the "
        f"balanced ones, which are {excess.value:.1e} above the optimum; corners, at "
        f"{CORNERS.points} data points, move E by {abs(corners.value):.0e}.",
    )


CLAIM = Claim(
    name="projection",
    title="What homogeneity gives",
    statement=(
        "Gradient descent of two-homogeneous neurons |w|^2 phi(arg w) in the plane is birth and "
        "death with alpha = 4 and transport on the circle; that of balanced ReLU neurons with "
        "weight decay is the same with alpha = 2 on two circles."
    ),
    hypotheses=(
        "Euclidean gradient, mass measured by |w|^2; for ReLU |a| = |w| at the start and equal "
        "decay of a and w."
    ),
    source="Chizat & Bach (2018), Rotskoff et al. (2019) and derived",
    minutes=(0.3, 1.5),
    measure=measure,
)
