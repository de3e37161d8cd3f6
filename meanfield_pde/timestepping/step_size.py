"""How long a step is: fixed, or controlled by error, positivity and stability.

A controlled step compares the step taken with the trapezoidal rule,

    defect = mu_1 - mu_0 - dt/2 (G(mu_0) + G(mu_1)),      G the right-hand side,

which is embedded (G(mu_1) serves the next step too) and of size dt^3 for a second-order step: it
sees the error of the Runge-Kutta method, of the birth-death rule and of splitting at once. (For a
step of higher order it is the error of the trapezoidal rule, and too large.) It is
measured by what it does to the prediction f[mu] in L2(nu), relative to f* (without data: to the
mean potential, relative to the spread of V), because neither front nor Dirac is smooth in any norm
of densities. Two bounds hold besides:

    positivity   dt * (largest face velocity / cell width, summed over axes) <= courant <= 1/2
    stability    dt * feedback_rate <= 1, with feedback_rate a bound on the rate at which f - f*
                 drives itself, int int |grad phi|_M^2 + alpha phi^2 dnu dmu. As V goes to zero
                 the first bound lets dt grow without end; this one does not.

both with the largest alpha and M of the step to come. Without splitting death counts as well in
the first, and both hold for the Euler steps that a step is made of (`unsplit`).

A method with an error estimate of its own is controlled by that alone, the largest error of the
state a step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Discriminator

from meanfield_pde.errors import require

STABILITY_LIMIT = 1.0
"""Largest dt * feedback_rate of a controlled step.

An Euler step may take 2, but differences of V between cells can see twice the feedback that
derivatives at their centres do.
"""

SMALLEST_TOLERANCE = 1e-13
"""Of a step: below it the estimates are rounding."""


@dataclass(frozen=True)
class Fixed:
    """Steps of length dt, shortened to land on the times at which something is recorded or saved.

    Between two such times steps are equal; times closer than dt are each one step.
    """

    dt: float
    kind: Literal["fixed"] = "fixed"

    def __post_init__(self) -> None:
        require(self.dt > 0, "dt", self.dt, "a positive time step")

    def shorter(self, factor: float, order: int, span: float) -> Fixed:
        """Steps shorter by a factor, where none was longer than a span."""
        return replace(self, dt=min(self.dt, span) / factor)


@dataclass(frozen=True)
class Controlled:
    """Steps as long as the tolerance and both bounds allow.

    Parameters
    ----------
    tolerance : float, optional
        Largest estimated error a step: of f[mu], relative to f*, or of the state where the method
        has an estimate of its own; 1e-6 and 1e-10 unless given.
    courant : float
        Fraction of a cell that the fastest face may sweep, at most 1/2.
    feedback : float
        Largest dt * feedback_rate, at most 1.
    longest : float, optional
        No step is longer.
    smallest : float
        A step below this stops the run.
    rejections : int
        Largest number of rejections in a row.
    """

    tolerance: float | None = None
    courant: float = 0.45
    feedback: float = STABILITY_LIMIT
    longest: float | None = None
    smallest: float = 1e-10
    rejections: int = 20
    kind: Literal["controlled"] = "controlled"

    def __post_init__(self) -> None:
        positive = self.tolerance is None or self.tolerance > 0
        require(positive, "tolerance", self.tolerance, "a positive number")
        require(0 < self.courant <= 0.5, "courant", self.courant, "a number in (0, 0.5]")
        stable = 0 < self.feedback <= STABILITY_LIMIT
        require(stable, "feedback", self.feedback, f"a number in (0, {STABILITY_LIMIT:g}]")
        longest = self.longest is None or self.longest > 0
        require(longest, "longest", self.longest, "a positive time step")
        require(self.smallest > 0, "smallest", self.smallest, "a positive number")
        require(self.rejections >= 1, "rejections", self.rejections, "at least 1")

    def completed(self, embedded: bool) -> Controlled:
        """With a tolerance, if there was none, that suits the kind of estimate."""
        return self if self.tolerance else replace(self, tolerance=1e-10 if embedded else 1e-6)

    def shorter(self, factor: float, order: int, span: float) -> Controlled:
        """Steps shorter by a factor, whatever bounds them, where none was longer than a span.

        `order` is the power of dt with which the estimate of a `completed` one falls.
        """
        longest = span if self.longest is None else min(self.longest, span)
        return replace(
            self,
            tolerance=max(self.limit / factor**order, SMALLEST_TOLERANCE),
            courant=self.courant / factor,
            feedback=self.feedback / factor,
            longest=longest / factor,
        )

    @property
    def limit(self) -> float:
        """The tolerance, of a `completed` one."""
        assert self.tolerance is not None
        return self.tolerance

    def next_step(self, dt: float, error: float, order: int) -> float:
        """A step proposed from the error of one of length dt.

        `order` is the power of dt with which the estimate falls.
        """
        power = 1.0 / order
        growth = 2.0 if error == 0.0 else 0.9 * (self.limit / error) ** power
        return dt * min(max(growth, 0.2), 2.0)


Step = Annotated[Fixed | Controlled, Discriminator("kind")]
