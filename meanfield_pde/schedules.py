"""When something is recorded: apart from what, and from how the equation is solved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Discriminator

from meanfield_pde.errors import require


@dataclass(frozen=True)
class EveryTime:
    """At 0, interval, 2 interval, ... and at the end."""

    interval: float
    kind: Literal["every"] = "every"

    def __post_init__(self) -> None:
        require(self.interval > 0, "interval", self.interval, "a positive time")

    def times(self, t_end: float) -> tuple[float, ...]:
        """In increasing order, 0 and t_end included."""
        most = 1_000_000
        require(t_end / self.interval <= most, "interval", self.interval, f"at most {most} times")
        count = int(np.floor(t_end / self.interval * (1.0 + 1e-12)))
        times = [index * self.interval for index in range(count + 1)]
        if t_end - times[-1] > 1e-9 * t_end:
            times.append(t_end)
        else:
            times[-1] = t_end
        return tuple(times)


@dataclass(frozen=True)
class AtTimes:
    """At 0, at those of the given times that lie before the end, and at the end."""

    values: tuple[float, ...]
    kind: Literal["at"] = "at"

    def __post_init__(self) -> None:
        increasing = all(b > a for a, b in zip(self.values[:-1], self.values[1:], strict=True))
        ordered = increasing and all(value >= 0 for value in self.values)
        require(ordered, "values", self.values, "increasing times >= 0")

    def times(self, t_end: float) -> tuple[float, ...]:
        """In increasing order, 0 and t_end included."""
        inside = {float(value) for value in self.values if value < t_end}
        return tuple(sorted({0.0, t_end} | inside))


Schedule = Annotated[EveryTime | AtTimes, Discriminator("kind")]
