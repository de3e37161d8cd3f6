"""Initial laws mu_0, and laws mu_b from which neurons are born: products and mixtures of laws.

On a space with walls a law is conditioned to the space; what it loses there is reported by
`mass_outside`, and a law of which more than one per cent is lost is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import reduce
from typing import Annotated, Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.coordinates import Theta
from meanfield_pde.problem.density_laws import (
    DensityFunction,
    FormulaLaw,
    FunctionLaw,
    TableLaw,
)
from meanfield_pde.problem.one_parameter_laws import CircularNormal, Normal, Point, Uniform
from meanfield_pde.problem.spaces import Axis

Array = NDArray[np.float64]
Axes = tuple[Axis, ...]
Edges = tuple[Array, ...]

LOST_MASS = 0.01

RESOLVED = 1e-3
"""Largest mass of a law that its cell averages may miss: a law inside a cell is refused."""


class LawLike(Protocol):
    """What a representation needs to know of a law, on a space it fits (see `on_space`).

    Attributes
    ----------
    parameters : int or None
        How many the law is on; None where its parts or its density decide.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def parameters(self) -> int | None: ...  # noqa: D102

    def mass_outside(self, axes: Axes) -> float:
        """The part of the law outside the space."""
        ...

    def averages(self, edges: Edges, axes: Axes) -> Array:
        """Averages of the density over the cells of a grid on the space, one entry a cell."""
        ...

    def draws(self, generator: np.random.Generator, number: int, axes: Axes) -> Array:
        """Independent draws (number, parameters), conditioned to the space."""
        ...


class DensityLike(Protocol):
    """What quadrature nodes need of a law that is neither a product, nor a mixture, nor a point."""

    def breaks(self, axes: Axes, deviations: float) -> tuple[Array, ...]:
        """Where along each parameter its density begins, has a kink, and ends."""
        ...

    def log_density(self, theta: Theta, axes: Axes) -> Array:
        """At points of the space, up to a constant."""
        ...


@dataclass(frozen=True)
class ProductLaw:
    """Independent parameters, one law each, in the order of the parameters."""

    factors: tuple[OneParameterLaw, ...]
    kind: Literal["product"] = "product"

    def __str__(self) -> str:
        return " x ".join(str(factor) for factor in self.factors)

    @property
    def parameters(self) -> int | None:
        """One a factor."""
        return len(self.factors)

    def located(self, folder: str) -> ProductLaw:
        """With paths of files taken from a folder."""
        return replace(self, factors=tuple(_located(law, folder) for law in self.factors))

    def mass_outside(self, axes: Axes) -> float:
        """What is outside along any axis."""
        pairs = zip(self.factors, axes, strict=True)
        outside = [mass_outside(law, (axis,)) for law, axis in pairs]
        return reduce(lambda one, other: one + other - one * other, outside)

    def averages(self, edges: Edges, axes: Axes) -> Array:
        """Products of the averages of the factors."""
        triples = zip(self.factors, edges, axes, strict=True)
        return reduce(
            np.multiply.outer, [averages_of(law, (ends,), (axis,)) for law, ends, axis in triples]
        )

    def draws(self, generator: np.random.Generator, number: int, axes: Axes) -> Array:
        """One parameter after the other."""
        pairs = zip(self.factors, axes, strict=True)
        return np.column_stack([draws_from(law, generator, number, (axis,)) for law, axis in pairs])


@dataclass(frozen=True)
class MixtureLaw:
    """The law sum_k weights[k] parts[k], the weights divided by their sum."""

    weights: tuple[float, ...]
    parts: tuple[Law, ...]
    kind: Literal["mixture"] = "mixture"

    parameters: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        count = len(self.parts)
        require(count > 0, "parts", self.parts, "at least one law")
        fits = len(self.weights) == count and min(self.weights) >= 0
        fits = fits and 0 < sum(self.weights) < math.inf
        require(fits, "weights", self.weights, f"{count} numbers >= 0, one a part, not all 0")

    def __str__(self) -> str:
        pairs = zip(self._shares, self.parts, strict=True)
        return f"mixture({', '.join(f'{share:.4g} {part}' for share, part in pairs)})"

    @property
    def _shares(self) -> Array:
        return np.array(self.weights) / sum(self.weights)

    def located(self, folder: str) -> MixtureLaw:
        """With paths of files taken from a folder."""
        return replace(self, parts=tuple(_located(law, folder) for law in self.parts))

    def _outside(self, axes: Axes) -> Array:
        return np.array([mass_outside(part, axes) for part in self.parts])

    def mass_outside(self, axes: Axes) -> float:
        """The mean over the parts."""
        return float(self._shares @ self._outside(axes))

    def averages(self, edges: Edges, axes: Axes) -> Array:
        """The mean over the parts."""
        pairs = zip(self._shares, self.parts, strict=True)
        return np.sum([share * averages_of(part, edges, axes) for share, part in pairs], axis=0)

    def draws(self, generator: np.random.Generator, number: int, axes: Axes) -> Array:
        """A part for each draw, by the mass it has inside, then a draw from the part."""
        inside = self._shares * (1.0 - self._outside(axes))
        chosen = generator.choice(len(self.parts), number, p=inside / inside.sum())
        points = np.empty((number, len(axes)))
        for k, part in enumerate(self.parts):
            mine = chosen == k
            points[mine] = draws_from(part, generator, int(np.count_nonzero(mine)), axes)
        return points


OneParameterLaw = Annotated[
    Uniform | Normal | CircularNormal | Point | FormulaLaw | FunctionLaw | TableLaw | MixtureLaw,
    Discriminator("kind"),
]
Law = Annotated[OneParameterLaw | ProductLaw, Discriminator("kind")]
AnyLaw = Law | DensityFunction


def _located(law: Any, folder: str) -> Any:
    return law.located(folder) if hasattr(law, "located") else law


def on_space(law: AnyLaw, axes: Axes) -> LawLike:
    """A law as one of all parameters of a space: a uniform one without bounds fills all of it.

    Raises
    ------
    InputError
        If the law has another number of parameters than the space, or lies outside it.
    """
    assert not isinstance(law, FunctionLaw), "located, it is a DensityFunction"
    usable = hasattr(law, "averages") and not isinstance(law, type)
    require(usable, "law", law, "a law of this package, such as Uniform() or Normal()")
    if len(axes) > 1 and law == Uniform():
        return ProductLaw((Uniform(),) * len(axes))
    require(
        law.parameters in (None, len(axes)),
        "law",
        [factor.kind for factor in (law.factors if isinstance(law, ProductLaw) else (law,))],
        f"{len(axes)} one-parameter laws, one a parameter of the space",
    )
    if isinstance(law, ProductLaw | MixtureLaw):
        return law
    require(len(axes) <= 2, "law", str(law), f"a product of laws, for {len(axes)} parameters")
    outside = law.mass_outside(axes)
    if outside > LOST_MASS:
        space = " x ".join(f"[{axis.lower:g}, {axis.upper:g}]" for axis in axes)
        raise InputError(
            f"law {str(law)!r}: expected it inside {space}, but {100 * outside:.3g} % of its mass "
            "lies outside"
        )
    return law


def mass_outside(law: AnyLaw, axes: Axes) -> float:
    """The part of a law outside a space; raises as `on_space`, for every part of the law."""
    return on_space(law, axes).mass_outside(axes)


def averages_of(law: AnyLaw, edges: Edges, axes: Axes) -> Array:
    """Averages of the density of a law over the cells of a grid, of mass 1 - `mass_outside`.

    Raises
    ------
    InputError
        As `on_space`, and if the law is too narrow for the cells.
    """
    fitted = on_space(law, axes)
    averages = fitted.averages(edges, axes)
    if fitted.parameters == 1:
        widths = np.diff(edges[0])
        missed = 1.0 - fitted.mass_outside(axes) - float(np.sum(averages * widths))
        if abs(missed) > RESOLVED:
            raise InputError(
                f"law {str(law)!r}: expected it to be wider than a cell of width "
                f"{widths.max():g}, or a law of kind 'point'"
            )
    return averages


def draws_from(law: AnyLaw, generator: np.random.Generator, number: int, axes: Axes) -> Array:
    """Independent draws (number, parameters) from a law conditioned to a space."""
    return on_space(law, axes).draws(generator, number, axes)
