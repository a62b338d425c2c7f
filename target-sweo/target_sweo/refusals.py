"""What Sweo refuses, as outcomes: which row, which field, and what a person can do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from singer_runtime.destination import Outcome, Result
from sweo_client import SweoRefusal
from sweo_client.clock import iso


def refused(refusal: SweoRefusal, record_id: str | None, values: Iterable[str] = ()) -> Outcome:
    """The outcome of a row that Sweo refused; 404 and 410 mean that ``record_id`` is gone.

    ``values`` are the names of the fields that were sent.
    """
    if record_id is not None and refusal.status in (404, 410):
        return Outcome(Result.GONE, id=record_id, error_code=refusal.code)
    return Outcome(
        Result.REFUSED,
        id=record_id,
        answered_at=iso(refusal.answered_at),
        error_code=refusal.code,
        error_message=refusal.message or None,
        error_fields=_named_fields(refusal, values),
        remedy=refusal.verdict.remedy,
    )


def archived_conflict(record_id: str) -> Outcome:
    """A create met an archived contact, which nobody may write to."""
    return Outcome(
        Result.REFUSED,
        id=record_id,
        error_code="archived_conflict",
        error_message="An archived contact has this email or external_id.",
        remedy="Unarchive that contact in Sweo, or delete it there.",
    )


def without_key() -> Outcome:
    """A company cannot be made: it has no key to be found by again."""
    return Outcome(
        Result.REFUSED,
        error_code="NO_KEY",
        error_message="A company is made under its company_id, and this one has none.",
        error_fields=("company_id",),
        remedy="Fill the match field at its source.",
    )


def without_company(record_id: str) -> Outcome:
    """A contact cannot join a company that is gone."""
    return Outcome(
        Result.REFUSED,
        id=record_id,
        error_code="company_not_found",
        error_message="The company is gone in Sweo.",
        error_fields=("companies",),
        remedy="Make the company again, or unlink its account.",
    )


def unchangeable(record_id: str, names: tuple[str, ...]) -> Outcome:
    """Fields that are set when a record is made would have to change."""
    return Outcome(
        Result.REFUSED,
        id=record_id,
        error_code="NOT_CHANGEABLE",
        error_message="Sweo sets this when the record is made and never changes it.",
        error_fields=names,
        remedy="Set the former value at its source, or make the Sweo record anew.",
    )


def _named_fields(refusal: SweoRefusal, names: Iterable[str]) -> tuple[str, ...]:
    """The fields that an error is about: named by itself, or quoted in its sentence."""
    field = (refusal.field or "").removeprefix("custom_attributes.")
    words = re.findall(r"['\"`]([^'\"`]+)['\"`]", refusal.message)
    quoted = {word.removeprefix("custom_attributes.") for word in words}
    return tuple(name for name in names if name == field or name in quoted)
