r"""Units with a kink under birth and death alone: another constant than that of smooth ones.

Where nothing but selection acts, mu around an atom is self-similar, of width sigma ~ t^(-1/p) if V
there is homogeneous of degree p: rho = sigma^-d P(xi), xi = x / sigma, so that

    d_t log rho = (d + xi . grad log P) / (p t) = - alpha (V - Vbar).

At the atom, xi = 0, this says Vbar - V = d / (p alpha t). That is E - E* in a fixed potential of
order p. Where a target of atoms is fitted E is quadratic, E = 1/2 int V d(mu - mu*), half of it:

    E  ->  d / (2 p alpha t),

whatever the number of atoms and their masses. Moving weights and centres hides the orders below of
the kernel: p = 4 for a smooth one, hence d/8, and p = 3 where K(d) has |d|^3. Such are ReLU units
on the circle, phi = max(0, cos(x - theta)), K = ... + |d|^3 / (12 pi) + ..., hence

    alpha t E -> 1/6,

with corrections of powers of the width, t^(-1/3). The data must resolve the kinks of units near the
atoms; those of one at theta are at theta +- pi/2. What points that are graded towards them add to K
scales like |d|^3 itself, up to a wave in log |d|: it changes K, and the constant hardly, which half
as many points show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.energy import Energy
from meanfield_pde.problem.samples import Samples
from meanfield_pde.problem.spaces import Circle
from meanfield_pde.problem.targets import Teacher
from meanfield_pde.problem.units import ReluCircle
from meanfield_pde.representations.rules import GaussPanels
from meanfield_pde.studies.law_problems import Spikes, Terms, panels_towards, power

Array = NDArray[np.float64]

THIRDS: Terms = (power(-1.0 / 3.0), power(-2.0 / 3.0))
"""How the limit is reached."""

ORDER = 3
"""Of the first singular term of K."""


def uniform_with_kinks(centres: Array, levels: int, points: int) -> Samples:
    """x uniform on the circle, by Gauss points on panels that halve towards the kinks of units.

    Parameters
    ----------
    centres : array (units,)
    levels : int
        Halvings.
    points : int
        On each panel.
    """
    (axis,) = Circle().axes
    kinks = np.concatenate([centres - 0.5 * math.pi, centres + 0.5 * math.pi])
    kinks = axis.lower + np.mod(kinks - axis.lower, axis.length)
    rule = GaussPanels(panels_towards(axis, kinks, levels).breaks, points)
    return Samples(rule.nodes, weights=np.exp(rule.log_weights), input_period=axis.length)


@dataclass(frozen=True)
class Kinked(Spikes):
    """ReLU units on the circle whose target is made of few of them."""

    @property
    def limit(self) -> float:
        """Of t E."""
        return len(self.energy.parameters) / (2.0 * ORDER)


def relu(name: str, teacher: Teacher, points: int) -> Kinked:
    """With a number of data points on each panel."""
    centres = np.array([np.atleast_1d(centre)[0] for centre in teacher.centres])
    data = uniform_with_kinks(centres, 14, points)
    return Kinked(name, Energy(ReluCircle(), teacher, data, Circle()), 1024, 12, 1e8)


TEACHERS = {
    "ReLU, circle, 1 atom": Teacher((0.4,), (1.0,)),
    "ReLU, circle, 2 atoms": Teacher((0.4, 2.1), (0.6, 0.4)),
}
"""In an open half circle: otherwise other measures fit as well, see `relu`."""

KINKED = tuple(relu(name, teacher, 8) for name, teacher in TEACHERS.items())
COARSE = tuple(relu(name, teacher, 4) for name, teacher in TEACHERS.items())
"""The same with half the data points."""
