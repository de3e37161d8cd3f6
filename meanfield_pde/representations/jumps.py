"""How a particle is killed or cloned, and how many copies of it there are in the mean.

A particle whose mass would be multiplied by exp(factor) in a step

    jumps      is killed or cloned with probability 1 - exp(-|factor|), by the sign of the factor
    notebook   with probability |factor|, at most 1
    weights    has its mass multiplied, and stays

so that a clone of "jumps" is rarer than birth would have it: 2 - exp(-factor) copies in the mean,
not exp(factor).

Source: Algorithms 1 and 2 of Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019) and, for "notebook",
the code that was published with it.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Algorithm = Literal["jumps", "notebook", "weights"]


def probabilities(algorithm: Algorithm, factors: Array) -> Array:
    """Of being killed, where a factor is negative, or cloned, where it is positive."""
    size = np.abs(factors)
    return np.minimum(size, 1.0) if algorithm == "notebook" else -np.expm1(-size)


def log_mean_copies(algorithm: Algorithm, factors: Array) -> Array:
    """The logarithm of the mean number of copies of a particle after a step."""
    if algorithm == "weights":
        return factors
    change = np.copysign(probabilities(algorithm, factors), factors)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(change))
