"""Evidence for claims: gathered, kept, and measured again where it no longer holds good."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from fakes import HALF, TOO_LARGE, claim, install

from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.results.evidence import Evidence, Number, read_evidence, write_evidence
from meanfield_pde.studies import evidence as studied
from meanfield_pde.studies import own_sources
from meanfield_pde.studies.evidence import gather, known, listing, missing, read_all, workload


def silent(done):
    pass


def test_round_trip(tmp_path):
    told = []
    one = claim("one", HALF, TOO_LARGE)
    made = gather(one, True, tmp_path, told.append)
    assert told == ["one curve"]
    back = read_evidence(tmp_path / "one.h5")
    assert back.numbers == made.numbers == (HALF, TOO_LARGE)
    assert back.sentences == made.sentences
    assert back.quick is True
    assert not back.holds
    for name, values in made.curves.items():
        np.testing.assert_array_equal(back.curves[name], values)
    assert back.attributes == made.attributes
    assert {"commit", "command", "sources", "studies", "started", "quick"} <= set(back.attributes)
    assert 0.0 <= back.attributes["seconds"] < 10.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.h5"]


def test_names_of_curves_may_have_parts(tmp_path):
    one = Evidence("one", (HALF,), {"a/b": np.arange(3.0), "c": np.ones(2)}, ("x",) * 3, True)
    back = read_evidence(write_evidence(one, tmp_path / "one.h5"))
    assert sorted(back.curves) == ["a/b", "c"]
    np.testing.assert_array_equal(back.curves["a/b"], np.arange(3.0))


def test_what_is_known_is_not_measured_again(tmp_path):
    one = claim("one")
    assert known(one, True, tmp_path) is None
    gather(one, True, tmp_path, silent)
    assert known(one, True, tmp_path).numbers == (HALF,)
    assert known(one, False, tmp_path) is None, "smaller sizes do not serve for full ones"
    gather(one, False, tmp_path, silent)
    assert known(one, True, tmp_path).quick is False
    assert known(one, False, tmp_path).quick is False


@pytest.mark.parametrize("what", ["code", "fingerprint"])
def test_changed_sources_are_measured_again(tmp_path, monkeypatch, what):
    one = claim("one")
    gather(one, True, tmp_path, silent)
    other = {"code": lambda: {"sources": "other"}, "fingerprint": lambda function: "other"}
    monkeypatch.setattr(studied, what, other[what])
    assert missing([one], True, tmp_path) == [one]


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def not_hdf5(path):
    path.write_text("one claim\n")


def numbers_lost(path):
    with h5py.File(path, "r+") as file:
        file.attrs["numbers"] = '[{"what": "a"'


def another_claim(path):
    with h5py.File(path, "r+") as file:
        file.attrs["claim"] = "two"


@pytest.mark.parametrize("damage", [truncated, not_hdf5, numbers_lost, another_claim])
def test_a_damaged_file_is_measured_again_with_one_sentence(tmp_path, damage):
    one = claim("one")
    gather(one, True, tmp_path, silent)
    damage(tmp_path / "one.h5")
    with pytest.warns(RuntimeWarning, match=r"one\.h5: .*measured again$") as warned:
        assert known(one, True, tmp_path) is None
    assert len(warned) == 1
    gather(one, True, tmp_path, silent)
    assert known(one, True, tmp_path).numbers == (HALF,)


NUMBER = {"what": "a", "value": 1.0, "bar": 0.1, "expected": 1.0, "relation": "="}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *(("numbers", [{**NUMBER, key: None}]) for key in NUMBER),
        *(("numbers", [{**NUMBER, key: "1.0"}]) for key in NUMBER if key != "what"),
        ("numbers", [{**NUMBER, "what": 3}]),
        ("numbers", [{**NUMBER, "what": "\ud800"}]),
        ("numbers", [{**NUMBER, "value": True}]),
        ("numbers", [{**NUMBER, "value": 10**400}]),
        ("numbers", [{**NUMBER, "relation": ["="]}]),
        ("numbers", [{**NUMBER, "more": 1.0}]),
        ("numbers", [None]),
        ("numbers", {}),
        ("numbers", None),
        ("sentences", ["One.", None, "Three."]),
        ("sentences", "One."),
        ("sentences", None),
        ("attributes", ["seconds"]),
        ("attributes", None),
        ("attributes", "seconds"),
    ],
)
def test_a_part_that_is_not_of_its_type_is_one_sentence(tmp_path, name, told):
    path = write_evidence(Evidence("one", (HALF,), {}, ("x",), True), tmp_path / "one.h5")
    with h5py.File(path, "r+") as file:
        file.attrs[name] = json.dumps(told)
    with pytest.raises(InputError, match=r"one\.h5: cannot be read as evidence for a claim$"):
        read_evidence(path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("curves", np.ones(3)),
        ("curves/time", "text"),
        ("curves/time", np.ones(2, dtype=complex)),
        ("curves/time", h5py.Empty("f")),
    ],
)
def test_curves_that_are_none_are_one_sentence(tmp_path, name, told):
    path = write_evidence(Evidence("one", (HALF,), {}, ("x",), True), tmp_path / "one.h5")
    with h5py.File(path, "r+") as file:
        file[name] = told
    with pytest.raises(InputError, match=r"cannot be read as evidence for a claim$"):
        read_evidence(path)


def test_a_size_that_is_a_text_is_one_sentence(tmp_path):
    path = write_evidence(Evidence("one", (HALF,), {}, ("x",), True), tmp_path / "one.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["quick"] = "no"
    with pytest.raises(InputError, match=r"cannot be read as evidence for a claim$"):
        read_evidence(path)


@pytest.mark.parametrize("numbers", [(), (Number("told only", 1.0, 0.1),)])
def test_without_judged_numbers_nothing_holds(numbers):
    one = Evidence("one", numbers, {}, ("x",), True)
    assert not one.holds
    assert one.verdict == "nothing judged"


def test_a_measurement_that_stops_leaves_what_was_there(tmp_path, monkeypatch):
    one = claim("one")
    gather(one, True, tmp_path, silent)

    def stopped(quick, tell):
        raise NumericalFailure("it stopped")

    broken = claim("one")
    object.__setattr__(broken, "measure", stopped)
    with pytest.raises(NumericalFailure, match="it stopped"):
        gather(broken, True, tmp_path, silent)
    assert known(one, True, tmp_path) is not None


def test_a_folder_that_is_none_is_said_before_anything_is_measured(tmp_path):
    measured = []
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="not a folder"):
        gather(claim("one", told=measured), True, tmp_path / "file", silent)
    assert measured == []


def test_evidence_of_a_folder(tmp_path):
    one, two = claim("one"), claim("two")
    with pytest.raises(InputError, match="no such folder"):
        read_all(tmp_path / "none", [one])
    with pytest.raises(InputError, match="no evidence"):
        read_all(tmp_path, [one, two])
    gather(two, True, tmp_path, silent)
    assert list(read_all(tmp_path, [one, two])) == ["two"]
    not_hdf5(tmp_path / "one.h5")
    with pytest.warns(RuntimeWarning, match=r"one\.h5: .*left out$"):
        assert list(read_all(tmp_path, [one, two])) == ["two"]


def test_names(monkeypatch):
    install(monkeypatch, claim("transport_rate"), claim("projection"))
    assert [one.name for one in studied.chosen(())] == ["transport_rate", "projection"]
    picked = studied.chosen(["projection", "transport_rate"])
    assert [one.name for one in picked] == ["transport_rate", "projection"]
    with pytest.raises(InputError, match="'transport_rat': did you mean 'transport_rate'"):
        studied.chosen(["transport_rat"])
    with pytest.raises(InputError, match="'xyz': expected transport_rate, projection"):
        studied.chosen(["xyz"])
    assert listing().splitlines() == [
        "transport_rate  About transport_rate",
        "projection      About projection",
    ]


def test_workload():
    three = [claim("a"), claim("b"), claim("c")]
    assert workload(three, False) == "3 claims, about 12 min on two processors"
    assert workload(three[:1], True) == "1 claim, about 30 s on two processors"
    assert workload([], True) == "nothing to measure"


def test_a_figure_older_than_its_curves_is_one_sentence(tmp_path, monkeypatch):
    one = claim("one")
    install(monkeypatch, one)
    made = gather(one, True, tmp_path, silent)
    studied.figure(made)
    del made.curves["values"]
    with pytest.raises(InputError, match=r"one: its figure cannot .* measure it again"):
        studied.figure(made)


def test_sources_of_a_claim_are_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(own_sources, "STUDIES", tmp_path)
    (tmp_path / "deep").mkdir()
    texts = {
        "start.py": "from meanfield_pde.studies import far\nimport meanfield_pde.studies.deep.low",
        "deep/low.py": "def f():\n    from meanfield_pde.studies.late import thing\n",
        "far.py": "import numpy\nfrom meanfield_pde.studies.start import f\n",
        "late.py": "thing = 1\n",
        "unused.py": "thing = 2\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = own_sources.own_sources(tmp_path / "start.py")
    names = {path.relative_to(tmp_path.resolve()).as_posix() for path in found}
    assert names == set(texts) - {"unused.py"}


def test_fingerprint_follows_the_files(tmp_path, monkeypatch):
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for path in files:
        path.write_text("x = 1\n")
    monkeypatch.setattr(own_sources, "own_sources", lambda start: files)
    before = own_sources.fingerprint(silent)
    assert before == own_sources.fingerprint(silent)
    files[1].write_text("x = 2\n")
    assert own_sources.fingerprint(silent) != before


def test_fingerprint_follows_the_cases_that_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.py"
    monkeypatch.setattr(own_sources, "own_sources", lambda start: [path])
    path.write_text("load('cases/circle.toml')\n")
    found = [own_sources.fingerprint(silent)]
    changes = {"circle.toml": "x = 1", "data/circle.csv": "1, 2", "other.toml": "", "notes": "y"}
    for name, text in changes.items():
        place = tmp_path / "cases" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        found.append(own_sources.fingerprint(silent))
    assert found[4] == found[3]
    assert len(set(found)) == 4
    path.write_text("showcases = 1\n")
    without = own_sources.fingerprint(silent)
    (tmp_path / "cases" / "circle.toml").write_text("x = 2")
    assert own_sources.fingerprint(silent) == without


def test_a_case_that_cannot_be_read_does_not_stop_the_fingerprint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "circle.toml").write_text("x = 1")

    def refused(path):
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", refused)
    assert own_sources.case_files() == {Path("cases/circle.toml"): b""}


def test_claims_that_read_cases():
    from meanfield_pde.studies.claims import certificates, projection

    assert own_sources.reads_cases(certificates.measure)
    assert not own_sources.reads_cases(projection.measure)


def test_real_sources():
    import meanfield_pde.studies.laws as laws

    names = {path.name for path in own_sources.own_sources(Path(laws.__file__))}
    assert {"laws.py", "law_problems.py", "tables.py"} <= names
    assert "published.py" not in names
