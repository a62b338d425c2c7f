"""A round: both pipelines, once each, and what the ledger and the sandbox say about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from crosswalk.ledger import Ledger
from crosswalk.ledger.listings import ConflictReport, conflicts
from crosswalk.ledger.report import MappingReport, status

from demo.people import People
from demo.stage import Stage, StepFailedError

JOBS = {"to_sweo": "salesforce-to-sweo", "to_salesforce": "sweo-to-salesforce"}


@dataclass(frozen=True)
class Leg:
    """One pipeline's run: ``counts`` by the names of the ledger's run table, calls by side."""

    job: str
    counts: dict[str, int]
    calls: dict[str, dict[str, int]]
    seconds: float

    def count(self, name: str) -> int:
        """A count; 0 where the run had none."""
        return self.counts.get(name, 0)

    @property
    def writes(self) -> int:
        """API calls on both sides that wrote."""
        return sum(each["writes"] for each in self.calls.values())


def run_leg(stage: Stage, people: People, direction: str) -> Leg:
    """Run one pipeline under Meltano.

    Raises:
        StepFailedError: it failed, or left no finished run in the ledger.
    """
    people.forget_calls()
    begun = time.monotonic()
    printed = stage.run_job(JOBS[direction])
    seconds = time.monotonic() - begun
    with _ledger(stage) as ledger:
        last = next(d.last for d in status(ledger).directions if d.direction == direction)
    if last is None or last.outcome != "finished":
        raise StepFailedError(f"{JOBS[direction]} left no finished run in the ledger.", printed)
    return Leg(JOBS[direction], last.counts, people.calls(), seconds)


def mappings(stage: Stage) -> list[MappingReport]:
    """How each mapping stands."""
    with _ledger(stage) as ledger:
        return status(ledger).mappings


def settled_conflicts(stage: Stage) -> list[ConflictReport]:
    """Every conflict so far, the oldest first."""
    with _ledger(stage) as ledger:
        return conflicts(ledger, settled=True)[::-1]


@contextmanager
def _ledger(stage: Stage) -> Iterator[Ledger]:
    ledger = Ledger.open_existing(stage.ledger_url)
    if ledger is None:
        raise StepFailedError("The runs made no ledger.", "")
    with closing(ledger):
        yield ledger
