"""What a person sees of mistakes: one sentence, exit code 1, nothing on stdout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sweo_sandbox.testing import Sandbox
from tap_sweo.tap import TapSweo

README = Path(__file__).parents[1] / "README.md"


def run_tap(tmp_path: Path, **config: Any) -> Result:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config))
    return CliRunner().invoke(TapSweo.cli, ["--config", str(file)])


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"access_token": "wrong"}, "SWEO_ACCESS_TOKEN"),
        ({"api_url": "https://localhost:1"}, "SWEO_API_URL"),
        ({"api_url": "http://api.example.com"}, "SWEO_API_URL"),
        ({"environment": "prod"}, "SWEO_API_URL"),
        ({"sweo_version": "newest"}, "sweo_version"),
        ({"mappings": [{"name": "a", "sweo": "company"}]}, "salesforce"),
    ],
)
def test_a_mistake_is_one_sentence(
    sandbox: Sandbox,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    config: dict[str, Any],
    named: str,
) -> None:
    result = run_tap(
        tmp_path,
        **{
            "api_url": sandbox.sweo_url,
            "access_token": sandbox.workspace_settings.access_token,
            "mappings": [
                {
                    "name": "contacts",
                    "salesforce": "Contact",
                    "sweo": "contact",
                    "match": {"salesforce": "Email", "sweo": "email"},
                    "fields": [{"salesforce": "Phone", "sweo": "phone", "direction": "both"}],
                }
            ],
            **config,
        },
    )
    assert result.exit_code == 1
    assert not result.stdout.strip()
    last = caplog.records[-1]
    assert named in last.getMessage()
    assert last.exc_info is None
    assert not any("Traceback" in record.getMessage() for record in caplog.records)


def test_the_settings_table_is_what_about_prints() -> None:
    about = CliRunner().invoke(TapSweo.cli, ["--about", "--format", "markdown"])
    assert about.exit_code == 0
    table = about.output.split("## Settings\n\n")[1].split("\n\n")[0]
    assert table in README.read_text(encoding="utf-8")


def test_streams_are_discovered_without_a_call(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"api_url": sandbox.sweo_url, "access_token": "any"}))
    found = CliRunner().invoke(TapSweo.cli, ["--config", str(file), "--discover"])
    assert found.exit_code == 0
    names = {stream["tap_stream_id"] for stream in json.loads(found.stdout)["streams"]}
    assert names == {"companies", "contacts", "segments", "data_attributes"}
    assert sandbox.calls("sweo")["total"] == 0
