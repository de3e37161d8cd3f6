"""Writing and reading the file of a run (`schema` says what it holds).

The file is readable while the run writes it and after the run is killed. A frame reaches the disk
in three flushes: its values, then its save time, then its record time. Each time is a receipt for
what came before it, and the reader keeps what the times on disk vouch for.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from meanfield_pde.errors import InputError, NumericalFailure
from meanfield_pde.results import schema
from meanfield_pde.results.disk import DiskFile, check_writable, reason, undisturbed
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
        check_writable(self.path)
        self._file: DiskFile | None = None
        self._datasets: dict[str, h5py.Dataset] = {}
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
            if self._file is not None:
                self._add(self._file, block)
            elif not self._length["time"]:
                self._begin(block)
            else:  # beginning again would replace the file that was closed
                raise OSError("the run has ended")

    def _begin(self, block: Solution) -> None:
        # Opening a new file under its own name would empty the one before it while this one holds
        # no frame yet: it begins next to it, then takes its place.
        place = self.path.resolve()
        part = place.with_name(place.name + ".part")
        try:
            with DiskFile(part, "w") as file:
                schema.create(file, self.layout, {**self.attributes, "outcome": "unfinished"})
                self._datasets = dict(file)
                self._add(file, block)
            os.replace(part, place)
        finally:
            part.unlink(missing_ok=True)
        self._file = DiskFile(place, "r+")
        self._datasets = dict(self._file)

    def _add(self, file: DiskFile, block: Solution) -> None:
        saved = block.snapshot_time.size
        records = {**block.scalars, "mean": block.mean, "variance": block.variance}
        name = schema.measure_name(self.layout)
        snapshots = {} if name is None else {name: block.measure}
        if block.has_prediction:
            snapshots["prediction"] = block.prediction
        self._put("time", records)
        if saved:
            self._put("snapshot_time", snapshots)
            if self.layout.moving:
                schema.put_nodes(file, self._length["snapshot_time"], block.nodes)
        file.flush()
        if saved:
            self._put("snapshot_time", {"snapshot_time": block.snapshot_time})
            file.flush()
        self._put("time", {"time": block.time})
        file.flush()
        self._length["time"] += block.time.size
        self._length["snapshot_time"] += saved

    def _put(self, axis: str, values: Mapping[str, Array]) -> None:
        """Put rows behind those already there."""
        start = self._length[axis]
        for name, rows in values.items():
            dataset = self._datasets[name]
            dataset.resize(start + len(rows), axis=0)
            dataset[start:] = rows

    def _put_bars(self, bars: Mapping[str, Array]) -> None:
        if self._file is not None:
            with self._disk():
                schema.put_bars(self._file, bars)

    def _end(self, outcome: str, attributes: Mapping[str, Any] | None) -> None:
        if self._file is not None:
            with self._disk():
                schema.set_attributes(self._file, {**(attributes or {}), "outcome": outcome})
            self.close()

    @contextlib.contextmanager
    def _disk(self) -> Iterator[None]:
        """Turn trouble with the disk into one sentence, and let go of the file."""
        with undisturbed():
            try:
                yield
            except (OSError, RuntimeError) as error:
                file, self._file = self._file, None
                with contextlib.suppress(OSError, RuntimeError):
                    if file is not None:
                        file.close()
                raise NumericalFailure(
                    f"{self.path} cannot be written: {reason(error)}; "
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
        writer._put_bars(solution.bars)
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
    with opened(path) as file:
        return solution_in(file)


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[h5py.File]:
    """A file to read; whatever is wrong with it, here or in the block, is one `InputError`."""
    path = Path(path)
    try:
        if not path.exists():
            raise InputError("there is no such file")
        if not path.is_file():
            raise InputError("it is not a file")
        if os.access(path, os.R_OK) and not h5py.is_hdf5(path):
            raise InputError("it is not an HDF5 file")
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise InputError(f"{path} cannot be read: {reason(error)}") from error


def solution_in(file: h5py.File) -> Solution:
    """The run in an open file; `InputError` if it holds none."""
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
        return np.asarray(values[:count], dtype=float)

    nothing = np.empty((snapshots, 0))
    measure = schema.measure_name(layout)
    return Solution(
        layout=layout,
        time=time[:frames],
        scalars={name: rows(name, frames) for name in SCALARS},
        mean=rows("mean", frames),
        variance=rows("variance", frames),
        snapshot_time=snapshot_time[:snapshots],
        measure=nothing if measure is None else rows(measure, snapshots),
        prediction=rows("prediction", snapshots) if layout.inputs.size else nothing,
        attributes={"outcome": "unfinished", **schema.get_attributes(file)},
        nodes=schema.get_nodes(file, snapshots) if layout.moving else (),
        bars=schema.get_bars(file),
    )
