"""Slices of a full check: each a run of its pipeline, with the STATE of the job `full-check`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from crosswalk.errors import FatalError
from crosswalk.ledger import Ledger
from crosswalk.ledger.disconnecting import how_to_connect
from crosswalk.ledger.report import EVERYTHING, runs_since
from crosswalk.ledger.runs import living_holder

from sweo_sync.full_check.standing import Checked, ProgressFile, Standing
from sweo_sync.pipelines import Pipeline, Settings, Started
from sweo_sync.running import Runner

FULL_CHECKS: Final = (
    Pipeline("to_sweo", "tap-salesforce--full", "to-sweo", "target-sweo"),
    Pipeline("to_salesforce", "tap-sweo--full", "to-salesforce", "target-salesforce"),
)
LOOK_SECONDS: Final = 0.2
GAP_SECONDS: Final = 2.0
"""Between two slices: an ordinary run that waits for the lease asks once a second."""
_MOST_IDLE: Final = 3
_IDLE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Slice:
    """What one slice came to. ``counts`` have the names of the run's counts in the ledger."""

    number: int
    run: str | None
    counts: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    seconds: float = 0.0


@dataclass
class SlicedCheck:
    """The full check of one direction, limited to the mapping ``only`` where that is given.

    ``watch`` is called several times a second with how far it has come and, where another run of
    the direction is at work, since when that one has been.
    """

    runner: Runner
    ledger: Ledger
    pipeline: Pipeline
    only: str | None
    watch: Callable[[Standing, str | None], None]

    def __post_init__(self) -> None:
        self.standing = Standing(
            self.pipeline.direction, {name: Checked() for name in self._to_check()}
        )
        self._number = self._idle = 0

    def next_slice(self) -> Slice:
        """Run one slice to its end.

        Raises:
            FatalError: it failed, or nothing may be read; what was read before is kept.
        """
        self._refuse_where_paused()
        if self._number:
            time.sleep(GAP_SECONDS)
        self._number += 1
        marks = self.standing.marks
        started_at, clock = self.ledger.now(), time.monotonic()
        with TemporaryDirectory(prefix="sweo-full-check-") as folder:
            news = ProgressFile(Path(folder) / "progress.jsonl")
            settings = self._settings(str(Path(folder) / "progress.jsonl"))
            with self.runner.start(self.pipeline, settings, state_suffix=self.only) as started:
                self._follow(started, news, started_at)
        self._give_up_where_idle(marks)
        runs = runs_since(self.ledger, self.pipeline.direction, started_at)
        run = next((run for run in reversed(runs) if run.outcome != "running"), None)
        return Slice(
            self._number,
            run.id if run else None,
            run.counts if run else {},
            run.calls if run else 0,
            time.monotonic() - clock,
        )

    def _settings(self, progress_file: str) -> Settings:
        tap: dict[str, object] = {
            "full_check": True,
            # Whoever asks for a check by hand means now, or the one that is under way.
            "check_every_hours": 0,
            "progress_file": progress_file,
        }
        if self.only:
            tap["check_mapping"] = self.only
        return {self.pipeline.tap: tap, self.pipeline.target: {"when_busy": "wait"}}

    def _follow(self, started: Started, news: ProgressFile, started_at: str) -> None:
        try:
            while not started.wait(LOOK_SECONDS):
                self._look(news, started_at)
        finally:
            started.stop()
            self.runner.keep_state(self.pipeline, started)
            self._look(news, started_at)
        started.checked()

    def _look(self, news: ProgressFile, started_at: str) -> None:
        for line in news.news():
            self.standing.take(line)
        holder = living_holder(self.ledger, self.pipeline.direction)
        is_other = holder is not None and holder.since < started_at
        self.watch(self.standing, holder.since if holder and is_other else None)

    def _refuse_where_paused(self) -> None:
        if EVERYTHING in self.ledger.paused():
            raise FatalError(
                how_to_connect(self.ledger)
                or "Everything is paused; `sweo-sync resume` lets it go on."
            )
        if not self._to_check():
            what = self.only or "Every mapping"
            raise FatalError(f"{what} is paused; `sweo-sync resume` lets it go on.")

    def _to_check(self) -> list[str]:
        paused = self.ledger.paused()
        names = [each.name for each in self.runner.project.config.enabled]
        return [name for name in names if self.only in (None, name) and name not in paused]

    def _give_up_where_idle(self, marks: tuple[object, ...]) -> None:
        """A slice reads nothing where another program scrolls the companies, for example."""
        if self.standing.ended or self.standing.marks != marks:
            self._idle = 0
            return
        self._idle += 1
        if self._idle >= _MOST_IDLE:
            raise FatalError(
                f"{_MOST_IDLE} slices in a row could read nothing (does another program scroll the "
                "workspace's companies?); run it again later, it goes on from here."
            )
        time.sleep(_IDLE_SECONDS)
