"""What is written, and what became of each row."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from crosswalk.values import Raw

from salesforce_client.errors import Next, VendorError, meaning_of


class RowState(Enum):
    """What became of one row."""

    DONE = "done"
    CREATED = "created"
    REFUSED = "refused"
    CHANGED = "changed"
    """The row was modified after the time its guard names; nothing was written."""
    GONE = "gone"
    LOST = "lost"
    """Sent, and the answer was lost."""
    NOT_SENT = "not sent"
    """Not sent, or surely not applied: a limit, a lock, an outage before the work began."""


class RowUpdate(NamedTuple):
    """Fields to set on a row; ``unmodified_since`` is an ISO time that guards the write."""

    id: str
    values: Mapping[str, Raw]
    unmodified_since: str | None = None


class RowResult(NamedTuple):
    """One row's result; results stand in the order of the rows they tell of."""

    state: RowState
    id: str | None = None
    error: VendorError | None = None
    answered_at: str | None = None


def state_of(error: VendorError) -> RowState:
    """What an error told of one row means for it."""
    what_next = meaning_of(error.code, row=True).next
    if what_next is Next.RETRY:
        return RowState.NOT_SENT
    return RowState.GONE if what_next is Next.GONE else RowState.REFUSED


def write_headers(*, assignment_rules: bool) -> dict[str, str]:
    """The headers of every write.

    Without ``Sforce-Auto-Assign`` REST runs assignment rules on each update of a lead or case;
    the client name lets a reader of change events tell our writes from a person's.
    """
    return {
        "Sforce-Auto-Assign": "TRUE" if assignment_rules else "FALSE",
        "Sforce-Call-Options": "client=sweo",
    }
