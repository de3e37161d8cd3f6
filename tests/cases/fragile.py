"""A task for processes that one number kills; alone here, so that they start quickly."""

import os
import signal

from meanfield_pde.errors import NumericalFailure


def square(number):
    """Of all numbers but 2."""
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def fails_on_three(number):
    if number == 3:
        raise NumericalFailure("three is too many")
    return number * number
