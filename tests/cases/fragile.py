"""A task for processes that one number kills; alone here, so that they start quickly."""

import os
import signal


def square(number):
    """Of all numbers but 2."""
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2
