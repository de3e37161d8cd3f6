"""The command `study`: runs that stop, processes that die, and studies that are none."""

import re

import numpy as np
import pytest
from fragile import fails_on_three, square
from well import WELL, instead, study

from meanfield_pde.case import load, parse
from meanfield_pde.cli import main
from meanfield_pde.errors import NumericalFailure
from meanfield_pde.studies import workers
from meanfield_pde.studies.workers import WorkerDied, all_answers, in_processes


def test_a_run_that_stops_is_a_row(well, capsys):
    """The fixed step is too long for the finest grid."""
    fixed = "time.step={kind = 'fixed', dt = 0.05}"
    result = study(well, fixed, "output.figures=['png']", code=3)
    assert result.outcome[:2] == ("finished", "finished")
    assert result.outcome[2].startswith("stopped at t = 0: transport would empty a cell")
    assert np.isfinite(result.errors["energy"][:2]).all()
    assert np.isnan(result.errors["energy"][2]).all()
    said = capsys.readouterr()
    assert re.search(r"\n *64( +-){4}\n", said.out)
    assert "\nmethod.cells = 64: stopped at t = 0: transport would empty a cell" in said.out
    assert (well.parent / "made" / "well_study.png").exists()
    assert re.fullmatch(r"error: 1 run of the study did not finish: stopped [^\n]+\n", said.err)


def test_a_reference_that_stops_leaves_no_errors(well, capsys):
    fixed = "time.step={kind = 'fixed', dt = 0.05}"
    result = study(well, fixed, "study.against={kind = 'finest'}", "output.figures=['png']", code=3)
    assert result.outcome == ("finished", "finished")
    assert np.isnan(result.errors["energy"]).all()
    assert np.isfinite(result.observed["energy"]).all()
    said = capsys.readouterr().out
    assert "\nthe run with method.cells = 64, taken as exact: stopped at t = 0" in said
    assert not (well.parent / "made" / "well_study.png").exists()  # nothing to draw


def test_a_law_too_narrow_for_one_grid_is_a_row(well):
    settings = [
        "potential={kind = 'quadratic', matrix = [[1.0]]}",
        "space={kind = 'interval', lower = -5.0, upper = 5.0}",
        "initial={kind = 'normal', mean = 0.3, deviation = 0.02}",
    ]
    result = study(well, *settings, "study.refine.method.cells=[8, 256, 512]", code=3)
    assert "expected it to be wider than a cell" in result.outcome[0]
    assert result.outcome[1:] == ("finished", "finished")


@pytest.mark.filterwarnings("always:")
def test_warnings_name_their_run(well, capsys):
    settings = [
        "potential={kind = 'quadratic', matrix = [[-1.0]]}",
        "space={kind = 'interval', lower = -3.0, upper = 3.0}",
        "initial={kind = 'normal', deviation = 0.5}",
        "time.t_end=2.0",
        instead(vary="{terms.birth_death.alpha = [0.0, 1.0]}"),
    ]
    study(well, *settings)
    said = capsys.readouterr().err.splitlines()
    begins = [f"warning: terms.birth_death.alpha = {alpha}: mass gathers" for alpha in (1.0, 0.0)]
    assert [line[: len(begins[0])] for line in said] == begins


def no_study(text):
    return text[: text.index("[study]")]


WRONG_STUDIES = [
    (
        ["study.refine.method.cels=[16, 32]"],
        ["[study] refine", "method.cels = [16, 32]", "3 values"],
    ),
    ([instead(refine="{method.cels = [16, 32, 64]}")], ["cels", "unknown key", "'cells'"]),
    ([instead(refine="{metod.cells = [16, 32, 64]}")], ["metod", "unknown key", "'method'"]),
    ([instead(refine="{terms.diffusion.alpha = [1, 2, 3]}")], ["diffusion", "no table"]),
    ([instead(refine="{method.cells = [2, 16, 32]}")], ["method.cells = 2", "at least 4"]),
    ([instead(refine="{method.cells = ['a', 'b', 'c']}")], ["cells", "'a'", "positive numbers"]),
    ([instead(refine="{method.cells = 16}")], ["refine method.cells", "16", "list"]),
    (["study.refine.time.step.tolerance=[1e-3, 1e-4]"], ["tolerance", "3 values", "method.cells"]),
    (["study.refine.method.cells=[16]"], ["method.cells", "[16]", "at least 2"]),
    (["study.refine.method.cells=[16, 32]", "study.against.kind=finest"], ["at least 3"]),
    (["study.refine.method.cells=[64, 32, 16]"], ["[64, 32, 16]", "from coarse to fine"]),
    (["study.refine.method.cells=[16, 64, 32]"], ["from coarse to fine"]),
    (["study.refine.method.cells=[16, 16, 32]"], ["from coarse to fine"]),
    ([instead(refine="{time.step.tolerance = [1e-6, 1e-5, 1e-4]}")], ["from coarse to fine"]),
    ([instead(vary="{terms.birth_death.alpha = [1.0, 1.0]}")], ["alpha", "different values"]),
    (["study.vary.method.cells=[16, 32]"], ["refine, vary", "one of them"]),
    (["study={processes = 1}"], ["refine, vary", "one of them"]),
    ([instead(refine="{}")], ["refine", "a key and the list of its values"]),
    (["study.against.kind=exactly"], ["against kind", "'exactly'", "'exact'"]),
    (["study.against.cells=3"], ["against", "cells", "unknown key"]),
    (["study.against={kind = 'method'}"], ["against", "method", "is missing"]),
    (
        ["study.against={kind = 'method', method = {cels = 3}}"],
        ["[study] against: [method] cels: unknown key", "'cells'"],
    ),
    (["study.compare=['energie']"], ["compare", "energie", "energy, mass"]),
    (["study.compare=[]"], ["compare", "energy, mass"]),
    (["study.compare=['prediction']"], ["prediction", "no exact one is known"]),
    (["study.processes=0"], ["processes", "0", "at least 1"]),
    (["study.refin.method.cells=[1, 2]"], ["refin", "'refine'"]),
    (
        [instead(vary="{terms.birth_death.alpha = [0.0, 1.0]}", against="{kind = 'exact'}")],
        ["against", "varied"],
    ),
    ([instead(vary="{time.t_end = [1.0, 2.0]}")], ["save times", "1.0", "2.0"]),
    (
        [instead(refine="{method.cells = [16, 24, 36]}")],
        ["density", "36 cells", "16", "divide"],
    ),
    (
        [
            "time.step={kind = 'fixed', dt = 0.1}",
            instead(refine="{time.step.dt = [0.3, 0.2, 0.1]}"),
        ],
        ["dt", "0.3", "0.4", "divides"],
    ),
    (["study.refine.method.cells=[16, 2000000000]"], ["2000000000", "memory"]),
    (
        [
            "potential={kind = 'quadratic', matrix = [[-1.0]]}",
            "space={kind = 'interval', lower = -3.0, upper = 3.0}",
            "initial={kind = 'normal', deviation = 0.5}",
        ],
        ["mass beyond the walls", "wide enough", "on the line"],
    ),
]


@pytest.mark.parametrize(("settings", "mentions"), WRONG_STUDIES, ids=lambda part: str(part[0]))
def test_a_wrong_study_is_one_sentence(well, settings, mentions, capsys, executed):
    options = [word for setting in settings for word in ("--set", setting)]
    assert main(["study", str(well), *options]) == 2
    error = capsys.readouterr().err
    assert re.fullmatch(rf"error: {re.escape(str(well))}: [^\n]+\n", error), error
    for words in mentions:
        assert words in error
    assert executed == []
    assert not (well.parent / "made" / "well_study.h5").exists()


def test_a_case_without_a_study_says_how_to_get_one(well, capsys):
    well.write_text(no_study(WELL))
    assert main(["study", str(well)]) == 2
    assert "--set study.refine.method.cells=[64,128,256]" in capsys.readouterr().err
    result = study(well, instead(refine="{method.cells = [16, 32, 64]}"))
    assert result.orders["energy"][1, 2] == pytest.approx(2.3, abs=0.2)


def test_a_result_that_cannot_be_written_is_found_first(well, capsys, executed):
    (well.parent / "made" / "well_study" / "cells_16.h5").mkdir(parents=True)
    assert main(["study", str(well)]) == 2
    assert "cells_16.h5 cannot be written: it is not a file" in capsys.readouterr().err
    assert executed == []


def test_a_study_in_a_case_file_is_a_value(well):
    case = load(well)
    again = parse(case.text(), "text")
    assert again == case
    assert case.study.refine == {"method.cells": [16, 32, 64]}
    assert case.study.settings(1) == ("method.cells=32",)
    quoted = WELL.replace("refine.method.cells = ", 'refine."method.cells" = ')
    assert parse(quoted, "text") == case


def test_a_process_that_dies_takes_only_its_own_task():
    answers = dict(in_processes(square, [1, 2, 3, 4, 5], 2))
    died = answers.pop(1)
    assert isinstance(died, WorkerDied)
    assert "SIGKILL" in str(died)
    assert answers == {0: 1, 2: 9, 3: 16, 4: 25}


def test_answers_come_in_the_order_of_tasks():
    seen = []
    assert all_answers(square, [4, 1, 3], seen.append) == [16, 1, 9]
    assert sorted(seen) == [1, 9, 16]


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_in_a_process_is_that_of_the_task(processes):
    with pytest.raises(NumericalFailure, match="three is too many"):
        dict(in_processes(fails_on_three, [1, 2, 3, 4], processes))


def test_a_process_that_dies_is_one_sentence(monkeypatch):
    monkeypatch.setattr(workers, "processors", lambda: 2)
    with pytest.raises(NumericalFailure, match="task 2 of 3: its process was ended"):
        all_answers(square, [1, 2, 3], str)
