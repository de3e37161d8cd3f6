"""How the data sets in this folder were made: run it here and they are written again."""

import numpy as np


def write(name, header, *columns):
    """One file, the header as its first line."""
    rows = np.column_stack(columns)
    np.savetxt(f"{name}.csv", rows, fmt="%.6f", delimiter=",", header=header, comments="")


def tanh_regression(generator):
    """A curve that a few tanh units fit, with noise of deviation 0.05."""
    x = np.sort(generator.uniform(-2.0, 2.0, 64))
    curve = 0.5 * np.tanh(3.0 * x - 2.0) - 0.3 * np.tanh(2.5 * x + 2.5) + 0.2 * np.tanh(x)
    write("tanh_regression", "x,y", x, curve + 0.05 * generator.standard_normal(x.size))


def logistic_blobs(generator):
    """Two overlapping classes of 100 points around (1, 0.6) and (-1, -0.6)."""
    label = np.repeat([-1.0, 1.0], 100)
    x = label[:, None] * [1.0, 0.6] + 0.8 * generator.standard_normal((200, 2))
    write("logistic_blobs", "x_1,x_2,label", *x.T, label)


def gaussian_mixture(generator):
    """500 draws from components of deviation 0.5 around -2, 0 and 1.5."""
    centres = generator.choice([-2.0, 0.0, 1.5], 500, p=[0.5, 0.2, 0.3])
    write("gaussian_mixture", "x", np.sort(centres + 0.5 * generator.standard_normal(500)))


def circle(generator):
    """64 points equidistant on the unit circle."""
    angle = 2.0 * np.pi * np.arange(64) / 64
    write("circle", "x_1,x_2", np.cos(angle), np.sin(angle))


for number, make in enumerate((tanh_regression, logistic_blobs, gaussian_mixture, circle)):
    make(np.random.default_rng(number))
