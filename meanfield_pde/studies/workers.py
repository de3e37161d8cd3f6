"""Tasks in several processes at a time, each process with one thread."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from meanfield_pde.errors import MeanFieldError, NumericalFailure

Task = TypeVar("Task")
Answer = TypeVar("Answer")


def processors() -> int:
    """How many this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


class WorkerDied(Exception):
    """A process ended in the middle of a task: the message says how."""


def in_processes(
    work: Callable[[Task], Answer], tasks: Sequence[Task], processes: int
) -> Generator[tuple[int, Answer | WorkerDied]]:
    """The number and the answer of each task, as they are finished; they begin in order.

    A process that dies takes its own task with it, not the others; an error of the package that a
    task ends with is raised here. When the iterator is closed, or
    an interrupt goes through it, all processes are ended. One process at a time is this process,
    with all its threads.

    Parameters
    ----------
    work : callable
        A function of a module, without side effects that the caller must see.
    tasks : sequence
        What can be pickled.
    processes : int
    """
    if min(processes, len(tasks)) <= 1:
        yield from enumerate(map(work, tasks))
        return
    waiting = deque(enumerate(tasks))
    workers: dict[Any, BaseProcess] = {}
    idle: list[Connection] = []
    busy: dict[Any, int] = {}
    try:
        while waiting or busy:
            while waiting and len(busy) < processes:
                connection = idle.pop() if idle else _start(work, workers)
                busy[connection], task = waiting.popleft()
                # Should the worker have died, its end of the connection says so below.
                with contextlib.suppress(ConnectionError):
                    connection.send(task)
            ready: list[Any] = wait(list(busy))
            for connection in ready:
                index = busy.pop(connection)
                answer: Answer | WorkerDied
                try:
                    answer = connection.recv()
                    idle.append(connection)
                except (EOFError, ConnectionError):
                    workers[connection].join()
                    answer = WorkerDied(_how(workers[connection].exitcode))
                if isinstance(answer, MeanFieldError):
                    raise answer
                yield index, answer
    finally:
        for process in workers.values():
            process.terminate()
            process.join()


def all_answers(
    work: Callable[[Task], Answer], tasks: Sequence[Task], ended: Callable[[Answer], object]
) -> list[Answer]:
    """Of all tasks, in their order, on all processors; `ended` is told each as it is finished.

    Raises
    ------
    NumericalFailure
        If a process dies.
    """
    answers: dict[int, Answer] = {}
    for index, answer in in_processes(work, tasks, processors()):
        if isinstance(answer, WorkerDied):
            raise NumericalFailure(f"task {index + 1} of {len(tasks)}: {answer}; try again")
        answers[index] = answer
        ended(answer)
    return [answers[index] for index in range(len(tasks))]


def _how(code: int | None) -> str:
    """How a process ended, from its exit code."""
    if code is not None and code < 0:
        return f"its process was ended by the signal {signal.Signals(-code).name}"
    return f"its process ended with the code {code}"


def _start(work: Callable[[Any], Any], workers: dict[Any, BaseProcess]) -> Connection:
    """A new process among the workers; tasks go to it, and answers come, by the connection."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(work, there), daemon=True)
    with _interrupts_wait():
        process.start()
        workers[here] = process
    there.close()
    return here


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Ctrl-C reaches all processes of a terminal; one started in here never sees it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(work: Callable[[Any], Any], connection: Connection) -> None:
    import numba

    numba.set_num_threads(1)
    while True:
        # The other end may close with an answer unread: then it is reset, not at its end.
        try:
            task = connection.recv()
        except (EOFError, ConnectionError):
            return
        answer: Any
        try:
            answer = work(task)
        except MeanFieldError as error:
            answer = error
        with contextlib.suppress(ConnectionError):
            connection.send(answer)
