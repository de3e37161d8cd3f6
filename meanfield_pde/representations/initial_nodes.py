"""From an initial law to quadrature nodes: tensor products of rules, with the mass of each node.

The rule of each parameter is chosen from its law:

    on a whole circle                           equispaced (trapezoidal rule, exponential there)
    normal, far from walls                      equispaced over a range of deviations: its tails
                                                decay, and birth and death may amplify them
    normal, if asked for                        Gauss-Hermite
    all other densities on an interval          Gauss-Legendre, panels between its breaks
    a point                                     one node
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.laws import (
    AnyLaw,
    DensityLike,
    MixtureLaw,
    OneParameterLaw,
    ProductLaw,
    mass_outside,
    on_space,
)
from meanfield_pde.problem.one_parameter_laws import Normal, Point
from meanfield_pde.problem.spaces import Axis
from meanfield_pde.representations.rules import (
    Atom,
    Equispaced,
    GaussPanels,
    Hermite,
    Rule,
    gauss_panels,
)

Array = NDArray[np.float64]
Axes = tuple[Axis, ...]

MOST_HERMITE = 150
"""Nodes of a Gauss-Hermite rule; the weights of more are no numbers."""

RuleName = Literal["automatic", "gauss_legendre", "gauss_hermite", "equispaced"]


@dataclass(frozen=True, eq=False)
class Nodes:
    """A tensor product of rules and the logarithm of the mass at each of its nodes.

    Attributes
    ----------
    rules : tuple of Rule
        One a parameter.
    log_masses : array (nodes,)
    """

    rules: tuple[Rule, ...]
    log_masses: Array

    @property
    def points(self) -> Array:
        """The nodes, (nodes, parameters)."""
        return tensor_points(self.rules)


def tensor_points(rules: tuple[Rule, ...]) -> Array:
    """All combinations of the nodes of rules, (nodes, parameters)."""
    grids = np.meshgrid(*(rule.nodes for rule in rules), indexing="ij")
    return np.stack([grid.ravel() for grid in grids], axis=1)


def tensor_log_weights(rules: tuple[Rule, ...]) -> Array:
    """The logarithms of the weights of a tensor product, (nodes,)."""
    total = reduce(np.add.outer, [rule.log_weights for rule in rules])
    return np.asarray(total).ravel()


def log_sum(log_values: Array) -> float:
    """log sum exp, of values however large or small."""
    largest = float(np.max(log_values))
    if not np.isfinite(largest):
        return largest
    return largest + float(np.log(np.sum(np.exp(log_values - largest))))


def initial_nodes(
    law: AnyLaw, axes: Axes, numbers: tuple[int, ...], names: tuple[RuleName, ...], reach: float
) -> tuple[Nodes, ...]:
    """Nodes for a law conditioned to a space, of total mass 1: a tensor product for each part.

    Parameters
    ----------
    law : Law
    axes : tuple of Axis
    numbers : tuple of int
        Nodes along each parameter.
    names : tuple of str
        The rule of each parameter.
    reach : float
        Deviations on either side of the mean within which the nodes of a normal law lie.

    Raises
    ------
    InputError
        If the law does not fit the space, or a rule does not fit its law.
    """
    parts = []
    for share, part in _parts(law):
        if share <= 0.0 or mass_outside(part, axes) >= 1.0:
            continue
        for inside, nodes in _tensors(part, axes, numbers, names, reach):
            log_masses = nodes.log_masses - log_sum(nodes.log_masses)
            parts.append((share * inside, nodes.rules, log_masses))
    total = sum(share for share, _, _ in parts)
    return tuple(
        Nodes(rules, log_masses + np.log(share / total)) for share, rules, log_masses in parts
    )


def _parts(law: Any) -> Iterator[tuple[float, Any]]:
    """A mixture as its parts."""
    if isinstance(law, MixtureLaw):
        total = sum(law.weights)
        for weight, part in zip(law.weights, law.parts, strict=True):
            for share, inner in _parts(part):
                yield weight / total * share, inner
    else:
        yield 1.0, law


def _tensors(
    law: AnyLaw, axes: Axes, numbers: tuple[int, ...], names: tuple[RuleName, ...], reach: float
) -> Iterator[tuple[float, Nodes]]:
    """Tensor products for a law that is no mixture, and the part of the law in each."""
    fitted = on_space(law, axes)
    if isinstance(fitted, ProductLaw):
        choices = []
        for factor, axis, number, name in zip(fitted.factors, axes, numbers, names, strict=True):
            several = [
                (
                    share * (1.0 - mass_outside(part, (axis,))),
                    *_along(part, axis, number, name, reach),
                )
                for share, part in _parts(factor)
                if share > 0.0 and mass_outside(part, (axis,)) < 1.0
            ]
            choices.append(several)
        for chosen in product(*choices):
            rules = tuple(rule for _, rule, _ in chosen)
            masses = [
                log_density + rule.log_weights - log_sum(log_density + rule.log_weights)
                for _, rule, log_density in chosen
            ]
            log_masses = np.asarray(reduce(np.add.outer, masses)).ravel()
            yield float(np.prod([share for share, _, _ in chosen])), Nodes(rules, log_masses)
    elif len(axes) == 1:
        rule, log_density = _along(cast(OneParameterLaw, law), axes[0], numbers[0], names[0], reach)
        inside = 1.0 - mass_outside(law, axes)
        yield inside, Nodes((rule,), log_density + rule.log_weights)
    else:
        density = cast(DensityLike, law)
        automatic = all(name == "automatic" for name in names)
        require(automatic, "rule", names, "'automatic' for a density in several parameters")
        rules = tuple(
            _legendre(breaks, number)
            if not _whole_circle(breaks, axis)
            else Equispaced(axis.lower, axis.upper, number, True)
            for breaks, number, axis in zip(density.breaks(axes, reach), numbers, axes, strict=True)
        )
        theta = tuple(tensor_points(rules).T)
        inside = 1.0 - mass_outside(law, axes)
        yield inside, Nodes(rules, density.log_density(theta, axes) + tensor_log_weights(rules))


def _along(
    law: OneParameterLaw, axis: Axis, number: int, name: RuleName, reach: float
) -> tuple[Rule, Array]:
    """The rule along one parameter, and the log-density of the law at its nodes."""
    rule = _rule(law, axis, number, name, reach)
    if isinstance(law, Point):
        return rule, np.zeros(1)
    return rule, cast(DensityLike, law).log_density((rule.nodes,), (axis,))


def _rule(law: OneParameterLaw, axis: Axis, number: int, name: RuleName, reach: float) -> Rule:
    if isinstance(law, Point):
        return Atom(law.location)
    breaks = cast(DensityLike, law).breaks((axis,), reach)[0]
    normal = isinstance(law, Normal)
    lower, upper = float(breaks[0]), float(breaks[-1])
    whole_circle = _whole_circle(breaks, axis)
    if name == "automatic":
        whole = normal and _reaches(law, axis, reach)
        name = "equispaced" if whole or whole_circle else "gauss_legendre"
    if name == "gauss_hermite":
        if not isinstance(law, Normal):
            raise InputError(f"rule = 'gauss_hermite': expected a normal law, not {str(law)!r}")
        require(number <= MOST_HERMITE, "nodes", number, f"at most {MOST_HERMITE} by Gauss-Hermite")
        rule = Hermite(law.mean, law.deviation, number)
        inside = axis.lower <= rule.ends[0] and rule.ends[1] <= axis.upper
        expected = f"walls beyond its outermost node, {rule.ends[1]:g}"
        require(inside, "rule", name, expected)
        return rule
    if name == "equispaced":
        if not (normal or whole_circle):
            raise InputError(
                f"rule = 'equispaced': expected a normal law or one on a whole circle, not "
                f"{str(law)!r}"
            )
        return Equispaced(lower, upper, number, whole_circle)
    cut = (normal and lower > axis.lower, normal and upper < axis.upper)
    return _legendre(breaks, number, cut)


def _whole_circle(breaks: Array, axis: Axis) -> bool:
    """Whether a law fills a circle without a kink."""
    length = float(breaks[-1] - breaks[0])
    return axis.periodic and breaks.size == 2 and math.isclose(length, axis.length)


def _reaches(law: OneParameterLaw, axis: Axis, reach: float) -> bool:
    """Whether a normal law ends before the walls do."""
    assert isinstance(law, Normal)
    room = min(law.mean - axis.lower, axis.upper - law.mean)
    return room >= reach * law.deviation


def _legendre(breaks: Array, number: int, cut: tuple[bool, bool] = (False, False)) -> GaussPanels:
    if breaks.size == 2:
        return gauss_panels(float(breaks[0]), float(breaks[1]), number, cut)
    return GaussPanels(breaks, max(2, -(-number // (breaks.size - 1))))
