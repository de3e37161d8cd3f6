"""Times of training as times of the mean-field equation.

By a unit that is stated, never guessed. Of gradient descent with a learning rate eta,

    theta_i <- theta_i - eta dL/dtheta_i,      L = l/2 int |f - f*|^2 dnu,      l = 1 or 2,

one step takes, for f = 1/N sum_i phi(x, theta_i), the time eta l / N. For f = N^-1/2 sum_i c_i
psi(x, y_i) the particles of the mean-field equation are (y_i, sqrt(N) c_i): one step takes the time
eta l, in which the mobility of y is 1 / N where that of the charge is 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from meanfield_pde.errors import InputError, require

Kind = Literal["mean_field", "steps"]
Output = Literal["1/N", "1/sqrt(N)"]
Loss = Literal["1/2", "1", "case"]
NO_UNIT = (
    "the time unit is missing: expected 'mean_field' (times are those of the equation), or 'steps' "
    "with a learning rate, the output of the network ('1/N' or '1/sqrt(N)') and the loss ('1/2', "
    "'1' or 'case'); on the command line --time-unit mean_field, or --learning-rate, "
    "--neurons-output and --loss"
)


@dataclass(frozen=True)
class TimeUnit:
    """What the times of a run are.

    Parameters
    ----------
    kind : "mean_field" or "steps"
        Times of the mean-field equation, or numbers of steps of gradient descent.
    step : float, optional
        The mean-field time of one step, of "mean_field", where it is known.
    learning_rate : float
        Of "steps": eta in theta_i <- theta_i - eta dL/dtheta_i. Where the code multiplies it by N,
        it is the product; where parameters have rates of their own, it is that of mobility 1.
    output : "1/N" or "1/sqrt(N)"
        Of "steps": f = 1/N sum_i phi(x, theta_i), or f = N^-1/2 sum_i c_i psi(x, y_i).
    loss : "1/2", "1" or "case"
        Of "steps": L = 1/2 int |f - f*|^2 dnu, L = int |f - f*|^2 dnu, or the loss of the case,
        penalty included, whatever it is.

    Raises
    ------
    InputError
        If something is missing or too much: the sentence lists the choices.
    """

    kind: Kind
    step: float | None = None
    learning_rate: float | None = None
    output: Output | None = None
    loss: Loss | None = None

    def __post_init__(self) -> None:
        kinds = "'mean_field' or 'steps'"
        require(self.kind in get_args(Kind), "time unit", self.kind, kinds)
        descent = {
            "learning_rate": "eta of theta <- theta - eta dL/dtheta, a positive number",
            "output": "'1/N' (f = 1/N sum phi) or '1/sqrt(N)' (f = 1/sqrt(N) sum c psi)",
            "loss": "'1/2' (L = 1/2 int |f - f*|^2 dnu), '1' (L = int |f - f*|^2 dnu) or 'case' "
            "(that of the case)",
        }
        if self.kind == "mean_field":
            for name in descent:
                absent = getattr(self, name) is None
                expected = "none with the time unit 'mean_field', or the time unit 'steps'"
                require(absent, name, getattr(self, name), expected)
            known = self.step is None or 0.0 < self.step < math.inf
            require(known, "step", self.step, "a positive time")
            return
        require(self.step is None, "step", self.step, "none with the time unit 'steps'")
        for name, expected in descent.items():
            if getattr(self, name) is None:
                raise InputError(f"{name} of the time unit is missing: expected {expected}")
        rate = self.learning_rate
        fits = rate is not None and 0.0 < rate < math.inf
        require(fits, "learning_rate", rate, descent["learning_rate"])
        require(self.output in get_args(Output), "output", self.output, descent["output"])
        require(self.loss in get_args(Loss), "loss", self.loss, descent["loss"])

    def time_of_step(self, particles: int) -> float | None:
        """The mean-field time of one step of so many particles; None where it is not known."""
        if self.learning_rate is None:
            return self.step
        factor = 2.0 if self.loss == "1" else 1.0
        share = 1.0 / particles if self.output == "1/N" else 1.0
        return self.learning_rate * factor * share


MEAN_FIELD = TimeUnit("mean_field")
