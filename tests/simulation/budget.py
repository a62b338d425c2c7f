"""What faults cost: many records edited on both sides, with and without lost and failing calls.

`python -m simulation.budget --records 10000 --seeds 20` prints the API calls of both sides
together until everything is quiet, and checks that both sides agree on every edit.
"""

from __future__ import annotations

import logging
import random
import statistics
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import click
from pipelines import TO_SALESFORCE, TO_SWEO
from rich.console import Console
from rich.table import Table
from simulation.engine import Simulation
from simulation.plan import Plan
from simulation.virtual import virtual

ROUNDS = 6
KINDS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "salesforce": (
        ("reset_before", {}),
        ("reset_after", {}),
        ("status", {"status": 503}),
        ("truncate", {}),
    ),
    "sweo": (
        ("reset_before", {}),
        ("reset_after", {}),
        ("status", {"status": 503}),
        ("status", {"status": 429}),
    ),
}


class Crowd(Simulation):
    """A world with many pairs; nobody edits while the pipelines run, and nothing crashes."""

    def _before(self, name: str, request: Any) -> None:
        self._tick(0.001)

    def _after(self, name: str, request: Any) -> None:
        """Nobody looks after every call: there are too many."""

    def populate(self, records: int) -> None:
        self.people.furnish()
        workspace, org = self.people.workspace, self.people.org
        for number in range(records):
            key = f"C-{number}"
            self.people.accounts.append(
                org.insert("Account", {"Name": f"A {number}", "Customer_Number__c": key})
            )
            company = workspace.companies.upsert({"company_id": key, "name": f"A {number}"})
            owner = workspace.contacts.create({"external_id": f"o-{number}", "role": "user"})
            workspace.memberships.attach(owner["id"], company["id"])
            self.people.companies.append(company["id"])

    def edit_everything(self) -> None:
        for number, account in enumerate(self.people.accounts):
            self.people.org.update("Account", account, {"Industry": f"sf {number}"})
        for number, company in enumerate(self.people.companies):
            self.people.workspace.companies.update(company, {"website": f"https://{number}.test"})

    def arm(self, share: float) -> None:
        for side, kinds in KINDS.items():
            for kind, order in kinds:
                self.sides[side].faults.add(
                    kind,  # type: ignore[arg-type]
                    probability=share / len(kinds),
                    seed=self.chance.randrange(1 << 30),
                    **order,
                )

    def struck_by(self) -> int:
        return sum(r["applied"] for side in self.sides.values() for r in side.faults.rules())

    def settle(self) -> tuple[int, int]:
        """Run both pipelines until a round writes nothing; calls of both sides, and rounds."""
        calls = 0
        for number in range(1, ROUNDS + 1):
            for side in self.sides.values():
                side.meter.reset()
            for direction in (TO_SWEO, TO_SALESFORCE):
                self._tick(1_000)
                self.run(direction)
            told = [side.meter.snapshot() for side in self.sides.values()]
            if not any(one["writes"] for one in told):
                return calls, number
            calls += sum(one["total"] for one in told)
        raise AssertionError(f"not quiet after {ROUNDS} rounds")

    def lost_edits(self) -> int:
        rows = {r["Customer_Number__c"]: dict(r) for r in self.people.org.rows("Account")}
        lost = 0
        for company in self.people.companies_now():
            row = rows[company["company_id"]]
            number = company["company_id"].removeprefix("C-")
            wanted = (f"sf {number}", f"https://{number}.test")
            lost += (row["Industry"], row["Website"]) != wanted
            lost += (company.get("industry"), company.get("website")) != wanted
        return lost


def live(records: int, seed: int, share: float) -> tuple[int, int, int, int]:
    """One crowd; calls, rounds, faults that struck, and edits that were lost."""
    logging.disable(logging.CRITICAL)
    crowd = Crowd(seed, Plan(policies=("salesforce", "salesforce")))
    try:
        with virtual(crowd.time, random.Random(seed), crowd.transport.send, crowd._process):
            crowd._set_clocks()
            crowd.populate(records)
            crowd.settle()
            crowd._tick(1_000)
            crowd.edit_everything()
            crowd.arm(share)
            calls, rounds = crowd.settle()
            return calls, rounds, crowd.struck_by(), crowd.lost_edits()
    finally:
        crowd.close()


@click.command()
@click.option("--records", default=10_000, help="Pairs, each edited on both sides.")
@click.option("--seeds", default=20, help="How many times with faults.")
@click.option("--share", default=0.01, help="The share of calls that fail.")
@click.option("--jobs", default=2, help="Processes at once.")
def main(records: int, seeds: int, share: float, jobs: int) -> None:
    """Compare the API calls of a sync under faults with those of one without."""
    plain, _, _, lost = live(records, 0, 0.0)
    table = Table("seed", "calls", "more than without", "rounds", "faults", "lost edits")
    table.add_row("no faults", f"{plain:,}", "", "", "0", str(lost))
    ratios = []
    with ProcessPoolExecutor(jobs) as pool:
        futures = [pool.submit(live, records, seed, share) for seed in range(1, seeds + 1)]
        for seed, future in enumerate(futures, start=1):
            calls, rounds, struck, lost = future.result()
            ratios.append(calls / plain - 1)
            table.add_row(
                str(seed), f"{calls:,}", f"{ratios[-1]:+.2%}", str(rounds), str(struck), str(lost)
            )
    console = Console()
    console.print(table)
    console.print(f"mean of {seeds}: {statistics.mean(ratios):+.2%} calls")


if __name__ == "__main__":
    main()
