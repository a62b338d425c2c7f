"""Measure everything, print it as a table and keep it as JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench import mapper
from bench.timing import best_rates, peak_memory
from bench.whole import OURS, STOCK, Runs
from bench.workbench import workbench

RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Sizes:
    """How many records each measurement takes."""

    mapper: int = 200_000
    target: int = 100_000
    memory_low: int = 20_000
    memory_high: int = 200_000
    rounds: int = 3


QUICK = Sizes(mapper=40_000, target=20_000, memory_low=2_000, memory_high=20_000, rounds=2)


@dataclass(frozen=True)
class Result:
    """One line of the table; None is what could not be told from noise.

    ``wanted`` says what the ratio is hoped to be; nothing asserts it.
    """

    what: str
    ours: float | None
    peer: float | None
    unit: str
    wanted: str

    @property
    def ratio(self) -> float | None:
        """Ours to theirs, for rates as for times and sizes."""
        return self.ours / self.peer if self.ours and self.peer else None


class Bench:
    """Collects results and prints each as it comes."""

    def __init__(self, sizes: Sizes, console: Console) -> None:
        self.sizes = sizes
        self.console = console
        self.results: list[Result] = []

    def add(
        self, what: str, ours: float | None, peer: float | None, unit: str, wanted: str
    ) -> None:
        """Keep one result and print it."""
        self.results.append(Result(what, ours, peer, unit, wanted))
        self.console.print(f"  {what}: {_shown(ours)} against {_shown(peer)} {unit}")

    def mapper(self) -> None:
        """The mapper beside the stock one and beside Meltano's relay, on the same lines."""
        records, rounds = self.sizes.mapper, self.sizes.rounds
        with tempfile.TemporaryDirectory(prefix="sweo-bench-") as folder, workbench(1) as bench:
            lines = Path(folder) / "lines"
            mapper.write_lines(lines, records)
            config = Path(folder) / "config.json"
            config.write_text(json.dumps(mapper.settings()))
            empty = Path(folder) / "empty"
            empty.touch()
            given = ["--config", str(config)]
            rates = best_rates(
                {
                    "ours": [*mapper.OURS, *given],
                    "stock": [*mapper.STOCK, *given],
                },
                {"ours": (empty, lines), "stock": (empty, lines)},
                records,
                rounds,
            )
            relay = Runs(bench).relay_rate(lines, records, rounds)
        fields = f"mapper, {len(mapper.KINDS)} fields"
        self.add(f"{fields}, stock mapper", rates["ours"], rates["stock"], "records/s", ">= 2")
        self.add(f"{fields}, Meltano's relay", rates["ours"], relay, "records/s", ">= 1")

    def target(self) -> None:
        """The target on echoes, and whole runs, beside the stock pipeline."""
        records, rounds = self.sizes.target, self.sizes.rounds
        with workbench(records) as bench:
            mapped, stock = bench.mapped, bench.stock_lines
            rates = best_rates(
                {
                    "ours": bench.command("target-sweo"),
                    "stock": [sys.executable, "-m", "bench.stock.target"],
                },
                {
                    "ours": (bench.schema_of(mapped), mapped),
                    "stock": (bench.schema_of(stock), stock),
                },
                records,
                rounds,
                bench.environ,
            )
            what = f"target, {records:,} echoes"
            self.add(what, rates["ours"], rates["stock"], "records/s", ">= 8")
            runs = Runs(bench)
            for name in (f"whole run, {records:,} records", "idle run"):
                ours, theirs = runs.run(OURS), runs.run(STOCK)
                self.add(name, ours.clock_seconds, theirs.clock_seconds, "s", "")

    def memory(self) -> None:
        """The peak memory of each process, many records against few."""
        peaks = {}
        for records in (self.sizes.memory_low, self.sizes.memory_high):
            with workbench(records) as bench:
                peaks[records] = peak_memory(bench.pipeline, bench.environ)
        low, high = peaks.values()
        for place, name in enumerate(("tap-salesforce", "mapper-sweo", "target-sweo")):
            what = f"{name}, {self.sizes.memory_high:,} against {self.sizes.memory_low:,} records"
            self.add(what, high[place] / 1024, low[place] / 1024, "MiB peak", "<= 1.3")

    def table(self) -> Table:
        """All results."""
        table = Table(box=SIMPLE_HEAD)
        table.add_column("measured")
        for column in ("here", "beside", "unit", "ratio", "wanted"):
            table.add_column(column, justify="left" if column == "unit" else "right")
        for each in self.results:
            table.add_row(
                each.what,
                _shown(each.ours),
                _shown(each.peer),
                each.unit,
                _shown(each.ratio),
                each.wanted,
            )
        return table

    def save(self) -> None:
        """Write the results beside this file."""
        machine = {"python": platform.python_version(), "processors": os.cpu_count()}
        kept = {
            "machine": machine,
            "sizes": asdict(self.sizes),
            "results": [asdict(each) | {"ratio": each.ratio} for each in self.results],
        }
        RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


def _shown(number: float | None) -> str:
    if number is None:
        return "(noise)"
    return f"{number:,.0f}" if number >= 1_000 else f"{number:,.2f}"


PARTS = ("mapper", "target", "memory")


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: whether it works, not how fast it is.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Measure this part only.")
def main(quick: bool, only: tuple[str, ...]) -> None:
    """Measure speed and memory beside a stock singer-sdk pipeline on the same records.

    Rates are by processor time without start-up; whole runs are by the clock.
    """
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    bench = Bench(QUICK if quick else Sizes(), console)
    for part in only or PARTS:
        console.print(f"Measuring: {part}")
        getattr(bench, part)()
    console.print(bench.table())
    bench.save()


if __name__ == "__main__":
    main()
