r"""Energies with data: E[mu] and its first variation V = dE/dmu, formed here and only here.

For a loss l, convex in its first argument, and a penalty R::

    E[mu] = int l(f[mu](x), f*(x)) nu(dx) + int R dmu,       f[mu](x) = int phi(x, theta) mu(dtheta)
    V     = int l'(f[mu](x), f*(x)) phi(x, theta) nu(dx) + R(theta)

With a quadrature of nu everything goes through f = Phi m and V = Phi^T w l' + R (`features`). The
squared loss l = (f - f*)^2 / 2 has V = F + K * mu with F = - int f* phi dnu, K = int phi phi' dnu;
K is never formed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import NumericalFailure
from meanfield_pde.kernels.reductions import dot, dot3
from meanfield_pde.problem.features import ChargedOnGrid, Features, mass_of
from meanfield_pde.problem.landscape import Discrete, Field, Landscape, nowhere_else
from meanfield_pde.problem.losses import AnyLoss, NegativeLogLikelihood
from meanfield_pde.problem.nodes import Nodes

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PenaltyAtNodes:
    """R and its gradient at nodes, and dR / d theta_k at the faces normal to parameter k."""

    value: Array
    gradient: tuple[Array, ...]
    face_slopes: tuple[Array, ...]


@dataclass(frozen=True, eq=False)
class InteractingField:
    """See `Field`."""

    energy: float
    mass: float
    integral: float
    prediction: Array
    residual: Array
    landscape: InteractingLandscape
    mu: Discrete

    @property
    def image(self) -> Array:
        """f[mu] (`Landscape.image`)."""
        return self.prediction

    @cached_property
    def potential(self) -> Array:
        """V = Phi^T w l' + R."""
        return self.landscape.potential(self.residual)

    def potential_at(self, nodes: Nodes) -> Array:
        """V at other nodes."""
        return self.potential_in(self.landscape.elsewhere(nodes))

    def potential_in(self, landscape: Landscape) -> Array:
        """V at the nodes of another landscape of the same energy."""
        return cast(InteractingLandscape, landscape).potential(self.residual)

    @cached_property
    def gradient(self) -> tuple[Array, ...]:
        """(d Phi / d theta_k)^T w l' + d_k R."""
        return self.landscape.gradient(self.residual)

    def gradient_in(self, landscape: Landscape) -> tuple[Array, ...]:
        """The gradient of V there."""
        return cast(InteractingLandscape, landscape).gradient(self.residual)

    @cached_property
    def face_slopes(self) -> tuple[Array, ...]:
        """The component of the gradient normal to each face."""
        landscape = self.landscape
        slopes = (f.slope(k, self.residual) for k, f in enumerate(landscape.faces))
        if landscape.penalty is None:
            return tuple(slopes)
        return tuple(s + r for s, r in zip(slopes, landscape.penalty.face_slopes, strict=True))

    @cached_property
    def mean_square(self) -> float:
        """int V^2 dmu."""
        if self._charges is not None:
            return self._charges[0]
        return sum_of_squares(self.mu, self.potential)

    @cached_property
    def mean_square_slopes(self) -> tuple[float, ...]:
        """int (d_k V)^2 dmu."""
        if self._charges is not None:
            return self._charges[1]
        return tuple(sum_of_squares(self.mu, slope) for slope in self.gradient)

    @cached_property
    def _charges(self) -> tuple[float, tuple[float, ...]] | None:
        """Both, where sums over rows of charges give them."""
        features = self.landscape.features
        if isinstance(features, ChargedOnGrid) and self.landscape.penalty is None:
            return features.mean_squares(self.mu.values, self.mu.weight, self.residual)
        return None

    @cached_property
    def mean_square_norms(self) -> tuple[float, tuple[float, ...]]:
        """int int l'' phi^2 dnu dmu and int int l'' (d_k phi)^2 dnu dmu."""
        landscape = self.landscape
        curvature = landscape.loss.curvature(self.prediction, landscape.target)
        return landscape.features.mean_square_norms(self.mu.values, self.mu.weight, curvature)


@dataclass(frozen=True, eq=False)
class InteractingLandscape:
    """An energy with data at given nodes.

    Attributes
    ----------
    loss : Loss
    features : Features
    faces : tuple of Features
        One for each parameter, at the faces normal to it; empty if the nodes have none.
    parameters : int
        Their number.
    data_weights, target : arrays (data points,)
    penalty : PenaltyAtNodes, optional
    elsewhere : callable
        The same energy seen from other nodes.
    """

    loss: AnyLoss
    features: Features
    faces: tuple[Features, ...]
    parameters: int
    data_weights: Array
    target: Array
    penalty: PenaltyAtNodes | None
    elsewhere: Callable[[Nodes], Landscape] = nowhere_else

    def at(self, mu: Discrete) -> InteractingField:
        """E, f, V at mu; int V dmu = sum_q w_q l'_q f_q + int R dmu."""
        prediction = self.features.prediction(mu.values, mu.weight)
        if isinstance(self.loss, NegativeLogLikelihood) and not np.all(prediction > 0.0):
            worst = int(np.argmin(prediction))
            raise NumericalFailure(
                f"f[mu] = {prediction[worst]:.3g} at data point {worst + 1}: a likelihood needs "
                "units that are positive, and a start that reaches every point"
            )
        residual = self.data_weights * self.loss.derivative(prediction, self.target)
        price = 0.0
        if self.penalty is not None:
            price = mu.weight * float(dot(mu.values.ravel(), self.penalty.value.ravel()))
        loss = self.loss.value(prediction, self.target)
        return InteractingField(
            energy=float(dot(self.data_weights, loss)) + price,
            mass=mass_of(mu.values, mu.weight),
            integral=float(dot(residual, prediction)) + price,
            prediction=prediction,
            residual=residual,
            landscape=self,
            mu=mu,
        )

    def potential(self, residual: Array) -> Array:
        """Phi^T r + R, with r = w l' at each data point."""
        potential = self.features.potential(residual)
        return potential if self.penalty is None else potential + self.penalty.value

    def gradient(self, residual: Array) -> tuple[Array, ...]:
        """(d Phi / d theta_k)^T r + d_k R."""
        slopes = (self.features.slope(k, residual) for k in range(self.parameters))
        if self.penalty is None:
            return tuple(slopes)
        return tuple(s + r for s, r in zip(slopes, self.penalty.gradient, strict=True))

    def image(self, values: Array, weight: float) -> Array:
        """The change of f."""
        return self.features.prediction(values, weight)

    @cached_property
    def _scale(self) -> float:
        """1 / |f*| in L2(nu), 1 where f* = 0."""
        square = float(dot3(self.data_weights, self.target, self.target))
        return square**-0.5 if square > 0.0 else 1.0

    def norm(self, image: Array, field: Field) -> float:
        """In L2(nu), relative to f*; of a density relative to f[mu] at each point."""
        if self.loss.relative:
            relative = image / field.prediction
            return float(np.sqrt(dot3(self.data_weights, relative, relative)))
        return self._scale * float(np.sqrt(dot3(self.data_weights, image, image)))


def sum_of_squares(mu: Discrete, function: Array) -> float:
    """int g^2 dmu of a function at the nodes, by a sum over them."""
    values = mu.values
    whole = function.shape == values.shape
    flat = (function if whole else np.broadcast_to(function, values.shape)).ravel()
    return mu.weight * float(dot3(values.ravel(), flat, flat))
