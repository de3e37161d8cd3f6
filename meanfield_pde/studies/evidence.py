"""Claims measured, and what was measured kept: a file for each, not made again while it is good."""

from __future__ import annotations

import difflib
import time
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from matplotlib.figure import Figure

from meanfield_pde.errors import InputError
from meanfield_pde.results.disk import check_writable
from meanfield_pde.results.evidence import Evidence, read_evidence, write_evidence
from meanfield_pde.results.provenance import code, provenance
from meanfield_pde.studies import claims
from meanfield_pde.studies.claims.claim import Claim
from meanfield_pde.studies.own_sources import CASES, fingerprint, reads_cases

WHERE = "claim and report are run from the root of a checkout, where cases/ is"


def chosen(names: Sequence[str]) -> list[Claim]:
    """The claims of these names, in the order of the report; all of them if there are no names.

    Raises
    ------
    InputError
        If there is no claim of a name.
    """
    for name in names:
        if name not in claims.NAMES:
            near = difflib.get_close_matches(name, claims.NAMES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(claims.NAMES)}"
            raise InputError(f"there is no claim {name!r}: {hint}")
    return [claims.claim(name) for name in claims.NAMES if not names or name in names]


def listing() -> str:
    """One line a claim: its name and its title."""
    width = max(map(len, claims.NAMES))
    return "\n".join(f"{claim.name:<{width}}  {claim.title}" for claim in chosen(()))


def place(claim: Claim, folder: Path) -> Path:
    """The file of what is known of a claim."""
    return folder / f"{claim.name}.h5"


def gather(claim: Claim, quick: bool, folder: Path, tell: Callable[[str], None]) -> Evidence:
    """Measure a claim and write its file, which takes the place of an older one when it is whole.

    Parameters
    ----------
    claim : Claim
    quick : bool
        In smaller sizes.
    folder : Path
    tell : callable
        Is told what has been done.

    Raises
    ------
    InputError
        If nothing can be written in the folder, before anything is measured; or if a case file
        that the claim needs cannot be read.
    NumericalFailure
        If the measurement stops.
    """
    path = place(claim, folder)
    check_writable(path)
    made = {**provenance(), "studies": fingerprint(claim.measure), "quick": quick}
    begin = time.perf_counter()
    try:
        found = claim.measure(quick, tell)
    except InputError as error:
        if CASES.is_dir() or not reads_cases(claim.measure):
            raise
        raise InputError(f"{error}; {WHERE}") from error
    seconds = time.perf_counter() - begin
    told = (found.numbers, found.curves, found.sentences)
    evidence = Evidence(claim.name, *told, quick, {**made, "seconds": seconds})
    write_evidence(evidence, path)
    return evidence


def read_all(folder: Path, wanted: Sequence[Claim]) -> dict[str, Evidence]:
    """What the files of a folder say of some claims, by name; a warning for each damaged file.

    Raises
    ------
    InputError
        If there is no such folder, or no evidence in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder")
    found = {claim.name: _readable(claim, folder, "it is left out") for claim in wanted}
    known = {name: evidence for name, evidence in found.items() if evidence is not None}
    if not known:
        raise InputError(f"{folder}: holds no evidence for a claim; measure some by --quick")
    return known


def is_current(claim: Claim, evidence: Evidence) -> bool:
    """Whether evidence was made by the sources of today."""
    made = evidence.attributes
    today = code()["sources"], fingerprint(claim.measure)
    return (made.get("sources"), made.get("studies")) == today


def known(claim: Claim, quick: bool, folder: Path) -> Evidence | None:
    """What a file says of a claim; None if it must be measured, with a warning if it is damaged.

    A full measurement also serves for a quick one, and only one by the sources of today serves.
    """
    evidence = _readable(claim, folder, "it is measured again")
    if evidence is None or not is_current(claim, evidence):
        return None
    return evidence if quick or not evidence.quick else None


def missing(wanted: Sequence[Claim], quick: bool, folder: Path) -> list[Claim]:
    """The claims that must be measured."""
    return [claim for claim in wanted if known(claim, quick, folder) is None]


def workload(wanted: Sequence[Claim], quick: bool) -> str:
    """How many claims are to be measured, and about how long that takes."""
    if not wanted:
        return "nothing to measure"
    count = f"{len(wanted)} claim{'s' if len(wanted) > 1 else ''}"
    return f"{count}, {time_needed(wanted, quick)} on two processors"


def time_needed(wanted: Sequence[Claim], quick: bool) -> str:
    """About how long some claims take, one after the other."""
    minutes = sum(claim.minutes[0 if quick else 1] for claim in wanted)
    return f"about {minutes:.0f} min" if minutes >= 1.5 else f"about {60 * minutes:.0f} s"


def figure(evidence: Evidence) -> Figure:
    """The figure of a claim, drawn from its curves.

    Raises
    ------
    InputError
        If it needs others: the file is older than the figure.
    """
    module = import_module(f"meanfield_pde.plotting.claims.{evidence.claim}")
    try:
        drawn: Figure = module.figure(evidence.curves)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"{evidence.claim}: its figure cannot be drawn from these curves ({error}); measure it "
            "again"
        ) from error
    return drawn


def _readable(claim: Claim, folder: Path, otherwise: str) -> Evidence | None:
    """The evidence of a file, if there is one and it can be read."""
    path = place(claim, folder)
    if not path.exists():
        return None
    try:
        evidence = read_evidence(path)
        if evidence.claim != claim.name:
            raise InputError(f"{path}: is of another claim, {evidence.claim!r}")
    except InputError as error:
        warnings.warn(f"{error}: {otherwise}", RuntimeWarning, stacklevel=3)
        return None
    return evidence
