"""What the allocator does with freed arrays."""

from __future__ import annotations

import numpy as np

LARGEST = 31 << 20
"""Bytes: just below the largest block that glibc may be taught to keep, 32 MiB."""


def keep_freed_memory() -> None:
    """Have arrays of up to 31 MiB reused.

    glibc hands blocks above a threshold back to the system when they are freed, and the system
    clears every page of the next one: half of the time of a step of 512^2 cells. It raises the
    threshold to the size of the largest block freed so far, so one array that nobody touches is
    enough; other allocators do not mind.
    """
    np.empty(LARGEST, dtype=np.uint8)
