"""Strong-stability-preserving Runge-Kutta methods in Shu-Osher form, as data.

Stage k: u_k = u_0 + fraction_k * (u_{k-1} - u_0 + dt * rate(u_{k-1})). Every stage is a convex
combination of Euler steps, so whatever an Euler step keeps (positivity, a decaying convex energy)
the method keeps at the same step.
"""

from __future__ import annotations

SSP3 = (1.0, 1.0 / 4.0, 2.0 / 3.0)
"""The fractions of the three stages of order 3: Shu & Osher (1988)."""
