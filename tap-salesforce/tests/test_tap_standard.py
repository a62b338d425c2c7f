"""The SDK's standard tests, for the streams of an ordinary tap.

Left out: the attribute tests (integer, number, boolean, object, date-time, not null), which look
for types that the SDK guesses from a catalog; ``record_matches_stream_schema`` checks every value
against its declared type. For streams of a mapping only ``cli_prints`` and ``valid_final_state``
apply: their SCHEMA carries our own keyword instead of JSON types, and has no primary key.
"""

from __future__ import annotations

import pytest
from singer_sdk.testing import SuiteConfig, TapTestRunner
from singer_sdk.testing.tap_tests import (
    StreamCatalogSchemaMatchesRecordTest,
    StreamPrimaryKeysTest,
    StreamRecordMatchesStreamSchema,
    StreamRecordSchemaMatchesCatalogTest,
    StreamReturnsRecordTest,
    StreamSchemaIsValidTest,
    TapCLIPrintsTest,
    TapDiscoveryTest,
    TapStreamConnectionTest,
    TapValidFinalStateTest,
)
from tap_salesforce.tap import TapSalesforce

OBJECTS = ["Account", "Contact"]


@pytest.fixture
def plain_runner(sandbox, settings) -> TapTestRunner:
    account = sandbox.org.insert("Account", {"Name": "Acme", "Seats__c": 5, "ARR__c": 1.5})
    sandbox.org.insert("Contact", {"LastName": "L", "AccountId": account, "Opted_In__c": True})
    del settings["mappings"]
    runner = TapTestRunner(TapSalesforce, config={**settings, "objects": OBJECTS})
    runner.sync_all()
    return runner


@pytest.mark.parametrize(
    "template",
    [TapCLIPrintsTest, TapDiscoveryTest, TapStreamConnectionTest, TapValidFinalStateTest],
)
def test_standard_tap(plain_runner, template) -> None:
    template().run(SuiteConfig(), None, plain_runner)


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize(
    "template",
    [
        StreamCatalogSchemaMatchesRecordTest,
        StreamPrimaryKeysTest,
        StreamRecordMatchesStreamSchema,
        StreamRecordSchemaMatchesCatalogTest,
        StreamReturnsRecordTest,
        StreamSchemaIsValidTest,
    ],
)
def test_standard_stream(plain_runner, template, name) -> None:
    stream = plain_runner.new_tap().streams[name]
    template().run(SuiteConfig(), None, plain_runner, stream)


@pytest.mark.parametrize("template", [TapCLIPrintsTest, TapValidFinalStateTest])
def test_standard_tap_with_mappings(sandbox, settings, template) -> None:
    sandbox.org.insert("Account", {"Name": "Acme"})
    runner = TapTestRunner(TapSalesforce, config=settings)
    runner.sync_all()
    template().run(SuiteConfig(), None, runner)


def test_a_plain_stream_goes_on_from_its_bookmark(sandbox, settings, capsysbinary) -> None:
    del settings["mappings"]
    sandbox.org.insert("Account", {"Name": "Old"})
    sandbox.advance(3600)
    first = sandbox.org.insert("Account", {"Name": "New"})
    state = {
        "bookmarks": {
            "Account": {
                "replication_key": "SystemModstamp",
                "replication_key_value": sandbox_now(sandbox),
            }
        }
    }
    tap = TapSalesforce(config={**settings, "objects": ["Account"]}, state=state)
    tap.sync_all()
    out = capsysbinary.readouterr().out
    assert first.encode() in out
    assert b'"Name":"Old"' not in out


def sandbox_now(sandbox) -> str:
    from datetime import datetime, timezone

    moment = datetime.fromtimestamp(sandbox.clock_salesforce.now_seconds(), timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
