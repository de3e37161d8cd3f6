"""The program as a user starts it, in a process of its own: output, exit codes, interruptions."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import meanfield_pde as mf

PROGRAM = [sys.executable, "-m", "meanfield_pde"]


def typed(folder, *words):
    return subprocess.run(
        [*PROGRAM, *words], cwd=folder, capture_output=True, text=True, timeout=120
    )


def test_a_run_says_what_it_solves_and_what_it_wrote(circle_case):
    done = typed(circle_case.parent, "run", "circle.toml")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Three units on the circle" in done.stdout
    assert "d_t mu = - alpha (V - <V>) mu + div(mu grad V)" in done.stdout
    assert "wrote made/circle.h5" in done.stdout
    solution = mf.read(circle_case.parent / "made" / "circle.h5")
    assert solution.attributes["outcome"] == "finished"
    assert solution.attributes["command"] == "python -m meanfield_pde run circle.toml"


def test_a_wrong_input_is_one_line(circle_case):
    done = typed(circle_case.parent, "run", "circle.toml", "--set", "unit.kapa=3")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "kapa" in done.stderr
    assert sorted(path.name for path in circle_case.parent.iterdir()) == ["circle.toml"]


def test_a_warning_is_one_plain_line(circle_case):
    text = circle_case.read_text()
    start, end = text.index("[unit]"), text.index("[[terms]]")
    escape = (
        '[potential]\nkind = "quadratic"\nmatrix = [[-1.0]]\n'
        '[space]\nkind = "interval"\nlower = -2.0\nupper = 2.0\n'
        '[initial]\nkind = "normal"\ndeviation = 0.5\n'
    )
    circle_case.write_text(text[:start] + escape + text[end:])
    done = typed(circle_case.parent, "run", "circle.toml", "--set", "time.t_end=1.0")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("warning: mass gathers at the walls")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("sent", "code", "outcome"),
    [(signal.SIGINT, 130, "stopped: interrupted"), (signal.SIGKILL, -9, "unfinished")],
    ids=["interrupted", "killed"],
)
def test_what_was_computed_before_an_interruption_is_kept(circle_case, sent, code, outcome):
    words = ["--set", "time.t_end=1e5", "--set", "output.record={kind='every', interval=0.1}"]
    run = subprocess.Popen(
        [*PROGRAM, "run", "circle.toml", *words],
        cwd=circle_case.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # a shell that runs tests in the background lets them ignore interrupts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    result = circle_case.parent / "made" / "circle.h5"
    try:
        until = time.monotonic() + 60
        while not result.exists() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.3)
        run.send_signal(sent)
        _, error = run.communicate(timeout=30)
    finally:
        run.kill()
        run.wait()
    assert run.returncode == code
    assert "Traceback" not in error
    if sent == signal.SIGINT:
        assert error.count("\n") == 1
        assert error.startswith("interrupted")
    solution = mf.read(result)
    assert solution.attributes["outcome"] == outcome
    assert solution.time.size > 1
    assert solution.time == pytest.approx(0.1 * np.arange(solution.time.size))
    assert np.all(np.isfinite(solution.energy))
