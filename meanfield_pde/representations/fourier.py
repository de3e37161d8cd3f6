"""Fourier series on circles and tori: exponentially accurate while the density is smooth.

    rho(theta) = sum_k c_k exp(2 pi i k . (theta - lower) / length)

What is stepped in time are the c_k. V, its gradient and exponentials of V are known at equispaced
nodes; products with rho are taken there and cut back to the waves that are held (`waves`), so that

    (div(rho M grad V))_k = sum_j (2 pi i k_j / length_j) M_j (rho d_j V)_k,      (V rho)_k

are free of aliasing for a V that has no more waves than rho. Every integral over mu is a sum over
the nodes. c_0, the mass, is changed by no transport. rho is real, but nothing keeps it positive.

A density that sharpens needs ever more waves; as soon as its spectrum no longer decays over those
that are held, the run stops.

Source: the 3/2 rule of Orszag, J. Atmos. Sci. 28 (1971) 1074; Trefethen, Spectral Methods in MATLAB
(2000), chapters 3 and 8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError, NumericalFailure, StepTooLong, require
from meanfield_pde.problem.energy import AnyEnergy
from meanfield_pde.problem.landscape import Field, Landscape
from meanfield_pde.problem.laws import AnyLaw, DensityLike, MixtureLaw, ProductLaw, on_space
from meanfield_pde.problem.nodes import GridNodes
from meanfield_pde.problem.one_parameter_laws import Point
from meanfield_pde.problem.spaces import Axis, Space
from meanfield_pde.representations.grid import POSITIVITY_LIMIT
from meanfield_pde.representations.moments import axis_moments
from meanfield_pde.representations.runge_kutta import SSP3, Mobility
from meanfield_pde.representations.sizes import checked, one_each
from meanfield_pde.representations.waves import Complex, Waves

Array = NDArray[np.float64]
Axes = tuple[Axis, ...]

RESOLVED = 1e-3
"""Largest tail of a spectrum (`Waves.tail`) with which a run goes on.

Waves that are left out are smaller than that: when 50 runs of exact problems stopped, the density
was off by 6e-5 of the mass (median; at most 4e-4), and E, their V being a single wave, by 2e-12.
"""

STABLE = math.sqrt(3.0)
"""Largest angle by which a wave may turn in a step of SSP3: any more and the step amplifies it."""


@dataclass(frozen=True, eq=False)
class FourierMeasure:
    """A measure as the Fourier coefficients of its density.

    Attributes
    ----------
    waves : Waves
    coefficients : complex array, of the shape of the waves
    """

    waves: Waves
    coefficients: Complex

    representation: ClassVar[str] = "fourier"

    def __post_init__(self) -> None:
        shape, expected = np.shape(self.coefficients), self.waves.shape
        require(shape == expected, "coefficients' shape", shape, f"that of the waves, {expected}")
        # Viewing complex numbers as pairs takes a contiguous array.
        contiguous = np.ascontiguousarray(self.coefficients, dtype=np.complex128)
        object.__setattr__(self, "coefficients", contiguous)

    @cached_property
    def values(self) -> Array:
        """The density at the nodes: sums of weight * values are integrals over mu."""
        return self.waves.values(self.coefficients)

    @property
    def weight(self) -> float:
        """Volume a node."""
        return self.waves.weight

    @property
    def coordinates(self) -> tuple[Array, ...]:
        """Where `values` are, one array a parameter."""
        return self.waves.coordinates

    @property
    def axes(self) -> Axes:
        """Of the space."""
        return self.waves.axes

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return len(self.waves.axes)

    @property
    def mass(self) -> float:
        """Total mass."""
        return self.waves.volume * float(self.coefficients.flat[0].real)

    def landscape(self, energy: AnyEnergy) -> Landscape:
        """An energy seen from the nodes."""
        return energy.on(GridNodes(self.waves.nodes))

    @cached_property
    def state(self) -> Array:
        """What the equation changes: real and imaginary parts of the coefficients in turn."""
        return self.coefficients.view(np.float64)

    def with_state(self, state: Array) -> FourierMeasure:
        """The same waves with other coefficients."""
        return self._with(state.view(np.complex128))

    def _with(self, coefficients: Complex) -> FourierMeasure:
        return FourierMeasure(self.waves, coefficients)

    def error(self, change: Array, end: Array) -> float:
        """The size of an error of the state: in L1 of the density, relative to the mass."""
        return self._size(change.view(np.complex128)) / self.mass

    def _size(self, coefficients: Complex) -> float:
        return float(np.sum(np.abs(self.waves.values(coefficients)))) * self.weight

    def transport_rate(self, field: Field, mobility: tuple[float, ...]) -> Array:
        """div(mu M grad V), as rates of the state."""
        rate = np.zeros(self.waves.shape, dtype=np.complex128)
        for derivative, m, slope in zip(
            self.waves.derivatives, mobility, field.gradient, strict=True
        ):
            rate += m * derivative * self.waves.coefficients(self.values * slope)
        return rate.view(np.float64)

    def multiplied(self, factor: Array) -> Array:
        """How fast the state changes under d_t mu = factor mu, the factor given at the nodes."""
        return self._product(factor).state

    def _product(self, factor: Array) -> FourierMeasure:
        return self._with(self.waves.coefficients(self.values * factor))

    def point_rates(self, rates: Array) -> Array:
        """How fast `values` change where the state changes at these rates."""
        return self.waves.values(rates.view(np.complex128))

    def face_rate(self, field: Field, mobility: tuple[float, ...]) -> float:
        """Where it bounds steps as on grids, the shortest waves are not amplified.

        Their rate takes the place of that at which transport empties a cell, which is this one over
        `POSITIVITY_LIMIT`; an Euler step within it turns a wave by one at most.
        """
        return POSITIVITY_LIMIT * self._turning_rate(field, mobility)

    def _turning_rate(self, field: Field, mobility: tuple[float, ...]) -> float:
        """The largest |k . M grad V|: how fast a wave that a velocity carries along turns."""
        terms = zip(self.waves.highest, mobility, field.gradient, strict=True)
        return float(np.max(sum(k * m * np.abs(slope) for k, m, slope in terms)))

    def transported(
        self, landscape: Landscape, mobility: Mobility, time: float, dt: float
    ) -> FourierMeasure:
        """The flow of d_t mu = div(mu M grad V) over dt: SSP3, V and M formed anew at each stage.

        Raises
        ------
        StepTooLong
            If the step would amplify the shortest waves.
        """
        start = self.state

        def euler(state: Array, moment: float, length: float) -> Array:
            # The field at self is remembered, that of an equal measure would be formed again.
            at = self if state is start else self.with_state(state)
            field, factors = landscape.at(at), mobility(moment)
            rate = at._turning_rate(field, factors)
            if rate * dt > STABLE * (1.0 + 1e-12):
                raise StepTooLong("transport would amplify the shortest waves", STABLE / rate)
            return state + length * at.transport_rate(field, factors)

        return self.with_state(SSP3.advance(start, time, dt, euler))

    def reweighted(self, potential: Array, scale: float, shift: float = 0.0) -> FourierMeasure:
        """mu exp(scale * (potential - shift))."""
        return self._product(np.exp(scale * (potential - shift)))

    def scaled(self, factor: float) -> FourierMeasure:
        """factor * mu."""
        return self._with(factor * self.coefficients)

    def injected(self, base: object, mass: float) -> FourierMeasure:
        """mu + mass * base, a measure of the same waves."""
        assert isinstance(base, FourierMeasure)
        return self._with(self.coefficients + mass * base.coefficients)

    def born(self, law: AnyLaw, field: Field) -> tuple[FourierMeasure, Array]:
        """A law from which neurons are born, and V at its nodes."""
        return self.project(law), field.potential

    def injection_rate(self, law: AnyLaw, rate: float) -> Array:
        """How fast the state changes where mass is born from a law at a rate."""
        return rate * self.project(law).state

    def project(self, law: AnyLaw) -> FourierMeasure:
        """Another law by the same waves, of total mass 1.

        Raises
        ------
        InputError
            If the law is not smooth on the circle, or too narrow for the waves.
        """
        density = _density(law, self.axes, self.waves.nodes)
        projected = self._with(self.waves.coefficients(density / self.waves.volume))
        tail = self.waves.tail(projected.coefficients)
        if not tail <= RESOLVED:
            raise InputError(
                f"law {str(law)!r}: expected a density that {_counted(self.waves)} resolve, but "
                f"its spectrum ends at {tail:.1e} of its largest coefficient; take more modes if "
                "it is smooth on the circle, or finite volumes"
            )
        return projected.scaled(1.0 / projected.mass)

    def moments(self) -> tuple[Array, Array]:
        """Circular mean and variance of each parameter."""
        pairs = []
        for k, (nodes, axis) in enumerate(zip(self.waves.nodes, self.axes, strict=True)):
            share = self.values.sum(axis=tuple(j for j in range(self.parameters) if j != k))
            pairs.append(axis_moments(nodes, share / share.sum(), axis))
        return np.array([m for m, _ in pairs]), np.array([v for _, v in pairs])

    def wall_mass(self) -> float:
        """None: a circle has no walls."""
        return 0.0

    @property
    def centres(self) -> tuple[Array, ...]:
        """As many points as modes, at which snapshots hold the density."""
        return self.waves.centres

    @property
    def snapshot(self) -> Array:
        """What a snapshot holds: the density at `centres`."""
        return self.waves.at_centres(self.coefficients)

    @property
    def smallest(self) -> float:
        """The smallest density at a node, below zero where waves are missing."""
        return float(self.values.min())

    def unresolved(self, field: Field) -> float:
        """The tail of the spectrum (`Waves.tail`)."""
        return self.waves.tail(self.coefficients)

    def maintained(self, field: Field) -> FourierMeasure:
        """Itself: the waves stay.

        Raises
        ------
        NumericalFailure
            If the spectrum no longer decays over the waves.
        """
        tail = self.unresolved(field)
        if not tail <= RESOLVED:
            raise NumericalFailure(
                f"the spectrum no longer decays over {_counted(self.waves)}, it ends at {tail:.1e} "
                "of its largest coefficient: take more modes, or shorter steps if they are fixed, "
                "or finite volumes or characteristics, or stop earlier"
            )
        return self


def _counted(waves: Waves) -> str:
    return " x ".join(map(str, waves.modes)) + " modes"


def _density(law: AnyLaw, axes: Axes, nodes: tuple[Array, ...]) -> Array:
    """The density of a law at all combinations of nodes, divided by its mean over them."""
    fitted = on_space(law, axes)
    if isinstance(fitted, MixtureLaw):
        pairs = zip(fitted.weights, fitted.parts, strict=True)
        mixed = [share * _density(part, axes, nodes) for share, part in pairs if share > 0.0]
        return np.sum(mixed, axis=0) / sum(fitted.weights)
    if isinstance(fitted, ProductLaw):
        triples = zip(fitted.factors, axes, nodes, strict=True)
        each = [_density(factor, (axis,), (along,)) for factor, axis, along in triples]
        return np.asarray(reduce(np.multiply.outer, each))
    known = cast(DensityLike, fitted)
    if isinstance(fitted, Point) or not _everywhere(known, axes):
        raise InputError(
            f"law {str(law)!r}: expected a density that is smooth on the whole circle, for Fourier "
            "series; finite volumes hold any law"
        )
    logarithms = known.log_density(GridNodes(nodes).coordinates(), axes)
    highest = float(logarithms.max())
    if highest == -math.inf:
        raise InputError(f"law {str(law)!r}: expected a density that is not 0 at all nodes")
    density = np.exp(logarithms - highest)
    return density / density.mean()


def _everywhere(law: DensityLike, axes: Axes) -> bool:
    """Whether a law ends nowhere on its circles."""
    breaks = law.breaks(axes, math.inf)
    ends = [(axis.lower, axis.upper) for axis in axes]
    return all(np.allclose(b[[0, -1]], e) for b, e in zip(breaks, ends, strict=True))


@dataclass(frozen=True)
class Fourier:
    """Fourier series on circles: `modes` waves along each parameter (a number, or one each).

    Waves k with |k| < modes / 2 are held, as many as that many equispaced points can tell; powers
    of 2, possibly times 3 or 5, are fastest.
    """

    modes: int | tuple[int, ...] = 128
    kind: Literal["fourier"] = "fourier"

    def __post_init__(self) -> None:
        object.__setattr__(self, "modes", checked("modes", self.modes, 8))

    def waves(self, axes: Axes) -> Waves:
        """The waves of a space."""
        circles = all(axis.periodic for axis in axes)
        others = "circles alone: finite volumes and characteristics know walls"
        require(circles, "kind", self.kind, others)
        require(len(axes) <= 2, "parameters", len(axes), "1 or 2 of them for Fourier series")
        modes = one_each("modes", self.modes, len(axes))
        return Waves(axes, modes)

    def check(self, axes: Axes) -> None:
        """Raise `InputError` if the method does not fit a space."""
        self.waves(axes)

    def finer(self, axes: Axes) -> Fourier:
        """A quarter more modes along each parameter, an even number."""
        return replace(self, modes=tuple(2 * math.ceil(0.625 * n) for n in self.waves(axes).modes))

    def project(self, law: AnyLaw, space: Space) -> FourierMeasure:
        """The series of a law on a space, of total mass 1, from its density at the nodes.

        Raises
        ------
        InputError
            If the law does not fit the space, is not smooth on the circle, or is too narrow for
            the waves.
        """
        require(hasattr(space, "axes"), "space", space, "a space, such as Circle()")
        waves = self.waves(space.axes)
        return FourierMeasure(waves, np.zeros(waves.shape, dtype=np.complex128)).project(law)
