"""The energy E[mu]: what is learnt, from which data, where, and how an error is priced.

Both kinds of energy are seen from nodes: `energy.on(nodes)` is a landscape, and
`landscape.at(mu)` holds E, V and what follows from them, for any mu with these nodes
(`interaction` with data, `fixed` for a potential that does not depend on mu).

Source: Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019), section 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.errors import InputError, require
from meanfield_pde.kernels.reductions import dot
from meanfield_pde.problem.coordinates import Theta, component_names
from meanfield_pde.problem.data import AnyData
from meanfield_pde.problem.features import Features, features, features_at_points
from meanfield_pde.problem.fixed import PotentialLandscape
from meanfield_pde.problem.interaction import InteractingLandscape, PenaltyAtNodes
from meanfield_pde.problem.landscape import Landscape
from meanfield_pde.problem.loss_checks import check_loss
from meanfield_pde.problem.losses import AnyLoss, Logistic, Squared
from meanfield_pde.problem.nodes import GridNodes, Nodes, PointNodes
from meanfield_pde.problem.penalties import AnyPenalty
from meanfield_pde.problem.potentials import Potential
from meanfield_pde.problem.series import Range, Series
from meanfield_pde.problem.spaces import Axis, Space
from meanfield_pde.problem.targets import AnyTarget
from meanfield_pde.problem.units import AnyUnit, Charged

Array = NDArray[np.float64]

SAME = 1e-9
"""Largest relative difference of a periodic function between both ends of its circle."""


@dataclass(frozen=True)
class Energy:
    """E[mu] = int l(f[mu], f*) dnu + int R dmu.

    Parameters
    ----------
    unit : Unit
        phi(x, theta).
    target : Target or None
        f*(x); None for a loss without one.
    data : Data
        nu, as a quadrature.
    space : Space
        Where theta lives.
    loss : Loss
        l(f, f*), convex in f; `Squared()` unless given.
    penalty : Penalty, optional
        R(theta).

    Raises
    ------
    InputError
        If unit, target, data, space, loss and penalty do not fit together.
    """

    unit: AnyUnit
    target: AnyTarget | None
    data: AnyData
    space: Space
    loss: AnyLoss = Squared()
    penalty: AnyPenalty | None = None

    def __post_init__(self) -> None:
        for name, part, needed in (
            ("unit", self.unit, "parameters"),
            ("target", self.target, "value"),
            ("data", self.data, "quadrature"),
            ("space", self.space, "axes"),
            ("loss", self.loss, "curvature"),
            ("penalty", self.penalty, "check"),
        ):
            missing = part is None and name in ("target", "penalty")
            usable = hasattr(part, needed) and not isinstance(part, type)
            example = {"unit": "Gaussian(0.5)", "space": "Circle()"}.get(name)
            expected = f"a {name} of this package" + (f", such as {example}" if example else "")
            require(missing or usable, name, part, expected)
        unit, axes = self.unit, self.space.axes
        names = ", ".join(unit.parameters)
        require(
            len(axes) == len(unit.parameters),
            "space",
            self.space.kind,
            f"{len(unit.parameters)} parameter(s), ({names}), for the unit {unit.kind!r}",
        )
        require(
            self.data.inputs == unit.inputs,
            "data",
            self.data.kind,
            f"{unit.inputs} input(s) for the unit {unit.kind!r}, not {self.data.inputs}",
        )
        for name, axis, period in zip(unit.parameters, axes, unit.periods or (), strict=False):
            require(
                _same_period(axis.period, period),
                "space",
                self.space.kind,
                f"{_range(period)} for the parameter {name} of the unit {unit.kind!r}",
            )
        if unit.input_period is not None:
            require(
                _same_period(self.data.period, unit.input_period),
                "data",
                self.data.kind,
                f"data on {_range(unit.input_period, 'the line')} for the unit {unit.kind!r}",
            )
        require(
            self.target is not None or not self.loss.needs_target,
            "target",
            None,
            f"a target for the loss {self.loss.kind!r}",
        )
        require(
            self.target is None or self.loss.needs_target,
            "target",
            getattr(self.target, "kind", None),
            f"none for the loss {self.loss.kind!r}",
        )
        if self.penalty is not None:
            self.penalty.check(unit.parameters)
        self._check_unit(axes)
        self._check_circles(axes)
        check_loss(self.loss, self.target_values)
        if isinstance(self.loss, Logistic):
            labels = np.abs(self.target_values) == 1.0
            wrong = "" if np.all(labels) else float(self.target_values[~labels][0])
            require(bool(np.all(labels)), "target", wrong, "labels -1 and 1 for the logistic loss")

    def _check_unit(self, axes: tuple[Axis, ...]) -> None:
        """A unit that is infinite at one of a few places is refused before anything runs."""
        lower, length = (np.array([getattr(a, s) for a in axes]) for s in ("lower", "length"))
        points = lower + length * np.random.default_rng(0).random((8, len(axes)))
        x, w, _ = self._data
        few = slice(None, None, max(1, w.size // 64))
        (at_points,) = features(self.unit, x[few], w[few], PointNodes(points))
        at_points.potential(np.zeros(w[few].size))

    def _check_circles(self, axes: tuple[Axis, ...]) -> None:
        """What a user brought must have the period of the space."""
        unit, x = self.unit, self._data[0][:: max(1, self._data[1].size // 64)]
        for k, axis in enumerate(axes):
            if not axis.periodic:
                continue
            ends = _both_ends(axes, k)
            name = unit.parameters[k]
            if unit.periods is None:
                same = _equal(unit_value(unit, x, theta) for theta in ends)
                same &= _equal(unit_derivative(unit, k, x, theta) for theta in ends)
                require(same, "space", self.space.kind, f"a period of the unit in {name}")
            if self.penalty is not None:
                same = _equal(self.penalty.value(theta, unit.parameters) for theta in ends)
                same &= _equal(self.penalty.gradient(theta, unit.parameters)[k] for theta in ends)
                require(same, "penalty", str(self.penalty), f"one that is periodic in {name}")

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the components of theta."""
        return self.unit.parameters

    @cached_property
    def _data(self) -> tuple[Array, Array, Array]:
        with _named("data"):
            x, w = self.data.quadrature()
        if self.target is None:
            return x, w, np.zeros(w.shape)
        with _named("target"):
            target = self.target.value(x, self.unit, self.data)
        finite = np.isfinite(target)
        if not np.all(finite):
            bad = int(np.argmin(finite))
            raise InputError(f"target is {target[bad]} at x = {x[bad]}: expected finite values")
        return x, w, target

    @property
    def inputs(self) -> Array:
        """Quadrature nodes of the data measure, (points,) or (points, components)."""
        return self._data[0]

    @property
    def data_weights(self) -> Array:
        """Quadrature weights of the data measure, (points,)."""
        return self._data[1]

    @property
    def target_values(self) -> Array:
        """f* at the inputs, (points,); zeros without a target."""
        return self._data[2]

    @property
    def constant(self) -> float:
        """The energy of f = 0; for the squared loss C_f = 1/2 int f*^2 dnu."""
        _, w, target = self._data
        return float(dot(w, self.loss.value(np.zeros(w.shape), target)))

    def on(self, nodes: Nodes, batch: NDArray[np.intp] | None = None) -> Landscape:
        """This energy seen from nodes; by a batch of the data, each point of equal weight."""
        x, w, target = self._data
        if batch is not None:
            x, target = x[batch], target[batch]
            w = np.full(batch.size, float(np.sum(w)) / batch.size)
        faces: list[Features] = []
        # The series of a unit are those of all data.
        if isinstance(nodes, PointNodes) and not self.loss.relative and batch is None:
            axes = self.space.axes
            centre = features_at_points(self.unit, x, w, nodes, axes, self._series)
        else:
            centre, *faces = features(self.unit, x, w, nodes, not self.loss.relative)
        return InteractingLandscape(
            loss=self.loss,
            features=centre,
            faces=tuple(faces),
            parameters=len(self.parameters),
            data_weights=w,
            target=target,
            penalty=self._penalty_on(nodes),
            elsewhere=partial(self.on, batch=batch),
        )

    @cached_property
    def _series(self) -> dict[Range, Series | None]:
        """Of the unit, by range: they hold for all nodes in it."""
        return {}

    def _penalty_on(self, nodes: Nodes) -> PenaltyAtNodes | None:
        if self.penalty is None:
            return None
        theta, faces = nodes.coordinates(), _face_coordinates(nodes)
        value = self.penalty.value(theta, self.parameters)
        _require_finite("penalty", value, theta, self.parameters)
        return PenaltyAtNodes(
            value,
            self.penalty.gradient(theta, self.parameters),
            tuple(self.penalty.gradient(at, self.parameters)[k] for k, at in enumerate(faces)),
        )

    def __str__(self) -> str:
        priced = "" if self.penalty is None else f" + int R dmu,  R: {self.penalty}"
        if isinstance(self.loss, Squared):
            first = "V = F + K * mu" if self.penalty is None else "V = F + K * mu + R"
            return f"{first},  E = 1/2 int |f[mu] - f*|^2 dnu{priced}"
        return f"E = int {self.loss} dnu{priced},  V = dE/dmu"


@contextmanager
def _named(part: str) -> Iterator[None]:
    """Whatever is wrong in a part of the energy, the sentence begins with its name."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{part} {error}") from None


def _both_ends(axes: tuple[Axis, ...], k: int) -> list[Theta]:
    """The same point of a circle twice, in points of the space that are no symmetric ones."""
    inner = [axis.lower + axis.length * (0.3 + 0.2 * j) for j, axis in enumerate(axes)]
    return [
        tuple(np.array([end if j == k else inner[j]]) for j in range(len(axes)))
        for end in (axes[k].lower, axes[k].upper)
    ]


def _same_period(one: float, other: float) -> bool:
    return one == other or math.isclose(one, other, rel_tol=1e-12)


def _equal(both: Iterable[Array]) -> bool:
    low, high = both
    return bool(np.allclose(low, high, rtol=SAME, atol=SAME * (1.0 + float(np.max(np.abs(low))))))


def _range(period: float, line: str = "an interval") -> str:
    if not math.isfinite(period):
        return line
    whole = math.isclose(period, 2.0 * math.pi)
    return "the circle" if whole else f"the circle of period {period:g}"


def unit_value(unit: AnyUnit, x: Array, theta: Theta) -> Array:
    """phi at all pairs of inputs and nodes, the charge included."""
    if isinstance(unit, Charged):
        return unit.psi.value(x, theta[:-1]) * theta[-1]
    return unit.value(x, theta)


def unit_derivative(unit: AnyUnit, k: int, x: Array, theta: Theta) -> Array:
    """d phi / d theta_k at all pairs of inputs and nodes."""
    if isinstance(unit, Charged):
        base = unit.psi.value(x, theta[:-1])
        if k == len(theta) - 1:
            return base
        return unit.psi.derivative(k, x, theta[:-1], base) * theta[-1]
    return unit.derivative(k, x, theta, unit.value(x, theta))


def _require_finite(what: str, value: Array, theta: Theta, names: tuple[str, ...]) -> None:
    """Raise `InputError` naming the first place where a value is not finite."""
    wrong = np.argwhere(~np.isfinite(value))
    if wrong.size and all(np.all(np.isfinite(t)) for t in theta):
        at = tuple(wrong[0])
        place = ", ".join(f"{t[at]:g}" for t in theta)
        raise InputError(
            f"the {what} is {value[at]} at ({', '.join(names)}) = ({place}): expected finite"
        )


def _face_coordinates(nodes: Nodes) -> list[Theta]:
    faces = nodes.faces if isinstance(nodes, GridNodes) else ()
    return [GridNodes(axes).coordinates() for axes in faces]


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
        axes = self.space.axes
        for k in range(len(axes)):
            if axes[k].periodic:
                ends = _both_ends(axes, k)
                same = _equal(self.potential.value(theta) for theta in ends)
                same &= _equal(self.potential.gradient(theta)[k] for theta in ends)
                require(
                    same,
                    "space",
                    self.space.kind,
                    f"a period of the potential {self.potential.kind!r} in {self.parameters[k]}",
                )

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the components of theta."""
        return component_names("theta", len(self.space.axes))

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
        theta, faces = nodes.coordinates(), _face_coordinates(nodes)
        slopes = tuple(self.potential.gradient(at)[k] for k, at in enumerate(faces))
        value = self.potential.value(theta)
        _require_finite("potential", value, theta, self.parameters)
        return PotentialLandscape(value, self.potential.gradient(theta), slopes, self.on)

    def __str__(self) -> str:
        return "V = V(theta) fixed,  E = int V dmu"


AnyEnergy = Energy | PotentialEnergy
