"""Losses and penalties: derivatives, convexity, and what they do to energy and potential."""

import numpy as np
import pytest

import meanfield_pde as mf
from meanfield_pde.problem.nodes import GridNodes

F = np.linspace(-3.0, 3.05, 41)
LOSSES = [
    mf.Squared(),
    mf.Logistic(),
    mf.Huber(0.7),
    mf.NegativeLogLikelihood(),
    mf.FormulaLoss("log(cosh(f - y))"),
    mf.OwnLoss(lambda f, y: np.sqrt(1 + (f - y) ** 2)),
    mf.OwnLoss(lambda f, y: np.cosh(f - y), lambda f, y: np.sinh(f - y)),
]


def places(loss):
    """Pairs (f, y) at which a loss is smooth."""
    f = F if loss.needs_target else np.geomspace(0.05, 20.0, 41)
    y = np.where(np.arange(f.size) % 3 == 0, -1.0, 1.0)
    keep = np.abs(np.abs(f - y) - 0.7) > 0.02
    return f[keep], y[keep]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind)
def test_derivative_and_curvature_against_differences(loss):
    f, y = places(loss)
    h = 1e-5 * np.abs(f)
    slope = (loss.value(f + h, y) - loss.value(f - h, y)) / (2 * h)
    assert loss.derivative(f, y) == pytest.approx(slope, rel=1e-7, abs=1e-8)
    bend = (loss.derivative(f + h, y) - loss.derivative(f - h, y)) / (2 * h)
    assert loss.curvature(f, y) == pytest.approx(bend, rel=1e-5, abs=1e-6)
    assert np.all(loss.curvature(f, y) >= -1e-9)


def test_losses_in_closed_form():
    f, y = np.array([2.0]), np.array([-1.0])
    assert mf.Squared().value(f, y) == pytest.approx([4.5])
    assert mf.Logistic().value(f, y) == pytest.approx([np.log(1 + np.exp(2.0))])
    assert mf.Logistic().value(np.array([-1e4]), y) == pytest.approx([0.0])
    assert mf.Huber(0.5).value(f, y) == pytest.approx([0.5 * (3.0 - 0.25)])
    assert mf.Huber(5.0).value(f, y) == pytest.approx([4.5])
    assert mf.NegativeLogLikelihood().value(f, y) == pytest.approx([-np.log(2.0)])
    assert mf.NegativeLogLikelihood().value(-f, y) == np.inf


POINTS = 24


def energies():
    """Every loss, with and without a penalty, on one and two parameters."""
    x = np.linspace(-2.0, 2.0, POINTS)
    labels = np.where(np.sin(2 * x) > 0, 1.0, -1.0)
    data = mf.Samples(x, columns={"y": labels})
    line, plane = mf.Interval(-2.0, 3.0), mf.Box((-2.0, -1.5), (2.0, 1.5))
    for loss in LOSSES:
        target = mf.Column("y") if loss.needs_target else None
        gaussian = mf.Gaussian(0.5)
        yield mf.Energy(gaussian, target, data, line, loss)
        yield mf.Energy(gaussian, target, data, line, loss, mf.WeightDecay(0.3))
        if loss.needs_target:
            ridge = mf.Ridge("tanh")
            yield mf.Energy(ridge, target, data, plane, loss, mf.FormulaPenalty("w**2*b**2"))
            charged = mf.Charged(mf.Gaussian(0.5))
            yield mf.Energy(charged, target, data, plane, loss, mf.ConstantPenalty(0.2))
    square = mf.ProductData((mf.Line(-3.0, 3.0, 13), mf.UniformInterval(-2.0, 2.0, 9)))
    blob, bump = mf.Gaussian(0.5, dimension=2), mf.FormulaTarget("exp(-x_1**2 - x_2**2)")
    yield mf.Energy(blob, bump, square, plane)
    yield mf.Energy(blob, bump, square, plane, mf.Squared(), mf.OwnPenalty(lambda y, z: y * y * z))


ENERGIES = list(energies())


def random_measure(energy, seed=0):
    cells = (19, 16)[: len(energy.parameters)]
    law = mf.ProductLaw((mf.Uniform(),) * len(cells))
    mu = mf.FiniteVolumes(cells).project(law, energy.space)
    return mu.with_density(np.random.default_rng(seed).random(cells))


def label(energy):
    penalty = "" if energy.penalty is None else f", {energy.penalty.kind}"
    return f"{energy.loss.kind}, {energy.unit.kind}{penalty}"


@pytest.mark.parametrize("energy", ENERGIES, ids=label)
def test_the_potential_is_the_first_variation_of_the_energy(energy):
    """dE/dm_i = V_i, by differences in every mass, and int V dmu is their sum."""
    mu = random_measure(energy)
    landscape = mu.landscape(energy)
    field = landscape.at(mu)
    flat = mu.density.ravel()
    for i in range(0, flat.size, 7):
        step = 1e-4 * flat[i]
        near = [flat.copy(), flat.copy()]
        near[0][i] += step
        near[1][i] -= step
        up, down = (landscape.at(mu.with_density(d.reshape(mu.density.shape))) for d in near)
        slope = (up.energy - down.energy) / (2 * step * mu.weight)
        assert field.potential.ravel()[i] == pytest.approx(slope, rel=2e-6, abs=2e-6)
    total = np.sum(field.potential * mu.density) * mu.weight
    assert field.integral == pytest.approx(total, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("energy", ENERGIES, ids=label)
def test_the_energy_is_convex_along_segments(energy):
    one, two = random_measure(energy, 1), random_measure(energy, 2)
    landscape = one.landscape(energy)
    ends = [landscape.at(mu).energy for mu in (one, two)]
    for s in (0.25, 0.5, 0.8):
        between = one.with_density((1 - s) * one.density + s * two.density)
        assert landscape.at(between).energy <= (1 - s) * ends[0] + s * ends[1] + 1e-12


def potential_at(energy, field, axes):
    """V of a field at another tensor grid."""
    x, w = energy.inputs, energy.data_weights
    theta = tuple(c.ravel() for c in GridNodes(axes).coordinates())
    charged = energy.unit.kind == "charged"
    base = energy.unit.base if charged else energy.unit
    phi = base.value(x, theta[: len(base.parameters)])
    phi = phi * theta[-1] if charged else phi
    slope = energy.loss.derivative(field.prediction, energy.target_values)
    potential = phi.T @ (w * slope)
    if energy.penalty is not None:
        potential = potential + energy.penalty.value(theta, energy.parameters)
    return potential.reshape([axis.size for axis in axes])


@pytest.mark.parametrize("energy", ENERGIES, ids=label)
def test_gradient_faces_and_sums_against_dense_ones(energy):
    mu = random_measure(energy)
    centres, edges = mu.grid.centres, mu.grid.edges
    axes = range(len(centres))
    faces = tuple(tuple(edges[j] if j == k else centres[j] for j in axes) for k in axes)
    field = energy.on(GridNodes(centres, faces)).at(mu)
    assert field.potential == pytest.approx(potential_at(energy, field, centres), abs=1e-12)
    h = 1e-5
    for k in axes:

        def slope(where, k=k):
            up, down = (
                potential_at(energy, field, tuple(a + s * (j == k) for j, a in enumerate(where)))
                for s in (h, -h)
            )
            return (up - down) / (2 * h)

        assert field.face_slopes[k] == pytest.approx(slope(faces[k]), rel=1e-5, abs=1e-7)
        gradient = np.broadcast_to(field.gradient[k], mu.density.shape)
        assert gradient == pytest.approx(slope(centres), rel=1e-5, abs=1e-7)
        square = np.sum(gradient**2 * mu.density) * mu.weight
        assert field.mean_square_slopes[k] == pytest.approx(square, rel=1e-10)
    square = np.sum(field.potential**2 * mu.density) * mu.weight
    assert field.mean_square == pytest.approx(square, rel=1e-10)


@pytest.mark.parametrize("energy", ENERGIES, ids=label)
def test_the_energy_identity_of_every_loss(energy):
    """dE/dt of birth-death on fixed nodes is - alpha Var V, whatever the loss."""
    mu = random_measure(energy)
    mu = mu.scaled(1.0 / mu.mass)
    term = mf.BirthDeath(0.8)
    landscape = mu.landscape(energy)
    field = landscape.at(mu)
    dt = 1e-4
    once = landscape.at(term.flow(mu, landscape, 0.0, dt).measure).energy
    twice = landscape.at(term.flow(mu, landscape, 0.0, 2 * dt).measure).energy
    rate = (4 * once - twice - 3 * field.energy) / (2 * dt)
    assert rate == pytest.approx(-term.dissipation(field, mu, 0.0), rel=1e-4)


@pytest.mark.parametrize("energy", ENERGIES, ids=label)
def test_the_feedback_rate_is_the_curvature_of_the_energy(energy):
    """int int l'' phi^2 dnu dmu against dense sums."""
    mu = random_measure(energy)
    field = mu.landscape(energy).at(mu)
    theta = tuple(c.ravel() for c in GridNodes(mu.grid.centres).coordinates())
    charged = energy.unit.kind == "charged"
    base = energy.unit.base if charged else energy.unit
    phi = base.value(energy.inputs, theta[: len(base.parameters)])
    phi = phi * theta[-1] if charged else phi
    curvature = energy.loss.curvature(field.prediction, energy.target_values)
    dense = (energy.data_weights * curvature) @ phi**2 @ mu.density.ravel() * mu.weight
    assert field.mean_square_norms[0] == pytest.approx(dense, rel=1e-10)


def test_maximum_likelihood_has_its_certificate():
    """At the best mixing law mean(phi(x, theta) / f(x)) <= 1 everywhere, = 1 on its support."""
    x = np.random.default_rng(3).choice([-1.0, 1.0], 200)
    x = x + 0.5 * np.random.default_rng(4).standard_normal(200)
    energy = mf.Energy(
        mf.Gaussian(0.25),
        None,
        mf.Samples(x),
        mf.Interval(-4.0, 4.0),
        mf.NegativeLogLikelihood(),
    )
    mu = mf.FiniteVolumes(400).project(mf.Uniform(), energy.space)
    equation = mf.Equation(energy, [mf.BirthDeath(1.0), mf.Transport()])
    solution = mf.solve(equation, mu, 40.0, save=mf.AtTimes(()))
    final = mu.with_density(solution.measure[-1])
    certificate = -final.landscape(energy).at(final).potential
    assert certificate.max() == pytest.approx(1.0, abs=2e-3)
    assert np.sum(certificate * final.density) * final.weight == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    "loss",
    [
        mf.FormulaLoss("-(f - y)**2"),
        mf.FormulaLoss("1 - exp(-(f - y)**2)"),
        mf.OwnLoss(lambda f, y: np.sqrt(np.abs(f - y))),
    ],
    ids=str,
)
def test_a_loss_that_is_not_convex_is_refused(loss):
    with pytest.raises(mf.InputError, match="convex in f, but its slope falls") as error:
        mf.Energy(
            mf.Gaussian(0.5),
            mf.FormulaTarget("x"),
            mf.UniformInterval(-1.0, 1.0, 8),
            mf.Interval(-1.0, 1.0),
            loss,
        )
    assert "\n" not in str(error.value)


def test_a_loss_may_be_convex_where_it_is_finite_only():
    data, line = mf.UniformInterval(-1.0, 1.0, 8), mf.Interval(-1.0, 1.0)
    for expression in ("f - y*log(f)", "-sqrt(f)"):
        loss = mf.FormulaLoss(expression)
        mf.Energy(mf.Gaussian(0.5), mf.FormulaTarget("1 + x**2"), data, line, loss)


def test_wrong_losses_and_penalties():
    x, line = mf.Samples(np.linspace(-1, 1, 5)), mf.Interval(-1.0, 1.0)
    half = mf.FormulaTarget("x/2")
    with pytest.raises(mf.InputError, match="labels -1 and 1"):
        mf.Energy(mf.Gaussian(0.5), half, x, line, mf.Logistic())
    with pytest.raises(mf.InputError, match="a target for the loss 'squared'"):
        mf.Energy(mf.Gaussian(0.5), None, x, line)
    with pytest.raises(mf.InputError, match="none for the loss 'negative_log_likelihood'"):
        mf.Energy(mf.Gaussian(0.5), half, x, line, mf.NegativeLogLikelihood())
    with pytest.raises(mf.InputError, match="width = 0"):
        mf.Huber(0.0)
    with pytest.raises(mf.InputError, match="strength = -1"):
        mf.WeightDecay(-1.0)
    with pytest.raises(mf.InputError, match=r"strength = \(1.0, 2.0\).*one number, or 1"):
        mf.Energy(mf.Gaussian(0.5), half, x, line, penalty=mf.WeightDecay((1.0, 2.0)))
    with pytest.raises(mf.InputError, match="periodic in theta"):
        mf.Energy(
            mf.Cosine(),
            mf.FormulaTarget("cos(x)"),
            mf.UniformCircle(8),
            mf.Circle(),
            penalty=mf.WeightDecay(1.0),
        )
    with pytest.raises(mf.InputError, match="a period of the unit in theta"):
        mf.Energy(
            mf.FormulaUnit("x*theta"), mf.FormulaTarget("x"), mf.UniformCircle(8), mf.Circle()
        )
    with pytest.raises(mf.InputError, match=r"target is .* at x = .*expected finite"):
        mf.Energy(mf.Gaussian(0.5), mf.FormulaTarget("log(x)"), x, line)


@pytest.mark.parametrize("expression", ["abs(f - y)", "max(0.8*(y - f), 0.2*(f - y))"])
def test_a_loss_with_a_corner_is_refused_with_a_way_out(expression):
    """Split steps may go back and forth over the corner, whatever their length."""
    data, line = mf.UniformInterval(-1.0, 1.0, 8), mf.Interval(-1.0, 1.0)
    target = mf.FormulaTarget("x")
    with pytest.raises(mf.InputError, match=r"slope without jumps.*smooth it"):
        mf.Energy(mf.Gaussian(0.5), target, data, line, mf.FormulaLoss(expression))
    for smooth in ("sqrt((f - y)**2 + 1e-6)", "0.8*(y - f) + 0.01*softplus((f - y)/0.01)"):
        mf.Energy(mf.Gaussian(0.5), target, data, line, mf.FormulaLoss(smooth))


def test_a_likelihood_of_what_is_not_positive_says_where():
    data, line = mf.Samples(np.array([0.0, 500.0])), mf.Interval(-1.0, 1.0)
    energy = mf.Energy(mf.Gaussian(0.5), None, data, line, mf.NegativeLogLikelihood())
    mu = mf.FiniteVolumes(8).project(mf.Uniform(), line)
    with pytest.raises(mf.NumericalFailure, match=r"f.mu. = 0 at data point 2: .*positive"):
        mu.landscape(energy).at(mu)


def test_the_mass_of_a_likelihood_is_not_free():
    data, line = mf.Samples(np.array([0.0, 0.5])), mf.Interval(-1.0, 1.0)
    energy = mf.Energy(mf.Gaussian(0.5), None, data, line, mf.NegativeLogLikelihood())
    mf.Equation(energy, [mf.BirthDeath(1.0)])
    with pytest.raises(mf.InputError, match="balance = 'free': expected 'mean' or 'reinjection'"):
        mf.Equation(energy, [mf.BirthDeath(1.0, mf.Free())])


def test_potentials_have_the_period_of_their_circle_and_are_finite():
    for potential in (mf.FormulaPotential("theta**3"), mf.DoubleWell(), mf.Quadratic(((1.0,),))):
        with pytest.raises(mf.InputError, match="a period of the potential"):
            mf.PotentialEnergy(potential, mf.Circle())
    with pytest.raises(mf.InputError, match="a period of the potential 'cosine_well'"):
        mf.PotentialEnergy(mf.CosineWell(), mf.Circle(1.0))
    energy = mf.PotentialEnergy(mf.FormulaPotential("log(theta)"), mf.Interval(-1.0, 1.0))
    mu = mf.FiniteVolumes(8).project(mf.Uniform(), energy.space)
    with pytest.raises(mf.InputError, match=r"the potential is nan at \(theta\) = \(-0.875\)"):
        mu.landscape(energy)


def test_parts_of_an_energy_must_be_parts_of_one():
    parts = (mf.Gaussian(0.5), mf.FormulaTarget("x"), mf.Line(-1.0, 1.0, 8), mf.Interval(-1.0, 1.0))
    for k, name in enumerate(("unit", "target", "data", "space")):
        for wrong in ("gaussian", np.cos, mf.Squared):
            with pytest.raises(
                mf.InputError, match=f"{name} = .*expected a {name} of this package"
            ):
                mf.Energy(*parts[:k], wrong, *parts[k + 1 :])
    with pytest.raises(mf.InputError, match=r"loss = .*expected a loss of this package"):
        mf.Energy(*parts, mf.Squared)
