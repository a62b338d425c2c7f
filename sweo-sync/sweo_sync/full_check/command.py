"""The command `full-check`."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

import click
from crosswalk.errors import FatalError
from crosswalk.ledger import Ledger

from sweo_sync.full_check.display import Bars, Display, JsonLines, Lines
from sweo_sync.full_check.slices import FULL_CHECKS, SlicedCheck
from sweo_sync.options import shared_options
from sweo_sync.pipelines import Pipeline
from sweo_sync.project import Project
from sweo_sync.running import Runner, pipeline_options
from sweo_sync.show import DIRECTION_NAMES, console, counts_text

INTERRUPTED: Final = 130


@click.command("full-check")
@click.option("--mapping", metavar="NAME", help="Only this mapping. Default: all of them.")
@shared_options
@pipeline_options
def full_check(
    project: Project, runner: Runner, as_json: bool, direction: str | None, mapping: str | None
) -> None:
    """Read every record once, whatever its timestamp says, and write what differs.

    Runs slice after slice until both directions are through, with a bar for each mapping. It takes
    part in the check of the job `full-check` and keeps the same STATE: a check that the nightly job
    left unfinished goes on, and one that ends here is done for the night. With --mapping the check
    has a STATE of its own, and the nightly one is left as it is.

    Between slices ordinary runs come first. Ctrl-C ends it behind the batch at hand; run it again
    and it goes on from there. Exits 0 where the check is through, 1 where it could not go on, 130
    where it was interrupted. With --json one JSON object is printed a slice.
    """
    if mapping and all(each.name != mapping for each in project.config.enabled):
        raise FatalError(f"There is no mapping {mapping} that is switched on.")
    chosen = [each for each in FULL_CHECKS if direction in (None, each.direction)]
    lacking = [each.direction for each in chosen if each.direction not in runner.state_files]
    if runner.keeps_state_itself and lacking:
        files = " ".join(f"--state {name}={name}.json" for name in lacking)
        raise FatalError(f"Without Meltano, name the files that keep the STATE: {files}.")
    out = console()
    display: Display = JsonLines() if as_json else Bars(out) if out.is_terminal else Lines()
    with project.ledger() as ledger:
        try:
            with _ended_by_signals(), display:
                counts = {
                    each.direction: _check(runner, ledger, each, mapping, display)
                    for each in chosen
                }
        except KeyboardInterrupt:
            click.echo(
                "Interrupted; what was checked is kept, and `sweo-sync full-check` goes on from "
                "there.",
                err=True,
            )
            click.get_current_context().exit(INTERRUPTED)
        paused = sorted(ledger.paused())
    if as_json:
        return
    for name, counted in counts.items():
        out.print(f"{DIRECTION_NAMES[name]}: {counts_text(counted) or 'nothing to read'}.")
    if paused:
        out.print(f"Paused, so not checked: {', '.join(paused)}.")


def _check(
    runner: Runner, ledger: Ledger, pipeline: Pipeline, only: str | None, display: Display
) -> Counter[str]:
    check = SlicedCheck(runner, ledger, pipeline, only, display.show)
    counts: Counter[str] = Counter()
    while not check.standing.ended:
        done = check.next_slice()
        counts.update(done.counts)
        display.sliced(check.standing, done)
    return counts


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does, so that no pipeline is left behind."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
