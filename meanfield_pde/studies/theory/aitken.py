"""Aitken's rule: the limit of a sequence from three of its terms."""

from __future__ import annotations


def aitken(first: float, second: float, third: float) -> float:
    """The limit of three terms, as if they converged like a geometric sequence."""
    before, after = second - first, third - second
    return third if before == after else third + after * after / (before - after)
