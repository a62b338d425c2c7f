"""`python -m simulation --seeds 1000`, or `--seed N` to replay one life with its trace."""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table
from simulation.engine import Lost, Simulation


def live(seed: int) -> tuple[int, str | None, Counter[str]]:
    simulation = Simulation(seed)
    try:
        simulation.live()
    except Lost as lost:
        return seed, str(lost), simulation.struck
    except Exception as error:  # noqa: BLE001 - any other error is a finding as well
        return seed, f"{type(error).__name__}: {error}", simulation.struck
    finally:
        simulation.close()
    return seed, None, simulation.struck


@click.command()
@click.option("--seeds", default=200, help="How many lives to live.")
@click.option("--first", default=0, help="The first seed.")
@click.option("--seed", type=int, help="Replay this one and print its trace.")
@click.option("--jobs", default=2, help="Processes at once.")
def main(seeds: int, first: int, seed: int | None, jobs: int) -> None:
    """Simulate the whole system under faults and check that no edit is lost."""
    console = Console()
    if seed is not None:
        simulation = Simulation(seed)
        try:
            simulation.live()
        except BaseException:
            console.print("\n".join(simulation.trace), markup=False)
            console.print(simulation.plan)
            raise
        finally:
            simulation.close()
        console.print(f"Seed {seed} holds.")
        return
    began = time.monotonic()
    struck: Counter[str] = Counter()
    failed: list[tuple[int, str]] = []
    with ProcessPoolExecutor(jobs) as pool:
        lives = pool.map(live, range(first, first + seeds), chunksize=4)
        for number, reason, counts in track(lives, total=seeds, console=console):
            struck += counts
            if reason is not None:
                failed.append((number, reason))
    table = Table("what struck", "how often", title=f"{seeds} lives")
    for name, count in sorted(struck.items()):
        table.add_row(name, f"{count:,}")
    console.print(table)
    for number, reason in failed:
        console.print(f"seed {number}: {reason}", markup=False)
        console.print(f"  replay: make simulate SEED={number}", markup=False)
    console.print(
        f"{seeds - len(failed)} passed, {len(failed)} failed in {time.monotonic() - began:.0f} s"
    )
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
