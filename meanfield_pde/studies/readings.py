"""Energies read off the figures that were published with the paper, in notebooks of its authors."""

from __future__ import annotations

import numpy as np

FULL, BAD = "A: full support", "B: bad initialisation"
"""The two starts."""

DESCENT, UNIFORM, REBORN = "gradient descent", "birth and death", "with rebirth"
"""The three schemes."""

PRINTED_CONSTANT = 0.206 / 3.0
"""What the notebooks take for C_f."""

HIDDEN = np.nan
"""A curve that lies behind another one."""

PUBLISHED: dict[tuple[str, str], dict[float, tuple[float, float, float]]] = {
    (FULL, DESCENT): {
        1.0: (4.40e-2, 4.47e-2, 4.22e-2),
        2.0: (3.17e-2, 2.90e-2, 2.87e-2),
        3.0: (2.34e-2, 1.95e-2, 1.98e-2),
        5.0: (1.49e-2, 1.06e-2, 1.08e-2),
        10.0: (6.9e-3, 4.0e-3, 4.1e-3),
        20.0: (2.2e-3, 1.0e-3, 1.2e-3),
        30.0: (9e-4, 4.5e-4, HIDDEN),
    },
    (FULL, UNIFORM): {
        1.0: (2.32e-2, 3.41e-2, HIDDEN),
        2.0: (1.23e-2, 1.62e-2, 1.11e-2),
        3.0: (6.3e-3, 7.3e-3, 5.6e-3),
        5.0: (2.0e-3, 1.1e-3, HIDDEN),
    },
    (FULL, REBORN): {
        1.0: (3.15e-2, 2.85e-2, 2.44e-2),
        2.0: (2.08e-2, 1.40e-2, 1.40e-2),
        3.0: (1.10e-2, 8.7e-3, 7.9e-3),
        5.0: (3.5e-3, 3.4e-3, 1.2e-3),
        10.0: (3e-4, -1e-4, 3e-4),
        20.0: (0.0, -2e-4, 2e-4),
        30.0: (HIDDEN, -2e-4, 1e-4),
    },
    (BAD, DESCENT): {
        5.0: (HIDDEN, 4.40e-2, 4.00e-2),
        10.0: (2.85e-2, 3.06e-2, 2.81e-2),
        15.0: (2.14e-2, 2.23e-2, 2.12e-2),
        20.0: (1.73e-2, 1.77e-2, 1.71e-2),
        25.0: (1.53e-2, 1.54e-2, 1.53e-2),
        30.0: (1.44e-2, 1.45e-2, 1.45e-2),
    },
    (BAD, UNIFORM): {
        5.0: (4.33e-2, 2.21e-2, 2.15e-2),
        15.0: (1.37e-2, HIDDEN, 1.36e-2),
        30.0: (1.36e-2, 1.36e-2, 1.36e-2),
        40.0: (1.36e-2, 1.36e-2, 1.36e-2),
        100.0: (1.36e-2, 1.35e-2, 1.36e-2),
    },
    (BAD, REBORN): {
        5.0: (3.20e-2, 3.32e-2, 3.13e-2),
        10.0: (1.36e-2, 1.42e-2, 1.35e-2),
        15.0: (1.22e-2, 1.38e-2, 1.17e-2),
        20.0: (4.6e-3, 1.36e-2, 5.3e-3),
        25.0: (7e-4, 1.32e-2, 1.0e-3),
        30.0: (3e-4, 7.7e-3, 4e-4),
        40.0: (2e-4, 3e-4, 3e-4),
        100.0: (-1e-4, -1e-4, 1e-4),
    },
}
"""By start and scheme, then by time, one for each revision; to 1e-4, 1e-4 and 3e-4.

The first revision ran A to t = 50.
"""

READ_TO = 3e-4
"""As far as they can be read, the coarsest of them."""
