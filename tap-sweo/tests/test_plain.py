"""The streams of an ordinary Singer tap, under the SDK's own tests for taps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from unittest import mock

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from sweo_sandbox.testing import Sandbox, running_sandbox
from tap_sweo.tap import TapSweo

# The SDK's test class takes its configuration while this module is imported.
_context = running_sandbox()
_plain: Sandbox = _context.__enter__()
_CONFIG = {
    "api_url": _plain.sweo_url,
    "access_token": _plain.workspace_settings.access_token,
    "data_events": True,
}


@pytest.fixture(scope="module", autouse=True)
def _seeded() -> Iterator[None]:
    workspace = _plain.workspace
    workspace.attributes.create({"name": "tier", "model": "contact", "data_type": "string"}, 0)
    people = [
        workspace.contacts.create(
            {"role": "user", "email": f"p{n}@x.io", "custom_attributes": {"tier": "a"}}
        )
        for n in range(3)
    ]
    company = workspace.companies.upsert({"company_id": "A1", "name": "Acme", "plan": "Pro"})
    workspace.memberships.attach(people[0]["id"], company["id"])
    workspace.segments.add("All users", {"field": "role", "operator": "=", "value": "user"})
    workspace.events.submit(
        {
            "event_name": "invited",
            "created_at": workspace.clock.now_seconds(),
            "id": people[0]["id"],
        }
    )
    with mock.patch.dict(os.environ, _plain.env()):
        yield
    _context.__exit__(None, None, None)


TestStandard = get_tap_test_class(
    TapSweo,
    config=_CONFIG,
    include_stream_attribute_tests=True,
    suite_config=SuiteConfig(max_records_limit=100),
)


def test_events_carry_their_contact(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    tap = TapSweo(config=_CONFIG, parse_env_config=False)
    capsysbinary.readouterr()
    tap.sync_all()
    lines = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    records = [line for line in lines if line["type"] == "RECORD"]
    (event,) = [x["record"] for x in records if x["stream"] == "data_events"]
    assert event["event_name"] == "invited"
    assert event["contact_id"]
    contacts = [x["record"] for x in records if x["stream"] == "contacts"]
    assert contacts[0]["custom_attributes"] == {"tier": "a"}
    state = lines[-1]["value"]["bookmarks"]["contacts"]
    assert state["replication_key_value"] == max(c["updated_at"] for c in contacts)
