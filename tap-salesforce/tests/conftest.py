"""A running org, and a tap that runs against it inside the test."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import stamina
from sweo_sandbox.testing import Sandbox, running_sandbox
from tap_salesforce.tap import TapSalesforce

ACCOUNTS = {
    "name": "accounts",
    "salesforce": "Account",
    "sweo": "company",
    "match": {"salesforce": "Customer_Number__c", "sweo": "company_id"},
    "fields": [
        {"salesforce": "Name", "sweo": "name"},
        {"salesforce": "Industry", "sweo": "industry", "direction": "both"},
        {"salesforce": "Owner.Email", "sweo": "account_owner"},
        {"salesforce": "Is_Reference__c", "sweo": "is_reference"},
        {"salesforce": "Seats__c", "sweo": "seats"},
        {"salesforce": "ARR__c", "sweo": "arr"},
        {"salesforce": "Renewal_Date__c", "sweo": "renewal"},
        {"salesforce": "Health__c", "sweo": "health", "direction": "to_salesforce"},
    ],
}
CONTACTS = {
    "name": "contacts",
    "salesforce": "Contact",
    "sweo": "contact",
    "match": {"salesforce": "Email", "sweo": "email"},
    "parent": {"salesforce": "AccountId", "mapping": "accounts"},
    "fields": [
        {"salesforce": "Name", "sweo": "name"},
        {"salesforce": "Phone", "sweo": "phone", "direction": "both"},
        {"salesforce": "Account.Industry", "sweo": "company_industry"},
    ],
}


@dataclass
class Run:
    """What one run of the tap wrote, and what it cost."""

    messages: list[dict[str, Any]]
    calls: int

    @property
    def state(self) -> dict[str, Any]:
        return next(m["value"] for m in reversed(self.messages) if m["type"] == "STATE")

    @property
    def states(self) -> list[dict[str, Any]]:
        return [m["value"] for m in self.messages if m["type"] == "STATE"]

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [
            m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream
        ]

    def schema(self, stream: str) -> dict[str, Any]:
        return next(
            m["schema"] for m in self.messages if m["type"] == "SCHEMA" and m["stream"] == stream
        )

    def ids(self, stream: str) -> set[str]:
        return {record["_source"]["id"] for record in self.records(stream)}


RunTap = Callable[..., Run]


@pytest.fixture(scope="session")
def _running() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    _running.clock_salesforce.skew(0)  # before the reset, which stamps its own rows by the clock
    _running.reset()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", _running.ca_bundle)
    monkeypatch.delenv("MELTANO_PROJECT_ROOT", raising=False)
    monkeypatch.delenv("SWEO_LEDGER_URL", raising=False)
    return _running


@pytest.fixture
def accounts() -> dict[str, Any]:
    return copy.deepcopy(ACCOUNTS)


@pytest.fixture
def contacts() -> dict[str, Any]:
    return copy.deepcopy(CONTACTS)


@pytest.fixture
def settings(
    sandbox: Sandbox, accounts: dict[str, Any], contacts: dict[str, Any]
) -> dict[str, Any]:
    env = sandbox.env()
    return {
        "login_url": env["SALESFORCE_LOGIN_URL"],
        "client_id": env["SALESFORCE_CLIENT_ID"],
        "client_secret": env["SALESFORCE_CLIENT_SECRET"],
        "environment": "sandbox",
        "mappings": copy.deepcopy([accounts, contacts]),
        "bulk_poll_seconds": 0,
    }


@pytest.fixture
def run_tap(
    sandbox: Sandbox, settings: dict[str, Any], capsysbinary: pytest.CaptureFixture[bytes]
) -> RunTap:
    def run(state: dict[str, Any] | None = None, **changes: Any) -> Run:
        sandbox.reset_calls()
        capsysbinary.readouterr()
        tap = TapSalesforce(
            config={**settings, **changes}, state=json.loads(json.dumps(state or {}))
        )
        tap.sync_all()
        lines = capsysbinary.readouterr().out.splitlines()
        return Run([json.loads(line) for line in lines], sandbox.calls("salesforce")["total"])

    return run


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield
