"""The target as Meltano runs it: lines in, STATE out, a ledger beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Side
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite
from singer_sdk.testing.target_tests import TargetCliPrintsTest
from sweo_sandbox.testing import Sandbox
from target_sweo.target import TargetSweo

README = Path(__file__).parents[1] / "README.md"

# Of the SDK's tests one applies. The others send streams that it invents ("test_array_data",
# "TestCamelcase", …) into whatever table a target makes of them; Sweo has four objects and takes
# no fifth. What they are about is tested below and in libs/singer-runtime on Sweo's own objects:
# key-less streams, records before their SCHEMA, missing fields, changed schemas, duplicates.
TestStandard = get_target_test_class(
    TargetSweo,
    config={"api_url": "https://localhost:1", "access_token": "unused"},
    custom_suites=[SingerTestSuite(kind="target", tests=[TargetCliPrintsTest])],
    include_target_tests=False,
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def line(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


def mapped(
    name: str, sweo: str, fields: dict[str, str], key: str, *rows: dict[str, Any]
) -> list[dict[str, Any]]:
    """The mapper's lines for one stream; ``fields`` are Salesforce types by Sweo name."""
    properties = {
        field: {
            "x-sweo": {
                "direction": "both",
                "source": msgspec.to_builtins(FieldType(Side.SALESFORCE, field, kind)),
            }
        }
        for field, kind in fields.items()
    }
    note = {"mapping": name, "side": "salesforce", "object": sweo}
    schema = {"type": "object", "properties": properties, "x-sweo": note}
    messages = [line("SCHEMA", stream=name, schema=schema, key_properties=[])]
    for number, row in enumerate(rows):
        stamp = f"2026-11-22T08:00:{number:02}Z"
        source = {"id": row["id"], "modified_at": stamp, "read_at": stamp}
        record = {**row["values"], "_match": [row["key"]], "_source": source}
        messages.append(line("RECORD", stream=name, record=record))
    return messages


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Run:
    def start(messages: list[dict[str, Any]], **config: Any) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "config.json"
        settings = {
            "api_url": sandbox.sweo_url,
            "access_token": sandbox.workspace_settings.access_token,
            "environment": "sandbox",
            "ledger_url": f"sqlite:///{tmp_path}/ledger.db",
            "mappings": [
                {
                    "name": "accounts",
                    "salesforce": "Account",
                    "sweo": "company",
                    "match": {"salesforce": "Number__c", "sweo": "company_id"},
                    "create": ["sweo"],
                    "fields": [
                        {"salesforce": "Name", "sweo": "name", "direction": "both"},
                        {"salesforce": "Health__c", "sweo": "health_score", "direction": "both"},
                    ],
                }
            ],
            **config,
        }
        file.write_text(json.dumps(settings))
        return subprocess.run(
            [sys.executable, "-m", "target_sweo.target", "--config", str(file)],
            input="".join(json.dumps(message) + "\n" for message in messages),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return start


def accounts(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return mapped(
        "accounts", "company", {"name": "string", "health_score": "double"}, "company_id", *rows
    )


def test_records_are_made_once_and_an_echo_makes_no_call(run: Run, sandbox: Sandbox) -> None:
    rows = [
        {"id": f"001{n}", "key": f"A{n}", "values": {"name": f"N{n}", "health_score": n / 2}}
        for n in range(5)
    ]
    messages = [*accounts(*rows), line("STATE", value={"bookmarks": {}})]
    first = run(messages)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout.splitlines()[-1]) == {"bookmarks": {}}
    made = sandbox.workspace.companies.find(company_id="A3")
    assert made["name"] == "N3"
    assert made["custom_attributes"] == {"health_score": 1.5}
    sandbox.reset_calls()
    second = run(messages)
    assert second.returncode == 0, second.stderr
    assert sandbox.calls("sweo")["total"] == 0


def test_a_foreign_stream_is_upserted_by_its_key(run: Run, sandbox: Sandbox) -> None:
    sandbox.workspace.companies.upsert({"company_id": "A1", "name": "Old"})
    schema = {
        "type": "object",
        "properties": {
            "company_id": {"type": "string"},
            "name": {"type": ["string", "null"]},
            "seats": {"type": ["integer", "null"]},
        },
    }
    messages = [
        line("SCHEMA", stream="company", schema=schema, key_properties=["company_id"]),
        *(
            line("RECORD", stream="company", record={"company_id": key, "name": "New", "seats": 7})
            for key in ("A1", "A2")
        ),
    ]
    done = run(messages, mappings=[])
    assert done.returncode == 0, done.stderr
    for key in ("A1", "A2"):
        found = sandbox.workspace.companies.find(company_id=key)
        assert (found["name"], found["custom_attributes"]) == ("New", {"seats": 7})


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"access_token": "wrong"}, "SWEO_ACCESS_TOKEN"),
        ({"api_url": "https://localhost:1"}, "SWEO_API_URL"),
        ({"environment": "prod"}, "SWEO_API_URL"),
    ],
)
def test_a_mistake_is_one_sentence_and_state_stays(
    run: Run, sandbox: Sandbox, config: dict[str, Any], named: str
) -> None:
    row = {"id": "0011", "key": "A1", "values": {"name": "secret value"}}
    done = run([*accounts(row), line("STATE", value={"bookmarks": {}})], **config)
    assert done.returncode == 1
    assert not done.stdout
    assert named in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert "secret value" not in done.stderr
    assert sandbox.calls("sweo")["writes"] == 0


def test_an_object_that_sweo_does_not_have_is_refused(run: Run, sandbox: Sandbox) -> None:
    schema = {"type": "object", "properties": {"id": {"type": "string"}}}
    messages = [
        line("SCHEMA", stream="invoices", schema=schema, key_properties=["id"]),
        line("RECORD", stream="invoices", record={"id": "1"}),
    ]
    done = run(messages, mappings=[])
    assert done.returncode == 1
    assert "no object `invoices`" in done.stderr
    assert sandbox.calls("sweo")["writes"] == 0


def test_the_settings_table_is_what_about_prints() -> None:
    about = CliRunner().invoke(TargetSweo.cli, ["--about", "--format", "markdown"])
    assert about.exit_code == 0
    table = about.output.split("## Settings\n\n")[1].split("\n\n")[0]
    assert table in README.read_text(encoding="utf-8")
