r"""The energy E[mu] and its first variation V = dE/dmu: the one place where they are formed.

Squared loss, with its constant::

    E[mu] = 1/2 int |f[mu] - f*|^2 dnu = C_f + int F dmu + 1/2 int int K dmu dmu
    V     = int (f[mu] - f*)(x) phi(x, theta) nu(dx) = F + K * mu

with C_f = 1/2 int f*^2 dnu, F = - int f* phi dnu, K = int phi phi' dnu. K is never formed: with a
quadrature of nu everything goes through f = Phi m and V = Phi^T w (f - f*) (`features`).
A fixed potential V(theta) has E = int V dmu.

Both kinds of energy are seen from nodes: `energy.on(nodes)` is a landscape, and
`landscape.at(mu)` holds E, V and what follows from them, for any mu with these nodes.

Source: Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import require
from meanfield_pde.kernels.reductions import dot, dot3
from meanfield_pde.problem.data import Data
from meanfield_pde.problem.features import Features, features, mass_of
from meanfield_pde.problem.landscape import Discrete, Field, Landscape
from meanfield_pde.problem.nodes import Nodes
from meanfield_pde.problem.potentials import Potential
from meanfield_pde.problem.spaces import Space
from meanfield_pde.problem.targets import Target
from meanfield_pde.problem.units import Charged, Unit

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class InteractingField:
    """See `Field`; squared loss."""

    energy: float
    mass: float
    integral: float
    prediction: Array
    residual: Array
    features: Features
    mu: Discrete

    @property
    def image(self) -> Array:
        """f[mu] (`Landscape.image`)."""
        return self.prediction

    @cached_property
    def potential(self) -> Array:
        """V = Phi^T w (f - f*)."""
        return self.features.potential(self.residual)

    @cached_property
    def gradient(self) -> tuple[Array, ...]:
        """(d Phi / d theta_k)^T w (f - f*)."""
        return self.features.gradient(self.residual)

    @cached_property
    def mean_squares(self) -> tuple[float, tuple[float, ...]]:
        """int V^2 dmu and int (d_k V)^2 dmu."""
        return self.features.mean_squares(self.mu.values, self.mu.weight, self.residual)

    @cached_property
    def mean_square_norms(self) -> tuple[float, tuple[float, ...]]:
        """int int phi^2 dnu dmu and int int (d_k phi)^2 dnu dmu."""
        return self.features.mean_square_norms(self.mu.values, self.mu.weight)


@dataclass(frozen=True, eq=False)
class InteractingLandscape:
    """Squared loss at given nodes."""

    features: Features
    data_weights: Array
    target: Array
    constant: float

    def at(self, mu: Discrete) -> InteractingField:
        """E, f, V at mu; int V dmu = sum_q w_q (f_q - f*_q) f_q needs no pass over the nodes."""
        prediction = self.features.prediction(mu.values, mu.weight)
        difference = prediction - self.target
        residual = self.data_weights * difference
        return InteractingField(
            energy=0.5 * float(dot(residual, difference)),
            mass=mass_of(mu.values, mu.weight),
            integral=float(dot(residual, prediction)),
            prediction=prediction,
            residual=residual,
            features=self.features,
            mu=mu,
        )

    def image(self, values: Array, weight: float) -> Array:
        """The change of f."""
        return self.features.prediction(values, weight)

    def norm(self, image: Array, field: Field) -> float:
        """In L2(nu), relative to f*."""
        norm = float(np.sqrt(dot3(self.data_weights, image, image)))
        return norm / float(np.sqrt(2.0 * self.constant)) if self.constant > 0 else norm


@dataclass(frozen=True, eq=False)
class PotentialField:
    """See `Field`; a fixed potential."""

    centre: float
    energy: float
    mass: float
    integral: float
    prediction: Array
    potential: Array
    gradient: tuple[Array, ...]
    mu: Discrete

    @property
    def image(self) -> Array:
        """The integral of V - centre over mu (`Landscape.image`)."""
        return np.array([self.energy - self.centre * self.mass])

    @cached_property
    def mean_squares(self) -> tuple[float, tuple[float, ...]]:
        """int V^2 dmu and int (d_k V)^2 dmu."""
        values = self.mu.values.ravel()
        arrays = [array.ravel() for array in (self.potential, *self.gradient)]
        square, *slopes = [self.mu.weight * float(dot3(values, a, a)) for a in arrays]
        return square, tuple(slopes)

    @property
    def mean_square_norms(self) -> tuple[float, tuple[float, ...]]:
        """Zero: V does not depend on mu."""
        return 0.0, (0.0,) * len(self.gradient)


@dataclass(frozen=True, eq=False)
class PotentialLandscape:
    """A fixed potential at given nodes."""

    potential: Array
    gradient: tuple[Array, ...]

    @cached_property
    def centre(self) -> float:
        """A value of V to measure it from, so that a constant in V changes nothing."""
        return float(np.mean(self.potential))

    def at(self, mu: Discrete) -> PotentialField:
        """E = int V dmu."""
        energy = mu.weight * float(dot(self.potential.ravel(), mu.values.ravel()))
        return PotentialField(
            centre=self.centre,
            energy=energy,
            mass=mass_of(mu.values, mu.weight),
            integral=energy,
            prediction=np.empty(0),
            potential=self.potential,
            gradient=self.gradient,
            mu=mu,
        )

    def image(self, values: Array, weight: float) -> Array:
        """The change of int (V - centre) dmu, one number."""
        change = weight * float(dot(self.potential.ravel(), values.ravel()))
        return np.array([change - self.centre * mass_of(values, weight)])

    def norm(self, image: Array, field: Field) -> float:
        """Relative to the standard deviation of V over the nodes, times the mass."""
        scale = float(np.std(self.potential)) * field.mass
        return abs(float(image[0])) / scale if scale > 0 else abs(float(image[0]))


@dataclass(frozen=True)
class Energy:
    """E[mu] = 1/2 int |f[mu] - f*|^2 dnu.

    Parameters
    ----------
    unit : Unit
        phi(x, theta).
    target : Target
        f*(x).
    data : Data
        nu, as a quadrature.
    space : Space
        Where theta lives.

    Raises
    ------
    InputError
        If unit, data and space do not fit together.
    """

    unit: Unit
    target: Target
    data: Data
    space: Space

    def __post_init__(self) -> None:
        unit, axes = self.unit, self.space.axes
        names = ", ".join(unit.parameters)
        require(
            len(axes) == len(unit.parameters),
            "space",
            self.space.kind,
            f"{len(unit.parameters)} parameter(s), ({names}), for the unit {unit.kind!r}",
        )
        where = "the circle" if unit.on_circle else "an interval"
        require(
            axes[0].periodic == unit.on_circle,
            "space",
            self.space.kind,
            f"{where} for the parameter {unit.parameters[0]} of the unit {unit.kind!r}",
        )
        require(
            self.data.on_circle == unit.on_circle,
            "data",
            self.data.kind,
            f"data on {'the circle' if unit.on_circle else 'the line'} for the unit {unit.kind!r}",
        )
        if isinstance(unit, Charged):
            require(not axes[1].periodic, "space", self.space.kind, "an interval for the charge c")

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the components of theta."""
        return self.unit.parameters

    @cached_property
    def _data(self) -> tuple[Array, Array, Array]:
        x, w = self.data.quadrature()
        return x, w, self.target.value(x, self.unit)

    @property
    def inputs(self) -> Array:
        """Quadrature nodes of the data measure."""
        return self._data[0]

    @property
    def target_values(self) -> Array:
        """f* at the inputs."""
        return self._data[2]

    @property
    def constant(self) -> float:
        """C_f = 1/2 int f*^2 dnu, the energy of f = 0."""
        _, w, target = self._data
        return 0.5 * float(dot3(w, target, target))

    def on(self, nodes: Nodes) -> Landscape:
        """This energy seen from nodes."""
        x, w, target = self._data
        return InteractingLandscape(features(self.unit, x, w, nodes), w, target, self.constant)

    def __str__(self) -> str:
        return "V = F + K * mu,  E = 1/2 int |f[mu] - f*|^2 dnu"


@dataclass(frozen=True)
class PotentialEnergy:
    """E[mu] = int V dmu for a fixed potential V: no interaction.

    Raises
    ------
    InputError
        If potential and space have different numbers of parameters.
    """

    potential: Potential
    space: Space

    def __post_init__(self) -> None:
        dimension = self.potential.dimension
        require(
            dimension in (None, len(self.space.axes)),
            "space",
            self.space.kind,
            f"{dimension} parameter(s) for the potential {self.potential.kind!r}",
        )

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the components of theta."""
        count = len(self.space.axes)
        return ("theta",) if count == 1 else tuple(f"theta_{k + 1}" for k in range(count))

    @property
    def inputs(self) -> Array:
        """Empty: there are no data."""
        return np.empty(0)

    @property
    def target_values(self) -> Array:
        """Empty: there are no data."""
        return np.empty(0)

    def on(self, nodes: Nodes) -> Landscape:
        """This energy seen from nodes."""
        theta = nodes.coordinates()
        return PotentialLandscape(self.potential.value(theta), self.potential.gradient(theta))

    def __str__(self) -> str:
        return "V = V(theta) fixed,  E = int V dmu"


AnyEnergy = Energy | PotentialEnergy
