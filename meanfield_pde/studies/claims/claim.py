"""A claim about the equation: what it says, under which hypotheses, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meanfield_pde.results.evidence import Number

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Findings:
    """What measuring a claim gives: see `results.evidence.Evidence`."""

    numbers: tuple[Number, ...]
    curves: Mapping[str, Array]
    sentences: tuple[str, ...]


class Measure(Protocol):
    """How a claim is measured."""

    def __call__(self, quick: bool, tell: Callable[[str], None]) -> Findings:
        """Measure it, in smaller sizes if quick; `tell` is told what has been done."""
        ...


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes
    ----------
    name : str
        As the command line takes it; also of the modules that measure and draw it.
    title : str
        A few words.
    statement : str
        What is claimed, one or two sentences.
    hypotheses : str
        Under which conditions.
    source : str
        Who claims it.
    minutes : (float, float)
        On two processors, quick and full.
    measure : Measure
    """

    name: str
    title: str
    statement: str
    hypotheses: str
    source: str
    minutes: tuple[float, float]
    measure: Measure
