"""The demo, from an empty folder to a last round that writes nothing."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from demo.people import People
from demo.rounds import Leg, mappings, run_leg, settled_conflicts
from demo.scenes import (
    NoActorsError,
    Scene,
    endings,
    make_new_customer,
    new_customer_arrived,
    play,
    write_scenes,
)
from demo.stage import PROJECT, Stage, StepFailedError, stopped_at_the_end
from demo.tables import (
    conflicts_table,
    endings_table,
    left_aside,
    pairs_table,
    round_table,
    scenes_table,
)

LAST_LOG = PROJECT / ".meltano" / "logs" / "demo.log"
HOUR_SECONDS = 3600.0
"""Longer than the overlap window in which taps read again what they have read already."""

WAITING = """\
  [dim]Waiting: no partner on the other side. meltano.yml lets the pipelines make records in Sweo
  and none in Salesforce; a partner that appears later is linked by itself.[/dim]
"""

NEXT_STEPS = """\
[bold]What to look at next[/bold]
  meltano.yml                   the field configs stand under annotations.sweo.mappings;
                                one more line there is one more field in step
  README.md                     how it works, and how to run it on a real org
  python -m demo --keep         the same, and the sandbox stays up to try things on
  make test                     what proves all this\
"""


class WrongEndingError(Exception):
    """The runs succeeded, and yet the two sides do not hold what they should."""


class Demo:
    """Plays the demo on a stage and prints it."""

    def __init__(self, stage: Stage, console: Console) -> None:
        self.stage = stage
        self.console = console
        self._people: People | None = None

    @property
    def people(self) -> People:
        """The people on both sides; the sandbox must be running."""
        if self._people is None:
            self._people = People(self.stage.environ)
        return self._people

    def play(self, accounts: int, contacts: int) -> None:
        """All of it.

        Raises:
            StepFailedError: a command failed.
            WrongEndingError: the sides do not agree in the end.
        """
        with self._step("Meltano installs the plugins"):
            self.stage.install_plugins()
        with self._step(f"A sandbox is filled: {accounts:,} accounts, {contacts:,} contacts"):
            self.stage.seed(accounts, contacts)
        with self._step("A Salesforce org and a Sweo workspace start on this machine"):
            self.stage.serve()
        self._round("Round 1: the two sides meet")
        self._an_hour_passes()
        scenes = write_scenes(self.people)
        self.console.print(scenes_table(scenes))
        with self._step("People edit on both sides"):
            play(self.people, scenes)
            make_new_customer(self.people)
        self._round("Round 2: what people changed")
        self._an_hour_passes()
        self._endings(scenes)
        legs = self._round("Round 3: nothing has changed")
        if any(leg.writes for leg in legs):
            raise WrongEndingError("The last round wrote, although nothing had changed.")
        self.console.print("  [green]✓[/green] The last round wrote nothing.\n")
        self.console.print(pairs_table(mappings(self.stage)))
        self.console.print(WAITING)
        self.console.print(NEXT_STEPS)

    def _round(self, title: str) -> list[Leg]:
        legs = []
        for direction, job in (
            ("to_sweo", "salesforce-to-sweo"),
            ("to_salesforce", "sweo-to-salesforce"),
        ):
            with self._step(f"meltano run {job}"):
                legs.append(run_leg(self.stage, self.people, direction))
        self.console.print(round_table(title, legs))
        left_aside(self.console, legs)
        return legs

    def _an_hour_passes(self) -> None:
        self.people.let_time_pass(HOUR_SECONDS)
        self.console.print("[dim]On the clocks of both sides, an hour passes.[/dim]\n")

    def _endings(self, scenes: list[Scene]) -> None:
        ended = list(endings(self.people, scenes))
        arrived = new_customer_arrived(self.people)
        self.console.print(endings_table(ended, arrived=arrived))
        self.console.print(conflicts_table(settled_conflicts(self.stage)))
        if not (arrived and all(ending.right for ending in ended)):
            raise WrongEndingError("Round 2 did not bring both sides to what they should hold.")

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        begun = time.monotonic()
        with self.console.status(title):
            yield
        seconds = time.monotonic() - begun
        self.console.print(f"[green]✓[/green] {title} [dim]({seconds:.0f} s)[/dim]")


def keep_open(stage: Stage, console: Console) -> None:
    """Leave the sandbox running until Ctrl-C, and tell how to use it."""
    names = ("SALESFORCE_", "SWEO_", "MELTANO_", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    file = stage.folder / "env.sh"
    lines = [f"export {n}='{v}'\n" for n, v in stage.environ.items() if n.startswith(names)]
    file.write_text("".join(lines))
    console.print(f"\nThe sandbox stays up. In another shell:\n  source {file}")
    console.print("  .venv/bin/meltano run sync\n  .venv/bin/meltano invoke sweo-sync status")
    console.print("Ctrl-C here ends it and removes everything.")
    while True:
        time.sleep(3600)


@click.command()
@click.option("--accounts", default=300, show_default=True, type=click.IntRange(100))
@click.option("--contacts", default=900, show_default=True, type=click.IntRange(100))
@click.option("--keep", is_flag=True, help="Leave the sandbox running at the end, until Ctrl-C.")
def main(accounts: int, contacts: int, keep: bool) -> None:
    """Run both pipelines on a sandbox of this machine, and show what they did.

    Everything happens in a temporary folder and on free ports; the state of the project itself
    is not touched.
    """
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    with tempfile.TemporaryDirectory(prefix="sweo-demo-") as folder:
        stage = Stage(Path(folder))
        try:
            with stopped_at_the_end(stage):
                Demo(stage, console).play(accounts, contacts)
                if keep:
                    keep_open(stage, console)
        except KeyboardInterrupt:
            console.print("Ended; everything that was started is stopped.")
            sys.exit(130)
        except StepFailedError as error:
            console.print(f"[red]✗[/red] {error}\n", style="bold")
            console.out(error.tail(), highlight=False)
            LAST_LOG.parent.mkdir(parents=True, exist_ok=True)
            LAST_LOG.write_text(error.log, encoding="utf-8")
            console.print(f"\nThe whole log: {LAST_LOG}")
            sys.exit(1)
        except (WrongEndingError, NoActorsError) as error:
            console.print(f"[red]✗[/red] {error}")
            sys.exit(1)


if __name__ == "__main__":
    main()
