"""Names and shapes of inputs and parameters, where they have several components."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Theta = tuple[Array, ...]
"""Parameters at nodes: one array (nodes,) each."""


def component_names(letter: str, count: int) -> tuple[str, ...]:
    """Of the components of something: x, or x_1, x_2, ..."""
    return (letter,) if count == 1 else tuple(f"{letter}_{k + 1}" for k in range(count))


def components(x: Array) -> tuple[Array, ...]:
    """Of inputs of shape (points,) or (points, components): one array (points,) each."""
    return (x,) if x.ndim == 1 else tuple(x.T)


def all_pairs(x: Array, theta: Theta) -> tuple[Array, ...]:
    """Inputs as columns and parameters as rows, to be broadcast."""
    return (*(c[:, None] for c in components(x)), *(t[None, :] for t in theta))
