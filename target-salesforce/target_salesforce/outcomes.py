"""What Salesforce said of a row, in the words of the exchange."""

from __future__ import annotations

from typing import Final

from salesforce_client.errors import meaning_of
from salesforce_client.rows import RowResult, RowState
from singer_runtime.destination import Outcome, Result

_RESULTS: Final = {
    RowState.DONE: Result.WRITTEN,
    RowState.CREATED: Result.CREATED,
    RowState.REFUSED: Result.REFUSED,
    RowState.CHANGED: Result.CHANGED,
    RowState.GONE: Result.GONE,
    RowState.LOST: Result.UNKNOWN,
    RowState.NOT_SENT: Result.NOT_SENT,
}


def outcome_of(row: RowResult, record_id: str | None = None) -> Outcome:
    """The outcome of one row; ``record_id`` is the id it was sent for, where it had one."""
    error = row.error
    if error is None:
        return Outcome(_RESULTS[row.state], row.id or record_id, answered_at=row.answered_at)
    fields = f" ({', '.join(error.fields)})" if error.fields else ""
    return Outcome(
        _RESULTS[row.state],
        row.id or record_id,
        answered_at=row.answered_at,
        error_code=error.code,
        # The vendor's own message may quote values, which no log or ledger row may hold.
        error_message=f"Salesforce refused the record with {error.code}{fields}.",
        error_fields=error.fields,
        remedy=_sentence(meaning_of(error.code, row=True).remedy),
    )


def creation_outcome(row: RowResult) -> Outcome:
    """The outcome of an upsert: a row that was there already counts as met, not as made."""
    if row.state is RowState.DONE:
        return Outcome(Result.EXISTS, row.id, answered_at=row.answered_at)
    return outcome_of(row)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
