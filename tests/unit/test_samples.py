"""Samples from arrays and files: what is read, and one sentence for every broken file."""

import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import meanfield_pde as mf

X = np.array([-1.5, 0.25, 2.0, 3.0])
Y = np.array([1.0, -1.0, 0.5, 1e-30])
W = np.array([1.0, 0.0, 2.0, 5.0])
CSV = "x,y,w\n-1.5,1.0,1\n0.25,-1,0\n2,.5,2.0\n3.0,1e-30,5\n"


@pytest.fixture
def points(tmp_path):
    """The path of a file written from a text, bytes, or arrays by name."""

    def write(content, name=None):
        path = tmp_path / (name or ("points.npz" if isinstance(content, dict) else "points.csv"))
        if isinstance(content, dict):
            np.savez(path, **content)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize("content", [CSV, {"x": X, "y": Y, "w": W}], ids=["csv", "npz"])
def test_columns_of_a_file(points, content):
    data = mf.SampleFile(points(content), weights="w")
    x, w = data.quadrature()
    assert np.array_equal(x, X)
    assert np.array_equal(w, W / 8)
    assert np.array_equal(data.column("y"), Y)
    assert data.inputs == 1
    assert data.period == np.inf
    assert data.refined() is None


@pytest.mark.parametrize("content", [CSV, {"x": X, "y": Y, "w": W}], ids=["csv", "npz"])
def test_several_inputs_in_the_order_asked_for(points, content):
    data = mf.SampleFile(points(content), x=("y", "x"))
    x, w = data.quadrature()
    assert np.array_equal(x, np.column_stack([Y, X]))
    assert np.array_equal(w, np.full(4, 0.25))
    assert data.inputs == 2


def test_what_a_csv_file_may_look_like(points):
    """Spaces, quotes, a byte order mark, empty rows, other columns of words, any line ends."""
    text = '\ufeff name, x ,y\r\n"a, b", -1.5 ,1\r\n\r\nc,2e0,"3"\r\n\r\n'
    data = mf.SampleFile(points(text.encode()))
    assert np.array_equal(data.quadrature()[0], [-1.5, 2.0])
    assert np.array_equal(data.column("y"), [1.0, 3.0])
    integers = mf.SampleFile(points({"x": np.array([1, 2, 3]), "label": np.array(["a"])}))
    assert np.array_equal(integers.quadrature()[0], [1.0, 2.0, 3.0])


def test_a_path_is_taken_from_a_folder(points, tmp_path):
    path = points(CSV)
    data = mf.SampleFile("points.csv", weights="w")
    assert data.located(str(tmp_path)) == mf.SampleFile(path, weights="w")
    assert mf.SampleFile(path).located("elsewhere") == mf.SampleFile(path)


BROKEN_FILES = {
    "empty": ("", "is empty: expected column names"),
    "blank": ("\n\n", "is empty: expected column names"),
    "no rows": ("x,y\n", "'x' is empty: expected at least one number"),
    "no names": ("1.0,2.0\n3.0,4.0\n", "first row is '1.0, 2.0': expected names of columns, 'x'"),
    "missing column": ("x_1,y\n1,2\n", "there is no column 'x'; expected one of x_1, y"),
    "other columns": ("time,value\n1,2\n", "there is no column 'x'; expected one of time, value"),
    "many": (",".join(f"c{k}" for k in range(12)) + "\n", "expected one of c0, c1, c2, c3, c4, c5"),
    "twice": ("x,x\n1,2\n", "column 'x' is there 2 times"),
    "short row": ("x,y\n1,2\n\n3\n", "row 4 has 1 cells: expected 2"),
    "long row": ("x,y\n1,2,3\n", "row 2 has 3 cells: expected 2"),
    "a word": ("x,y\n1,2\none,2\n", "row 3, column 'x' is 'one': expected a number"),
    "nothing": ("y,x\n1,\n", "row 2, column 'x' is '': expected a number"),
    "nan": ("x\n1\nnan\n", "row 3, column 'x' is 'nan': expected a number"),
    "infinite": ("x\n1e999\n", "row 2, column 'x' is '1e999': expected a number"),
    "semicolons": ("x;y\n1;2\n", "there is no column 'x'"),
    "Latin-1": ("x\n1\n# caf\xe9".encode("latin-1"), "is not text in UTF-8"),
    "binary": (b"x\n1\n\x00\x00", "row 3"),
    "not an npz": (("points.npz", b"x,y\n1,2\n"), "is not an npz file of plain numbers"),
    "empty npz": (("points.npz", b""), "is not an npz file of plain numbers"),
    "cut npz": (("points.npz", b"PK\x03\x04 cut short"), "is not an npz file of plain numbers"),
    "pickle": (("points.npz", pickle.dumps({"x": [1.0]})), "is not an npz file of plain numbers"),
    "pickled array": ({"x": np.array([1.0, None])}, "is not an npz file of plain numbers (Object"),
    "missing array": ({"X": X, "y": Y}, "there is no array 'x'; expected one of X, y"),
    "table": ({"x": np.ones((3, 2))}, "'x' has shape (3, 2): expected one dimension"),
    "one number": ({"x": np.float64(3.0)}, "'x' has shape (): expected one dimension"),
    "words": ({"x": np.array(["a", "b"])}, "array 'x' holds <U1: expected real numbers"),
    "complex": ({"x": np.array([1j])}, "array 'x' holds complex128: expected real numbers"),
    "empty array": ({"x": np.empty(0)}, "'x' is empty: expected at least one number"),
    "nan in npz": ({"x": np.array([1.0, np.nan])}, "'x' is nan at entry 2: expected a number"),
    "other kind": (("points.txt", b"x\n1\n"), "expected a file .csv or .npz"),
}


@pytest.mark.parametrize(("content", "says"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_broken_file_is_one_sentence(points, content, says):
    path = points(*reversed(content)) if isinstance(content, tuple) else points(content)
    with pytest.raises(mf.InputError) as refused:
        mf.SampleFile(path).quadrature()
    sentence = str(refused.value)
    assert says in sentence
    assert path in sentence
    assert "\n" not in sentence


def test_files_that_are_not_there(tmp_path):
    for path in ("nowhere.csv", "nowhere.npz"):
        with pytest.raises(mf.InputError, match=f"{path}: cannot be read .No such file"):
            mf.SampleFile(str(tmp_path / path)).quadrature()
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(mf.InputError, match=r"folder.csv: cannot be read"):
        mf.SampleFile(str(tmp_path / "folder.csv")).quadrature()


def test_archives_that_are_no_npz(points, tmp_path):
    with open(tmp_path / "one.npz", "wb") as file:
        np.save(file, X)
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as archive:
        archive.writestr("x", "1, 2, 3")
    damaged = bytearray((tmp_path / "raw.npz").read_bytes())
    damaged[33] ^= 1
    (tmp_path / "damaged.npz").write_bytes(damaged)
    for name, says in (
        ("one.npz", "is one array: expected named arrays"),
        ("raw.npz", "array 'x' holds something else"),
        ("damaged.npz", "is not an npz file of plain numbers"),
    ):
        with pytest.raises(mf.InputError, match=says):
            mf.SampleFile(str(tmp_path / name)).quadrature()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x,w\n1,1\n2,-1\n", "weights: expected numbers >= 0, but one is -1"),
        ("x,w\n1,0\n2,0\n", "weights = 'all 0'"),
        ("x,v\n1,0\n", "there is no column 'w'"),
        ({"x": X, "w": W[:2]}, "'w' has 2 entries: expected 4, as 'x' has"),
    ],
)
def test_weights_of_a_file_that_are_none(points, content, says):
    path = points(content)
    with pytest.raises(mf.InputError, match=says) as refused:
        mf.SampleFile(path, weights="w").quadrature()
    assert path in str(refused.value)


def test_columns_that_do_not_fit_the_points(points):
    data = mf.SampleFile(points({"x": X, "short": Y[:2], "table": np.ones((4, 2))}))
    data.quadrature()
    for name, says in (
        ("short", "'short' has 2 entries: expected 4, as 'x' has"),
        ("table", r"'table' has shape \(4, 2\)"),
        ("shorter", "no array 'shorter'; did you mean 'short'"),
    ):
        with pytest.raises(mf.InputError, match=says):
            data.column(name)


def test_samples_are_copies_of_arrays():
    x, y = X.copy(), Y.copy()
    data = mf.Samples(x, columns={"y": y})
    x[:] = y[:] = 0.0
    assert np.array_equal(data.quadrature()[0], X)
    assert np.array_equal(data.column("y"), Y)
    assert data.kind == "samples"
    assert mf.Samples([1, 2, 3]).quadrature()[0].dtype == np.float64


def test_samples_on_a_circle():
    assert mf.Samples(X).period == mf.SampleFile("x.csv").period == np.inf
    assert mf.Samples(X, input_period=1.0).period == 1.0
    assert mf.SampleFile("x.csv", input_period=6.0).period == 6.0


@given(
    arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(2, 4)), elements=st.floats(-9, 9)),
    st.integers(0, 2**31),
)
def test_weights_are_divided_by_their_sum(x, seed):
    weights = np.random.default_rng(seed).exponential(size=len(x))
    data = mf.Samples(x, weights)
    nodes, found = data.quadrature()
    assert data.inputs == x.shape[1]
    assert np.array_equal(nodes, x)
    assert found.sum() == pytest.approx(1.0, abs=1e-14)
    assert found * weights.sum() == pytest.approx(weights, rel=1e-13)
    assert mf.Samples(x).quadrature()[1] == pytest.approx(1 / len(x))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: mf.Samples(3.0), r"x's shape = \(\)"),
        (lambda: mf.Samples([]), r"x's shape = \(0,\)"),
        (lambda: mf.Samples(np.ones((4, 1))), r"x's shape = \(4, 1\).*\(points,\)"),
        (lambda: mf.Samples(np.ones((2, 2, 2))), r"x's shape = \(2, 2, 2\)"),
        (lambda: mf.Samples([[1.0, 2.0], [3.0]]), "x: expected an array, not rows of different"),
        (lambda: mf.Samples(["a"]), "x = 'str32': expected an array of real numbers"),
        (lambda: mf.Samples([1.0, None]), "x = 'object'"),
        (lambda: mf.Samples([1.0, np.inf]), r"x is inf at index \(1,\)"),
        (lambda: mf.Samples([[1.0, 2.0], [3.0, np.nan]]), r"x is nan at index \(1, 1\)"),
        (lambda: mf.Samples(X, W[:3]), r"weights' shape = \(3,\): expected \(4,\)"),
        (lambda: mf.Samples(X, -W), "weights: expected numbers >= 0, but one is -1"),
        (lambda: mf.Samples(X, 0 * W), "weights = 'all 0'"),
        (lambda: mf.Samples(X, columns={"y": Y[:2]}), r"y's shape = \(2,\): expected \(4,\)"),
        (lambda: mf.Samples(X, columns={"y": np.full(4, np.nan)}), "y is nan"),
        (lambda: mf.Samples(X, columns={"yy": Y}).column("y"), "'y'.*did you mean 'yy'"),
        (lambda: mf.Samples(X).column("y"), r"column 'y': expected one of \[\]"),
        (lambda: mf.Samples(X, input_period=0.0), "input_period = 0.0"),
        (lambda: mf.SampleFile("a.csv", input_period=-1.0), "input_period = -1.0"),
        (lambda: mf.SampleFile("a.csv", x=()), "x = ()"),
    ],
)
def test_arrays_that_are_no_samples_are_refused(make, says):
    with pytest.raises(mf.InputError, match=says) as refused:
        make()
    assert "\n" not in str(refused.value)
