"""The grammar of the command line."""

from __future__ import annotations

import argparse

from meanfield_pde import __version__

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
exit codes: 0 finished; 1 methods disagree (crosscheck), or with a known solution (verify), a run is
off the mean field (compare), or a claim does not hold (claim, report); 2 wrong input, nothing was
written (report: of that claim); 3 a computation stopped, what it had computed is in its file; 130
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
    optimum = commands.add_parser(
        "optimum",
        parents=[case],
        help="the minimum of E over measures: atoms, masses, and how far off it may be",
        description="Minimise the energy of a case over probability, non-negative or signed "
        "measures on its space, without a grid, until the duality gap certifies the minimum; "
        "writes atoms and masses as TOML and a figure of the certificate. Example: optimum "
        "cases/spikes_torus.toml",
    )
    optimum.add_argument(
        "--over",
        choices=("probability", "nonnegative", "signed"),
        help="which measures; those of the equation unless given",
    )
    optimum.add_argument("--tolerance", type=float, default=1e-10, help="of the gap; 1e-10")
    optimum.add_argument(
        "--mass", type=float, help="the largest, of measures whose mass is free; [certificate] mass"
    )
    optimum.add_argument("--units", type=int, help="also the best of 1 to so many units")
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
    _add_claims(commands)
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


def _add_claims(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    claim = commands.add_parser(
        "claim",
        help="measure one claim about the equation: its numbers, bars, verdict and figure",
        description="Measure one claim about the equation, such as a rate of decay: numbers with "
        "error bars, what is expected, a verdict, and a figure. Without a name: list the claims. "
        "The exit code is 1 if the claim does not hold. Example: claim transport_rate --quick",
    )
    claim.add_argument("name", nargs="?", help="of the claim")
    claim.add_argument("--quick", action="store_true", help="smaller sizes, for a first look")
    claim.add_argument(
        "--output",
        metavar="FOLDER",
        default="output/claims",
        help="where evidence and figure go; default: output/claims",
    )
    report = commands.add_parser(
        "report",
        usage="%(prog)s [folder] [--quick | --full] [--only NAME ...]",
        help="one HTML page about all claims, from what was measured of them",
        description="Turn what was measured of the claims into one page, report.html in the same "
        "folder. With --quick or --full what is missing, or was made by other sources, is measured "
        "first; a second call goes on where the first was interrupted. The exit code is 1 if a "
        "claim does not hold, 3 if a measurement stopped.",
    )
    report.add_argument(
        "folder", nargs="?", default="output/claims", help="of the evidence; default: output/claims"
    )
    sizes = report.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="first measure, in smaller sizes")
    sizes.add_argument("--full", action="store_true", help="first measure, in full")
    report.add_argument(
        "--only",
        metavar="NAME",
        nargs="+",
        action="extend",
        default=[],
        help="these claims alone",
    )


def _add_tolerance(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--tolerance",
        type=float,
        help="refine until the error bars are below this part of the largest values",
    )
