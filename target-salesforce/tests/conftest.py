"""A running org, and the destination that writes to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina
from salesforce_client.settings import connection_from
from sweo_sandbox.testing import Sandbox, running_sandbox
from target_salesforce.sinks import SalesforceDestination, WriteSettings


@pytest.fixture(scope="session")
def _running() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    _running.clock_salesforce.skew(0)  # before the reset, which stamps its own rows by the clock
    _running.reset()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", _running.ca_bundle)
    return _running


@pytest.fixture
def destination(sandbox: Sandbox) -> SalesforceDestination:
    env = sandbox.env()
    settings = {
        "login_url": env["SALESFORCE_LOGIN_URL"],
        "client_id": env["SALESFORCE_CLIENT_ID"],
        "client_secret": env["SALESFORCE_CLIENT_SECRET"],
    }
    return SalesforceDestination(connection_from(settings), WriteSettings(bulk_poll_seconds=0))


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield
