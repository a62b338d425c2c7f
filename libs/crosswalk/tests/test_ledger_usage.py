"""Calls are counted by the hour and forgotten after a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from crosswalk.ledger import Ledger
from crosswalk.ledger.usage import TAP_SALESFORCE, TARGET_SALESFORCE, calls_within_a_day, note_calls


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 30, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    opened = Ledger.open(f"sqlite:///{tmp_path}/ledger.db", clock)
    yield opened
    opened.close()


def test_calls_add_up_over_plugins_and_hours(ledger: Ledger, clock: Clock) -> None:
    note_calls(ledger, TAP_SALESFORCE, 3)
    note_calls(ledger, TAP_SALESFORCE, 0)
    clock.now += timedelta(hours=5)
    note_calls(ledger, TAP_SALESFORCE, 4)
    note_calls(ledger, TARGET_SALESFORCE, 10)
    assert calls_within_a_day(ledger, TAP_SALESFORCE) == 7
    assert calls_within_a_day(ledger, TAP_SALESFORCE, TARGET_SALESFORCE) == 17


def test_calls_of_more_than_a_day_ago_are_forgotten(ledger: Ledger, clock: Clock) -> None:
    note_calls(ledger, TAP_SALESFORCE, 3)
    clock.now += timedelta(hours=24)
    assert calls_within_a_day(ledger, TAP_SALESFORCE) == 3, "the oldest hour counts in full"
    clock.now += timedelta(minutes=30)
    assert calls_within_a_day(ledger, TAP_SALESFORCE) == 0
    note_calls(ledger, TAP_SALESFORCE, 1)
    assert ledger.remembered("calls_tap-salesforce") == '{"2026-03-02T13": 1}'
