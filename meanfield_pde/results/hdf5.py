"""Writing and reading the file of a run (`schema` says what it holds).

The file is readable while the run writes it and after the run is killed. A frame reaches the disk
in three flushes: its values, then its save time, then its record time. Each time is a receipt for
what came before it, and the reader keeps what the times on disk vouch for.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.results import schema
from meanfield_pde.results.solution import SCALARS, Array, Frame, Layout, Solution


class Writer:
    """Writes a run frame by frame, until `finish` or `stop`; a context manager closes it anyway.

    The file appears, whole, with the first frame: before that, a file of the same name is left as
    it is, and there is nothing to finish or to stop. From then on its attribute `outcome` is
    "unfinished" until `finish` or `stop`.

    Parameters
    ----------
    path : str or Path
        The file; missing folders are created.
    layout : Layout
    attributes : mapping
        How the run is made: texts, numbers, or lists of them.

    Raises
    ------
    InputError
        If nothing can be written at the path, or a name is taken.
    """

    def __init__(
        self, path: str | Path, layout: Layout, attributes: Mapping[str, Any] | None = None
    ) -> None:
        self.path = Path(path)
        self.layout = layout
        self.attributes = dict(attributes or {})
        schema.check_names(layout, self.attributes)
        _check_writable(self.path)
        self._file: h5py.File | None = None
        self._length = dict.fromkeys(schema.GROWING, 0)

    def append(self, frame: Frame) -> None:
        """Write one frame; once this returns, the frame survives the end of the process.

        Raises
        ------
        InputError
            At the first frame, if an attribute is neither text nor number.
        NumericalFailure
            If the disk refuses; the frames before this one are kept.
        """
        self._extend(Solution.from_frames(self.layout, [frame]))

    def finish(self, attributes: Mapping[str, Any] | None = None) -> None:
        """Add final attributes (timings ...), mark the run as finished and close the file."""
        self._end("finished", attributes)

    def stop(self, reason: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Add final attributes, mark the run as stopped for this reason and close the file."""
        self._end(f"stopped: {reason}", attributes)

    def close(self) -> None:
        """Close the file; without `finish` or `stop` the run stays unfinished."""
        file, self._file = self._file, None
        if file is not None:
            with self._disk():
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _extend(self, block: Solution) -> None:
        with self._disk():
            if self._file is None:
                self._begin(block)
            else:
                self._add(self._file, block)

    def _begin(self, block: Solution) -> None:
        # Opening a new file under its own name would empty the one before it while this one holds
        # no frame yet: it begins next to it, then takes its place.
        place = self.path.resolve()
        part = place.with_name(place.name + ".part")
        try:
            # The oldest format: newer ones mark an open file, and it stays shut after a kill.
            # No locks: others may read while the run goes on.
            with h5py.File(part, "w", libver="earliest", locking=False) as file:
                schema.create(file, self.layout, {**self.attributes, "outcome": "unfinished"})
                self._add(file, block)
            os.replace(part, place)
        finally:
            part.unlink(missing_ok=True)
        self._file = h5py.File(place, "r+", libver="earliest", locking=False)

    def _add(self, file: h5py.File, block: Solution) -> None:
        values = {**block.scalars, "mean": block.mean, "variance": block.variance}
        if block.snapshot_time.size:
            values[schema.measure_name(self.layout)] = block.measure
            if block.has_prediction:
                values["prediction"] = block.prediction
        along = schema.dimensions(self.layout)
        self._flush(file, {name: (along[name][0], rows) for name, rows in values.items()})
        if block.snapshot_time.size:
            self._flush(file, {"snapshot_time": ("snapshot_time", block.snapshot_time)})
        self._flush(file, {"time": ("time", block.time)})
        self._length["time"] += block.time.size
        self._length["snapshot_time"] += block.snapshot_time.size

    def _flush(self, file: h5py.File, values: Mapping[str, tuple[str, Array]]) -> None:
        """Put rows behind those already there, for each data set and its growing axis."""
        for name, (axis, rows) in values.items():
            start = self._length[axis]
            dataset = file[name]
            dataset.resize(start + len(rows), axis=0)
            dataset[start:] = rows
        file.flush()

    def _end(self, outcome: str, attributes: Mapping[str, Any] | None) -> None:
        if self._file is not None:
            with self._disk():
                schema.set_attributes(self._file, {**(attributes or {}), "outcome": outcome})
            self.close()

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        """Turn trouble with the disk into one sentence, and let go of the file."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            file, self._file = self._file, None
            with contextlib.suppress(OSError, RuntimeError):
                if file is not None:
                    file.close()
            raise NumericalFailure(
                f"{self.path} cannot be written ({_reason(error)}): "
                "make room there or write to another disk"
            ) from error


def write(solution: Solution, path: str | Path) -> Path:
    """Write a whole solution; its outcome is its attribute `outcome`, "finished" without one.

    Raises
    ------
    InputError
        If nothing can be written at the path, or the solution has no frame.
    NumericalFailure
        If the disk refuses.
    """
    if not solution.time.size:
        raise InputError(f"{path} is not written: the solution has no frame")
    attributes = dict(solution.attributes)
    outcome = str(attributes.pop("outcome", "finished"))
    with Writer(path, solution.layout, attributes) as writer:
        writer._extend(solution)
        writer._end(outcome, None)
    return Path(path)


def read(path: str | Path) -> Solution:
    """Read a run, finished or not; of a killed one, every frame that was complete.

    Raises
    ------
    InputError
        If there is no such file, or it is not HDF5, not a run, without a complete frame, damaged,
        or takes data from other files.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise InputError("there is no such file")
        if not path.is_file():
            raise InputError("it is not a file")
        if os.access(path, os.R_OK) and not h5py.is_hdf5(path):
            raise InputError("it is not an HDF5 file")
        with contextlib.suppress(OSError, RuntimeError, KeyError):
            with h5py.File(path, "r", locking=False) as file:
                return _solution(file)
        with h5py.File(_mended(path), "r") as file:
            return _solution(file)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise InputError(f"{path} cannot be read: {_reason(error)}") from error


def _mended(path: Path) -> io.BytesIO:
    """The file as it is after a kill in the middle of a flush: the last thing a flush
    """
    image = bytearray(path.read_bytes())
    if image[8] == 0:
        image[40:48] = len(image).to_bytes(8, "little")
    return io.BytesIO(image)


def _solution(file: h5py.File) -> Solution:
    if file.attrs.get("format") != schema.FORMAT:
        raise InputError(f"it is HDF5 but not a {schema.FORMAT}")
    time = schema.get_values(file, "time")
    # A kill between the new extent of an axis and its value leaves the fill value, nan.
    frames = int(np.argmin(np.append(np.isfinite(time), False)))
    if not frames:
        raise InputError("it has no complete frame")
    snapshot_time = schema.get_values(file, "snapshot_time")
    snapshots = int(np.count_nonzero(snapshot_time <= time[frames - 1]))
    layout = schema.get_layout(file)

    def rows(name: str, count: int) -> Array:
        values = schema.get_values(file, name)
        if len(values) < count:
            raise InputError(f"its {name!r} is shorter than its axis")
        return values[:count]

    nothing = np.empty((snapshots, 0))
    return Solution(
        layout=layout,
        time=time[:frames],
        scalars={name: rows(name, frames) for name in SCALARS},
        mean=rows("mean", frames),
        variance=rows("variance", frames),
        snapshot_time=snapshot_time[:snapshots],
        measure=rows(schema.measure_name(layout), snapshots),
        prediction=rows("prediction", snapshots) if layout.inputs.size else nothing,
        attributes=schema.get_attributes(file),
    )


def _check_writable(path: Path) -> None:
    """Fail before a run is computed rather than at its first frame."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} cannot be written: it is not a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({_reason(error)})") from error
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise InputError(f"{path} cannot be written (permission denied)")


def _reason(error: BaseException) -> str:
    """What the system says, without the library's account of where it says so."""
    told = re.search(r"error message = '([^']*)'", str(error))
    system = error.strerror if isinstance(error, OSError) else None
    return (told[1] if told else system or str(error) or type(error).__name__).lower()
