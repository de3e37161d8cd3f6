"""`claim` and `report` as typed: what they say, what they write, their exit codes."""

import sys
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from matplotlib.figure import Figure
from well import WELL

from meanfield_pde.cli import DISAGREEMENT, FINISHED, INTERRUPTED, STOPPED, WRONG_INPUT, main
from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.results.evidence import Number
from meanfield_pde.studies import claims
from meanfield_pde.studies.claims.claim import Claim, Findings
from meanfield_pde.studies.evidence import WHERE


def figure(curves):
    drawn = Figure(figsize=(2.0, 1.0))
    drawn.add_subplot().plot(curves["time"], curves["time"])
    return drawn


@pytest.fixture
def there_are(monkeypatch, tmp_path):
    """Make these the claims there are, by name: a number, or an error; says what is measured."""
    monkeypatch.chdir(tmp_path)
    measured = []

    def install(**outcomes):
        def claim(name):
            def measure(quick, tell):
                measured.append((name, quick))
                tell("a curve")
                if isinstance(outcomes[name], BaseException):
                    raise outcomes[name]
                number = Number("rate", outcomes[name], 0.01, 1.0, "=")
                return Findings((number,), {"time": np.ones(2)}, ("Seen.", "Found.", "Limits."))

            texts = (f"About {name}", f"That {name} is so.", "always", "derived")
            return Claim(name, *texts, (0.25, 3.0), measure)

        monkeypatch.setattr(claims, "NAMES", tuple(outcomes))
        monkeypatch.setattr(claims, "claim", claim)
        for name in outcomes:
            place = f"meanfield_pde.plotting.claims.{name}"
            monkeypatch.setitem(sys.modules, place, SimpleNamespace(figure=figure))
        return measured

    return install


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("value", "code", "verdict"),
    [(1.002, FINISHED, "holds"), (2.0, DISAGREEMENT, "1 of 1 numbers are off")],
)
def test_one_claim(there_are, tmp_path, capsys, value, code, verdict):
    measured = there_are(decay=value)
    assert main(["claim", "decay", "--quick"]) == code
    assert measured == [("decay", True)]
    out = capsys.readouterr().out
    for words in ("That decay is so.", "Hypotheses: always", f"{value:.3f} ± 0.010", verdict):
        assert words in out
    assert "Seen.\nFound.\nLimits.\n" in out
    assert out.endswith("wrote output/claims/decay.h5\nwrote output/claims/decay.png\n")
    assert names(tmp_path / "output" / "claims") == ["decay.h5", "decay.png"]


def test_without_a_name_claims_are_listed(there_are, tmp_path, capsys):
    measured = there_are(decay=1.0, growth=1.0)
    assert main(["claim"]) == FINISHED
    assert capsys.readouterr().out == "decay   About decay\ngrowth  About growth\n"
    assert measured == []
    assert names(tmp_path) == []


@pytest.mark.parametrize("words", [["claim", "deacy"], ["report", "--quick", "--only", "deacy"]])
def test_an_unknown_name_is_one_sentence(there_are, tmp_path, capsys, words):
    there_are(decay=1.0, growth=1.0)
    assert main(words) == WRONG_INPUT
    error = capsys.readouterr().err
    assert error == "error: there is no claim 'deacy': did you mean 'decay'?\n"
    assert names(tmp_path) == []


def test_a_measurement_that_stops(there_are, tmp_path, capsys):
    there_are(decay=NumericalFailure("the step became too short"))
    assert main(["claim", "decay", "--output", "made"]) == STOPPED
    assert capsys.readouterr().err == "error: the step became too short\n"
    assert names(tmp_path / "made") == []


def test_a_report_measures_what_is_missing(there_are, tmp_path, capsys):
    measured = there_are(decay=1.0, growth=1.0)
    main(["claim", "growth", "--quick", "--output", "made"])
    capsys.readouterr()
    assert main(["report", "made", "--quick"]) == FINISHED
    assert measured == [("growth", True), ("decay", True)]
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "1 claim, about 15 s on two processors",
        "decay: holds (0 s)",
        "wrote made/report.html",
    ]
    assert main(["report", "made", "--quick"]) == FINISHED
    assert len(measured) == 2
    assert "nothing to measure" in capsys.readouterr().out
    assert main(["report", "made", "--full", "--only", "decay"]) == FINISHED
    assert measured[2:] == [("decay", False)]


def test_a_report_without_flags_only_reads(there_are, tmp_path, capsys):
    measured = there_are(decay=2.0, growth=1.0)
    main(["claim", "decay", "--output", "made"])
    capsys.readouterr()
    assert main(["report", "made"]) == DISAGREEMENT
    assert len(measured) == 1
    assert capsys.readouterr().out == "wrote made/report.html\n"
    assert "not measured" in (tmp_path / "made" / "report.html").read_text(encoding="utf-8")


def test_a_claim_that_stops_does_not_stop_the_others(there_are, tmp_path, capsys):
    there_are(decay=NumericalFailure("it stopped"), growth=1.0)
    assert main(["report", "made", "--full"]) == STOPPED
    out, error = capsys.readouterr()
    assert out.startswith("2 claims, about 6 min on two processors\ngrowth: holds")
    assert error == "error: decay: it stopped\n"
    assert names(tmp_path / "made") == ["growth.h5", "report.html"]


def test_a_report_of_which_nothing_is_left_stopped(there_are, tmp_path, capsys):
    there_are(decay=NumericalFailure("it stopped"))
    assert main(["report", "made", "--quick"]) == STOPPED
    error = capsys.readouterr().err.splitlines()
    assert error[0] == "error: decay: it stopped"
    assert "no evidence" in error[1]
    assert names(tmp_path / "made") == []


@pytest.mark.parametrize(
    ("other", "code"),
    [(1.0, WRONG_INPUT), (2.0, WRONG_INPUT), (NumericalFailure("it stopped"), STOPPED)],
)
def test_wrong_input_of_one_claim_does_not_end_the_others(there_are, tmp_path, capsys, other, code):
    missing = InputError("cases/x.toml: cannot be read (No such file or directory)")
    measured = there_are(decay=missing, growth=other, last=1.0)
    assert main(["report", "made", "--quick"]) == code
    assert [name for name, _ in measured] == ["decay", "growth", "last"]
    assert "last.h5" in names(tmp_path / "made")
    first = capsys.readouterr().err.splitlines()[0]
    assert first == f"error: decay: {missing}; {WHERE}"


def test_cases_that_are_elsewhere_are_said_of_a_claim(there_are, tmp_path, capsys):
    there_are(decay=InputError("cases/x.toml: cannot be read"))
    assert main(["claim", "decay"]) == WRONG_INPUT
    assert capsys.readouterr().err == f"error: cases/x.toml: cannot be read; {WHERE}\n"
    (tmp_path / "cases").mkdir()
    assert main(["claim", "decay"]) == WRONG_INPUT
    assert capsys.readouterr().err == "error: cases/x.toml: cannot be read\n"


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        (["claim", "decay", "--output", "made"], "decay.png"),
        (["report", "made", "--quick"], "report.html"),
        (["report", "made", "--full"], "report.html"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_measured(
    there_are, tmp_path, capsys, words, taken
):
    measured = there_are(decay=1.0)
    (tmp_path / "made" / taken).mkdir(parents=True)
    assert main(words) == WRONG_INPUT
    error = capsys.readouterr().err
    assert error == f"error: made/{taken} cannot be written: it is not a file\n"
    assert measured == []


def test_tables_of_a_case_are_shown_apart_from_their_names(tmp_path, capsys):
    path = tmp_path / "well.toml"
    path.write_text(WELL)
    assert main(["run", str(path), "--output", str(tmp_path)]) == FINISHED
    with h5py.File(tmp_path / "well.h5", "r+") as file:
        file.attrs["case"] = "[certificate]\nmass = 2\n[birth_and_death]\na = 1\n[time]\nb = 3\n"
    capsys.readouterr()
    assert main(["show", str(tmp_path / "well.h5")]) == FINISHED
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == ["certificate mass = 2", "birth_and_death a = 1", "time       b = 3"]


def test_an_interrupted_report_goes_on(there_are, tmp_path, capsys):
    measured = there_are(decay=1.0, growth=KeyboardInterrupt())
    assert main(["report", "made", "--quick"]) == INTERRUPTED
    assert names(tmp_path / "made") == ["decay.h5"]
    measured.clear()
    there_are(decay=1.0, growth=1.0)
    assert main(["report", "made", "--quick"]) == FINISHED
    assert measured == [("growth", True)]


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_without_evidence_is_one_sentence(there_are, tmp_path, capsys, made):
    there_are(decay=1.0)
    if made:
        (tmp_path / "made").mkdir()
    assert main(["report", "made"]) == WRONG_INPUT
    error = capsys.readouterr().err
    assert error.startswith("error: made: ")
    assert error.count("\n") == 1
    assert ("no evidence" in error) == made
    assert not (tmp_path / "made" / "report.html").exists()


def test_quick_and_full_exclude_each_other(there_are, capsys):
    there_are(decay=1.0)
    with pytest.raises(SystemExit):
        main(["report", "--quick", "--full"])
    assert "not allowed with" in capsys.readouterr().err
