"""Wall time per part of the work, and what the compiler took of it, apart."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from numba.core import event

Seconds = MutableMapping[str, float]
"""Wall time per part of the work; under "compilation" what kernels and own functions took."""


class _Compiler(event.Listener):
    """Adds up the time between the start and the end of compilations, which may be nested."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._start = 0.0

    def on_start(self, event: Any) -> None:
        if self._depth == 0:
            self._start = perf_counter()
        self._depth += 1

    def on_end(self, event: Any) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.seconds += perf_counter() - self._start


@contextmanager
def clocked(part: str, seconds: Seconds) -> Iterator[None]:
    """Add the wall time of a block to `seconds`, under its part and under "compilation"."""
    compiler = _Compiler()
    start = perf_counter()
    try:
        with event.install_listener("numba:compile", compiler):
            yield
    finally:
        elapsed = perf_counter() - start
        seconds[part] = seconds.get(part, 0.0) + elapsed - compiler.seconds
        if compiler.seconds > 0.0:
            seconds["compilation"] = seconds.get("compilation", 0.0) + compiler.seconds
