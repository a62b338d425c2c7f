"""A project that gave its tokens up: everything stays in the ledger, and nothing runs."""

from __future__ import annotations

from crosswalk.ledger.book import Ledger
from crosswalk.ledger.clock import parse_stamp

_SINCE = "disconnected_at"


def note_disconnected(ledger: Ledger) -> None:
    """Remember that the tokens were given up."""
    ledger.remember(_SINCE, ledger.now())


def note_connected(ledger: Ledger) -> None:
    """Forget it."""
    if ledger.remembered(_SINCE):
        ledger.remember(_SINCE, "")


def how_to_connect(ledger: Ledger) -> str | None:
    """The sentence that says how to go on; None where nothing was disconnected."""
    since = ledger.remembered(_SINCE)
    if not since:
        return None
    return (
        f"Disconnected on {parse_stamp(since):%Y-%m-%d}: put new credentials into SALESFORCE_* and "
        "SWEO_ACCESS_TOKEN, then run `sweo-sync resume`."
    )
