from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from click.testing import CliRunner, Result
from crosswalk.ledger import Ledger, Link, Quarantined
from crosswalk.ledger.commit import ChangeRow, Commit, ConflictRow, WaitingRow, Writer
from crosswalk.ledger.hashing import KeyedHash
from crosswalk.ledger.runs import begin_run, end_run
from crosswalk.mapping import Side
from sweo_sync.cli import main

ACCOUNT = "001000000000001AAA"
COMPANY = "6f0000000000000000000001"
CONTACT = "003000000000001AAA"
PERSON = "6f0000000000000000000002"
EMAIL = "ada@example.com"
MAPPINGS = """
mappings:
- name: accounts
  salesforce: Account
  sweo: company
  match: {salesforce: Customer_Number__c, sweo: company_id}
  conflict: ask
  fields:
  - {salesforce: Name, sweo: name}
  - {salesforce: Industry, sweo: industry, direction: both}
- name: contacts
  salesforce: Contact
  sweo: contact
  match: {salesforce: Email, sweo: email, normalise: email}
  fields:
  - {salesforce: Title, sweo: job_title, direction: both}
"""


@dataclass
class Desk:
    """A ledger as two pipelines left it, and the command that looks at it."""

    url: str
    ledger: Ledger
    environ: dict[str, str] = field(default_factory=dict)
    account: str = ACCOUNT
    company: str = COMPANY
    contact: str = CONTACT
    person: str = PERSON
    email: str = EMAIL

    def run(self, *args: str, exit_code: int = 0, answer: str | None = None) -> Result:
        result = CliRunner().invoke(main, list(args), env=self.environ, input=answer)
        told = f"{result.output}\n{result.exception!r}"
        assert result.exit_code == exit_code, told
        return result

    def json(self, *args: str, exit_code: int = 0) -> Any:
        return json.loads(self.run(*args, "--json", exit_code=exit_code).stdout)

    def revisits(self) -> set[tuple[str, str]]:
        return {
            (direction, each.source_id)
            for direction in ("to_sweo", "to_salesforce")
            for mapping in ("accounts", "contacts")
            for each in self.ledger.revisits(direction, mapping)
        }


def _no_credentials(environ: dict[str, str]) -> dict[str, Any]:
    """CliRunner takes None for a variable that must not be there."""
    names = ("SALESFORCE_CLIENT_ID", "SALESFORCE_ACCESS_TOKEN", "SWEO_ACCESS_TOKEN")
    gone: dict[str, Any] = dict.fromkeys((*names, "MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT"))
    return {**gone, **environ}


@pytest.fixture(scope="session")
def new_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger as the migrations make it, to be copied: they take longer than most tests."""
    file = tmp_path_factory.mktemp("ledger") / "new.db"
    Ledger.open(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def empty(tmp_path: Path, new_ledger: Path) -> Iterator[Desk]:
    copyfile(new_ledger, tmp_path / "ledger.db")
    url = f"sqlite:///{tmp_path}/ledger.db"
    file = tmp_path / "mappings.yml"
    file.write_text(MAPPINGS)
    ledger = Ledger.open(url)
    environ = _no_credentials({"SWEO_LEDGER_URL": url, "SWEO_SYNC_MAPPING_FILE": str(file)})
    yield Desk(url, ledger, environ)
    ledger.close()


@pytest.fixture
def desk(empty: Desk) -> Desk:
    """Two pairs, a field edited on both sides, a write of each kind, one row in quarantine."""
    ledger, writer = empty.ledger, Writer(empty.ledger)
    hashes = KeyedHash(ledger.remembered("hash_key") or "")
    kinds = {Side.SALESFORCE: "text", Side.SWEO: "text"}
    name = ledger.field_number("accounts", "Name", "name", "to_sweo", kinds)
    industry = ledger.field_number("accounts", "Industry", "industry", "both", kinds)
    title = ledger.field_number("contacts", "Title", "job_title", "both", kinds)
    begin_run(ledger, "run1", "to_sweo")
    account = _opened(writer, "accounts", ACCOUNT, COMPANY, None)
    account.base = {
        Side.SALESFORCE: {str(name): hashes.of_value("Acme"), str(industry): "Media"},
        Side.SWEO: {str(industry): "Media"},
    }
    contact = _opened(writer, "contacts", CONTACT, PERSON, hashes.of_key(f"0:{EMAIL}"))
    contact.base = {side: {str(title): "Countess"} for side in Side}
    writer.commit(
        Commit(
            "to_sweo",
            "accounts",
            "run1",
            links=[account],
            changes=[
                _change("accounts", ACCOUNT, COMPANY, "name", Side.SWEO, "Acme Ltd", "Acme"),
                _change(
                    "accounts", ACCOUNT, COMPANY, "industry", Side.SWEO, "Arts", "Media", "won a "
                    "conflict",
                ),
            ],
            conflicts=[
                ConflictRow(
                    link_id=account.id,
                    field_number=industry,
                    mapping="accounts",
                    reason="edited on both sides",
                    base=dict.fromkeys(Side, "Media"),
                    values={Side.SALESFORCE: "Energy", Side.SWEO: "[red]Retail"},
                    at=dict.fromkeys(Side, "2026-01-02T03:04:05Z"),
                    by={Side.SALESFORCE: "005000000000001AAA", Side.SWEO: None},
                    winner=None,
                    status="open",
                )
            ],
            quarantined=[
                Quarantined("accounts", ACCOUNT, "name", "too_long", "Text over 255.", "Shorten.")
            ],
            waiting=[WaitingRow("accounts", Side.SWEO, "alone", 0, "2026-01-01T00:00:00Z", "aa")],
        )
    )  # fmt: skip
    writer.commit(
        Commit(
            "to_salesforce",
            "contacts",
            "run2",
            links=[contact],
            changes=[
                _change(
                    "contacts", CONTACT, PERSON, "Title", Side.SALESFORCE, "Miss", "Countess"
                )
            ],
        )
    )  # fmt: skip
    end_run(ledger, "run1", "finished", {"read": 5, "updated": 2}, 12)
    return empty


def _opened(writer: Writer, mapping: str, one: str, other: str, key: str | None) -> Link:
    link = writer.open_link(mapping, one, other, "run1", key)
    assert link is not None
    return link


def _change(
    mapping: str, one: str, other: str, name: str, side: Side, old: str, new: str,
    outcome: str = "written",
) -> ChangeRow:  # fmt: skip
    return ChangeRow(mapping, one, other, name, side, old, new, outcome)


@pytest.fixture(autouse=True)
def _piped(monkeypatch: pytest.MonkeyPatch) -> None:
    # Test runners that work in parallel tell their children a width; a pipe has none.
    monkeypatch.delenv("COLUMNS", raising=False)
