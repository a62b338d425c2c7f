"""What cannot work ends with one sentence, exit code 1, no traceback, and nothing written."""

from __future__ import annotations

from typing import Any

import pytest
from pipelines import TO_SALESFORCE, TO_SWEO
from processes.pipe import Ended, Pipe
from world import World

NOWHERE = "https://localhost:1"
SECRET = "not-for-any-log"

CASES = [
    ("tap-salesforce", TO_SWEO, {"client_secret": None}, "client_secret"),
    ("tap-salesforce", TO_SWEO, {"client_secret": SECRET}, "client_secret"),
    ("tap-salesforce", TO_SWEO, {"login_url": NOWHERE}, "login_url"),
    ("tap-sweo", TO_SALESFORCE, {"access_token": None}, "access_token"),
    ("tap-sweo", TO_SALESFORCE, {"access_token": SECRET}, "access_token"),
    ("target-sweo", TO_SWEO, {"access_token": None}, "access_token"),
    ("target-sweo", TO_SWEO, {"access_token": SECRET}, "access_token"),
    ("target-sweo", TO_SWEO, {"api_url": NOWHERE}, "api_url"),
    ("target-salesforce", TO_SALESFORCE, {"client_secret": SECRET}, "client_secret"),
    ("target-salesforce", TO_SALESFORCE, {"login_url": NOWHERE}, "login_url"),
]


@pytest.fixture
def work(world: World) -> World:
    """Something to write on either side."""
    world.account("C-1", Industry="Energy")
    world.company("C-1", custom_attributes={"health_score": 12.5})
    return world


def assert_refused(work: World, ended: Ended, *, names: str = "") -> None:
    assert ended.code == 1, ended.err
    assert "Traceback" not in ended.err
    assert names.lower() in ended.said().lower()
    assert SECRET not in ended.err
    assert not [line for line in ended.out.splitlines() if '"bookmarks"' in line]
    assert work.calls("sweo")["writes"] == work.calls("salesforce")["writes"] == 0


@pytest.mark.parametrize(("plugin", "direction", "settings", "named"), CASES)
def test_credentials_and_addresses(
    work: World,
    pipe: Pipe,
    plugin: str,
    direction: str,
    settings: dict[str, Any],
    named: str,
) -> None:
    lines = b""
    if plugin.startswith("target"):
        if direction == TO_SALESFORCE:
            pipe.run(TO_SWEO)
        lines = pipe.lines(direction)
    work.sandbox.reset_calls()
    ended = pipe.alone(plugin, direction, lines, **settings)
    assert_refused(work, ended, names=named)


READY_TOKEN = {"client_id": None, "client_secret": None, "login_url": None}


def test_an_expired_access_token_is_named(work: World, pipe: Pipe) -> None:
    env = work.sandbox.env()
    work.sandbox.org.end_all_sessions()
    ended = pipe.alone(
        "tap-salesforce",
        TO_SWEO,
        **READY_TOKEN,
        access_token=env["SALESFORCE_ACCESS_TOKEN"],
        instance_url=env["SALESFORCE_INSTANCE_URL"],
    )
    assert_refused(work, ended, names="access_token")


def test_an_expired_session_is_renewed_where_it_can_be(work: World, pipe: Pipe) -> None:
    work.sandbox.fault("salesforce", "status", status=401, endpoint="*/composite*", times=1)
    ended = pipe.alone("tap-salesforce", TO_SWEO)
    assert ended.code == 0, ended.err


def test_a_rotated_refresh_token_stops_the_run(work: World, pipe: Pipe) -> None:
    env = work.sandbox.env()
    work.sandbox.org_settings.rotate_refresh_token = True
    try:
        ended = pipe.alone("tap-salesforce", TO_SWEO, refresh_token=env["SALESFORCE_REFRESH_TOKEN"])
    finally:
        work.sandbox.org_settings.rotate_refresh_token = False
    assert_refused(work, ended, names="rotates refresh tokens")


CUT_SHORT = b'{"type":"RECORD","stream":"accounts","record":{"Name":"not-for-any-log"\n'


@pytest.mark.parametrize(
    ("plugin", "line"),
    [
        ("mapper-sweo", CUT_SHORT),
        ("target-sweo", CUT_SHORT),
        ("target-sweo", b'{"type":"RECORD","stream":"not-for-any-log"}\n'),
        ("target-sweo", b'{"type":"BATCH","stream":"accounts"}\n'),
    ],
    ids=["mapper: cut short", "target: cut short", "target: no record", "target: BATCH"],
)
def test_a_broken_line_is_told_by_its_number(
    work: World, pipe: Pipe, plugin: str, line: bytes
) -> None:
    whole = pipe.project.tap(TO_SWEO) if plugin == "mapper-sweo" else pipe.lines(TO_SWEO)
    schema = whole.splitlines(keepends=True)[0]
    work.sandbox.reset_calls()
    ended = pipe.alone(plugin, TO_SWEO, schema + line)
    assert_refused(work, ended, names="BATCH" if b"BATCH" in line else "line 2")
