"""Lives in processes of their own. Nothing of the system is imported before a bug is planted."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING

from simulation.planted import PLANTS, sow

if TYPE_CHECKING:
    from simulation.lives import Life


def begin(plant: str | None) -> None:
    """Plant a bug into this process, if any."""
    if plant:
        sow(PLANTS[plant])


def _begin_child(plant: str | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    begin(plant)


def _live(seed: int) -> Life:
    from simulation.lives import live

    return live(seed)


@contextmanager
def lives(
    seeds: Iterable[int], *, plant: str | None = None, jobs: int = 2
) -> Iterator[Iterator[Life]]:
    """Live these seeds, in their order; with one job in this very process."""
    if jobs == 1:
        begin(plant)
        yield map(_live, seeds)
        return
    pool = ProcessPoolExecutor(
        jobs,
        # Not forked: a bug is planted into a process that has imported nothing yet.
        mp_context=get_context("spawn"),
        initializer=_begin_child,
        initargs=(plant,),
    )
    try:
        yield pool.map(_live, seeds)
    finally:
        pool.shutdown(cancel_futures=True)
