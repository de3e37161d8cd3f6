"""Where a run comes from: versions, commit, machine, command."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

PACKAGES = ("meanfield_pde", "numpy", "scipy", "numba", "h5py")

PACKAGE = Path(__file__).resolve().parents[1]

DRAWING = ("plotting", "studies", "report")
"""Folders of the package that only look at runs."""


def provenance() -> dict[str, str | int]:
    """What is needed to make a run again, as attributes of its file.

    Call it at the start of the run: the time is that of the call.
    """
    return {
        **code(),
        "python_version": platform.python_version(),
        "commit": _commit(PACKAGE),
        "threads": _threads(),
        "machine": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count() or 1,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": _command(sys.argv),
    }


def code() -> dict[str, str]:
    """What the numbers of a run depend on besides its case: versions, and the package's own files.

    The commit would not do: it says nothing of an installed package, and little of changed files.
    """
    versions = {f"{name}_version": _version(name) for name in PACKAGES}
    return {**versions, "sources": _fingerprint(PACKAGE)}


@cache
def _fingerprint(package: Path) -> str:
    """SHA-256 of the files of a package that compute."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package)
        if name.parts[0] not in DRAWING:
            digest.update(f"{name.as_posix()}\n".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _commit(package: Path) -> str:
    """The commit of the checkout the package is run from; "-dirty" if its files differ."""
    # Without this test an environment inside some other repository would report that one.
    if not (package.parent / ".git").exists():
        return "not a checkout"
    try:
        status = subprocess.run(
            ["git", "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--", "."],
            cwd=package,
            # Inside a hook git's own variables point to the repository of the hook.
            env={key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    commit = re.search(r"^# branch\.oid ([0-9a-f]+)$", status, re.MULTILINE)
    changed = re.search(r"^[^#]", status, re.MULTILINE)
    return (commit[1] if commit else "no commit") + ("-dirty" if changed else "")


def _threads() -> int:
    if "numba" in sys.modules:
        return int(sys.modules["numba"].get_num_threads())
    asked = os.environ.get("NUMBA_NUM_THREADS", "")
    if asked.isdecimal():
        return int(asked)
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _command(arguments: list[str]) -> str:
    """The command line as a shell takes it, home folders written as ~."""
    program = Path(arguments[0] if arguments else "").name or "python"
    run = ["python", "-m", "meanfield_pde"] if program == "__main__.py" else [program]
    line = shlex.join([*run, *arguments[1:]])
    own = Path(os.path.expanduser("~"))
    homes = "/(?:home|Users)/[^/\\s']+" + (f"|{re.escape(str(own))}" if own.name else "")
    return re.sub(rf"(?<![\w.~/-])(?:{homes})(?![^/\s'])", "~", line)
