"""The ledger: what both pipelines remember, and the only thing they share."""

from __future__ import annotations

from crosswalk.ledger.book import Ledger, direction_to
from crosswalk.ledger.records import (
    FIRST_EXCHANGE,
    FROM_INDEX,
    Base,
    FieldRow,
    IntendedField,
    Intent,
    LeaseHolder,
    Link,
    Quarantined,
    Review,
    Revisit,
    Verdict,
    Waiter,
)

__all__ = [
    "FIRST_EXCHANGE",
    "FROM_INDEX",
    "Base",
    "FieldRow",
    "IntendedField",
    "Intent",
    "LeaseHolder",
    "Ledger",
    "Link",
    "Quarantined",
    "Review",
    "Revisit",
    "Verdict",
    "Waiter",
    "direction_to",
]
