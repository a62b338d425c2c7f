"""A workspace on this machine, started once; every test begins with it empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stamina
from crosswalk.fieldtype import FieldType
from crosswalk.loader import load_config
from crosswalk.mapping import Config, Side
from sweo_client import SweoClient, SweoSettings
from sweo_sandbox.testing import Sandbox, running_sandbox
from target_sweo.sinks import SweoDestination

ACCOUNTS = {
    "name": "accounts",
    "salesforce": "Account",
    "sweo": "company",
    "match": {"salesforce": "Customer_Number__c", "sweo": "company_id"},
    "create": ["sweo"],
    "fields": [
        {"salesforce": "Name", "sweo": "name"},
        {"salesforce": "Industry", "sweo": "industry", "direction": "both"},
        {"salesforce": "Health__c", "sweo": "health_score", "direction": "both"},
        {"salesforce": "Plan__c", "sweo": "tier"},
    ],
}
CONTACTS = {
    "name": "contacts",
    "salesforce": "Contact",
    "sweo": "contact",
    "match": {"salesforce": "Email", "sweo": "email"},
    "parent": {"salesforce": "AccountId", "mapping": "accounts"},
    "create": ["sweo"],
    "fields": [
        {"salesforce": "Name", "sweo": "name"},
        {"salesforce": "Phone", "sweo": "phone", "direction": "both"},
    ],
}
LEADS = {**CONTACTS, "name": "leads", "salesforce": "Lead", "sweo": "lead"}
LEADS.pop("parent")


@pytest.fixture(scope="session")
def _running() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    _running.reset()
    for name, value in _running.env().items():
        monkeypatch.setenv(name, value)
    with stamina.set_testing(True, attempts=4, cap=True):
        yield _running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[SweoClient]:
    settings = SweoSettings(
        sandbox.sweo_url, sandbox.workspace_settings.access_token, environment="sandbox"
    )
    made = SweoClient(settings)
    yield made
    made.close()


@pytest.fixture
def destination(client: SweoClient) -> SweoDestination:
    return SweoDestination(client, max_concurrency=4)


@pytest.fixture
def config() -> Config:
    return load_config(mappings=[ACCOUNTS, CONTACTS, LEADS], environ={})


@pytest.fixture
def salesforce_field() -> Callable[..., FieldType]:
    def make(name: str, kind: str, **more: Any) -> FieldType:
        return FieldType(side=Side.SALESFORCE, name=name, type=kind, **more)

    return make
