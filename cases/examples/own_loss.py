"""A loss of your own: quantile regression, smoothed, and what weight decay adds to it."""

import numpy as np

import meanfield_pde as mf


def pinball(f, y, quantile=0.8, width=0.05):
    """The price of predicting f where y is seen; convex in f, least at the 80 % quantile."""
    return quantile * (y - f) + width * np.logaddexp(0.0, (f - y) / width)


generator = np.random.default_rng(2)
x = np.sort(generator.uniform(-np.pi, np.pi, 300))
y = np.cos(x) + 0.5 * generator.standard_normal(x.size)

energy = mf.Energy(
    unit=mf.Charged(mf.Gaussian(variance=0.5)),
    target=mf.Column("y"),
    data=mf.Samples(x, columns={"y": y}),
    space=mf.Box(lower=(-5.0, -8.0), upper=(5.0, 8.0)),
    loss=mf.OwnLoss(pinball),
    penalty=mf.WeightDecay((0.0, 0.001)),
)
equation = mf.Equation(energy, terms=[mf.BirthDeath(alpha=1.0), mf.Transport()])
start = mf.FiniteVolumes(cells=64).project(
    mf.ProductLaw((mf.Uniform(-4.0, 4.0), mf.Normal())), energy.space
)
solution = mf.solve(equation, start, t_end=300.0)

below = np.mean(y <= solution.prediction[-1])
print(f"E falls from {solution.energy[0]:.4f} to {solution.energy[-1]:.4f}")
print(f"{100 * below:.0f} % of the points lie below the curve that was learnt")
