"""The command line: commands only, the work is done elsewhere and imported when needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from meanfield_pde import __version__
from meanfield_pde.errors import InputError, NumericalFailure, require

if TYPE_CHECKING:
    from meanfield_pde.case import Case
    from meanfield_pde.evolution import Progress
    from meanfield_pde.results.solution import Solution
    from meanfield_pde.run import Job
    from meanfield_pde.studies.convergence import Refined
    from meanfield_pde.studies.refinement import Run
    from meanfield_pde.studies.verification import Ladder

FINISHED, DISAGREEMENT, WRONG_INPUT, STOPPED, INTERRUPTED = 0, 1, 2, 3, 130

MEASUREMENTS = (
    "reference",
    "full_support",
    "orders",
    "splitting",
    "invariants",
    "spikes",
    "laws",
    "relu",
    "regression",
    "likelihood",
    "gradients",
    "plateau",
    "tail",
    "particles",
    "fluctuations",
    "published",
    "student_teacher",
    "particle_speed",
    "reinjection",
    "rates",
    "reproducibility",
    "features",
    "startup",
    "speed",
    "error_bars",
    "work_precision",
)

_EPILOG = """\
exit codes: 0 finished; 1 methods disagree (crosscheck), or with a known solution (verify), or a run
is off the mean field (compare); 2 wrong input, nothing was written; 3 a computation stopped, what
it had computed is in its file; 130 interrupted, likewise.
"""


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="python -m meanfield_pde",
        description="The mean-field equation of neural network training, with birth and death.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    case = argparse.ArgumentParser(add_help=False)
    case.add_argument("case", help="a case file (TOML)")
    case.add_argument(
        "--set",
        dest="settings",
        metavar="table.key=value",
        action="append",
        default=[],
        help="change one value of the case; may be repeated",
    )
    case.add_argument("--output", metavar="FOLDER", help="where files go, instead of the case's")
    case.add_argument(
        "--allow-code", action="store_true", help="load and run the functions that the case names"
    )

    run = commands.add_parser("run", parents=[case], help="run a case and draw its figures")
    run.add_argument("--threads", type=int, help="number of threads (same bits for any)")
    _add_tolerance(run)
    check = commands.add_parser(
        "check", parents=[case], help="validate a case, print equation, sizes and cost"
    )
    _add_tolerance(check)
    commands.add_parser(
        "study",
        parents=[case],
        help="run a case for each value of its [study]: errors and orders, or observables",
        description="Run a case once for each value of its [study] table, in parallel; a second "
        "call runs only what is new. Example: study cases/cosine_interacting.toml --set "
        "study.refine.method.cells=[32,64,128] --set study.against.kind=exact",
    )
    ensemble = commands.add_parser(
        "ensemble",
        parents=[case],
        help="run a case's particles many times: mean, errors and quantiles of the energy",
        description="Run the particles of a case many times, in parallel, each run with a seed of "
        "its own drawn from that of the case; a second call with more runs adds those. Example: "
        "ensemble cases/quickstart.toml --runs 100 --set companion.number=500",
    )
    ensemble.add_argument("--runs", type=int, required=True, help="how many")
    ensemble.add_argument(
        "--processes", type=int, help="how many at a time (same bits for any); default: processors"
    )
    crosscheck = commands.add_parser(
        "crosscheck",
        parents=[case],
        help="run a case by all methods that apply: do they agree within their error bars?",
    )
    _add_tolerance(crosscheck)
    _add_compare(commands, case)
    verify = commands.add_parser(
        "verify",
        help="run all problems with a known solution by all methods: errors, orders, verdicts",
        description="Run all problems with a known solution by all methods that apply, in parallel "
        "(2 minutes on two cores): errors, observed orders, verdicts, and a figure of errors "
        "against CPU time. The exit code is 1 if an expectation is missed.",
    )
    verify.add_argument("--quick", action="store_true", help="problems of one parameter alone")
    verify.add_argument(
        "--output",
        metavar="FOLDER",
        default="output",
        help="where the figure goes; default: output",
    )
    listing = commands.add_parser("list", help="list the case files of a folder")
    listing.add_argument("folder", nargs="?", default="cases", help="default: cases")
    show = commands.add_parser("show", help="summarise a result file")
    show.add_argument("result", help="a result file")
    plot = commands.add_parser("plot", help="draw the figures of one result, or of two together")
    plot.add_argument("result", help="a result file")
    plot.add_argument("companion", nargs="?", help="a second result on the same physics")
    plot.add_argument("--output", metavar="FOLDER", help="where figures go, instead of beside it")
    plot.add_argument(
        "--format", dest="formats", action="append", choices=("png", "pdf"), help="default: both"
    )
    animate = commands.add_parser(
        "animate", help="an animated GIF of a density, and of particles beside it"
    )
    animate.add_argument("result", help="a result file with a density, or of particles")
    animate.add_argument("particles", nargs="?", help="a result file of particles beside it")
    animate.add_argument("--output", metavar="FOLDER", help="where it goes, instead of beside it")
    measure = commands.add_parser("measure", help="print a table of measured accuracy or speed")
    measure.add_argument("table", choices=MEASUREMENTS)
    measure.add_argument("--quick", action="store_true", help="smaller sizes, for a first look")
    return top


def _add_compare(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], case: argparse.ArgumentParser
) -> None:
    command = commands.add_parser(
        "compare",
        parents=[case],
        help="compare runs of your own with the mean field of a case",
        description="Compare particles from files with the mean field of a case: gaps in energy, "
        "prediction, moments and Wasserstein distances, of which sampling, time step and solver. "
        "Files: .npz or .h5 with arrays positions (times, particles, parameters), time or steps, "
        "and if need be weights and the names of parameters; .npy with positions alone; .csv with "
        "columns time or steps, particle, and one for each parameter; results of this package. The "
        "exit code is 1 if a run is off. Example: compare cases/quickstart.toml training.npz "
        "--learning-rate 0.5 --neurons-output 1/N --loss 1/2",
    )
    command.add_argument("trajectories", nargs="+", metavar="run", help="a file of particles")
    unit = command.add_argument_group("what the times of the runs are (there is no default)")
    unit.add_argument("--time-unit", choices=("mean_field", "steps"), help="times, or their count")
    unit.add_argument("--step", type=float, help="mean-field time of a step, where it is known")
    unit.add_argument("--learning-rate", type=float, help="eta of theta <- theta - eta dL/dtheta")
    unit.add_argument(
        "--neurons-output", metavar="1/N|1/sqrt(N)", help="f = 1/N sum phi or 1/sqrt(N) sum c psi"
    )
    unit.add_argument("--loss", metavar="1/2|1|case", help="L = 1/2 or 1 int |f - f*|^2, or other")
    unit.add_argument("--every", type=float, help="steps between positions, in files without times")
    command.add_argument("--order", help='axes of positions, such as "particles,times,parameters"')
    command.add_argument("--runs", type=int, default=16, help="of the package, at least 8; 16")
    command.add_argument("--times", type=int, default=8, help="the most that are compared; 8")


def _add_tolerance(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--tolerance",
        type=float,
        help="refine until the error bars are below this part of the largest values",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = parser().parse_args(arguments)
    commands: dict[str, Callable[[argparse.Namespace], int | None]] = {
        "run": _run,
        "check": _check,
        "study": _study,
        "ensemble": _ensemble,
        "crosscheck": _crosscheck,
        "compare": _compare,
        "verify": _verify,
        "list": _list,
        "show": _show,
        "plot": _plot,
        "animate": _animate,
        "measure": _measure,
    }
    _plain_warnings()
    try:
        return commands[options.command](options) or FINISHED
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_INPUT
    except NumericalFailure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return STOPPED
    except MemoryError:
        print("error: not enough memory: take fewer cells, nodes or particles", file=sys.stderr)
        return WRONG_INPUT
    except BrokenPipeError:
        # Whoever read the output has gone; without this the interpreter would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("interrupted; what had been written is kept", file=sys.stderr)
        return INTERRUPTED
    return FINISHED


def _settings(options: argparse.Namespace) -> list[str]:
    """What changes the case, a tolerance included."""
    tolerance = getattr(options, "tolerance", None)
    return options.settings + [f"accuracy.tolerance={tolerance}"] * (tolerance is not None)


def _jobs(options: argparse.Namespace) -> list[Job]:
    from meanfield_pde.case import load
    from meanfield_pde.run import jobs

    path = Path(options.case)
    case = load(path, _settings(options), options.allow_code)
    return jobs(case, path.stem, _folder(options, case))


def _folder(options: argparse.Namespace, case: Case) -> Path:
    """Where the files of a case go."""
    if options.output:
        return Path(options.output)
    return Path(options.case).parent / case.output.folder if case.output.folder else Path("output")


def _check(options: argparse.Namespace) -> None:
    from meanfield_pde.run import describe

    for job in _jobs(options):
        describe(job, print)
        if job.case.accuracy is not None and job.method == job.case.method:
            from meanfield_pde.studies.answers import plan

            print(plan(job.case, job.case.accuracy))
        print()


def _run(options: argparse.Namespace) -> None:
    _use_threads(options.threads)
    work = _jobs(options)
    case = work[0].case
    from meanfield_pde.results.disk import check_writable
    from meanfield_pde.run import execute

    for job in work:
        check_writable(job.path)
    print(case.title)
    print(work[0].equation)
    results = []
    for job in work:
        if case.accuracy is not None and job is work[0]:
            results.append(_converge(job))
        else:
            with _progress(job.method.kind, case.time.t_end) as progress:
                results.append(execute(job, progress))
        print(f"wrote {job.path}")
    if len(results) == 2:
        from meanfield_pde.studies.comparison import comparison_table

        print(comparison_table(*results))
    if case.output.figures:
        from meanfield_pde.plotting import save_figures

        path = work[0].path
        for figure in save_figures(
            results[0], path.parent, path.stem, case.output.figures, *results[1:]
        ):
            print(f"wrote {figure}")


def _converge(job: Job) -> Solution:
    from meanfield_pde.results.hdf5 import read
    from meanfield_pde.studies.answers import answer_table, converge

    with _progress_of_refinements(job.method.kind) as tell:
        answer = converge(job, tell)
    print(answer_table(answer))
    return read(job.path)


def _crosscheck(options: argparse.Namespace) -> int:
    from meanfield_pde.case import load
    from meanfield_pde.plotting.crosscheck import save_crosscheck_figure
    from meanfield_pde.studies.crosscheck import agreement_table, crosscheck

    path = Path(options.case)
    case = load(path, _settings(options), options.allow_code)
    folder = _folder(options, case) / f"{path.stem}_crosscheck"
    print(case.title)
    print(case.equation(case.method))
    check = crosscheck(case, folder, _progress_of_refinements)
    print(agreement_table(check))
    formats = case.output.figures or ("png",)
    for figure in save_crosscheck_figure(check, folder.parent, folder.name, formats):
        print(f"wrote {figure}")
    return FINISHED if check.agree else DISAGREEMENT


def _compare(options: argparse.Namespace) -> int:
    from meanfield_pde.case import load
    from meanfield_pde.plotting.comparison import save_comparison_figure
    from meanfield_pde.results.disk import check_writable
    from meanfield_pde.results.time_unit import TimeUnit
    from meanfield_pde.studies.comparison import LEAST_RUNS, compare_all, read_runs

    path = Path(options.case)
    case = load(path, options.settings, options.allow_code)
    named = (options.step, options.learning_rate, options.neurons_output, options.loss)
    descent = any(value is not None for value in named[1:])
    kind = options.time_unit or ("steps" if descent else None)
    require(kind is not None or options.step is None, "step", options.step, "a --time-unit with it")
    unit = TimeUnit(kind, *named) if kind else None  # type: ignore[arg-type]
    require(options.runs >= LEAST_RUNS, "runs", options.runs, f"at least {LEAST_RUNS}")
    how = (unit, options.every, options.order, options.times)
    runs = read_runs(case, options.trajectories, *how)
    folder = _folder(options, case)
    check_writable(folder / f"{path.stem}.png")
    all_as_sampled = True
    stems = [name.stem for name in runs]
    if len(set(stems)) < len(stems):
        stems = [f"{stem}_{number}" for number, stem in enumerate(stems, 1)]
    compared_runs = compare_all(case, runs, options.runs, _progress_of_work)
    for stem, (name, compared) in zip(stems, compared_runs, strict=True):
        print(f"{name} beside the mean field: {case.title}")
        print(case.equation(case.method))
        print(compared)
        named_after = f"{path.stem}_{stem}_comparison"
        for figure in save_comparison_figure(compared, folder, named_after, case.output.figures):
            print(f"wrote {figure}")
        all_as_sampled &= compared.as_sampled
    return FINISHED if all_as_sampled else DISAGREEMENT


def _verify(options: argparse.Namespace) -> int:
    from meanfield_pde.plotting.verification import save_verification_figure
    from meanfield_pde.results.disk import check_writable
    from meanfield_pde.studies.verification import tasks, verdicts, verify

    folder = Path(options.output)
    check_writable(folder / "verification.png")
    with _progress_of_runs(len(tasks(options.quick))) as ended:
        ladders = verify(options.quick, ended)
    print(verdicts(ladders))
    for figure in save_verification_figure(ladders, folder):
        print(f"wrote {figure}")
    return FINISHED if all(ladder.passed for ladder in ladders) else DISAGREEMENT


def _study(options: argparse.Namespace) -> None:
    from meanfield_pde.case import load
    from meanfield_pde.studies.refinement import check_finished, conduct, plan
    from meanfield_pde.studies.summary import study_tables

    path = Path(options.case)
    case = load(path, options.settings, options.allow_code)
    work = plan(path, options.settings, _folder(options, case), options.allow_code)
    print(case.title)
    print(work.equation)
    with _progress_of_runs(len(work.runs)) as ended:
        result = conduct(work, ended)
    print(study_tables(result))
    print(f"wrote {work.path}")
    if case.output.figures:
        from meanfield_pde.plotting.refinement import save_study_figure

        for figure in save_study_figure(
            result, work.path.parent, work.path.stem, case.output.figures
        ):
            print(f"wrote {figure}")
    check_finished(result)


def _ensemble(options: argparse.Namespace) -> None:
    from meanfield_pde.case import load
    from meanfield_pde.plotting.ensemble import save_ensemble_figure
    from meanfield_pde.studies.ensembles import check_finished, conduct, mean_field, plan
    from meanfield_pde.studies.summary import ensemble_table

    path = Path(options.case)
    case = load(path, options.settings, options.allow_code)
    folder = _folder(options, case)
    counts = (options.runs, options.processes)
    work = plan(path, options.settings, folder, *counts, options.allow_code)
    print(case.title)
    print(case.equation(work.method))
    limit = None
    if work.limit is not None:
        with _progress(work.limit.method.kind, case.time.t_end) as progress:
            limit = mean_field(work, progress)
    with _progress_of_ensemble(work.done, work.runs) as ended:
        result = conduct(work, limit, ended)
    print(ensemble_table(result))
    print(f"wrote {work.path}")
    for figure in save_ensemble_figure([result], folder, work.path.stem, case.output.figures):
        print(f"wrote {figure}")
    check_finished(result)


def _list(options: argparse.Namespace) -> None:
    from meanfield_pde.studies.listing import listing

    print(listing(Path(options.folder)))


def _show(options: argparse.Namespace) -> None:
    from meanfield_pde.studies.summary import read_result, summary

    print(summary(read_result(options.result)))


def _plot(options: argparse.Namespace) -> None:
    from meanfield_pde.plotting import save_figures
    from meanfield_pde.plotting.ensemble import save_ensemble_figure
    from meanfield_pde.plotting.refinement import save_study_figure
    from meanfield_pde.results.ensemble import EnsembleResult, read_ensemble
    from meanfield_pde.results.hdf5 import read
    from meanfield_pde.results.study import StudyResult
    from meanfield_pde.studies.summary import read_result

    path = Path(options.result)
    result = read_result(path)
    folder = Path(options.output) if options.output else path.parent
    formats = tuple(options.formats or ("png", "pdf"))
    if isinstance(result, EnsembleResult):
        others = [read_ensemble(options.companion)] if options.companion else []
        for figure in save_ensemble_figure([result, *others], folder, path.stem, formats):
            print(f"wrote {figure}")
        return
    companion = read(options.companion) if options.companion else None
    if isinstance(result, StudyResult):
        if companion is not None:
            raise InputError(f"{options.companion}: expected no second result beside a study")
        figures = save_study_figure(result, folder, path.stem, formats)
    else:
        figures = save_figures(result, folder, path.stem, formats, companion)
    for figure in figures:
        print(f"wrote {figure}")


def _animate(options: argparse.Namespace) -> None:
    from meanfield_pde.plotting.animation import save_animation
    from meanfield_pde.results.hdf5 import read

    path = Path(options.result)
    particles = read(options.particles) if options.particles else None
    folder = Path(options.output) if options.output else path.parent
    print(f"wrote {save_animation(read(path), folder / f'{path.stem}.gif', particles)}")


def _measure(options: argparse.Namespace) -> None:
    from importlib import import_module

    import_module(f"meanfield_pde.studies.{options.table}").main(options.quick)


def _use_threads(threads: int | None) -> None:
    if threads is None:
        return
    import numba

    try:
        numba.set_num_threads(threads)
    except ValueError:
        most = numba.get_num_threads()
        raise InputError(f"--threads {threads}: expected a number from 1 to {most}") from None


def _plain_warnings() -> None:
    import warnings

    def show(message: Warning | str, *_: object) -> None:
        print(f"warning: {message}", file=sys.stderr)

    warnings.showwarning = show  # type: ignore[assignment]


@contextmanager
def _progress(name: str, t_end: float) -> Iterator[Progress]:
    from tqdm import tqdm

    with tqdm(
        total=t_end,
        desc=name,
        disable=None,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| t = {n:.4g} of {total:.4g} "
        "[{elapsed}]{postfix}",
    ) as bar:

        def update(time: float, energy: float) -> None:
            bar.set_postfix_str(f"E = {energy:.6g}", refresh=False)
            bar.update(time - bar.n)

        yield update


@contextmanager
def _progress_of_refinements(name: str) -> Iterator[Callable[[Refined], None]]:
    from tqdm import tqdm

    with tqdm(desc=name, unit=" runs", disable=None) as bar:

        def tell(answer: Refined) -> None:
            bar.set_postfix_str(f"error bar {answer.error:.1e}", refresh=False)
            bar.update(answer.runs - bar.n)

        yield tell


@contextmanager
def _progress_of_work(name: str, pieces: int) -> Iterator[Callable[[str], None]]:
    from tqdm import tqdm

    with tqdm(total=pieces, desc=name, disable=None) as bar:

        def tell(done: str) -> None:
            bar.set_postfix_str(done, refresh=False)
            bar.update()

        yield tell


@contextmanager
def _progress_of_runs(count: int) -> Iterator[Callable[[Run | Ladder, str], None]]:
    from tqdm import tqdm

    with tqdm(total=count, desc="runs", disable=None) as bar:

        def ended(run: Run | Ladder, outcome: str) -> None:
            bar.set_postfix_str(f"{run.label}: {outcome}", refresh=False)
            bar.update()

        yield ended


@contextmanager
def _progress_of_ensemble(done: int, runs: int) -> Iterator[Callable[[int, str], None]]:
    from tqdm import tqdm

    with tqdm(total=max(runs, done), initial=done, desc="runs", unit=" runs", disable=None) as bar:

        def ended(number: int, outcome: str) -> None:
            bar.set_postfix_str(f"run {number}: {outcome}", refresh=False)
            bar.update()

        yield ended
