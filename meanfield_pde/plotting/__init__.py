"""Figures of a run. The only part of the package that loads the plotting library."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from meanfield_pde.errors import InputError, NumericalFailure, require
from meanfield_pde.plotting.certificate import certificate_figure, has_certificate
from meanfield_pde.plotting.density import density_figure, density_name
from meanfield_pde.plotting.dissipation import dissipation_figure, has_dissipation
from meanfield_pde.plotting.energy import energy_figure
from meanfield_pde.plotting.prediction import has_prediction_figure, prediction_figure
from meanfield_pde.plotting.snapshots import require_same_space
from meanfield_pde.plotting.style import styled
from meanfield_pde.results.solution import Solution

__all__ = [
    "certificate_figure",
    "density_figure",
    "dissipation_figure",
    "energy_figure",
    "prediction_figure",
    "save_figures",
]

FORMATS = ("png", "pdf")


def _applying(
    solution: Solution, companion: Solution | None
) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """Name and maker of each figure the solution has the data for."""
    if solution.time.size:
        yield "energy", partial(energy_figure, solution, companion)
    if solution.snapshot_time.size and solution.measure[0].size:
        name = density_name(solution, companion)
        yield name, partial(density_figure, solution, companion)
    if has_prediction_figure(solution):
        yield "prediction", partial(prediction_figure, solution)
    if has_dissipation(solution):
        yield "dissipation", partial(dissipation_figure, solution)
    if has_certificate(solution):
        yield "certificate", partial(certificate_figure, solution)


@styled
def save_figures(
    solution: Solution,
    folder: str | Path,
    stem: str,
    formats: Sequence[str] = FORMATS,
    companion: Solution | None = None,
) -> list[Path]:
    """Write all figures that apply to a solution as `<stem>_<name>.<format>`.

    The names are energy, density (particles for a particle run, particles_over_density with a
    companion), prediction, dissipation and certificate.

    Parameters
    ----------
    solution : Solution
    folder : path
        Made if missing.
    stem : str
    formats : sequence of str
        Of "png" and "pdf".
    companion : Solution, optional
        A particle run of the same physics, drawn over the energy and the density.

    Returns
    -------
    list of Path
        The files, each complete: a figure that fails leaves no part of a file.

    Raises
    ------
    InputError
        If a format is unknown, the folder cannot be made, or the companion has other parameters.
    """
    for form in formats:
        require(form in FORMATS, "formats", form, f"one of {', '.join(FORMATS)}")
    if companion is not None:
        require_same_space(solution.layout, companion.layout)
    where = Path(folder)
    written = []
    for name, make in _applying(solution, companion):
        figure = make()
        for form in formats:
            written.append(write_figure(figure, where / f"{stem}_{name}.{form}", form))
    return written


def write_figure(figure: Figure, path: Path, form: str) -> Path:
    """Write a figure next to its place, then move it there; a missing folder is made.

    Raises
    ------
    InputError
        If the folder cannot be made.
    NumericalFailure
        If the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{path.parent}: cannot be a folder for figures ({error.strerror})"
        ) from None
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        stamp = {"CreationDate": None} if form == "pdf" else None
        figure.savefig(temporary, format=form, metadata=stamp)
        temporary.replace(path)
    except OSError as error:
        raise NumericalFailure(
            f"{path} cannot be written ({error.strerror}); make room there or write to another disk"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return path
