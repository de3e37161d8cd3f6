"""Data of your own: noisy points, fitted by tanh units, with outliers that do not matter."""

import numpy as np

import meanfield_pde as mf

generator = np.random.default_rng(1)
x = np.sort(generator.uniform(-3.0, 3.0, 80))
y = 0.6 * np.tanh(2.0 * x) + 0.05 * generator.standard_normal(x.size)
y[::20] += 2.0

energy = mf.Energy(
    unit=mf.Ridge("tanh"),
    target=mf.Column("y"),
    data=mf.Samples(x, columns={"y": y}),
    space=mf.Box(lower=(-5.0, -5.0), upper=(5.0, 5.0)),
    loss=mf.Huber(width=0.1),
)
equation = mf.Equation(energy, terms=[mf.BirthDeath(alpha=3.0), mf.Transport()])
gaussian = mf.ProductLaw((mf.Normal(), mf.Normal()))
start = mf.FiniteVolumes(cells=64).project(gaussian, energy.space)
solution = mf.solve(equation, start, t_end=40.0)

clean = np.ones(x.size, dtype=bool)
clean[::20] = False
error = solution.prediction[-1] - 0.6 * np.tanh(2.0 * x)
print(f"E falls from {solution.energy[0]:.4f} to {solution.energy[-1]:.4f}")
print(f"rms distance to the curve without noise: {np.sqrt(np.mean(error[clean] ** 2)):.3f}")
