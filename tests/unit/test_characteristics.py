"""Characteristics: rules, nodes of laws, log-weights, densities, redistribution, new nodes."""

import itertools

import numpy as np
import pytest
from scipy.integrate import quad

import meanfield_pde as mf
from meanfield_pde.problem.exact import CircleFamily, QuadraticGaussian
from meanfield_pde.problem.nodes import PointNodes
from meanfield_pde.problem.tables import Table
from meanfield_pde.representations.rules import Atom, Equispaced, GaussPanels, Hermite
from meanfield_pde.representations.thinning import thinned

RULES = [
    GaussPanels(np.array([-1.0, 0.5, 2.0]), 12),
    Equispaced(-1.0, 2.0, 40, False),
    Hermite(0.5, 0.3, 24),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_rule_interpolates_and_differentiates(rule):
    inner = np.linspace(rule.nodes[3], rule.nodes[-4], 37)
    indices, weights, slopes = rule.stencil(inner)
    values = np.sin(2.0 * rule.nodes)
    assert np.allclose(np.sum(weights * values[indices], axis=1), np.sin(2.0 * inner), atol=1e-8)
    assert np.allclose(
        np.sum(slopes * values[indices], axis=1), 2.0 * np.cos(2.0 * inner), atol=1e-6
    )


def test_a_stencil_on_a_node_is_the_node():
    rule = RULES[0]
    indices, weights, _ = rule.stencil(rule.nodes[[5]])
    assert indices[0, np.argmax(weights[0])] == 5
    assert np.max(weights) == pytest.approx(1.0, abs=1e-13)


def test_an_equispaced_rule_goes_round_a_circle():
    rule = Equispaced(-np.pi, np.pi, 64, True)
    at = np.array([-np.pi, np.pi - 1e-3, 3.0])
    indices, weights, slopes = rule.stencil(at)
    values = np.cos(3.0 * rule.nodes)
    assert np.allclose(np.sum(weights * values[indices], axis=1), np.cos(3.0 * at), atol=1e-9)
    assert np.allclose(np.sum(slopes * values[indices], axis=1), -3.0 * np.sin(3.0 * at), atol=1e-7)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_weights_integrate(rule):
    """A normal density, narrow enough for every range."""
    log_density = -0.5 * ((rule.nodes - 0.5) / 0.15) ** 2 - np.log(0.15 * np.sqrt(2.0 * np.pi))
    moments = np.exp(log_density + rule.log_weights) @ np.stack(
        [np.ones_like(rule.nodes), rule.nodes, rule.nodes**2], axis=1
    )
    tolerance = 1e-4 if isinstance(rule, Hermite) else 1e-8  # its weight is a wider density
    assert np.allclose(moments, [1.0, 0.5, 0.25 + 0.15**2], atol=tolerance)


def test_tails_fall_with_the_number_of_nodes():
    def tail(points):
        rule = GaussPanels(np.array([0.0, 1.0]), points)
        masses = np.exp(rule.log_weights) * np.exp(np.sin(9.0 * rule.nodes))
        return float(rule.tails(masses).max())

    tails = [tail(points) for points in (8, 16, 24, 32)]
    assert all(after < 0.1 * before for before, after in itertools.pairwise(tails))


def test_refined_panels_are_halves():
    rule = GaussPanels(np.array([0.0, 1.0, 3.0]), 16, cut=True)
    refined = rule.refined(np.array([False, True]))
    assert refined.breaks.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert refined.cut


def measure(law, space, **method):
    return mf.Characteristics(**method).project(law, space)


@pytest.mark.parametrize(
    ("law", "space", "kind"),
    [
        (mf.Uniform(), mf.Circle(), Equispaced),
        (mf.CircularNormal(0.3, 2.0), mf.Circle(), Equispaced),
        (mf.Uniform(-1.0, 1.0), mf.Circle(), GaussPanels),
        (mf.Normal(), mf.Interval(-20.0, 20.0), Equispaced),
        (mf.Normal(), mf.Interval(-3.0, 3.0), GaussPanels),
        (mf.Uniform(-1.0, 1.0), mf.Interval(-3.0, 3.0), GaussPanels),
        (mf.FormulaLaw("exp(-theta**4)"), mf.Interval(-3.0, 3.0), GaussPanels),
        (mf.Point(0.4), mf.Interval(-3.0, 3.0), Atom),
    ],
)
def test_the_rule_of_a_law(law, space, kind):
    mu = measure(law, space, nodes=48)
    ((rule,),) = mu.rules
    assert isinstance(rule, kind)
    assert mu.mass == pytest.approx(1.0, abs=1e-14)


def test_moments_of_laws_are_exact():
    law = mf.ProductLaw((mf.Uniform(-2.0, 2.0), mf.Normal(0.5, 0.3)))
    for rule in ("automatic", ("gauss_legendre", "gauss_hermite")):
        mu = measure(law, mf.Box((-3.0, -9.0), (3.0, 9.0)), nodes=(12, 40), rule=rule)
        mean, variance = mu.moments()
        assert np.allclose(mean, [0.0, 0.5], atol=1e-13)
        assert np.allclose(variance, [4.0 / 3.0, 0.09], atol=1e-12)


def test_a_mixture_is_one_rule_a_part():
    law = mf.MixtureLaw((1.0, 3.0), (mf.Normal(-2.0, 0.5), mf.Uniform(1.0, 2.0)))
    mu = measure(law, mf.Interval(-8.0, 8.0), nodes=32)
    assert len(mu.rules) == 2
    assert mu.moments()[0][0] == pytest.approx(0.25 * -2.0 + 0.75 * 1.5, abs=1e-13)


def test_a_table_has_panels_between_its_points(tmp_path):
    path = tmp_path / "law.csv"
    path.write_text("theta,density\n-1,0\n0,1\n2,0\n")
    mu = measure(mf.TableLaw(str(path)), mf.Interval(-3.0, 3.0), nodes=32)
    first = quad(lambda t: t * np.interp(t, [-1, 0, 2], [0, 1, 0]) / 1.5, -1.0, 2.0, points=[0.0])
    assert mu.moments()[0][0] == pytest.approx(first[0], abs=1e-12)


def test_a_joint_density_in_two_parameters():
    law = mf.FormulaLaw("exp(-theta_1**2 - theta_2**2 - theta_1*theta_2)")
    mu = measure(law, mf.Box((-7.0, -7.0), (7.0, 7.0)), nodes=48)
    assert np.allclose(mu.moments()[1], [2.0 / 3.0, 2.0 / 3.0], atol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"nodes": 3}, "nodes = 3: expected at least 4"),
        ({"nodes": 8.5}, "nodes = 8.5: expected a whole number"),
        ({"reach": 0.5}, "reach = 0.5: expected a number of at least 1"),
        ({"redistribute": 2.0}, r"redistribute = 2.0: expected a number in \(0, 1\)"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(mf.InputError, match=sentence):
        mf.Characteristics(**arguments)


@pytest.mark.parametrize(
    ("law", "method", "sentence"),
    [
        (mf.Uniform(), {"rule": "gauss_hermite"}, "expected a normal law"),
        (mf.Uniform(), {"rule": "equispaced"}, "expected a normal law or one on a whole circle"),
        (mf.Uniform(), {"nodes": (8, 8)}, "nodes = .*one for all parameters, or 1"),
    ],
)
def test_methods_that_do_not_fit(law, method, sentence):
    with pytest.raises(mf.InputError, match=sentence):
        measure(law, mf.Interval(-1.0, 1.0), **method)


def fixed(curvature, half=60.0, alpha=1.5):
    energy = mf.PotentialEnergy(mf.Quadratic(((curvature,),)), mf.Interval(-half, half))
    return mf.Equation(energy, [mf.BirthDeath(alpha), mf.Transport()])


def run(equation, mu, t_end, **arguments):
    record = mf.AtTimes(arguments.pop("times", ()))
    return mf.solve(equation, mu, t_end, record=record, save=mf.AtTimes(()), **arguments)


def test_a_gaussian_to_round_off():
    """k t = 5: the energy, the mean, and the density by the Jacobian."""
    mu = measure(mf.Normal(0.3, 0.7), mf.Interval(-9.0, 9.0), nodes=64)
    solution = run(fixed(1.0, 9.0), mu, 5.0)
    exact = QuadraticGaussian(((1.0,),), (0.3,), ((0.49,),), 1.5)
    assert solution.energy[-1] == pytest.approx(exact.energy(5.0), abs=1e-12)
    assert solution.mean[-1, 0] == pytest.approx(exact.mean(5.0)[0], abs=1e-12)
    centres = solution.layout.centres[0]
    density = exact.density(5.0, centres[:, None])
    assert np.max(np.abs(solution.measure[-1] - density)) < 1e-8 * density.max()


def test_a_gaussian_in_the_plane():
    matrix, covariance = ((1.0, 0.4), (0.4, 0.6)), ((0.3, 0.0), (0.0, 0.5))
    energy = mf.PotentialEnergy(mf.Quadratic(matrix), mf.Box((-9.0, -9.0), (9.0, 9.0)))
    equation = mf.Equation(energy, [mf.Transport(), mf.BirthDeath(2.0)])
    law = mf.ProductLaw((mf.Normal(0.5, 0.3**0.5), mf.Normal(-0.4, 0.5**0.5)))
    mu = measure(law, energy.space, nodes=32)
    solution = run(equation, mu, 1.0)
    exact = QuadraticGaussian(matrix, (0.5, -0.4), covariance, 2.0)
    assert solution.energy[-1] == pytest.approx(exact.energy(1.0), abs=1e-10)
    points = np.stack(np.meshgrid(*solution.layout.centres, indexing="ij"), axis=-1)
    density = exact.density(1.0, points)
    assert np.max(np.abs(solution.measure[-1] - density)) < 1e-6 * density.max()


def test_nodes_too_few_to_interpolate_stay_where_they_are():
    """tanh(3 w + b) turns over within one spacing of nodes; between them log-masses ring."""
    data = mf.Samples([-3.0, -1.0, 2.0, 3.0], columns={"y": [-1.0, 1.0, 0.0, 1.0]})
    energy = mf.Energy(mf.Ridge("tanh"), mf.Column("y"), data, mf.Box((-14.0, -14.0), (14.0, 14.0)))
    law = mf.ProductLaw((mf.Normal(), mf.Normal()))
    equation = mf.Equation(energy, [mf.BirthDeath(3.0), mf.Transport()])
    few, kept = (
        run(equation, measure(law, energy.space, nodes=24, redistribute=limit), 0.1)
        for limit in (1e-6, None)
    )
    assert few.energy[-1] == pytest.approx(kept.energy[-1], rel=1e-3)


@pytest.mark.parametrize(("alpha", "nodes"), [(1.0, 64), (1.7, 64), (0.0, 64)])
def test_a_dirac_forms_and_nodes_follow(alpha, nodes):
    """Interacting units whose chi passes 4.8: all but e^-9 of the mass in e^-4.8 of the circle."""
    exact = CircleFamily(alpha, 1.0, 0.8)
    energy = mf.Energy(
        mf.Cosine(0.8), mf.Teacher((0.0,), (1.25,)), mf.UniformCircle(8), mf.Circle()
    )
    terms = [mf.BirthDeath(alpha), mf.Transport()] if alpha else [mf.Transport()]
    mu = measure(mf.Uniform(), energy.space, nodes=nodes)
    solution = run(mf.Equation(energy, terms), mu, 20.0)
    assert exact.chi(20.0) > 4.8
    assert solution.energy[-1] == pytest.approx(exact.energy(20.0), abs=1e-9)
    assert abs(solution.identity_defect[-1]) < 1e-8
    assert len(solution.nodes[-1]) > nodes


def test_weights_beyond_the_range_of_numbers(tmp_path):
    """Log-weights of e^-5000 survive a run, a save and a load."""
    mu = measure(mf.Normal(0.0, 0.09), mf.Interval(-60.0, 60.0), nodes=256, reach=100.0)
    assert mu.log_masses.min() < -4900.0
    solution = run(fixed(1.0, 60.0, alpha=3.0), mu, 0.7)
    read = mf.read(solution.write(tmp_path / "deep.h5"))
    assert read.nodes[-1][:, -1].min() < -5000.0
    for one, other in zip(solution.nodes, read.nodes, strict=True):
        assert np.array_equal(one, other)
    exact = QuadraticGaussian(((1.0,),), (0.0,), ((0.0081,),), 3.0)
    assert read.energy[-1] == pytest.approx(exact.energy(0.7), rel=1e-10)
    # Along the path of a node log w - log w_0 is known: - alpha int V + the common normalisation.
    start, end = read.nodes[0], read.nodes[-1]
    if len(start) == len(end):
        growth = end[:, 1] - start[:, 1]
        known = -3.0 * start[:, 0] ** 2 * -np.expm1(-1.4) / 4.0
        difference = growth - known
        assert np.ptp(difference) < 1e-7


def test_a_blow_up_is_seen_in_time():
    """V = - theta^2 / 2 on a line: the wider the nodes reach, the nearer to t* it stops."""
    blow_up = np.log(1.0 + 2.0 / 1.5) / 2.0
    stopped = []
    for reach in (9.0, 40.0):
        mu = measure(mf.Normal(0.3, 1.0), mf.Interval(-200.0, 200.0), nodes=64, reach=reach)
        with pytest.raises(
            mf.NumericalFailure, match=r"outermost nodes.*blow up.*larger `reach`"
        ) as f:
            run(fixed(-1.0, 200.0), mu, 1.0)
        stopped.append(f.value.solution.time[-1])
    assert 0.8 * blow_up < stopped[0] < stopped[1] < blow_up
    assert stopped[1] > 0.98 * blow_up


def test_a_law_without_mass_in_places_keeps_its_nodes():
    """Log-masses that jump to minus infinity cannot be interpolated: the tail says so instead."""
    law = mf.DensityFunction(lambda t: np.where(t > 0.0, 1.0 + np.cos(t), 0.0))
    energy = mf.PotentialEnergy(mf.CosineWell(), mf.Circle())
    equation = mf.Equation(energy, [mf.BirthDeath(1.0), mf.Transport()])
    solution = run(equation, measure(law, energy.space, nodes=64), 1.0)
    assert len(solution.nodes[-1]) == 64
    assert np.all(np.isfinite(solution.measure))
    assert solution.unresolved[-1] > 1e-3
    assert solution.mass[-1] == pytest.approx(1.0, abs=1e-14)


def test_too_few_nodes_for_a_law_are_refused():
    with pytest.raises(mf.InputError, match="nodes = 32: expected more, for the law von Mises"):
        measure(mf.CircularNormal(0.05, 3000.0), mf.Circle(), nodes=32)


def test_a_density_ends_where_its_law_does():
    mu = measure(mf.Uniform(-1.0, 1.0), mf.Circle(), nodes=32)
    assert mu.density(np.array([[1.05], [0.9]])).tolist() == pytest.approx([0.0, 0.5])


def test_nodes_are_brought_back_to_the_circle():
    """A potential that is periodic on the circle only."""
    potential = mf.FormulaPotential("(theta**3 - 9.869604401089358*theta)/10")
    energy = mf.PotentialEnergy(potential, mf.Circle())
    equation = mf.Equation(energy, [mf.Transport()])
    mu = measure(mf.Uniform(), energy.space, nodes=64)
    grid = mf.FiniteVolumes(512).project(mf.Uniform(), energy.space)
    assert run(equation, mu, 1.0).energy[-1] == pytest.approx(
        run(equation, grid, 1.0).energy[-1], abs=1e-4
    )


def test_a_pulse_of_alpha_is_not_stepped_over():
    """Times at which a table has corners end a step."""
    pulse = mf.PiecewiseLinear((0.0, 0.4, 0.401, 0.402), (0.0, 0.0, 1000.0, 0.0))
    energy = mf.PotentialEnergy(mf.CosineWell(), mf.Circle())
    equation = mf.Equation(energy, [mf.BirthDeath(pulse)])
    solution = run(equation, measure(mf.Uniform(), energy.space, nodes=64), 10.0)
    exact = mf.Equation(energy, [mf.BirthDeath(1.0)])
    known = run(exact, measure(mf.Uniform(), energy.space, nodes=64), 1.0)
    assert solution.energy[-1] == pytest.approx(known.energy[-1], abs=1e-9)


def test_a_mixture_of_products_counts_what_is_inside_once():
    parts = tuple(mf.ProductLaw((mf.Normal(0.0, s), mf.Normal(0.0, s))) for s in (1.0, 0.3))
    mu = measure(mf.MixtureLaw((0.5, 0.5), parts), mf.Box((-2.6, -2.6), (2.6, 2.6)), nodes=48)
    inside = 0.9906776237  # of N(0, 1) within 2.6 deviations
    share = inside**2 / (1.0 + inside**2)
    assert mu.values[: 48 * 48].sum() == pytest.approx(share, abs=1e-9)


def test_walls_take_the_outward_velocity():
    energy = mf.PotentialEnergy(mf.FormulaPotential("-theta"), mf.Interval(-1.0, 1.0))
    mu = measure(mf.Uniform(), energy.space, nodes=24, redistribute=None)
    with pytest.warns(RuntimeWarning, match="mass gathers at the walls"):
        solution = run(mf.Equation(energy, [mf.Transport()]), mu, 3.0)
    assert solution.energy[-1] == pytest.approx(-1.0, abs=1e-8)
    assert solution.wall_mass[-1] == pytest.approx(1.0, abs=1e-8)


def test_splittings_have_their_orders():
    """Against unsplit steps; the reaction and SSP3 inside are of higher order than Strang."""
    energy = mf.Energy(
        mf.VonMises(2.0), mf.Teacher((0.4, 2.0), (0.7, 0.3)), mf.UniformCircle(48), mf.Circle()
    )
    equation = mf.Equation(energy, [mf.BirthDeath(3.0), mf.Transport()])
    mu = measure(mf.Uniform(), energy.space, nodes=48, redistribute=None)
    best = run(equation, mu, 1.0).prediction[-1]
    for splitting, order, bound in ((mf.Lie(), 1.0, 2e-2), (mf.Strang(), 2.0, 2e-4)):
        errors = []
        for dt in (0.0125, 0.00625):
            found = run(equation, mu, 1.0, splitting=splitting, step=mf.Fixed(dt)).prediction[-1]
            errors.append(np.linalg.norm(found - best))
        assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)
        assert errors[1] < bound


def test_free_mass_grows_as_it_should():
    exact = CircleFamily(1.3, 1.0, 0.0)
    energy = mf.PotentialEnergy(mf.CosineWell(), mf.Circle())
    equation = mf.Equation(energy, [mf.BirthDeath(1.3, mf.Free()), mf.Transport()])
    solution = run(equation, measure(mf.Uniform(), energy.space, nodes=64), 2.0)
    assert solution.mass[-1] == pytest.approx(exact.free_mass(2.0), rel=1e-10)


def reborn(alpha=2.0):
    energy = mf.Energy(
        mf.Charged(mf.Gaussian(0.5)),
        mf.Mixture((0.5, -0.3), (-1.0, 1.5), (0.5, 0.8)),
        mf.Line(-9.0, 9.0, 81),
        mf.Box((-6.0, -12.0), (6.0, 12.0)),
    )
    law = mf.ProductLaw((mf.Normal(), mf.Point()))
    return mf.Equation(energy, [mf.BirthDeath(alpha, mf.Reinjection(law)), mf.Transport()])


def test_neurons_are_reborn_at_new_nodes():
    """Started far from the target Vbar is positive; the same by finite volumes."""
    equation = reborn()
    law = mf.ProductLaw((mf.Normal(-3.0, 0.3), mf.Normal(0.8, 0.3)))
    mu = measure(law, equation.energy.space, nodes=(16, 24))
    solution = run(equation, mu, 1.0, step=mf.Fixed(0.02))
    assert solution.mean_potential[-1] > 0.0
    assert solution.mass[-1] == pytest.approx(1.0, abs=1e-12)
    assert len(solution.nodes[-1]) > len(solution.nodes[0])
    grid = mf.FiniteVolumes((160, 192)).project(law, equation.energy.space)
    other = run(equation, grid, 1.0)
    assert solution.energy[-1] == pytest.approx(other.energy[-1], rel=2e-3)
    halved = run(equation, mu, 1.0, step=mf.Fixed(0.01))
    assert solution.energy[-1] == pytest.approx(halved.energy[-1], rel=1e-5)


def test_reinjection_takes_a_splitting_of_fixed_steps():
    equation = reborn()
    mu = measure(mf.ProductLaw((mf.Normal(), mf.Normal())), equation.energy.space, nodes=12)
    with pytest.raises(mf.InputError, match="expected 'strang' or 'lie' where neurons are reborn"):
        run(equation, mu, 0.1, splitting=mf.Unsplit("dop853"))
    with pytest.raises(mf.InputError, match="step = 'controlled': expected 'fixed', with a dt"):
        run(equation, mu, 0.1)


@pytest.mark.parametrize("parameters", [1, 2, 3])
def test_thinned_nodes_have_the_same_moments(parameters):
    generator = np.random.default_rng(3)
    points = generator.normal(size=(3000, parameters))
    log_masses = generator.normal(-50.0, 3.0, 3000)
    fewer, masses = thinned(points, log_masses)
    assert len(fewer) < 0.5 * len(points)
    for weights, wave in ((0.0, 1.0), (0.3, 0.7)):

        def integral(where, logs, weights=weights, wave=wave):
            return np.exp(logs + 50.0) @ np.cos(weights + wave * where.sum(axis=1))

        before = integral(points, log_masses)
        assert integral(fewer, masses) == pytest.approx(before, rel=1e-3)
    assert np.exp(masses).sum() == pytest.approx(np.exp(log_masses).sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("unit", "space", "y"),
    [
        (mf.Gaussian(0.5), mf.Interval(-7.0, 7.0), np.linspace(-6.9, 6.8, 300)),
        (mf.VonMises(2.0), mf.Circle(), np.linspace(-9.0, 9.0, 300)),
        (mf.Dirichlet(4), mf.Circle(), np.linspace(-9.0, 9.0, 300)),
    ],
)
def test_series_are_the_unit(unit, space, y):
    data = mf.Line(-9.0, 9.0, 81) if isinstance(unit, mf.Gaussian) else mf.UniformCircle(32)
    energy = mf.Energy(unit, mf.Teacher((0.5,), (1.0,)), data, space)
    nodes = PointNodes(y[:, None])
    table = Table(unit, energy.inputs, energy.data_weights, (y,), y.shape)
    series = energy.on(nodes).features
    assert not isinstance(series, Table)
    generator = np.random.default_rng(0)
    masses, residual = generator.random(y.size) / y.size, generator.normal(size=data.points)
    for name, arguments in (
        ("prediction", (masses, 1.0)),
        ("potential", (residual,)),
        ("slope", (0, residual)),
    ):
        exact = getattr(table, name)(*arguments)
        off = np.max(np.abs(getattr(series, name)(*arguments) - exact))
        assert off < 5e-13 * np.max(np.abs(exact)), name


def test_a_unit_with_a_corner_is_a_table():
    energy = mf.Energy(
        mf.ReluCircle(), mf.Teacher((0.5,), (1.0,)), mf.UniformCircle(32), mf.Circle()
    )
    assert isinstance(energy.on(PointNodes(np.zeros((5, 1)))).features, Table)


def test_three_parameters():
    """A separable quadratic potential: each coordinate as in one dimension."""
    matrix = ((1.0, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 2.0))
    energy = mf.PotentialEnergy(mf.Quadratic(matrix), mf.Box((-9.0,) * 3, (9.0,) * 3))
    equation = mf.Equation(energy, [mf.BirthDeath(1.0), mf.Transport()])
    law = mf.ProductLaw((mf.Normal(0.3, 0.6), mf.Normal(0.0, 0.8), mf.Normal(-0.2, 0.5)))
    solution = run(equation, measure(law, energy.space, nodes=20, redistribute=None), 0.5)
    known = sum(
        QuadraticGaussian(((k,),), (m,), ((s**2,),), 1.0).energy(0.5)
        for k, m, s in ((1.0, 0.3, 0.6), (0.5, 0.0, 0.8), (2.0, -0.2, 0.5))
    )
    assert solution.energy[-1] == pytest.approx(known, abs=1e-8)
