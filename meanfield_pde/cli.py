"""The command line: commands only, the work is done elsewhere and imported when needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from meanfield_pde import progress
from meanfield_pde.arguments import parser
from meanfield_pde.errors import InputError, NumericalFailure, require

if TYPE_CHECKING:
    from meanfield_pde.case import Case
    from meanfield_pde.results.solution import Solution
    from meanfield_pde.run import Job

FINISHED, DISAGREEMENT, WRONG_INPUT, STOPPED, INTERRUPTED = 0, 1, 2, 3, 130


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
        "optimum": _optimum,
        "verify": _verify,
        "list": _list,
        "show": _show,
        "plot": _plot,
        "animate": _animate,
        "measure": _measure,
        "claim": _claim,
        "report": _report,
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
            with progress.of_time(job.method.kind, case.time.t_end) as tell:
                results.append(execute(job, tell, optimal=job is work[0]))
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

    with progress.of_refinements(job.method.kind) as tell:
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
    check = crosscheck(case, folder, progress.of_refinements)
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
    compared_runs = compare_all(case, runs, options.runs, progress.of_work)
    for stem, (name, compared) in zip(stems, compared_runs, strict=True):
        print(f"{name} beside the mean field: {case.title}")
        print(case.equation(case.method))
        print(compared)
        named_after = f"{path.stem}_{stem}_comparison"
        for figure in save_comparison_figure(compared, folder, named_after, case.output.figures):
            print(f"wrote {figure}")
        all_as_sampled &= compared.as_sampled
    return FINISHED if all_as_sampled else DISAGREEMENT


def _optimum(options: argparse.Namespace) -> None:
    from meanfield_pde.case import load
    from meanfield_pde.plotting.optimum import save_optimum_figure
    from meanfield_pde.results.disk import check_writable
    from meanfield_pde.studies.optima import (
        check_request,
        optimum_of,
        optimum_table,
        units_table,
        write_optimum,
    )

    path = Path(options.case)
    case = load(path, options.settings, options.allow_code)
    target = _folder(options, case) / f"{path.stem}_optimum.toml"
    check_writable(target)
    check_request(case, options.tolerance, options.units)
    print(case.title)
    energy = case.energy()
    print(energy)
    found = optimum_of(case, options.over, options.tolerance, options.mass)
    print(optimum_table(found, energy.parameters, options.tolerance))
    if options.units is not None:
        print(units_table(case, options.units))
    print(f"wrote {write_optimum(found, case, target)}")
    for figure in save_optimum_figure(
        found, energy.parameters, target.parent, path.stem, case.output.figures
    ):
        print(f"wrote {figure}")


def _verify(options: argparse.Namespace) -> int:
    from meanfield_pde.plotting.verification import save_verification_figure
    from meanfield_pde.results.disk import check_writable
    from meanfield_pde.studies.verification import tasks, verdicts, verify

    folder = Path(options.output)
    check_writable(folder / "verification.png")
    with progress.of_runs(len(tasks(options.quick))) as ended:
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
    with progress.of_runs(len(work.runs)) as ended:
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
        with progress.of_time(work.limit.method.kind, case.time.t_end) as tell:
            limit = mean_field(work, tell)
    with progress.of_ensemble(work.done, work.runs) as ended:
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


def _claim(options: argparse.Namespace) -> int | None:
    from meanfield_pde.plotting import write_figure
    from meanfield_pde.plotting.style import styled
    from meanfield_pde.results.disk import check_writable
    from meanfield_pde.studies.bars import account
    from meanfield_pde.studies.evidence import (
        chosen,
        figure,
        gather,
        known,
        listing,
        place,
        time_needed,
    )

    if options.name is None:
        print(listing())
        return FINISHED
    (claim,) = chosen([options.name])
    folder = Path(options.output)
    path = place(claim, folder)
    drawn = path.with_suffix(".png")
    check_writable(drawn)
    if options.quick and known(claim, False, folder) is not None:
        raise InputError(
            f"{path} holds a full measurement by these sources: expected another --output for a "
            "quick one"
        )
    with progress.of_claim(claim.name, time_needed([claim], options.quick)) as tell:
        evidence = gather(claim, options.quick, folder, tell)
    print(account(claim, evidence))
    print(f"wrote {path}")
    print(f"wrote {styled(write_figure)(figure(evidence), drawn, 'png')}")
    return FINISHED if evidence.holds else DISAGREEMENT


def _report(options: argparse.Namespace) -> int:
    from meanfield_pde.report.page import NAME, write_report
    from meanfield_pde.results.disk import check_writable
    from meanfield_pde.studies.evidence import chosen, gather, missing, time_needed, workload

    folder = Path(options.folder)
    wanted = chosen(options.only)
    left = []
    if options.quick or options.full:
        check_writable(folder / NAME)
        left = missing(wanted, options.quick, folder)
        print(workload(left, options.quick), flush=True)
    code = FINISHED
    for number, claim in enumerate(left, 1):
        name = f"{number} of {len(left)}, {claim.name}"
        try:
            with progress.of_claim(name, time_needed([claim], options.quick)) as tell:
                evidence = gather(claim, options.quick, folder, tell)
        except (InputError, NumericalFailure) as error:
            print(f"error: {claim.name}: {error}", file=sys.stderr)
            code = max(code, WRONG_INPUT if isinstance(error, InputError) else STOPPED)
        else:
            seconds = evidence.attributes["seconds"]
            print(f"{claim.name}: {evidence.verdict} ({seconds:.0f} s)", flush=True)
    try:
        path, found = write_report(folder, wanted)
    except InputError as error:
        if code != STOPPED:
            raise
        print(f"error: {error}", file=sys.stderr)
        return code
    print(f"wrote {path}")
    off = any(not evidence.holds for evidence in found.values())
    return code or (DISAGREEMENT if off else FINISHED)


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
