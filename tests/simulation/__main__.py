"""`python -m simulation --seeds 1000`; `--seed N` replays one life with its trace; `--plant NAME`
puts a bug into the code first and stops at the first life that finds it.

The system under test is imported late, so that a bug can be planted before.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import track
from simulation.planted import PLANTS
from simulation.pool import begin, lives
from simulation.report import tables

if TYPE_CHECKING:
    from simulation.lives import Life


@click.command()
@click.option("--seeds", type=int, help="How many lives to live (200).")
@click.option("--first", type=int, help="The first seed (0).")
@click.option("--seed", type=int, help="Replay this one and print its trace.")
@click.option("--plant", type=click.Choice(sorted(PLANTS)), help="Plant this bug first.")
@click.option("--digest", is_flag=True, help="With --seed: print only a digest of the trace.")
@click.option("--jobs", default=2, help="Processes at once.")
def main(
    seeds: int | None,
    first: int | None,
    seed: int | None,
    plant: str | None,
    digest: bool,
    jobs: int,
) -> None:
    """Simulate the whole system under faults and check that no edit is lost."""
    planted = PLANTS[plant] if plant else None
    seeds = seeds or (planted.seeds if planted else 200)
    first = (planted.first if planted else 0) if first is None else first
    if seed is not None:
        begin(plant)
        sys.exit(_replay(seed, digest=digest))
    sys.exit(_many(range(first, first + seeds), plant, jobs))


def _replay(seed: int, *, digest: bool) -> int:
    from simulation.lives import live

    life = live(seed)
    if digest:
        click.echo(f"{life.digest} {life.reason or 'holds'}")
        return 0
    if life.reason is None:
        click.echo(f"Seed {seed} holds.")
        return 0
    click.echo("\n".join(life.trace))
    click.echo(life.plan)
    click.echo(life.failure)
    return 1


def _many(seeds: range, plant: str | None, jobs: int) -> int:
    console = Console(stderr=not sys.stdout.isatty())
    began = time.monotonic()
    lived: list[Life] = []
    with lives(seeds, plant=plant, jobs=jobs) as all_lives:
        for life in track(all_lives, total=len(seeds), console=console, disable=bool(plant)):
            lived.append(life)
            if life.reason and not plant:
                click.echo(f"seed {life.seed}: {life.reason}")
                click.echo(f"  replay: make simulate SEED={life.seed}")
            elif life.reason:
                click.echo(f"{plant} was caught by seed {life.seed}: {life.reason}")
                click.echo(f"  replay: python -m simulation --plant {plant} --seed {life.seed}")
                return 0
    if plant:
        click.echo(f"{plant} was not caught by seeds {seeds.start} to {seeds.stop - 1}")
        return 1
    for table in tables(lived):
        Console().print(table)
    failed = [life for life in lived if life.reason]
    click.echo(
        f"{len(lived) - len(failed)} passed, {len(failed)} failed "
        f"in {time.monotonic() - began:.0f} s"
    )
    return bool(failed)


if __name__ == "__main__":
    main()
