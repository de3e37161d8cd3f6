"""Tables as text, and observed orders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns set flush right under their header."""
    lines = [list(header), *[list(row) for row in rows]]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    text = [
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]
    rule = "-" * len(text[0])
    return "\n".join(["", title, rule, text[0], rule, *text[1:], rule])


def orders(errors: Sequence[float], sizes: Sequence[float] | None = None) -> list[float]:
    """Observed orders between successive errors: of halvings, or of these sizes.

    Sizes may grow (cells) or shrink (steps): an order is positive where the error falls. It is nan
    where an error is zero or not known.
    """
    values = np.abs(np.asarray(errors, dtype=float))
    halvings = np.ones(values.size - 1) if sizes is None else np.abs(np.diff(np.log2(sizes)))
    logarithms = np.log2(np.where(values > 0.0, values, np.nan))
    return [float(order) for order in -np.diff(logarithms) / halvings]


def difference_orders(values: Sequence[float]) -> list[float]:
    """Observed orders from successive differences, where no exact value is known."""
    return orders(np.diff(np.asarray(values, dtype=float)).tolist())
