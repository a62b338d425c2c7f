"""Whole pipelines on a ledger that is damaged, lost, old, full or somebody else's."""

from __future__ import annotations

import copy
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import project_mappings
from crosswalk.errors import FatalError
from crosswalk.ledger import Ledger, engine as ledger_engine, schema
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from postgres import empty_ledger_url
from sqlalchemy import Engine, event, select, update
from sweo_sandbox.testing import Sandbox
from world import World


@dataclass
class OnPostgres(Pipelines):
    """A project whose ledger is on a server."""

    url: str = ""

    @property
    def ledger_url(self) -> str:
        return self.url


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> Pipelines:
    if request.param == "sqlite":
        return Pipelines(sandbox, tmp_path, project_mappings())
    return OnPostgres(sandbox, tmp_path, project_mappings(), url=empty_ledger_url())


def linked(world: World, pipelines: Pipelines, count: int = 3) -> list[tuple[str, str]]:
    """Accounts and their companies, linked and quiet."""
    made = [
        (world.account(f"C-{n}", Industry=f"I-{n}"), world.company(f"C-{n}")) for n in range(count)
    ]
    settled(world, pipelines)
    world.sandbox.reset_calls()
    return made


def settled(world: World, pipelines: Pipelines) -> None:
    """Both pipelines have run twice."""
    for _ in range(2):
        pipelines.sync()
        world.sandbox.advance(5)


def quiet(world: World, pipelines: Pipelines) -> None:
    """Both pipelines have run twice, and a third time has nothing to write."""
    settled(world, pipelines)
    world.sandbox.reset_calls()
    pipelines.sync()
    assert writes(world) == 0
    world.sandbox.advance(5)
    world.sandbox.reset_calls()


def writes(world: World) -> int:
    return int(world.calls("sweo")["writes"] + world.calls("salesforce")["writes"])


def industries(world: World, pair: tuple[str, str]) -> tuple[Any, Any]:
    account, company = pair
    return (
        world.row("Account", account)["Industry"],
        world.company_now(company).get("industry"),
    )


def rows(pipelines: Pipelines, table: str) -> list[dict[str, Any]]:
    ledger = pipelines.ledger
    with ledger.reader.connect() as connection:
        found = connection.execute(select(schema.metadata.tables[table])).mappings()
        listed = [dict(row) for row in found]
    ledger.close()
    return listed


def refused(world: World, pipelines: Pipelines, says: str) -> None:
    """Both directions refuse in one sentence, and neither side is written to."""
    before = copy.deepcopy(pipelines.state)
    for direction in (TO_SWEO, TO_SALESFORCE):
        with pytest.raises(FatalError, match=says) as caught:
            pipelines.run(direction)
        assert "\n" not in str(caught.value)
    assert writes(world) == 0
    assert pipelines.state == before


# both databases


def test_a_life_of_edits_on_each_database(world: World, anywhere: Pipelines) -> None:
    pairs = linked(world, anywhere)
    person = world.contact("ann@x.test", AccountId=pairs[0][0], Phone="1", Title="Boss")
    anywhere.sync()
    world.edit_salesforce("Account", pairs[0][0], Industry="Energy")
    world.edit_company(pairs[1][1], industry="Retail")
    world.edit_salesforce("Account", pairs[2][0], Industry="Ours")
    world.edit_company(pairs[2][1], industry="Theirs", website="https://kept.test")
    world.edit_salesforce("Contact", person, Phone="2")
    quiet(world, anywhere)
    assert [industries(world, pair) for pair in pairs] == [
        ("Energy", "Energy"),
        ("Retail", "Retail"),
        ("Ours", "Ours"),
    ]
    assert world.row("Account", pairs[2][0])["Website"] == "https://kept.test"
    [conflict] = [row for row in rows(anywhere, "conflict") if row["sweo"] == '"Theirs"']
    assert conflict["winner"] == "salesforce"
    mappings = {row["mapping"] for row in rows(anywhere, "link") if row["closed"] is None}
    assert mappings == {"accounts", "contacts"}


def test_a_refused_field_heals_on_each_database(world: World, anywhere: Pipelines) -> None:
    [(account, company)] = linked(world, anywhere, 1)
    world.edit_company(company, industry="X" * 200, website="https://kept.test")
    anywhere.run(TO_SALESFORCE)
    assert world.row("Account", account)["Website"] == "https://kept.test"
    assert [row["field"] for row in rows(anywhere, "quarantine")] == ["Industry"]
    world.sandbox.advance(60)
    world.edit_company(company, industry="Retail")
    anywhere.run(TO_SALESFORCE)
    assert world.row("Account", account)["Industry"] == "Retail"
    assert rows(anywhere, "quarantine") == []


def test_a_dry_run_leaves_no_trace_on_each_database(world: World, anywhere: Pipelines) -> None:
    [pair] = linked(world, anywhere, 1)
    world.edit_salesforce("Account", pair[0], Industry="Energy")
    before = {table: rows(anywhere, table) for table in ("link", "change", "run", "lease")}
    anywhere.settings["target-sweo"] = {"dry_run": True}
    assert anywhere.run(TO_SWEO).counts["updated"] == 1
    assert writes(world) == 0
    assert {table: rows(anywhere, table) for table in before} == before
    anywhere.settings.clear()
    quiet(world, anywhere)
    assert industries(world, pair) == ("Energy", "Energy")


# a ledger that cannot be used


def test_a_damaged_ledger_is_refused_and_moved_away_costs_nothing(
    world: World, pipelines: Pipelines
) -> None:
    pairs = linked(world, pipelines)
    world.edit_salesforce("Account", pairs[0][0], Industry="Energy")
    path = pipelines.folder / "ledger.db"
    for leftover in pipelines.folder.glob("ledger.db*"):
        leftover.unlink()
    path.write_bytes(b"rubbish" * 2_000)
    refused(world, pipelines, "damaged.*move it away")
    path.rename(pipelines.folder / "damaged.db")
    quiet(world, pipelines)
    assert [industries(world, pair) for pair in pairs] == [
        ("Energy", "Energy"),
        ("I-1", "I-1"),
        ("I-2", "I-2"),
    ]


def test_a_newer_ledger_is_refused_until_it_is_understood(
    world: World, anywhere: Pipelines
) -> None:
    [pair] = linked(world, anywhere, 1)
    world.edit_salesforce("Account", pair[0], Industry="Energy")
    ledger = anywhere.ledger
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    refused(world, anywhere, "newer version of Sweo Sync .*upgrade the plugins")
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE alembic_version SET version_num = '{ledger_engine.HEAD}'"
        )
    ledger.close()
    quiet(world, anywhere)
    assert industries(world, pair) == ("Energy", "Energy")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ledger.db", "cannot be read; it should look like sqlite:///"),
        ("mysql://u:p@h/d", "cannot be kept in mysql"),
        ("postgresql+nothing://u:p@h/d", "driver is not installed"),
        ("sqlite:////proc/no/ledger.db", "cannot be opened for writing"),
    ],
)
def test_an_impossible_place_is_refused(
    world: World, pipelines: Pipelines, url: str, says: str
) -> None:
    world.account("C-1", Industry="Energy")
    lines = pipelines.map(TO_SWEO, pipelines.tap(TO_SWEO))
    pipelines.settings["target-sweo"] = {"ledger_url": url}
    with pytest.raises(FatalError, match=says):
        pipelines.target(TO_SWEO, lines)
    assert writes(world) == 0
    assert pipelines.state == {}


def test_a_network_file_system_is_refused(
    world: World, pipelines: Pipelines, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.account("C-1", Industry="Energy")
    lines = pipelines.map(TO_SWEO, pipelines.tap(TO_SWEO))
    mounts = pipelines.folder / "mounts"
    mounts.write_text(f"server:/x {pipelines.folder} nfs rw 0 0\n")
    monkeypatch.setattr(ledger_engine, "_MOUNTS", mounts)
    with pytest.raises(FatalError, match=r"network file system \(nfs\)"):
        pipelines.target(TO_SWEO, lines)
    assert writes(world) == 0


# a ledger that stops taking writes while the run is at work


FULL, READ_ONLY = "PRAGMA max_page_count = 1", "PRAGMA query_only = 1"
WAY_OUT = {
    FULL: "free disk space and run again: nothing was lost",
    READ_ONLY: "make the file and its folder writable",
}


@contextmanager
def sqlite_under(pragma: str, *, before: str) -> Iterator[None]:
    """From the first statement on that begins like this, SQLite is under this pragma."""
    reached = False

    def execute(_connection: object, cursor: Any, statement: str, *_rest: object) -> None:
        nonlocal reached
        reached = reached or statement.startswith(before)
        if reached:
            cursor.execute(pragma)

    event.listen(Engine, "before_cursor_execute", execute)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", execute)


@pytest.mark.parametrize("direction", [TO_SWEO, TO_SALESFORCE])
def test_a_ledger_that_takes_no_more_writes_at_any_moment_loses_nothing(
    world: World, pipelines: Pipelines, monkeypatch: pytest.MonkeyPatch, direction: str
) -> None:
    monkeypatch.setattr("crosswalk.ledger.runs.Lease._beat", lambda _: None)
    pairs = linked(world, pipelines, 12)
    side = "sweo" if direction == TO_SWEO else "salesforce"
    for moment, (pragma, before, written) in enumerate(
        [
            (READ_ONLY, "INSERT INTO lease", False),
            (READ_ONLY, "INSERT INTO intent", False),
            (READ_ONLY, "UPDATE link", True),
            (FULL, "INSERT INTO change", True),
        ]
    ):
        expected = [f"{moment}-{number} ".ljust(40, "x") for number in range(len(pairs))]
        site = f"https://{moment}.test/" + "y" * 200
        for (account, company), value in zip(pairs, expected, strict=True):
            if direction == TO_SWEO:
                world.edit_salesforce("Account", account, Industry=value, Website=site)
            else:
                world.edit_company(company, industry=value, website=site)
        with sqlite3.connect(pipelines.folder / "ledger.db") as connection:
            connection.execute("VACUUM")  # so that every row from here on needs a page
        connection.close()
        world.sandbox.reset_calls()
        state = copy.deepcopy(pipelines.state)
        with (
            sqlite_under(pragma, before=before),
            pytest.raises(FatalError, match=WAY_OUT[pragma]),
        ):
            pipelines.run(direction)
        assert (int(world.calls(side)["writes"]) > 0) == written
        assert pipelines.state == state
        a_process_that_is_gone_holds_no_lease(pipelines)
        world.sandbox.reset_calls()
        settled(world, pipelines)
        assert [industries(world, pair) for pair in pairs] == [(v, v) for v in expected]
        if written:
            assert writes(world) == 0, "what had been written was written again"
        assert rows(pipelines, "intent") == []
    assert rows(pipelines, "conflict") == []


def a_process_that_is_gone_holds_no_lease(pipelines: Pipelines) -> None:
    ledger = pipelines.ledger
    with ledger.engine.begin() as connection:
        connection.execute(schema.lease.delete())
    ledger.close()


# a ledger that is another one than before


def test_a_deleted_ledger_is_made_anew_and_erases_nothing(
    world: World, anywhere: Pipelines
) -> None:
    pairs = linked(world, anywhere)
    if isinstance(anywhere, OnPostgres):
        anywhere.url = empty_ledger_url()
    else:
        for leftover in anywhere.folder.glob("ledger.db*"):
            leftover.unlink()
    # As the edits are found at the first meeting of the new ledger:
    world.edit_salesforce("Account", pairs[0][0], Industry=None)
    world.edit_company(pairs[1][1], industry=None)
    world.edit_company(pairs[2][1], industry="Theirs")
    seen = anywhere.run(TO_SWEO)
    assert seen.records >= len(pairs), "STATE of the former ledger was believed"
    quiet(world, anywhere)
    assert [industries(world, pair) for pair in pairs] == [
        ("I-0", "I-0"),
        ("I-1", "I-1"),
        ("I-2", "I-2"),
    ]
    replaced = [row for row in rows(anywhere, "change") if row["old"] == '"Theirs"']
    assert replaced, "what the first meeting replaced is in the log"


def test_a_state_from_another_ledger_means_a_full_read(
    world: World, pipelines: Pipelines, tmp_path: Path
) -> None:
    pairs = linked(world, pipelines)
    other = Pipelines(pipelines.sandbox, tmp_path / "other", project_mappings())
    Ledger.open(other.ledger_url).close()
    other.state = copy.deepcopy(pipelines.state)
    quiet(world, other)
    assert len(rows(other, "link")) == len(rows(pipelines, "link"))
    assert [industries(world, pair)[1] for pair in pairs] == ["I-0", "I-1", "I-2"]


def test_a_state_older_than_the_ledger_is_replayed_without_a_write(
    world: World, pipelines: Pipelines
) -> None:
    pairs = linked(world, pipelines)
    old = copy.deepcopy(pipelines.state)
    world.edit_salesforce("Account", pairs[0][0], Industry="Energy")
    world.edit_company(pairs[1][1], industry="Retail")
    quiet(world, pipelines)
    pipelines.state = old
    pipelines.sync()
    assert writes(world) == 0
    # An edit that nobody has read yet is no echo, whatever STATE says.
    pipelines.state = copy.deepcopy(old)
    world.edit_company(pairs[0][1], industry="Younger")
    quiet(world, pipelines)
    assert industries(world, pairs[0]) == ("Younger", "Younger")
    assert industries(world, pairs[1]) == ("Retail", "Retail")


def test_a_lost_state_is_a_full_read_without_a_write(world: World, pipelines: Pipelines) -> None:
    linked(world, pipelines)
    pipelines.state.clear()
    pipelines.sync()
    assert writes(world) == 0


@pytest.mark.parametrize(
    ("side", "says"),
    [
        ("salesforce", r"belongs to the Salesforce org elsewhere.*SWEO_LEDGER_URL"),
        ("sweo", r"belongs to the Sweo workspace elsewhere.*SWEO_LEDGER_URL"),
    ],
)
def test_another_org_or_workspace_is_refused_before_the_first_write(
    world: World, pipelines: Pipelines, side: str, says: str
) -> None:
    [(account, company)] = linked(world, pipelines, 1)
    world.edit_salesforce("Account", account, Industry="Energy")
    world.edit_company(company, website="https://new.test")
    ledger = pipelines.ledger
    key = schema.meta.c.key == f"instance_{side}"
    with ledger.engine.begin() as connection:
        former = connection.execute(select(schema.meta.c.value).where(key)).scalar_one()
        connection.execute(update(schema.meta).where(key).values(value="elsewhere"))
        # Other credentials than those that are known to be for the ledger's own.
        connection.execute(schema.meta.delete().where(schema.meta.c.key.startswith("credentials_")))
    refused(world, pipelines, says)
    with ledger.engine.begin() as connection:
        connection.execute(update(schema.meta).where(key).values(value=former))
    ledger.close()
    quiet(world, pipelines)
    assert industries(world, (account, company)) == ("Energy", "Energy")
    assert world.row("Account", account)["Website"] == "https://new.test"


# a ledger that came back from a backup


def backup(pipelines: Pipelines) -> Path:
    copied = pipelines.folder / "backup.db"
    with sqlite3.connect(pipelines.folder / "ledger.db") as source:
        target = sqlite3.connect(copied)
        source.backup(target)
        target.close()
    source.close()
    return copied


def restored(pipelines: Pipelines, copied: Path) -> None:
    for leftover in pipelines.folder.glob("ledger.db*"):
        os.unlink(leftover)
    shutil.copy(copied, pipelines.folder / "ledger.db")


def test_a_ledger_from_a_backup_needs_no_repair(world: World, pipelines: Pipelines) -> None:
    pairs = linked(world, pipelines)
    copied = backup(pipelines)
    world.edit_salesforce("Account", pairs[0][0], Industry="Energy")
    world.edit_company(pairs[1][1], industry="Retail")
    world.edit_salesforce("Account", pairs[2][0], Industry="Agreed")
    settled(world, pipelines)
    world.sandbox.advance(86_400)
    settled(world, pipelines)
    restored(pipelines, copied)
    # What was agreed after the backup and was edited since looks edited on both sides.
    world.edit_company(pairs[2][1], industry="Theirs")
    world.sandbox.reset_calls()
    pipelines.sync()
    assert industries(world, pairs[0]) == ("Energy", "Energy")
    assert industries(world, pairs[1]) == ("Retail", "Retail")
    assert industries(world, pairs[2]) == ("Agreed", "Agreed")
    assert writes(world) == 1
    assert [row["sweo"] for row in rows(pipelines, "conflict")] == ['"Theirs"']
    quiet(world, pipelines)


def test_what_was_linked_and_owed_after_the_backup_is_found_again(
    world: World, pipelines: Pipelines
) -> None:
    pairs = linked(world, pipelines)
    copied = backup(pipelines)
    world.edit_company(pairs[0][1], industry="X" * 200)
    account, company = world.account("C-9", Industry="New"), world.company("C-9")
    settled(world, pipelines)
    assert industries(world, (account, company)) == ("New", "New")
    world.sandbox.advance(86_400)
    settled(world, pipelines)
    restored(pipelines, copied)
    settled(world, pipelines)
    world.edit_company(company, industry="Retail")
    settled(world, pipelines)
    assert industries(world, (account, company)) == ("Retail", "Retail")
    assert [row["source_id"] for row in rows(pipelines, "quarantine")] == [pairs[0][1]]
