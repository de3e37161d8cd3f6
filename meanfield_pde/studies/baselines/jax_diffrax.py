"""JAX and diffrax: central differences fused by XLA, an explicit Runge-Kutta method of diffrax."""

from __future__ import annotations

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from meanfield_pde.studies import baselines
from meanfield_pde.studies.baselines import ALPHA, T_END, Ladder, Result, Start

LADDER: Ladder = (
    ((24, 16), 1e-3),
    ((32, 20), 1e-4),
    ((40, 24), 1e-5),
    ((48, 28), 1e-6),
    ((56, 30), 1e-7),
    ((64, 36), 1e-8),
    ((80, 44), 1e-9),
    ((96, 52), 1e-9),
    ((112, 60), 1e-10),
    ((128, 68), 1e-10),
)
SECOND_ORDER: Ladder = (
    ((64, 48), 1e-4),
    ((128, 96), 1e-4),
    ((256, 192), 1e-4),
    ((512, 384), 1e-5),
    ((1024, 768), 1e-6),
    ((2048, 1536), 1e-6),
)


def run(
    cells: tuple[int, int], tolerance: float, order: int = 12, start: Start = "normal"
) -> Result:
    """The problem by central differences of an even order, zero outside the box."""
    jax.config.update("jax_enable_x64", True)
    grid = baselines.grid(cells, start, order)
    (n_y, n_c), (width_y, width_c) = cells, grid.widths
    p, weights = order // 2, baselines.central_weights(order)
    c, charges = jnp.asarray(grid.c), jnp.asarray(grid.charges)
    features, target, tests = (jnp.asarray(a) for a in (grid.features, grid.target, grid.tests))

    def rate(_: jax.Array, density: jax.Array, args: None) -> jax.Array:
        charge = density @ charges
        v, slope = jnp.split(tests @ (features @ charge - target), 2)
        mean = width_y * (v @ charge)
        flux = jnp.pad(slope[:, None] * density, ((p, p), (0, 0)))
        padded = jnp.pad(density, ((0, 0), (p, p)))
        along_y, along_c = jnp.zeros(cells), jnp.zeros(cells)
        for k, g in enumerate(weights, 1):
            along_y += g / width_y * (flux[p + k : p + k + n_y] - flux[p - k : p - k + n_y])
            along_c += (
                g / width_c * (padded[:, p + k : p + k + n_c] - padded[:, p - k : p - k + n_c])
            )
        v = v[:, None]
        return c * along_y + v * along_c - ALPHA * (c * v - mean) * density

    def integrate(density: jax.Array) -> tuple[jax.Array, jax.Array]:
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(rate),
            diffrax.Tsit5() if order == 2 else diffrax.Dopri8(),
            t0=0.0,
            t1=T_END,
            dt0=None,
            y0=density,
            stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=0.1 * tolerance),
            saveat=diffrax.SaveAt(t1=True),
        )
        return solution.ys[0], solution.stats["num_accepted_steps"]

    density = jnp.asarray(grid.density)
    compiled = jax.jit(integrate).lower(density).compile()
    (end, steps), seconds = baselines.timed(lambda: jax.block_until_ready(compiled(density)))
    return Result(grid.prediction(np.asarray(end)), seconds, int(steps), cells)
