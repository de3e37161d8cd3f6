"""Which splittings, steps and algorithms go with which representation."""

from __future__ import annotations

from meanfield_pde.dynamics.birth_death import Reinjection
from meanfield_pde.dynamics.equation import Equation
from meanfield_pde.errors import InputError, require
from meanfield_pde.problem.energy import Energy
from meanfield_pde.representations.particles import Particles
from meanfield_pde.timestepping.particle_limit import ParticleLimit
from meanfield_pde.timestepping.splitting import Lie, Splitting, Strang
from meanfield_pde.timestepping.step_size import Fixed, Step
from meanfield_pde.timestepping.unsplit import Unsplit

_UNSPLIT = {
    "finite_volumes": ("ssp3", "ssp4"),
    "characteristics": ("dop853",),
    "fourier": ("dop853",),
    "particles": (),
    "weighted_particles": (),
}
"""The unsplit methods of each representation."""

PARTICLES = ("particles", "weighted_particles")


def default_splitting(representation: str, equation: Equation) -> Splitting:
    """What a run uses unless told otherwise."""
    if representation in PARTICLES:
        return Lie()
    reborn = isinstance(getattr(equation.birth_death, "balance", None), Reinjection)
    if representation == "finite_volumes" or (representation == "characteristics" and reborn):
        return Strang()
    return Unsplit("dop853")


def check_steps(representation: str, equation: Equation, splitting: Splitting, step: Step) -> None:
    """Raise `InputError` if a splitting or a step is none for a representation."""
    possible = _UNSPLIT[representation]
    if isinstance(splitting, Unsplit):
        expected = " or ".join(map(repr, possible)) or "'lie', not 'unsplit',"
        known = splitting.method in possible
        require(known, "splitting method", splitting.method, f"{expected} for {representation}")
    if isinstance(splitting, ParticleLimit):
        known = representation == "characteristics"
        require(known, "splitting", splitting.kind, f"another one for {representation}")
        unforced = equation.forcing is None
        require(unforced, "term", "forcing", "transport or birth_death for a particle limit")
        if equation.birth_death is not None:
            equation.birth_death.require_algorithm(splitting.algorithm)
    if representation in ("finite_volumes", "fourier"):
        return
    if representation in PARTICLES:
        fixed = isinstance(step, Fixed)
        require(fixed, "step", step.kind, "'fixed' for a particle method")
        unforced = equation.forcing is None
        require(unforced, "term", "forcing", "transport or birth_death for a particle method")
        return
    balance = getattr(equation.birth_death, "balance", None)
    if isinstance(balance, Reinjection) and splitting.embedded:
        raise InputError(
            "splitting = 'unsplit': expected 'strang' or 'lie' where neurons are reborn from a law "
            f"on {representation}"
        )
    if not splitting.embedded and not isinstance(step, Fixed):
        raise InputError(
            f"step = 'controlled': expected 'fixed', with a dt, for the splitting "
            f"{splitting.kind!r} on {representation}"
        )


def check_particles(equation: Equation, method: Particles) -> None:
    """Raise `InputError` if particles of a method cannot follow an equation."""
    if equation.birth_death is not None:
        equation.birth_death.require_algorithm(method.algorithm)
    known = method.batch is None or isinstance(equation.energy, Energy)
    require(known, "batch", method.batch, "none for a fixed potential, which has no data")


def estimate_order(splitting: Splitting) -> int:
    """The power of dt with which the estimated error of a step falls."""
    if splitting.embedded:
        return splitting.order
    # The defect falls as dt^2 for a step of order 1 and as dt^3 for all others.
    return min(splitting.order, 2) + 1
