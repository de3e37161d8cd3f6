"""Random measures and potentials on grids, for the property tests."""

import numpy as np
from hypothesis import strategies as st

import meanfield_pde as mf
from meanfield_pde.problem.energy import PotentialLandscape

SPACES = {
    "interval": mf.Interval(-1.0, 1.5),
    "circle": mf.Circle(),
    "box": mf.Box((-1.0, -2.0), (1.0, 2.0)),
    "cylinder": mf.Product((mf.Circle(), mf.Interval(-1.0, 1.0))),
    "turned cylinder": mf.Product((mf.Interval(-1.0, 1.0), mf.Circle())),
    "torus": mf.Product((mf.Circle(), mf.Circle())),
}
CELL_CENTRED = [
    mf.Upwind(),
    mf.Muscl("minmod"),
    mf.Muscl("van_leer"),
    mf.Muscl("monotonized_central"),
]
LIMITED = [*CELL_CENTRED, mf.Weno5()]
SCHEMES = [*LIMITED, mf.Muscl("none")]


@st.composite
def measures(draw, schemes=LIMITED):
    """Cell averages over many orders of magnitude, a third of them zero, of total mass one."""
    space = SPACES[draw(st.sampled_from(sorted(SPACES)))]
    cells = tuple(draw(st.integers(4, 12)) for _ in space.axes)
    mu = mf.FiniteVolumes(cells, draw(st.sampled_from(schemes))).project(mf.Uniform(), space)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = np.exp(draw(st.sampled_from([0.1, 3.0, 40.0])) * rng.normal(size=cells))
    density[rng.random(cells) < draw(st.sampled_from([0.0, 1 / 3]))] = 0.0
    density.flat[0] += 1e-3
    return mu.with_density(density / (density.sum() * mu.weight))


@st.composite
def landscapes(draw, mu):
    """A fixed random potential at the cells of a measure, random slopes at their faces."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.sampled_from([0.01, 1.0, 30.0]))
    potential = size * rng.normal(size=mu.density.shape)
    slopes = tuple(np.zeros(mu.density.shape) for _ in mu.grid.cells)
    face_slopes = tuple(size * rng.normal(size=faces.shape) for faces in mu.grid.faces)
    return PotentialLandscape(potential, slopes, face_slopes)


def transported(mu, landscape, dt):
    """By transport with unit mobility."""
    return mu.transported(landscape, lambda time: (1.0,) * mu.parameters, 0.0, dt)


def longest_step(mu, landscape, courant):
    """The step by which the fastest face sweeps this part of a cell."""
    return courant / mu.face_rate(landscape.at(mu), (1.0,) * mu.parameters)
