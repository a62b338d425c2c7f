"""The sandbox's answers beside those that a real org gave, shape by shape.

What differs stands in ``sandbox/DIFFERENCES.md`` with its reason; the list is neither too short
nor too long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest
import requests
from outside.environments import ROOT, home_of
from outside.recordings import Exchange, Replay, cassettes, differences, exchanges
from sweo_sandbox.testing import Sandbox, running_sandbox

LISTED = ROOT / "sandbox" / "DIFFERENCES.md"
_ROW = re.compile(r"^\| `(?P<place>[^`]+)` \| `(?P<what>[^`]+)` \| (?P<reason>.+) \|$", re.M)


def listed() -> list[tuple[str, str, str]]:
    return [(m["place"], m["what"], m["reason"]) for m in _ROW.finditer(LISTED.read_text())]


def replayed(
    sandbox: Sandbox,
    http: requests.Session,
    recording: tuple[Exchange, ...],
    compared: set[Exchange],
) -> set[str]:
    """Every difference of one recording, as ``place | difference``.

    Recordings share their describes, which are compared once.
    """
    replay = Replay({"organization": sandbox.org.organization_id})
    found: set[str] = set()
    for exchange in recording:
        if exchange in compared:
            continue
        compared.add(exchange)
        path, body = replay.request_of(exchange)
        answer = http.request(exchange.method, sandbox.salesforce_url + path, json=body)
        ours = answer.json() if answer.content else None
        found |= {f"{exchange.place} | {each}" for each in _compared(exchange, answer, ours)}
        replay.learn(exchange.answer, ours)
    return found


def _compared(exchange: Exchange, answer: requests.Response, ours: object) -> Iterator[str]:
    if answer.status_code != exchange.status:
        yield f"status {exchange.status} is {answer.status_code} here"
    else:
        yield from differences(exchange.answer, ours)


@pytest.mark.timeout(900)
def test_every_difference_is_listed_and_every_listed_one_is_seen() -> None:
    package = next((home_of("cumulusci") / "lib").glob("*/site-packages/cumulusci"))
    recordings = cassettes(package)
    assert len(recordings) == 45
    found: set[str] = set()
    compared: set[Exchange] = set()
    with running_sandbox() as sandbox, requests.Session() as http:
        http.trust_env = False
        http.verify = sandbox.ca_bundle
        token = sandbox.org_settings.access_token
        http.headers["Authorization"] = f"Bearer {token}"
        for cassette in recordings:
            sandbox.reset()
            found |= replayed(sandbox, http, exchanges(cassette, package), compared)
    rows = listed()
    unlisted = sorted(
        each
        for each in found
        if not any(
            fnmatchcase(each.partition(" | ")[0], place)
            and fnmatchcase(each.partition(" | ")[2], what)
            for place, what, _ in rows
        )
    )
    assert not unlisted, "not listed in sandbox/DIFFERENCES.md:\n" + "\n".join(unlisted)
    stale = [
        f"{place} | {what}"
        for place, what, _ in rows
        if not any(
            fnmatchcase(each.partition(" | ")[0], place)
            and fnmatchcase(each.partition(" | ")[2], what)
            for each in found
        )
    ]
    assert not stale, "listed in sandbox/DIFFERENCES.md and not seen:\n" + "\n".join(stale)
