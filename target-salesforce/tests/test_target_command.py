"""What a person sees, and the SDK's standard tests that apply.

Of the SDK's target tests only ``cli_prints`` applies: the others send invented streams without
an object in Salesforce behind them, or ask for what an API target refuses (records without keys,
new columns). What they are after is tested in ``test_destination`` against a running org.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from singer_sdk.testing import SuiteConfig, TargetTestRunner
from singer_sdk.testing.target_tests import TargetCliPrintsTest
from target_salesforce.target import TargetSalesforce

README = Path(__file__).parents[1] / "README.md"
COMMAND = "from target_salesforce.target import TargetSalesforce; TargetSalesforce.cli()"


@pytest.fixture
def settings(sandbox, tmp_path) -> dict[str, object]:
    env = sandbox.env()
    return {
        "login_url": env["SALESFORCE_LOGIN_URL"],
        "client_id": env["SALESFORCE_CLIENT_ID"],
        "client_secret": env["SALESFORCE_CLIENT_SECRET"],
        "environment": "sandbox",
        "ledger_url": f"sqlite:///{tmp_path / 'ledger.db'}",
        "mappings": [
            {
                "name": "accounts",
                "salesforce": "Account",
                "sweo": "company",
                "match": {"salesforce": "Customer_Number__c", "sweo": "company_id"},
                "fields": [{"salesforce": "Industry", "sweo": "industry", "direction": "both"}],
            }
        ],
    }


def test_the_settings_table_is_what_about_prints() -> None:
    about = CliRunner().invoke(TargetSalesforce.cli, ["--about", "--format", "markdown"])
    assert about.exit_code == 0
    table = about.output.split("## Settings\n\n")[1].split("\n\n")[0]
    assert table in README.read_text(encoding="utf-8")


def test_standard_cli_prints(settings) -> None:
    runner = TargetTestRunner(TargetSalesforce, config=settings)
    TargetCliPrintsTest().run(SuiteConfig(), None, runner)


def _run(settings: dict[str, object], tmp_path: Path, lines: list[dict[str, object]]):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings))
    return subprocess.run(
        [sys.executable, "-c", COMMAND, "--config", str(path)],
        input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


SCHEMA = {
    "type": "SCHEMA",
    "stream": "accounts",
    "key_properties": [],
    "schema": {
        "type": "object",
        "properties": {
            "Industry": {
                "x-sweo": {
                    "direction": "both",
                    "source": {"side": "sweo", "name": "industry", "type": "string"},
                }
            },
            "_source": {"type": "object"},
        },
        "x-sweo": {"mapping": "accounts", "side": "sweo", "object": "company"},
    },
}
STATE = {"type": "STATE", "value": {"bookmarks": {"accounts": {"since": "x"}}}}


def test_an_idle_target_makes_no_call(sandbox, settings, tmp_path) -> None:
    sandbox.reset_calls()
    ended = _run(settings, tmp_path, [SCHEMA, STATE])
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == STATE["value"]
    assert sandbox.calls("salesforce")["total"] == 0
    assert sandbox.calls("salesforce").get("logins", 0) == 0


def test_a_wrong_secret_is_one_sentence(sandbox, settings, tmp_path) -> None:
    record = {
        "type": "RECORD",
        "stream": "accounts",
        "record": {
            "Industry": "Energy",
            "_match": ["C1"],
            "_source": {
                "id": "s1",
                "modified_at": "2026-01-02T03:04:05Z",
                "read_at": "2026-01-02T03:04:06Z",
            },
        },
    }
    mappings = json.loads(json.dumps(settings["mappings"]))
    mappings[0]["create"] = ["salesforce"]
    ended = _run(
        {**settings, "client_secret": "wrong", "mappings": mappings},
        tmp_path,
        [SCHEMA, record, STATE],
    )
    assert ended.returncode == 1
    assert "client_secret" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "wrong" not in ended.stderr
    assert ended.stdout == ""
