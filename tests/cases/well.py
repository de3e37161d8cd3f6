"""A case with a [study] that runs in a moment, and the command in this process."""

from meanfield_pde.cli import main
from meanfield_pde.studies.summary import read_result

WELL = """\
title = "A cosine well"

[potential]
kind = "cosine_well"

[space]
kind = "circle"

[initial]
kind = "uniform"

[[terms]]
kind = "birth_death"
alpha = 1.0

[[terms]]
kind = "transport"

[method]
kind = "finite_volumes"
cells = 32

[time]
t_end = 0.8

[output]
folder = "made"
figures = []
save = {kind = "at", values = [0.4]}

[study]
refine.method.cells = [16, 32, 64]
against.kind = "exact"
processes = 1
"""


def study(case, *settings, code=0):
    """Run the command in this process; its result."""
    options = [word for setting in settings for word in ("--set", setting)]
    assert main(["study", str(case), *options]) == code
    return read_result(case.parent / "made" / f"{case.stem}_study.h5")


def instead(**tables):
    """The setting that gives a case another [study]."""
    rest = ", ".join(f"{name} = {value}" for name, value in tables.items())
    return f"study={{{rest}, processes = 1}}"
