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
from meanfield_pde.errors import InputError, NumericalFailure

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
    "reproducibility",
    "features",
    "startup",
    "speed",
    "error_bars",
    "work_precision",
)

_EPILOG = """\
exit codes: 0 finished; 1 methods disagree (crosscheck), or with a known solution (verify); 2 wrong
input, nothing was written; 3 a computation stopped, what it had computed is in its file; 130
interrupted, likewise.
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
    crosscheck = commands.add_parser(
        "crosscheck",
        parents=[case],
        help="run a case by all methods that apply: do they agree within their error bars?",
    )
    _add_tolerance(crosscheck)
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
    show = commands.add_parser("show", help="summarise the result file of a run or a study")
    show.add_argument("result", help="a result file")
    plot = commands.add_parser("plot", help="draw the figures of one result, or of two together")
    plot.add_argument("result", help="a result file")
    plot.add_argument("companion", nargs="?", help="a second result on the same physics")
    plot.add_argument("--output", metavar="FOLDER", help="where figures go, instead of beside it")
    plot.add_argument(
        "--format", dest="formats", action="append", choices=("png", "pdf"), help="default: both"
    )
    measure = commands.add_parser("measure", help="print a table of measured accuracy or speed")
    measure.add_argument("table", choices=MEASUREMENTS)
    measure.add_argument("--quick", action="store_true", help="smaller sizes, for a first look")
    return top


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
        "crosscheck": _crosscheck,
        "verify": _verify,
        "list": _list,
        "show": _show,
        "plot": _plot,
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
        print("interrupted; what was computed is kept", file=sys.stderr)
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


def _list(options: argparse.Namespace) -> None:
    from meanfield_pde.studies.listing import listing

    print(listing(Path(options.folder)))


def _show(options: argparse.Namespace) -> None:
    from meanfield_pde.studies.summary import read_result, summary

    print(summary(read_result(options.result)))


def _plot(options: argparse.Namespace) -> None:
    from meanfield_pde.plotting import save_figures
    from meanfield_pde.plotting.refinement import save_study_figure
    from meanfield_pde.results.hdf5 import read
    from meanfield_pde.results.study import StudyResult
    from meanfield_pde.studies.summary import read_result

    path = Path(options.result)
    result = read_result(path)
    companion = read(options.companion) if options.companion else None
    folder = Path(options.output) if options.output else path.parent
    formats = tuple(options.formats or ("png", "pdf"))
    if isinstance(result, StudyResult):
        if companion is not None:
            raise InputError(f"{options.companion}: expected no second result beside a study")
        figures = save_study_figure(result, folder, path.stem, formats)
    else:
        figures = save_figures(result, folder, path.stem, formats, companion)
    for figure in figures:
        print(f"wrote {figure}")


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
def _progress_of_runs(count: int) -> Iterator[Callable[[Run | Ladder, str], None]]:
    from tqdm import tqdm

    with tqdm(total=count, desc="runs", disable=None) as bar:

        def ended(run: Run | Ladder, outcome: str) -> None:
            bar.set_postfix_str(f"{run.label}: {outcome}", refresh=False)
            bar.update()

        yield ended
