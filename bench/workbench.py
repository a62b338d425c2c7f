"""An org with many accounts, a ledger in which each has its pair, and configs for the plugins."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from sweo_sandbox.testing import Sandbox, running_sandbox

PROJECT = Path(__file__).resolve().parent.parent
COMMANDS = Path(sys.executable).parent
CHUNK_ROWS = 20_000
HOUR_SECONDS = 3_600
INDUSTRIES = ("Banking", "Energy", "Retail", "Shipping")
PLANS = ("Free", "Pro", "Enterprise")


@dataclass(frozen=True)
class Workbench:
    """``records`` accounts, all of them linked and none changed since."""

    records: int
    folder: Path
    sandbox: Sandbox
    environ: dict[str, str]
    mapping: dict[str, Any]

    @property
    def pipeline(self) -> list[list[str]]:
        """Tap, mapper and target, without STATE."""
        return [self.command(name) for name in ("tap-salesforce", "mapper-sweo", "target-sweo")]

    def command(self, plugin: str) -> list[str]:
        """The command line of one plugin."""
        return [str(COMMANDS / plugin), "--config", str(self._config(plugin))]

    def _config(self, plugin: str) -> Path:
        config: dict[str, Any] = {"mappings": [self.mapping]}
        if plugin == "mapper-sweo":
            config["direction"] = "to-sweo"
        else:
            config["ledger_url"] = self.environ["SWEO_LEDGER_URL"]
            # Elsewhere the limits of a run would stop it.
            config["environment"] = "sandbox"
        if plugin == "tap-salesforce":
            names = ("login_url", "client_id", "client_secret")
            config |= {name: self.environ[f"SALESFORCE_{name.upper()}"] for name in names}
        elif plugin == "target-sweo":
            config["api_url"] = self.environ["SWEO_API_URL"]
            config["access_token"] = self.environ["SWEO_ACCESS_TOKEN"]
        file = self.folder / f"{plugin}.json"
        file.write_text(json.dumps(config))
        return file

    @property
    def mapped(self) -> Path:
        """What tap and mapper hand to the target."""
        return self.folder / "mapped.lines"

    @property
    def stock_lines(self) -> Path:
        """The same accounts as the stock tap gives them."""
        return self.folder / "stock.lines"

    def schema_of(self, lines: Path) -> Path:
        """The first line of a file, as a file: an input without records."""
        file = lines.with_suffix(".schema")
        with lines.open("rb") as source:
            file.write_bytes(source.readline())
        return file

    def record(self, target: Path, *commands: list[str]) -> None:
        """Keep what a pipe of commands prints."""
        source: Any = subprocess.DEVNULL
        with target.open("wb") as out:
            started = []
            for place, command in enumerate(commands):
                sink = out if place == len(commands) - 1 else subprocess.PIPE
                process = subprocess.Popen(
                    command,
                    stdin=source,
                    stdout=sink,
                    stderr=subprocess.DEVNULL,
                    env=self.environ,
                    cwd=PROJECT,
                )
                if place:
                    # Else a writer whose reader has failed would wait for ever.
                    source.close()
                source = process.stdout
                started.append((command, process))
            # The last one first: where it failed, those before it only lost their reader.
            for command, process in reversed(started):
                if process.wait():
                    raise RuntimeError(f"{command[0]} ended with exit code {process.returncode}.")


@contextmanager
def workbench(records: int) -> Iterator[Workbench]:
    """Set one up; it is gone at the end."""
    document = YAML(typ="safe").load(PROJECT / "meltano.yml")
    accounts = document["annotations"]["sweo"]["mappings"][0]
    with tempfile.TemporaryDirectory(prefix="sweo-bench-") as folder, running_sandbox() as sandbox:
        own = ("MELTANO_", "SWEO_", "SALESFORCE_", "TAP_", "TARGET_")
        environ = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        environ |= sandbox.env() | {"SWEO_LEDGER_URL": f"sqlite:///{folder}/ledger.db"}
        bench = Workbench(records, Path(folder), sandbox, environ, accounts)
        _load(sandbox, records)
        # Behind the overlap window, in which taps read again what they have read already.
        sandbox.advance(HOUR_SECONDS)
        tap, mapper, _ = bench.pipeline
        bench.record(bench.mapped, tap, mapper)
        bench.record(bench.stock_lines, [sys.executable, "-m", "bench.stock.tap"])
        fill = [sys.executable, "-m", "bench.fill", "--config", bench.command("target-sweo")[2]]
        bench.record(bench.folder / "fill.state", ["cat", str(bench.mapped)], fill)
        yield bench


def _load(sandbox: Sandbox, records: int) -> None:
    draw = random.Random(1)
    for first in range(0, records, CHUNK_ROWS):
        sandbox.org.bulk_load(
            "Account",
            [
                {
                    "Name": f"Account {n} GmbH",
                    "Customer_Number__c": f"C-{n:07d}",
                    "Website": f"https://www.account{n}.example",
                    "Industry": draw.choice(INDUSTRIES),
                    "Plan__c": draw.choice(PLANS),
                    "ARR__c": draw.randrange(4_000_000) / 4,
                    "Seats__c": draw.randrange(5_000),
                    "Is_Reference__c": n % 2,
                    "Renewal_Date__c": f"2027-{n % 12 + 1:02d}-15",
                    "Regions__c": "AMER;EMEA" if n % 3 else "APAC",
                }
                for n in range(first, min(first + CHUNK_ROWS, records))
            ],
        )
