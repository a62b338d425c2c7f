"""What a person sees: the settings table, and one sentence for each mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from crosswalk.errors import FatalError, RetryLaterError
from tap_salesforce.tap import TapSalesforce

README = Path(__file__).parents[1] / "README.md"
COMMAND = "from tap_salesforce.tap import TapSalesforce; TapSalesforce.cli()"


def test_the_settings_table_is_what_about_prints() -> None:
    about = CliRunner().invoke(TapSalesforce.cli, ["--about", "--format", "markdown"])
    assert about.exit_code == 0
    table = about.output.split("## Settings\n\n")[1].split("\n\n")[0]
    assert table in README.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "error", "named"),
    [
        ({"client_secret": "wrong"}, FatalError, "client_secret"),
        ({"client_secret": None, "client_id": None}, FatalError, "No way to log in"),
        ({"login_url": None}, FatalError, "login_url"),
        ({"login_url": "https://localhost:1"}, RetryLaterError, "login_url"),
        ({"login_url": "http://acme.test"}, FatalError, "https"),
        ({"environment": "prod"}, FatalError, "prod refuses"),
        ({"access_token": "00D!stale", "client_secret": None}, FatalError, "instance_url"),
    ],
)
def test_each_mistake_names_its_setting_and_nothing_is_written(
    settings, capsysbinary, changes, error, named
) -> None:
    config = {k: v for k, v in {**settings, **changes}.items() if v is not None}
    with pytest.raises(error) as caught:
        TapSalesforce(config=config).sync_all()
    assert named in str(caught.value)
    assert "wrong" not in str(caught.value)
    written = capsysbinary.readouterr().out
    assert b'"RECORD"' not in written
    assert b'"bookmarks":{"' not in written


def test_an_ended_token_names_its_setting(sandbox, settings) -> None:
    env = sandbox.env()
    del settings["client_id"], settings["client_secret"], settings["login_url"]
    settings["access_token"] = env["SALESFORCE_ACCESS_TOKEN"]
    settings["instance_url"] = env["SALESFORCE_INSTANCE_URL"]
    sandbox.org.end_all_sessions()
    with pytest.raises(FatalError, match="access_token") as caught:
        TapSalesforce(config=settings).sync_all()
    assert env["SALESFORCE_ACCESS_TOKEN"] not in str(caught.value)


def test_a_rotated_refresh_token_stops_the_run(sandbox, settings, monkeypatch) -> None:
    settings["refresh_token"] = sandbox.env()["SALESFORCE_REFRESH_TOKEN"]
    monkeypatch.setattr(sandbox.org_settings, "rotate_refresh_token", True)
    with pytest.raises(FatalError, match="rotates refresh tokens"):
        TapSalesforce(config=settings).sync_all()


def test_the_command_ends_with_one_sentence_and_exit_code_1(settings, tmp_path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**settings, "client_secret": "wrong"}))
    ended = subprocess.run(
        [sys.executable, "-c", COMMAND, "--config", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "client_secret" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "wrong" not in ended.stderr
    assert '"RECORD"' not in ended.stdout
