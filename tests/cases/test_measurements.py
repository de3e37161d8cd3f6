"""The commands that print the measured tables, in their quick form."""

import pytest

from meanfield_pde.arguments import MEASUREMENTS
from meanfield_pde.cli import FINISHED, main
from meanfield_pde.studies.plateau import leaving_time
from meanfield_pde.studies.tables import difference_orders, orders, table

LONG = "minutes in all: each is a science run, shortened"


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:mass gathers")  # what the plateau table is about
@pytest.mark.parametrize("name", MEASUREMENTS)
def test_measurement_prints_a_table(name, capsys):
    assert main(["measure", name, "--quick"]) == FINISHED, LONG
    lines = capsys.readouterr().out.splitlines()
    assert any(set(line) == {"-"} for line in lines)
    assert not any("nan" in line for line in lines)


def test_same_bits_are_found_equal(capsys):
    assert main(["measure", "reproducibility", "--quick"]) == FINISHED
    assert "equal" in capsys.readouterr().out


def test_orders_of_powers():
    assert orders([1.0, 0.25, 0.0625]) == pytest.approx([2.0, 2.0])
    assert difference_orders([1.0 + 4.0**-k for k in range(4)]) == pytest.approx([2.0, 2.0])


def test_a_table_is_aligned():
    lines = table("title", ["a", "long header"], [["x", "1"], ["yyyy", "22"]]).splitlines()
    assert len({len(line) for line in lines[2:]}) == 1


def test_leaving_time_lies_between_records():
    class Run:
        import numpy as np

        time = np.array([0.0, 1.0, 2.0])
        energy = np.array([0.02, 0.010, 0.004])

    assert leaving_time(Run()) == pytest.approx(1.5)
    Run.energy = Run.energy + 1.0
    assert leaving_time(Run()) == float("inf")
