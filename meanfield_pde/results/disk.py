"""Between HDF5 and the disk, for what HDF5 leaves undone.

In a flush it writes references to new blocks before the blocks, and the length of the file last: a
kill in between leaves a file that looks damaged. And it repeats a write that failed when it closes
the file, and brings down the interpreter at exit.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from meanfield_pde.errors import InputError, NumericalFailure

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


class DiskFile(h5py.File):
    """An HDF5 file to write that can be closed whatever the disk does.

    The first error of the disk is raised at the next `flush` or `close`; nothing is written after
    it, so that the file stays as it would be after a kill at that moment.

    Parameters
    ----------
    path : Path
    mode : "w" or "r+"
        A new file or one that exists.
    """

    def __init__(self, path: Path, mode: str) -> None:
        self._disk = _Disk(path, {"w": "w+", "r+": "r+"}[mode])
        # The oldest format: newer ones mark an open file, and it stays shut after a kill.
        super().__init__(self._disk, mode, libver="earliest")

    def flush(self) -> None:
        """Hand everything to the system."""
        super().flush()
        self._disk.check()

    def close(self) -> None:
        """Flush and close."""
        try:
            super().close()
        finally:
            self._disk.close()
        self._disk.check()


class _Disk(io.FileIO):
    """The bytes of a file in the oldest HDF5 format; writes wait for the end of a flush."""

    LENGTH_AT = 40
    """Where the file notes its own length, as 8 bytes; HDF5 reads nothing beyond that."""

    def __init__(self, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self._length = os.fstat(self.fileno()).st_size
        self._waiting: list[tuple[int, memoryview]] = []
        self._error: OSError | None = None

    def check(self) -> None:
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        self._waiting.append((self.tell(), memoryview(bytes(data))))
        return len(data)

    def readinto(self, buffer: Any) -> int:
        at = self.tell()
        self._commit()
        self.seek(at)
        return super().readinto(buffer)

    def truncate(self, size: int | None = None) -> int:
        self._commit()
        try:
            if self._error is None:
                super().truncate(size)
                self._length = os.fstat(self.fileno()).st_size
        except OSError as error:
            self._error = error
        return self.tell()

    def flush(self) -> None:
        self._commit()

    def close(self) -> None:
        if not self.closed:
            self._commit()
        super().close()

    def _commit(self) -> None:
        """New blocks, then the length of the file, then the changed blocks that refer to them."""
        length, waiting = self._length, self._waiting
        self._waiting = []
        new = [
            (max(at, length), data[max(length - at, 0) :])
            for at, data in waiting
            if at + len(data) > length
        ]
        changed = [(at, data[: length - at]) for at, data in waiting if at < length]
        try:
            for at, data in new:
                self._put(at, data)
                self._length = max(self._length, at + len(data))
            if self._length > length > 0:
                self._put(self.LENGTH_AT, memoryview(self._length.to_bytes(8, "little")))
            for at, data in changed:
                self._put(at, data)
        except OSError as error:
            self._error = error

    def _put(self, at: int, data: memoryview) -> None:
        self.seek(at)
        while data and self._error is None:
            data = data[super().write(data) :]


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let interrupts wait: raised while HDF5 is at the disk, they would break off its write."""
    came: list[signal.Signals] = []
    # Python handles signals in the main thread only.
    main = threading.current_thread() is threading.main_thread()
    all_handlers = {number: signal.getsignal(number) for number in INTERRUPTS if main}
    handlers = {number: handler for number, handler in all_handlers.items() if callable(handler)}
    try:
        for interrupt in handlers:
            signal.signal(interrupt, lambda number, _: came.append(signal.Signals(number)))
        yield
    finally:
        for interrupt, handler in handlers.items():
            signal.signal(interrupt, handler)
        for interrupt in came:
            signal.raise_signal(interrupt)


def check_writable(path: Path) -> None:
    """Make the folder of a file; raise `InputError` if the file cannot be written there."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} cannot be written: it is not a file")
        if path.parent.exists() and not path.parent.is_dir():
            raise InputError(f"{path} cannot be written: {path.parent} is not a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        for place in (path.parent, path):
            if place.exists() and not os.access(place, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """What the system says, without the library's account of where it says so."""
    told = re.search(r"error message = '([^']*)'", str(error))
    system = error.strerror if isinstance(error, OSError) else None
    return (told[1] if told else system or str(error)) or type(error).__name__


def write_text(path: Path, text: str) -> Path:
    """A text as a file, which takes the place of one of the same name when it is whole.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    check_writable(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {reason(error)}") from error
    finally:
        part.unlink(missing_ok=True)
    return path


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[DiskFile]:
    """A new file, which takes the place of one of the same name when it is whole.

    Raises
    ------
    InputError
        If nothing can be written at the path.
    NumericalFailure
        If the disk refuses.
    """
    check_writable(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with undisturbed():
            with DiskFile(part, "w") as file:
                yield file
            os.replace(part, path)
    except (OSError, RuntimeError) as error:
        raise NumericalFailure(
            f"{path} cannot be written: {reason(error)}; make room there or write to another disk"
        ) from error
    finally:
        part.unlink(missing_ok=True)
