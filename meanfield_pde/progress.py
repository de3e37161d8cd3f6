"""Progress bars of the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meanfield_pde.evolution import Progress
    from meanfield_pde.studies.convergence import Refined
    from meanfield_pde.studies.refinement import Run
    from meanfield_pde.studies.verification import Ladder


@contextmanager
def of_time(name: str, t_end: float) -> Iterator[Progress]:
    """Of a run, in its own time."""
    from tqdm import tqdm

    with tqdm(
        total=t_end,
        desc=name,
        disable=None,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| t = {n:.4g} of {total:.4g} "
        "[{elapsed}]{postfix}",
    ) as bar:

        def update(time: float, energy: float) -> None:
            bar.set_postfix_str(f"E = {energy:.6g}", refresh=False)
            bar.update(time - bar.n)

        yield update


@contextmanager
def of_refinements(name: str) -> Iterator[Callable[[Refined], None]]:
    """Of refinements, with the error bar so far."""
    from tqdm import tqdm

    with tqdm(desc=name, unit=" runs", disable=None) as bar:

        def tell(answer: Refined) -> None:
            bar.set_postfix_str(f"error bar {answer.error:.1e}", refresh=False)
            bar.update(answer.runs - bar.n)

        yield tell


@contextmanager
def of_work(name: str, pieces: int) -> Iterator[Callable[[str], None]]:
    """Of so many pieces."""
    from tqdm import tqdm

    with tqdm(total=pieces, desc=name, disable=None) as bar:

        def tell(done: str) -> None:
            bar.set_postfix_str(done, refresh=False)
            bar.update()

        yield tell


@contextmanager
def of_claim(name: str, expected: str) -> Iterator[Callable[[str], None]]:
    """Of a claim, which does not say of how many pieces it is, but about how long it takes."""
    from tqdm import tqdm

    form = "{desc}: {elapsed} of " + expected + "{postfix}"
    with tqdm(desc=name, disable=None, bar_format=form) as bar:

        def tell(done: str) -> None:
            bar.set_postfix_str(done, refresh=False)
            bar.update()

        yield tell


@contextmanager
def of_runs(count: int) -> Iterator[Callable[[Run | Ladder, str], None]]:
    """Of so many runs, each with its outcome."""
    from tqdm import tqdm

    with tqdm(total=count, desc="runs", disable=None) as bar:

        def ended(run: Run | Ladder, outcome: str) -> None:
            bar.set_postfix_str(f"{run.label}: {outcome}", refresh=False)
            bar.update()

        yield ended


@contextmanager
def of_ensemble(done: int, runs: int) -> Iterator[Callable[[int, str], None]]:
    """Of runs by number, some of them there already."""
    from tqdm import tqdm

    with tqdm(total=max(runs, done), initial=done, desc="runs", unit=" runs", disable=None) as bar:

        def ended(number: int, outcome: str) -> None:
            bar.set_postfix_str(f"run {number}: {outcome}", refresh=False)
            bar.update()

        yield ended
