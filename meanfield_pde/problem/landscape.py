"""What an energy looks like from nodes: the interface between the physics and its numerics."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.problem.nodes import Nodes

Array = NDArray[np.float64]


class Discrete(Protocol):
    """A measure with mass weight * values[i] at node i of a landscape."""

    @property
    def values(self) -> Array:
        """One entry a node."""
        ...

    @property
    def weight(self) -> float:
        """Mass of a node where values is 1."""
        ...


class Field(Protocol):
    """The energy and its first variation at one measure.

    Attributes
    ----------
    mu : Discrete
        The measure.
    energy, mass : float
    integral : float
        int V dmu (the mean potential Vbar times the mass).
    potential : array
        V at the nodes.
    gradient : tuple of array
        dV / d theta_k at the nodes, broadcast to their shape.
    face_slopes : tuple of array
        dV / d theta_k at the faces normal to parameter k, one array for each axis of nodes that
        have faces.
    prediction : array (data points,)
        f[mu]; empty for a fixed potential.
    image : array
        `Landscape.image` of mu itself.
    potential_at : callable
        V, of the same mu, at other nodes.
    potential_in, gradient_in : callables
        V and its gradient, of the same mu, at the nodes of another landscape of the same energy.
    mean_square : float
        int V^2 dmu.
    mean_square_slopes : tuple of float
        int (d_k V)^2 dmu.
    mean_square_norms : (float, tuple of float)
        int int l'' phi^2 dnu dmu and int int l'' (d_k phi)^2 dnu dmu, l'' the curvature of the
        loss: weighted by alpha and the mobility they bound the rate at which the prediction feeds
        back on itself. Zero without interaction.
    """

    @property
    def mu(self) -> Discrete: ...  # noqa: D102
    @property
    def energy(self) -> float: ...  # noqa: D102
    @property
    def mass(self) -> float: ...  # noqa: D102
    @property
    def integral(self) -> float: ...  # noqa: D102
    @property
    def prediction(self) -> Array: ...  # noqa: D102
    @property
    def image(self) -> Array: ...  # noqa: D102
    @property
    def potential(self) -> Array: ...  # noqa: D102
    @property
    def gradient(self) -> tuple[Array, ...]: ...  # noqa: D102
    @property
    def face_slopes(self) -> tuple[Array, ...]: ...  # noqa: D102
    def potential_at(self, nodes: Nodes) -> Array: ...  # noqa: D102
    def potential_in(self, landscape: Landscape) -> Array: ...  # noqa: D102
    def gradient_in(self, landscape: Landscape) -> tuple[Array, ...]: ...  # noqa: D102
    @property
    def mean_square(self) -> float: ...  # noqa: D102
    @property
    def mean_square_slopes(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def mean_square_norms(self) -> tuple[float, tuple[float, ...]]: ...  # noqa: D102


def nowhere_else(nodes: Nodes) -> Landscape:
    """Of a landscape that was made without an energy: it is known from its own nodes alone."""
    raise TypeError("this landscape is known from its own nodes alone")


class Landscape(Protocol):
    """An energy seen from the nodes of a representation."""

    def at(self, mu: Discrete) -> Field:
        """The energy and its first variation at mu."""
        ...

    def image(self, values: Array, weight: float) -> Array:
        """What a small change of mu does to the problem: to f, or to the energy without data."""
        ...

    def norm(self, image: Array, field: Field) -> float:
        """The size of an image, near the measure of a field.

        Relative to f*, or as the loss has it; without data to the spread of V times the mass.
        """
        ...
