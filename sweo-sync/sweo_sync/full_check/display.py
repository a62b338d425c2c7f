"""A full check as it is watched: bars on a terminal, calm lines elsewhere, JSON for machines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Final, Protocol

import click
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from sweo_sync.full_check.slices import Slice
from sweo_sync.full_check.standing import Checked, Standing
from sweo_sync.show import DIRECTION_NAMES, duration_text, plain

_DONE: Final = "[green]✓[/green]"


class Display(Protocol):
    """Whoever shows it. Used as a context, which ends however the check ends."""

    def __enter__(self) -> Display: ...

    def __exit__(self, *ending: object) -> None: ...

    def show(self, standing: Standing, busy_since: str | None) -> None:
        """Several times a second; ``busy_since`` where another run is waited for."""
        ...

    def sliced(self, standing: Standing, done: Slice) -> None:
        """Behind each slice."""
        ...


class RateColumn(ProgressColumn):
    """Records a second."""

    def render(self, task: Task) -> Text:
        """``1,200/s``; nothing before there is one."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", justify="right")


class Bars:
    """A bar for each mapping: count, total, rate, time left, a check mark when it is through."""

    def __init__(self, console: Console, clock: Callable[[], float] | None = None) -> None:
        self._progress = Progress(
            TextColumn("{task.fields[sign]}"),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}", justify="right"),
            RateColumn(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            TextColumn("[dim]{task.fields[note]}[/dim]"),
            console=console,
            speed_estimate_period=60,
            get_time=clock,
        )
        self._tasks: dict[tuple[str, str], TaskID] = {}

    @property
    def renderable(self) -> RenderableType:
        """The bars as they stand."""
        return self._progress.get_renderable()

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *ending: object) -> None:
        del ending
        for task in self._tasks.values():
            self._progress.update(task, note="")
        self._progress.stop()

    def show(self, standing: Standing, busy_since: str | None) -> None:
        """Move the bars."""
        for name, checked in standing.mappings.items():
            key = (standing.direction, name)
            if key not in self._tasks:
                title = f"{name} [dim]{DIRECTION_NAMES[standing.direction]}[/dim]"
                self._tasks[key] = self._progress.add_task(
                    title, total=None, sign=" ", count="", note=""
                )
            task = self._tasks[key]
            note = "looking for records that no list shows" if checked.looks_for_the_rest else ""
            note = "waiting for the run that is at work" if busy_since else note
            self._progress.update(
                task,
                completed=checked.read,
                total=checked.read if checked.checked else checked.total,
                sign=_DONE if checked.checked else " ",
                count=_count_text(checked),
                note="" if checked.checked else note,
            )

    def sliced(self, standing: Standing, done: Slice) -> None:
        """The bars say it all."""
        del done
        self.show(standing, None)


class Lines:
    """A line for each mapping that a slice moved on, and a check mark when it is through."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._told: dict[tuple[str, str], Checked] = {}
        self._waits = False

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *ending: object) -> None: ...

    def show(self, standing: Standing, busy_since: str | None) -> None:
        """Say once that another run is waited for."""
        if busy_since and not self._waits:
            title = DIRECTION_NAMES[standing.direction]
            click.echo(f"{title}: waiting for the run that is at work since {busy_since}.")
        self._waits = busy_since is not None

    def sliced(self, standing: Standing, done: Slice) -> None:
        """Say what moved."""
        seconds = max(time.monotonic() - self._started, 0.001)
        for name, checked in standing.mappings.items():
            key = (standing.direction, name)
            before = self._told.get(key)
            if checked.began_at is None or (
                before and (before.read, before.checked) == (checked.read, checked.checked)
            ):
                continue
            self._told[key] = Checked(checked.read, checked.total, checked.checked)
            sign = "✓" if checked.checked else " "
            title = DIRECTION_NAMES[standing.direction]
            click.echo(f"{sign} {name}, {title}: {self._line(checked, seconds)}")
        del done

    def _line(self, checked: Checked, seconds: float) -> str:
        if checked.checked:
            return f"{checked.read:,} records read"
        rate = (checked.read - (checked.began_at or 0)) / seconds
        line = f"{_count_text(checked)}, {rate:,.0f} a second"
        if checked.total and rate and not checked.looks_for_the_rest:
            line += f", {duration_text((checked.total - checked.read) / rate)} left"
        return line


class JsonLines:
    """One JSON object a slice."""

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(self, *ending: object) -> None: ...

    def show(self, standing: Standing, busy_since: str | None) -> None:
        """Nothing between slices."""

    def sliced(self, standing: Standing, done: Slice) -> None:
        """Print the line."""
        line = {
            "direction": standing.direction,
            "slice": done.number,
            "run": done.run,
            "seconds": round(done.seconds, 1),
            "calls": done.calls,
            "counts": done.counts,
            "began": standing.began,
            "ended": standing.ended,
            "mappings": {
                name: {"read": each.read, "total": each.total, "checked": each.checked}
                for name, each in standing.mappings.items()
            },
        }
        click.echo(json.dumps(plain(line)))


def _count_text(checked: Checked) -> str:
    if checked.checked or not checked.total:
        return f"{checked.read:,}"
    return f"{checked.read:,} of {checked.total:,}"
