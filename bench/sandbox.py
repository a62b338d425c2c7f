"""How fast the sandbox serves, seeds and starts; the client discards what it reads.

One worker, TLS on, on the data directory of a real ``sweo-sandbox serve`` process.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import click

FIELDS = (
    "Id,Name,Type,Industry,Phone,Website,BillingCity,BillingCountry,BillingStreet,"
    "AnnualRevenue,NumberOfEmployees,Rating,Customer_Number__c,Health__c,Plan__c,"
    "Is_Reference__c,Renewal_Date__c,ARR__c,CreatedDate,SystemModstamp"
)
_SWEO_SANDBOX = [str(Path(sys.executable).parent / "sweo-sandbox")]
_TOTAL = re.compile(rb'"totalSize":(\d+)')
_NEXT_PAGE = re.compile(rb'"nextRecordsUrl":"([^"]+)"')


@dataclass(frozen=True)
class Rates:
    """What was measured; rates are records a second, times are seconds."""

    rest_pages: float
    bulk_results: float
    page_beside_small: float
    seed_salesforce: float
    seed_sweo: float
    start_seconds: float


class Discarding:
    """A keep-alive client that looks at no more of an answer than it must."""

    def __init__(self, environment: dict[str, str]) -> None:
        address = urlsplit(environment["SALESFORCE_INSTANCE_URL"])
        context = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
        self._connection = http.client.HTTPSConnection(
            str(address.hostname), address.port, context=context
        )
        token = environment["SALESFORCE_ACCESS_TOKEN"]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> tuple[bytes, dict[str, str]]:
        """The raw answer and its headers; anything but success is an error."""
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, path, sent, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return content, {name.lower(): value for name, value in answer.getheaders()}

    def query(self, soql: str, *, pages: int | None = None) -> int:
        """Read a query to its end, or some pages of it; how many records it has in all."""
        path: str | None = f"/services/data/v62.0/query?q={quote(soql)}"
        read = total = 0
        while path is not None and (pages is None or read < pages):
            content, _ = self.ask("GET", path)
            head = content[:400]
            following, counted = _NEXT_PAGE.search(head), _TOTAL.search(head)
            path = following[1].decode() if following else None
            total = int(counted[1]) if counted else 0
            read += 1
        return total

    def bulk(self, soql: str) -> int:
        """Read the results of a Bulk API 2.0 query; how many records they hold."""
        made, _ = self.ask("POST", "/services/data/v62.0/jobs/query", _bulk_order(soql))
        place = f"/services/data/v62.0/jobs/query/{json.loads(made)['id']}"
        while json.loads(self.ask("GET", place)[0])["state"] != "JobComplete":
            time.sleep(0.01)
        locator, read = "", 0
        while locator != "null":
            ending = f"?locator={locator}" if locator else ""
            _, headers = self.ask("GET", f"{place}/results{ending}")
            locator = headers["sforce-locator"]
            read += int(headers["sforce-numberofrecords"])
        return read


def _bulk_order(soql: str) -> dict[str, str]:
    return {"operation": "query", "query": soql}


@contextlib.contextmanager
def served(directory: Path) -> Iterator[tuple[dict[str, str], float]]:
    """A sandbox process on a directory, its variables, and the seconds that its start took."""
    place = ["--data-dir", str(directory)]
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*_SWEO_SANDBOX, "serve", *place, "--salesforce-port", "0", "--sweo-port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline().startswith("ready"):
            raise RuntimeError("the sandbox did not start")
        seconds = time.perf_counter() - begun
        printed = subprocess.run(
            [*_SWEO_SANDBOX, "env", *place], capture_output=True, text=True, check=True
        ).stdout
        lines = (line.removeprefix("export ").partition("=") for line in printed.splitlines())
        yield {name: value.strip("'") for name, _, value in lines}, seconds
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def seeded(directory: Path, accounts: int, contacts: int) -> dict[str, float]:
    """Fill a directory on which nothing runs; records a second by side."""
    from sweo_sandbox.credentials import settings_of
    from sweo_sandbox.seeding.plan import SeedPlan
    from sweo_sandbox.seeding.salesforce_rows import seed_org
    from sweo_sandbox.seeding.sweo_rows import seed_workspace
    from sweo_sandbox.side import salesforce_side, sweo_side

    org_settings, workspace_settings = settings_of(directory)
    plan = SeedPlan(accounts=accounts, contacts=contacts, random_seed=1)
    rates: dict[str, float] = {}
    for side, fill in (
        (salesforce_side(org_settings, directory), seed_org),
        (sweo_side(workspace_settings, directory), seed_workspace),
    ):
        begun = time.perf_counter()
        made: dict[str, int] = fill(side.state, plan)
        rates[side.name] = sum(made.values()) / (time.perf_counter() - begun)
        side.close()
    return rates


def measured(accounts: int = 100_000, rounds: int = 3) -> Rates:
    """Seed, start, read; the best of some rounds counts."""
    soql = f"SELECT {FIELDS} FROM Account"
    with tempfile.TemporaryDirectory() as name:
        big, small = Path(name) / "big", Path(name) / "small"
        seeding = seeded(big, accounts, accounts * 3)
        seeded(small, 10_000, 0)
        with served(small) as (environment, _):
            page_small = _page_seconds(Discarding(environment), soql, rounds)
        with served(big) as (environment, first_start):
            client = Discarding(environment)
            page_big = _page_seconds(client, soql, rounds)
            rest = max(_rate(lambda: client.query(soql)) for _ in range(rounds))
            bulk = max(_rate(lambda: client.bulk(soql)) for _ in range(rounds))
        with served(big) as (_, second_start):
            pass
    return Rates(
        rest_pages=rest,
        bulk_results=bulk,
        page_beside_small=page_big / page_small,
        seed_salesforce=seeding["salesforce"],
        seed_sweo=seeding["sweo"],
        start_seconds=min(first_start, second_start),
    )


def _rate(read: Callable[[], int]) -> float:
    begun = time.perf_counter()
    records = read()
    return records / (time.perf_counter() - begun)


def _page_seconds(client: Discarding, soql: str, rounds: int) -> float:
    """What one page in the order of change costs, as a tap asks for it."""
    ordered = f"{soql} WHERE SystemModstamp > 2000-01-01T00:00:00Z ORDER BY SystemModstamp, Id"
    seconds = []
    for _ in range(rounds * 3):
        begun = time.perf_counter()
        client.query(ordered, pages=1)
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


@click.command()
@click.option("--accounts", default=100_000, show_default=True)
@click.option("--rounds", default=3, show_default=True)
def main(accounts: int, rounds: int) -> None:
    """Print what was measured beside what is hoped for."""
    rates = measured(accounts, rounds)
    click.echo(f"REST pages of 20 fields     {rates.rest_pages:>10,.0f} records/s  (20,000)")
    click.echo(f"Bulk 2 results of 20 fields {rates.bulk_results:>10,.0f} records/s  (30,000)")
    click.echo(f"a page beside 10,000 rows   {rates.page_beside_small:>10.2f} times      (1.5)")
    click.echo(f"seeding Salesforce          {rates.seed_salesforce:>10,.0f} records/s  (6,700)")
    click.echo(f"seeding Sweo                {rates.seed_sweo:>10,.0f} records/s")
    click.echo(f"start on existing data      {rates.start_seconds:>10.2f} s          (1)")


if __name__ == "__main__":
    main()
