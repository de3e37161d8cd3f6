"""What the tests of studies share."""

import pytest
from well import WELL

from meanfield_pde.studies import refinement


@pytest.fixture
def well(tmp_path):
    path = tmp_path / "well.toml"
    path.write_text(WELL)
    return path


@pytest.fixture
def executed(monkeypatch):
    """Names of the runs that are really executed."""
    names, execute = [], refinement.execute
    monkeypatch.setattr(
        refinement, "execute", lambda job: names.append(job.path.stem) or execute(job)
    )
    return names
