"""Wrong inputs as a newcomer would type them: one sentence, exit code 2, nothing written."""

import re

import pytest

from meanfield_pde.cli import main

# what is set, and what the sentence must mention: the key, the value or what was expected
WRONG_SETTINGS = [
    (["unit.kapa=2.0"], ["[unit]", "kapa", "'kappa'"]),
    (["untit.kappa=2.0"], ["untit", "unit"]),
    (["unit.kind=von_misses"], ["[unit] kind", "'von_misses'", "'von_mises'"]),
    (["terms.birth_death.balance.kind=median"], ["balance", "'median'", "free", "mean"]),
    (["time.splitting.kind=strong"], ["splitting", "'strong'", "strang"]),
    (["unit.kappa=abc"], ["[unit] kappa", "'abc'", "number"]),
    (["unit.kappa=-1"], ["[unit] kappa", "-1", "positive"]),
    (["method.cells=16.5"], ["cells", "16.5", "integer"]),
    (["method.cells=2"], ["cells", "= 2", "at least 4"]),
    (["method.cells=[16, 16]"], ["cells", "16, 16", "or 1"]),
    (["method.cells=2000000000"], ["[method] cells", "2000000000", "memory"]),
    (["time=3"], ["time", "= 3"]),
    (["time.splitting=strang"], ["splitting", "'strang'"]),
    (["terms.birth_death.alpha=-1"], ["alpha", "-1", ">= 0"]),
    (["terms.birth_death.alpha=nan"], ["alpha", "nan", "finite"]),
    (["terms.birth_death.alpha=fast"], ["[terms] birth_death alpha", "'fast'", "number"]),
    (["terms.birth_death.alpha={expression = 't'}"], ["birth_death alpha kind: is missing"]),
    (
        ["terms.birth_death.alpha={kind = 'formla', expression = 't'}"],
        ["birth_death alpha kind", "'formla'", "'formula'"],
    ),
    (["terms.birth_death.alpha={kind = 'formula'}"], ["birth_death alpha expression: is missing"]),
    (
        ["terms.birth_death.alpha={kind = 'formula', expression = 'exp(-s)'}"],
        ["birth_death alpha", "'exp(-s)'", "'s'"],
    ),
    (
        ["terms.birth_death.alpha={kind = 'formula', expression = '1 - 10*t'}"],
        ["alpha", "'1 - 10*t' is -0.", "at t = 0.", ">= 0"],
    ),
    (
        ["terms.birth_death.alpha={kind = 'piecewise_linear', times = [1, 0], values = [1, 1]}"],
        ["birth_death alpha times", "1.0, 0.0", "increasing"],
    ),
    (
        ["terms.transport.mobility=[{kind = 'piecewise_linear', times = [0], values = [-1]}]"],
        ["transport mobility", "values", "-1.0", ">= 0"],
    ),
    (
        ["terms.transport.mobility=[{kind = 'formula', expression = '-t'}]"],
        ["mobility", "'-t' is -", "at t = ", ">= 0"],
    ),
    (
        ["time.splitting={kind = 'unsplit', method = 'rk4'}"],
        ["splitting method", "'rk4'", "'ssp4'"],
    ),
    (["time.t_end=inf"], ["t_end", "inf", "finite"]),
    (["time.t_end=0"], ["t_end", "= 0", "positive"]),
    (["time.step.kind=fixed", "time.step.dt=0"], ["dt", "= 0", "positive"]),
    (["initial.lower=5", "initial.upper=6"], ["initial", "5.0", "6.0", "3.14"]),
    (["initial.kind=normal"], ["initial", "normal", "circle"]),
    (["initial.kind=product", "initial.factors=[]"], ["initial", "[]", "1"]),
    (
        ["space.kind=interval", "space.lower=-1", "space.upper=1"],
        ["space", "'interval'", "circle"],
    ),
    (
        ["space.kind=box", "space.lower=[-1, -1]", "space.upper=[1, 1]"],
        ["space", "'box'", "1 parameter"],
    ),
    (["potential.kind=cosine_well"], ["[potential]", "[unit]"]),
    (
        ["method.kind=particles", "terms.birth_death.balance={kind='free'}"],
        ["balance", "'free'", "'mean'"],
    ),
    (
        [
            "method.kind=particles",
            "method.algorithm=weights",
            "terms.birth_death.balance={kind='reinjection', law={kind='uniform'}}",
        ],
        ["balance", "'reinjection'", "'mean'", "'weights'"],
    ),
    (["data.kind=line", "data.lower=-1", "data.upper=1", "data.points=9"], ["data", "'line'"]),
    (["terms.transport.mobility=[1.0, 1.0]"], ["mobility", "1.0, 1.0", "1"]),
    (["terms.transport.mobility=[-1.0]"], ["mobility", "-1.0"]),
    (["target.masses=[1.0]"], ["[target] masses", "1.0", "3"]),
    (["output.figures=['svg']"], ["figures", "'svg'", "'png'"]),
    (
        ["output.save={kind = 'at', values = [2, 1]}"],
        ["save", "values", "2.0, 1.0", "increasing"],
    ),
    (["terms=[]"], ["terms", "[]"]),
    (["nonsense"], ["nonsense", "table.key=value"]),
    (["terms.diffusion.alpha=1"], ["terms.diffusion.alpha", "'diffusion'"]),
    (["terms.7.alpha=1"], ["terms.7.alpha", "'7'"]),
    (["title=3"], ["title", "= 3", "string"]),
    (["method.kind=particles", "method.algorithm=leaps"], ["algorithm", "'leaps'", "notebook"]),
    (["method.kind=particles", "method.batch=0"], ["[method] batch", "= 0", "at least 1"]),
    (
        ["time.splitting={kind='particle_limit'}"],
        ["[time] splitting", "'particle_limit'", "finite_volumes"],
    ),
    (["companion.number=0"], ["[companion] number", "= 0", "at least 1"]),
]


@pytest.fixture
def refuse(circle_case, capsys, monkeypatch):
    """Run the program in the case's folder; its one sentence, after checking it is just that."""
    monkeypatch.chdir(circle_case.parent)

    def run(*arguments):
        before = sorted(circle_case.parent.rglob("*"))
        capsys.readouterr()
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert re.fullmatch(r"error: [^\n]+\n", error), error
        assert "Traceback" not in error
        assert sorted(circle_case.parent.rglob("*")) == before
        return error

    return run


@pytest.mark.parametrize(("settings", "mentions"), WRONG_SETTINGS, ids=lambda part: part[0])
def test_a_wrong_value_is_one_sentence(settings, mentions, refuse):
    options = [word for setting in settings for word in ("--set", setting)]
    for command in ("run", "check"):
        error = refuse(command, "circle.toml", *options)
        for words in mentions:
            assert words in error


def test_missing_tables_and_keys(circle_case, refuse):
    text = circle_case.read_text()
    circle_case.write_text(text.replace("kappa = 2.0\n", ""))
    assert "[unit] kappa: is missing" in refuse("run", "circle.toml")
    circle_case.write_text(text.replace('kind = "von_mises"\n', ""))
    assert "[unit] kind: is missing" in refuse("run", "circle.toml")
    circle_case.write_text(text.replace("[data]", "[date]"))
    assert "did you mean 'data'?" in refuse("run", "circle.toml")
    start, end = text.index("[target]"), text.index("[data]")
    circle_case.write_text(text[:start] + text[end:])
    assert "[target] is missing" in refuse("run", "circle.toml")


def test_files_that_are_not_cases(circle_case, refuse):
    assert "nowhere.toml" in refuse("run", "nowhere.toml")
    assert "cannot be read" in refuse("check", str(circle_case.parent))
    circle_case.write_text("alpha = [")
    assert "circle.toml: is not valid TOML" in refuse("run", "circle.toml")
    circle_case.write_bytes(b"\xff\xfe\x00title")
    assert "UTF-8" in refuse("run", "circle.toml")


def test_a_folder_that_cannot_be_written(circle_case, refuse):
    (circle_case.parent / "taken").write_text("a file")
    error = refuse("run", "circle.toml", "--output", "taken")
    assert "taken" in error
    assert "cannot be written" in error
    (circle_case.parent / "blocked" / "circle.h5").mkdir(parents=True)
    assert "it is not a file" in refuse("run", "circle.toml", "--output", "blocked")


def test_a_companion_that_cannot_be_written_is_found_before_anything_runs(circle_case, refuse):
    (circle_case.parent / "made" / "circle_particles.h5").mkdir(parents=True)
    settings = ["--set", "companion.kind=particles", "--set", "companion.number=20"]
    assert "circle_particles.h5" in refuse("run", "circle.toml", *settings)


def test_numbers_of_threads(refuse, set_threads):
    for wrong in ("0", "-1", "9999"):
        error = refuse("run", "circle.toml", "--threads", wrong)
        assert f"--threads {wrong}: expected a number from 1 to" in error


def test_results_that_are_none(refuse, circle_case):
    assert "there is no such file" in refuse("plot", "nowhere.h5")
    assert "circle.toml cannot be read" in refuse("plot", "circle.toml")


def test_an_earlier_result_survives_a_wrong_input(circle_case, refuse, capsys):
    assert main(["run", str(circle_case)]) == 0
    result = circle_case.parent / "made" / "circle.h5"
    before = result.read_bytes()
    refuse("run", "circle.toml", "--set", "unit.kappa=-1")
    assert result.read_bytes() == before


@pytest.mark.parametrize("words", ["", "run", "walk x", "run x --threads two"])
def test_a_wrong_command_line_shows_how_to_use_it(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words.split())
    assert end.value.code == 2
    assert "usage: python -m meanfield_pde" in capsys.readouterr().err
