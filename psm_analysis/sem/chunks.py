"""Runs replicates in chunks: here or in several processes, with a progress bar; what is done survives Ctrl-C.

A chunk depends on the numbers of its replicates only, so that results are the same in any number of processes.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
Made = TypeVar("Made", covariant=True)


class Runner(Protocol[Made]):
    """Work on numbered replicates, each of which depends on nothing but its number."""

    def run(self, start: int, stop: int) -> Made:
        """Return the replicates from `start` to before `stop`."""


@dataclass(frozen=True, slots=True)
class Chunks(Generic[T]):
    """The finished chunks in order, and whether a keyboard interrupt ended the work before the last one."""

    parts: list[T]
    stopped: bool


def run_chunks(job: Runner[T], n: int, *, batch: int, processes: int = 1, progress: bool = False) -> Chunks[T]:
    """Run replicates 0 to n - 1 in chunks of `batch`; stopped by Ctrl-C it returns the chunks before.

    Parameters
    ----------
    job
        What is run; with several processes it is pickled.
    n, batch
        Number of replicates, and how many make a chunk.
    processes
        How many work at a time; a script that uses more than one needs ``if __name__ == "__main__":``.
    progress
        Show a bar on the error stream.

    Raises
    ------
    KeyboardInterrupt
        If it is stopped before the first chunk is done.

    Examples
    --------
    >>> class Squares:
    ...     def run(self, start, stop):
    ...         return [i * i for i in range(start, stop)]
    >>> run_chunks(Squares(), 5, batch=2)
    Chunks(parts=[[0, 1], [4, 9], [16]], stopped=False)
    """
    from tqdm import tqdm

    spans = [(start, min(start + batch, n)) for start in range(0, n, batch)]
    parts: list[T] = []
    source = _serial(job, spans) if processes == 1 or len(spans) == 1 else _parallel(job, spans, processes)
    with tqdm(total=n, disable=not progress, unit="replicate", file=sys.stderr, leave=False) as bar:
        try:
            for (start, stop), part in zip(spans, source, strict=True):
                parts.append(part)
                bar.update(stop - start)
        except KeyboardInterrupt:
            source.close()
            if not parts:
                raise
            return Chunks(parts, stopped=True)
    return Chunks(parts, stopped=False)


def _serial(job: Runner[T], spans: list[tuple[int, int]]) -> Generator[T, None, None]:
    for start, stop in spans:
        yield job.run(start, stop)


def _parallel(job: Runner[T], spans: list[tuple[int, int]], processes: int) -> Generator[T, None, None]:
    context = multiprocessing.get_context("spawn")
    workers = min(processes, len(spans))
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_deaf) as pool:
        waiting: list[Future[T]] = [pool.submit(job.run, start, stop) for start, stop in spans]
        try:
            for future in waiting:
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _deaf() -> None:
    """Leave Ctrl-C to the parent, which lets a worker finish its chunk."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
