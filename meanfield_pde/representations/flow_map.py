"""Where a tensor product of quadrature rules has been carried: the map theta(xi) and its density.

The log-density at a point is that of the mass in xi less the logarithm of |det d theta / d xi|,
with displacements and log-masses interpolated between the nodes (`rules`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from meanfield_pde.problem.spaces import Axis
from meanfield_pde.representations.following import folded
from meanfield_pde.representations.initial_nodes import tensor_log_weights, tensor_points
from meanfield_pde.representations.rules import Indices, Rule, Stencil

Array = NDArray[np.float64]
Axes = tuple[Axis, ...]

NEWTON_STEPS = 30

CHUNK = 1024
"""Points at which a field is interpolated at once."""


@dataclass(frozen=True, eq=False)
class FlowMap:
    """One tensor product of rules and where its nodes have gone.

    Attributes
    ----------
    axes : tuple of Axis
    rules : tuple of Rule
        One a parameter.
    points : array (nodes, parameters)
    log_masses : array (nodes,)
    """

    axes: Axes
    rules: tuple[Rule, ...]
    points: Array
    log_masses: Array

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Nodes along each parameter."""
        return tuple(rule.nodes.size for rule in self.rules)

    @cached_property
    def _fields(self) -> Array:
        """Displacements and the log-density in xi, (parameters + 1, nodes of each rule)."""
        displacement = self.points - tensor_points(self.rules)
        log_density = self.log_masses - tensor_log_weights(self.rules)
        fields = np.column_stack([displacement, log_density]).T
        return fields.reshape(-1, *self.shape)

    def _interpolated(self, xi: Array) -> tuple[Array, Array]:
        """The fields (parameters + 1, points) and their slopes (parameters, same)."""
        count = len(self.rules)
        values = np.empty((count + 1, xi.shape[0]))
        slopes = np.empty((count, count + 1, xi.shape[0]))
        # A BLAS product's bits depend on the number of its threads.
        with threadpool_limits(limits=1, user_api="blas"):
            for start in range(0, xi.shape[0], CHUNK):
                part = slice(start, start + CHUNK)
                columns = xi[start : start + CHUNK].T
                stencils = [rule.stencil(c) for rule, c in zip(self.rules, columns, strict=True)]
                found = _contracted(self._gathered(stencils), stencils)
                flat = found.reshape(*found.shape[:2], -1)
                values[:, part] = flat[:, :, 0]
                for k in range(count):
                    slopes[k, :, part] = flat[:, :, 2 ** (count - 1 - k)]
        return values, slopes

    def _gathered(self, stencils: list[Stencil]) -> Array:
        index: list[Any] = [slice(None)]
        for k, stencil in enumerate(stencils):
            shape = [stencil.indices.shape[0], *([1] * len(stencils))]
            shape[k + 1] = stencil.indices.shape[1]
            index.append(stencil.indices.reshape(shape))
        gathered: Array = self._fields[tuple(index)]
        return gathered

    def end_density(self, k: int) -> float:
        """The mass per length of xi_k at outermost nodes beyond which the law goes on, times the
        length.
        """
        rule = self.rules[k]
        masses = np.exp(self.log_masses).reshape(self.shape)
        along = np.moveaxis(masses, k, 0).reshape(rule.nodes.size, -1).sum(axis=1)
        ends = along[[0, -1]] / np.exp(rule.log_weights[[0, -1]])
        return float(np.max(ends[list(rule.cut)])) * (rule.ends[1] - rule.ends[0])

    def on(self, rules: tuple[Rule, ...]) -> FlowMap:
        """The same map at the nodes of other rules, from one parameter to the next."""
        fields = self._fields
        for k, (rule, new) in enumerate(zip(self.rules, rules, strict=True)):
            if new is not rule:
                stencil = rule.stencil(new.nodes)
                around = np.moveaxis(fields, k + 1, -1)[..., stencil.indices]
                fields = np.moveaxis(np.sum(around * stencil.weights, axis=-1), -1, k + 1)
        flat = fields.reshape(len(fields), -1)
        return replace(
            self,
            rules=rules,
            points=tensor_points(rules) + flat[:-1].T,
            log_masses=flat[-1] + tensor_log_weights(rules),
        )

    def _inside(self, xi: Array) -> Array:
        return folded(xi, self.axes)

    def _wrapped(self, differences: Array) -> Array:
        """Differences of positions, the short way around circles."""
        columns = [
            column - axis.length * np.round(column / axis.length) if axis.periodic else column
            for column, axis in zip(differences.T, self.axes, strict=True)
        ]
        return np.column_stack(columns)

    def _bounds(self) -> tuple[Array, Array]:
        """Of xi on axes that are no circles."""
        ends = [
            (-np.inf, np.inf) if axis.periodic else (rule.nodes[0], rule.nodes[-1])
            for axis, rule in zip(self.axes, self.rules, strict=True)
        ]
        low, high = np.array(ends).T
        return low - self._widths(), high + self._widths()

    def _widths(self) -> Array:
        """Twice the largest gap between nodes, along each parameter."""
        return np.array([2.0 * float(np.diff(rule.nodes).max()) for rule in self.rules])

    def density(self, at: Array) -> Array:
        """At points, by Newton's method for xi from the nearest node."""
        result = np.zeros(at.shape[0])
        if any(rule.nodes.size < 2 for rule in self.rules):
            return result
        nearest, active = self._nearest(at)
        xi = tensor_points(self.rules)[nearest]
        low, high = self._bounds()
        for _ in range(NEWTON_STEPS):
            if active.size == 0:
                break
            # Beyond the nodes a polynomial may pass all bounds; near massless ones it is no number.
            with np.errstate(invalid="ignore", over="ignore"):
                log_density, step = self._newton(xi[active], at[active])
            wanted = xi[active] - step
            moved = np.clip(wanted, low, high)
            done = np.all(np.abs(step) <= 1e-12 * (1.0 + np.abs(wanted)), axis=1)
            # Newton's method leaves the nodes for good where no node came from.
            lost = ~np.all(np.abs(wanted - moved) <= self._widths(), axis=1)
            found = done & self._within(xi[active])
            known = found & np.isfinite(np.where(found, log_density, np.nan))
            result[active[known]] = np.exp(log_density[known])
            xi[active] = moved
            active = active[~(done | lost)]
        return result

    def _newton(self, xi: Array, at: Array) -> tuple[Array, Array]:
        """The log-density at theta(xi), and the step of xi towards points; else nan."""
        fields, slopes = self._interpolated(self._inside(xi))
        jacobian = np.transpose(slopes[:, :-1], (2, 1, 0)) + np.eye(len(self.axes))
        residual = self._wrapped(xi + fields[:-1].T - at)
        volume = np.abs(np.linalg.det(jacobian))
        regular = (volume > 1e-300) & (volume < np.inf)
        step = np.full_like(residual, np.nan)
        step[regular] = np.linalg.solve(jacobian[regular], residual[regular, :, None])[..., 0]
        log_density = np.full(volume.shape, np.nan)
        log_density[regular] = fields[-1][regular] - np.log(volume[regular])
        return log_density, step

    def _nearest(self, at: Array) -> tuple[Indices, Indices]:
        """The node nearest to each point, and which points have one close by."""
        lowest = np.array([axis.lower for axis in self.axes])
        size = np.array([axis.length if axis.periodic else 0.0 for axis in self.axes])
        places = self._inside(self.points) - lowest
        tree = cKDTree(places, boxsize=size if np.any(size > 0.0) else None)
        around = min(places.shape[0], 3 ** len(self.axes) + 1)
        spacing = tree.query(places, k=[around])[0][:, 0]
        distance, nearest = tree.query(self._inside(at) - lowest)
        return nearest, np.flatnonzero(distance <= 3.0 * spacing[nearest])

    def _within(self, xi: Array) -> NDArray[np.bool_]:
        """Whether xi lies where the rules integrate."""
        inside = np.ones(xi.shape[0], dtype=bool)
        places = self._inside(xi)
        for k, (axis, rule) in enumerate(zip(self.axes, self.rules, strict=True)):
            low, high = rule.ends
            if not (axis.periodic and high - low >= axis.length * (1.0 - 1e-12)):
                inside &= (places[:, k] >= low - 1e-12) & (places[:, k] <= high + 1e-12)
        return inside


def _contracted(around: Array, stencils: list[Stencil]) -> Array:
    """Fields between their nodes, (fields, points, 2, ..., 2): values 0 or slopes 1 in each xi_k.

    `around` are the fields at neighbours, (fields, points, neighbours of each rule).
    """
    around = around[:, :, None]
    for stencil in reversed(stencils):
        both = np.stack([stencil.weights, stencil.slopes], axis=-1)
        between = (1,) * (around.ndim - 4)
        factors = both.reshape(both.shape[0], *between, *both.shape[1:])
        around = np.moveaxis(np.matmul(around, factors), -1, 2)
    return around[..., 0]
