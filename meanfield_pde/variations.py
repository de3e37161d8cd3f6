"""[study]: which values of a case are varied together, and what the runs are compared with."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Discriminator

from meanfield_pde.errors import InputError, require
from meanfield_pde.results.solution import SCALARS

QUANTITIES = ("energy", "mass", "prediction", "density")
"""What the runs of a refinement can be compared by."""

EXAMPLE = "refine.method.cells=[64,128,256]"

FINER = {
    **dict.fromkeys(("cells", "nodes", "modes", "points", "number"), 1),
    **dict.fromkeys(("dt", "tolerance"), -1),
}
"""Whether a larger (1) or a smaller (-1) value is the finer one, by the last part of its key."""


@dataclass(frozen=True)
class Exact:
    """Against a solution in closed form (`studies.exact` knows which cases have one)."""

    kind: Literal["exact"] = "exact"


@dataclass(frozen=True)
class Finest:
    """Against the last run, which has no row of its own.

    Its own error is taken for zero, so that errors near it come out too small and orders too
    large: of a method of order p whose values double, the last order is log2(2^p + 1), 1.58 for
    p = 1 and 2.32 for p = 2. A bias that all runs share is not seen at all.
    """

    kind: Literal["finest"] = "finest"


@dataclass(frozen=True)
class OtherMethod:
    """Against one more run of the case, with these keys of [method] and [time] changed."""

    method: dict[str, Any]
    time: dict[str, Any] = field(default_factory=dict)
    kind: Literal["method"] = "method"

    @property
    def settings(self) -> tuple[str, ...]:
        """As for `case.load`."""
        changed = flattened({"method": self.method, "time": self.time})
        return tuple(f"{key}={as_toml(value)}" for key, value in changed.items())


Against = Annotated[Exact | Finest | OtherMethod, Discriminator("kind")]


@dataclass(frozen=True)
class Study:
    """[study]: runs of the case in which the values of a few keys are varied together.

    The keys are those of `--set`: ``refine.method.cells = [32, 64, 128]``. Lists of several keys
    are of one length and go together; tables and figures are drawn against the first.

    Parameters
    ----------
    refine : table of lists
        Numerical parameters from coarse to fine: errors and their orders.
    vary : table of lists
        Values of any kind: observables against them.
    against : Against
        What a refinement is compared with; `Finest()` unless given.
    compare : tuple of str
        Of a refinement, among energy, mass, prediction (in L2 of the data) and density (in L1);
        unless given, energy, prediction and density where they apply. Of varied values, recorded
        scalars; the energy unless given.
    processes : int
        How many runs go on at a time; as many as there are cores unless given.
    """

    refine: dict[str, Any] | None = None
    vary: dict[str, Any] | None = None
    against: Against | None = None
    compare: tuple[str, ...] | None = None
    processes: int | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("refine", "vary") if getattr(self, name) is not None]
        if len(given) != 1:
            raise InputError("refine, vary: expected one of them, for example " + EXAMPLE)
        (name,) = given
        lists = flattened(getattr(self, name))
        object.__setattr__(self, name, lists)
        require(len(lists) > 0, name, lists, "a key and the list of its values")
        least = 3 if self.refine and isinstance(self.reference, Finest) else 2
        first = next(iter(lists))
        for key, values in lists.items():
            require(isinstance(values, list), f"{name} {key}", values, "a list of values")
            enough = len(values) >= least
            require(enough, f"{name} {key}", values, f"at least {least} values")
            same = len(values) == len(lists[first])
            count = f"{len(lists[first])} values, as many as for {first}"
            require(same, f"{name} {key}", values, count)
        runs = {self.settings(index) for index in range(self.count)}
        if self.refine is not None:
            for key, values in lists.items():
                _check_refinement(key, values)
        else:
            require(len(runs) == self.count, name, lists, "different values for each run")
        known = QUANTITIES if self.refine is not None else tuple(SCALARS)
        chosen = self.compare if self.compare is not None else known[:1]
        each_once = len(set(chosen)) == len(chosen) > 0 and set(chosen) <= set(known)
        require(each_once, "compare", chosen, f"some of {', '.join(known)}, each once")
        none = self.refine is not None or self.against is None
        require(none, "against", self.against, "none where values are varied, not refined")
        positive = self.processes is None or self.processes >= 1
        require(positive, "processes", self.processes, "at least 1")

    @property
    def lists(self) -> dict[str, list[Any]]:
        """The varied keys, each with its values."""
        return self.refine or self.vary or {}

    @property
    def count(self) -> int:
        """Number of values of each key."""
        return len(next(iter(self.lists.values())))

    @property
    def reference(self) -> Against | None:
        """What the runs are compared with; None if nothing is refined."""
        return (self.against or Finest()) if self.refine is not None else None

    @property
    def sizes(self) -> list[float]:
        """The values of the first key as numbers."""
        return [size(value) for value in next(iter(self.lists.values()))]

    def settings(self, index: int) -> tuple[str, ...]:
        """What makes a run, as for `case.load`."""
        return tuple(f"{key}={as_toml(values[index])}" for key, values in self.lists.items())


def _check_refinement(key: str, values: list[Any]) -> None:
    sizes = [size(value) for value in values]
    numbers = all(number > 0 for number in sizes)
    require(numbers, f"refine {key}", values, "positive numbers, or lists of them")
    steps = set(np.sign(np.diff(sizes)).tolist())
    direction = FINER.get(key.rpartition(".")[2])
    ordered = steps in ({1.0}, {-1.0}) and direction in (None, *steps)
    require(ordered, f"refine {key}", values, "values from coarse to fine")


def size(value: Any) -> float:
    """A value as a number: itself, the geometric mean of several, nan if it is none."""
    numbers = value if isinstance(value, list) else [value]
    if not numbers or any(type(number) not in (int, float) for number in numbers):
        return math.nan
    if len(numbers) == 1:
        return float(numbers[0])
    return math.prod(numbers) ** (1.0 / len(numbers)) if min(numbers) > 0 else math.nan


def flattened(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, keys joined by dots; a `kind` before the other keys of its table."""
    flat: dict[str, Any] = {}
    for key in sorted(table, key=lambda key: key != "kind"):
        value, name = table[key], f"{prefix}{key}"
        flat |= flattened(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat


def as_toml(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(entry) for entry in value) + "]"
    return json.dumps(value, ensure_ascii=False)
