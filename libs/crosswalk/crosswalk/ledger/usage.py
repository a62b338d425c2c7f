"""How many API calls our own runs made within 24 hours, counted by the hour.

Runs of taps stand in no table: a tap tells its target by STATE, and the target, which alone
writes the ledger, notes them here beside its own.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Final

from crosswalk.ledger.book import Ledger
from crosswalk.ledger.clock import stamp

TAP_SALESFORCE: Final = "tap-salesforce"
TARGET_SALESFORCE: Final = "target-salesforce"
"""The plugins of the primary org, which share its calls. Other orgs are only read."""
_DAY: Final = timedelta(hours=24)
_HOUR_LETTERS: Final = len("2026-01-01T00")


def tap_of(org: str | None) -> str:
    """The name that a tap's calls are counted under: every org has an allotment of its own."""
    return TAP_SALESFORCE if org is None else f"{TAP_SALESFORCE}--{org}"


def spenders(org: str | None) -> tuple[str, ...]:
    """The plugins that spend the calls of an org."""
    return (tap_of(org),) if org is not None else (TAP_SALESFORCE, TARGET_SALESFORCE)


def note_calls(ledger: Ledger, plugin: str, calls: int) -> None:
    """Add calls to this hour's count of a plugin; only the holder of its lease does so."""
    if calls <= 0:
        return
    counts = _counts(ledger, plugin)
    hour = stamp(ledger.clock())[:_HOUR_LETTERS]
    counts[hour] = counts.get(hour, 0) + calls
    ledger.remember(_key(plugin), json.dumps(counts))


def calls_within_a_day(ledger: Ledger, *plugins: str) -> int:
    """How many calls these plugins made within 24 hours; the oldest hour counts in full."""
    return sum(sum(_counts(ledger, plugin).values()) for plugin in plugins)


def _counts(ledger: Ledger, plugin: str) -> dict[str, int]:
    known: dict[str, int] = json.loads(ledger.remembered(_key(plugin)) or "{}")
    oldest = stamp(ledger.clock() - _DAY)[:_HOUR_LETTERS]
    return {hour: calls for hour, calls in known.items() if hour >= oldest}


def _key(plugin: str) -> str:
    return f"calls_{plugin}"
