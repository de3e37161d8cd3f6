"""Wasserstein and kernel distances between points with masses."""

import sys
from itertools import permutations

import numpy as np
import ot
import pytest
from scipy.stats import wasserstein_distance

import meanfield_pde as mf
from meanfield_pde.distances import Cloud, heavy, snapshot_cloud
from meanfield_pde.errors import InputError

LINE = mf.Interval(-10.0, 10.0).axes
CIRCLE = mf.Circle().axes
PLANE = mf.Box((-10.0, -10.0), (10.0, 10.0)).axes
CYLINDER = mf.Product((mf.Circle(), mf.Interval(-10.0, 10.0))).axes
SIZES = [(1, 1), (1, 6), (5, 7), (60, 41)]


def random_cloud(seed, number, axes):
    rng = np.random.default_rng(seed)
    columns = [rng.uniform(max(a.lower, -4.0), min(a.upper, 4.0), number) for a in axes]
    return Cloud(np.column_stack(columns), rng.random(number), axes)


def geodesic(one, two):
    apart = np.abs(one.points[:, None, :] - two.points[None, :, :])
    for k, axis in enumerate(one.axes):
        if axis.periodic:
            apart[..., k] = np.minimum(apart[..., k], axis.length - apart[..., k])
    return np.sqrt((apart**2).sum(axis=2))


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_on_the_line_as_scipy_and_a_linear_program_have_it(n, m):
    one, two = random_cloud(n, n, LINE), random_cloud(100 + m, m, LINE)
    x, y = one.points[:, 0], two.points[:, 0]
    exact = wasserstein_distance(x, y, one.masses, two.masses)
    assert mf.wasserstein(one, two) == pytest.approx(exact, rel=1e-13)
    squares = ot.emd2(one.masses, two.masses, geodesic(one, two) ** 2)
    assert mf.wasserstein(one, two, 2) == pytest.approx(np.sqrt(squares), rel=1e-12)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_on_the_circle_as_a_linear_program_has_it(n, m, order):
    one, two = random_cloud(n, n, CIRCLE), random_cloud(100 + m, m, CIRCLE)
    cost = ot.emd2(one.masses, two.masses, geodesic(one, two) ** order)
    assert mf.wasserstein(one, two, order) == pytest.approx(cost ** (1 / order), rel=1e-12)
    assert mf.wasserstein(two, one, order) == pytest.approx(cost ** (1 / order), rel=1e-12)


@pytest.mark.parametrize("order", [1, 2])
def test_a_translation_is_as_long_as_it_is(order):
    for axes, shift, length in [(LINE, 2.5, 2.5), (CIRCLE, 0.5, 0.5), (CIRCLE, 6.0, 0.2831853)]:
        narrow = np.random.default_rng(3).uniform(-0.1, 0.1, (50, 1))
        one, two = (Cloud(narrow + s, np.ones(50), axes) for s in (0.0, shift))
        assert mf.wasserstein(one, two, order) == pytest.approx(length, rel=1e-6)


def test_the_ends_of_a_circle_are_one_place():
    one, two = (Cloud([[place]], [1.0], CIRCLE) for place in (3.1, -3.1))
    assert mf.wasserstein(one, two) == pytest.approx(2.0 * np.pi - 6.2, rel=1e-12)
    assert mf.wasserstein(one, Cloud([[3.1 + 4.0 * np.pi]], [2.0], CIRCLE)) < 1e-14


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("axes", [PLANE, CYLINDER])
def test_of_two_parameters_the_best_of_all_permutations(axes, order):
    one, two = (Cloud(random_cloud(seed, 5, axes).points, np.ones(5), axes) for seed in (1, 2))
    costs = geodesic(one, two) ** order
    best = min(costs[range(5), p].mean() for p in map(list, permutations(range(5))))
    assert mf.wasserstein(one, two, order) == pytest.approx(best ** (1 / order), rel=1e-12)


def test_distances_are_symmetric_and_satisfy_the_triangle_inequality():
    for axes in (LINE, CIRCLE, CYLINDER):
        a, b, c = (random_cloud(seed, 20, axes) for seed in range(3))
        for distance in (mf.wasserstein, mf.sliced_wasserstein):
            for order in (1, 2):
                ab, bc, ac = (distance(*p, order) for p in ((a, b), (b, c), (a, c)))
                assert distance(b, a, order) == pytest.approx(ab, rel=1e-12)
                assert ac <= ab + bc
                assert distance(a, a, order) == pytest.approx(0.0, abs=1e-7)


def test_slices_of_a_translation_in_the_plane():
    one = random_cloud(0, 30, PLANE)
    two = Cloud(one.points + np.array([3.0, 4.0]), one.masses, PLANE)
    assert mf.sliced_wasserstein(one, two, 2) == pytest.approx(5.0 / np.sqrt(2.0), rel=1e-12)
    # The mean of |cos|, by equispaced directions.
    assert mf.sliced_wasserstein(one, two, 1) == pytest.approx(10.0 / np.pi, rel=1e-2)


def test_slices_are_no_longer_than_the_distance():
    one, two = random_cloud(0, 30, CYLINDER), random_cloud(1, 25, CYLINDER)
    for order in (1, 2):
        assert mf.sliced_wasserstein(one, two, order) < mf.wasserstein(one, two, order)


def test_points_without_mass_move_nothing():
    one, two = random_cloud(0, 10, PLANE), random_cloud(1, 10, PLANE)
    more = Cloud(
        np.vstack([one.points, [[9.0, 9.0], [-9.0, 9.0]]]), [*one.masses, 0.0, 1e-14], PLANE
    )
    assert heavy(more).masses.size == 10
    assert mf.wasserstein(more, two) == pytest.approx(mf.wasserstein(one, two), rel=1e-11)


def test_the_kernel_distance_is_a_double_sum():
    energy = mf.Energy(
        mf.VonMises(2.0), mf.Teacher((0.3,), (1.0,)), mf.UniformCircle(64), mf.Circle()
    )
    one, two = random_cloud(0, 6, CIRCLE), random_cloud(1, 4, CIRCLE)
    theta = np.concatenate([one.points[:, 0], two.points[:, 0]])
    signed = np.concatenate([one.masses, -two.masses])
    x = energy.inputs
    phi = np.exp(2.0 * np.cos(x[:, None] - theta[None, :])) / np.i0(2.0)
    kernel = sum(w * np.outer(row, row) for w, row in zip(energy.data_weights, phi, strict=True))
    explicit = 0.0
    for i in range(10):
        for j in range(10):
            explicit += signed[i] * signed[j] * kernel[i, j]
    assert mf.kernel_distance(energy, one, two) == pytest.approx(np.sqrt(explicit), rel=1e-10)
    predicted = phi[:, :6] @ one.masses
    assert mf.kernel_distance(energy, predicted, two) == pytest.approx(np.sqrt(explicit), rel=1e-10)


@pytest.mark.parametrize(
    "method", [mf.FiniteVolumes(256), mf.Fourier(64), mf.Characteristics(64), mf.Particles(4000)]
)
def test_a_snapshot_is_the_measure_it_was_taken_of(method):
    equation = mf.Equation(mf.PotentialEnergy(mf.CosineWell(), mf.Circle()), [mf.Transport()])
    mu = method.project(mf.CircularNormal(1.0, 0.5), mf.Circle())
    solution = mf.solve(equation, mu, 0.02, save=mf.AtTimes(()))
    assert solution.equation is equation
    cloud = snapshot_cloud(solution, 1)
    mean, variance = cloud.moments()
    accuracy = 0.03 if isinstance(method, mf.Particles) else 1e-4
    assert mean == pytest.approx(solution.mean[-1], abs=accuracy)
    assert variance == pytest.approx(solution.variance[-1], abs=accuracy)
    assert cloud.masses.sum() == pytest.approx(1.0, rel=1e-14)


def test_without_the_library_the_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    one, two = random_cloud(0, 3, PLANE), random_cloud(1, 3, PLANE)
    with pytest.raises(InputError, match=r'pip install "meanfield_pde\[transport\]"'):
        mf.wasserstein(one, two)
    assert mf.sliced_wasserstein(one, two) > 0.0


@pytest.mark.parametrize(
    ("points", "masses", "words"),
    [
        ([[0.0, 1.0]], [1.0], r"points, masses.*\(1, 2\)"),
        ([[0.0], [1.0]], [1.0], r"points, masses.*\(2, 1\)"),
        ([[np.nan]], [1.0], "nan"),
        ([[0.0], [1.0]], [1.5, -0.5], r"masses.*-0\.5"),
        ([[0.0]], [0.0], "masses.*not all of them 0"),
    ],
)
def test_what_is_no_measure_is_refused(points, masses, words):
    with pytest.raises(InputError, match=words):
        Cloud(points, masses, LINE)


def test_other_orders_and_spaces_are_refused():
    one = random_cloud(0, 3, LINE)
    with pytest.raises(InputError, match="order = 3: expected 1 or 2"):
        mf.wasserstein(one, one, 3)
    with pytest.raises(InputError, match="axes"):
        mf.wasserstein(one, random_cloud(0, 3, CIRCLE))
