"""Whether there is anything to sync, and whether anything changes: only changes move data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from crosswalk.ledger.clock import parse_stamp
from crosswalk.mapping import Create, Mapping, Side
from sweo_client.fields import model_of

from sweo_sync.doctor.finding import Finding, Level, UnavailableError
from sweo_sync.doctor.samples import STAMP, CompaniesDisabledError
from sweo_sync.doctor.visit import Visit

COMPANIES: Final = "companies enabled"
SWEO_RECORDS: Final = "Sweo records"
SALESFORCE_RECORDS: Final = "Salesforce records"
_LATELY_DAYS: Final = 30
_PLURALS: Final = {"company": "companies", "contact": "contacts", "user": "users", "lead": "leads"}


def plural_of(sweo_object: str) -> str:
    """``companies`` for ``company``."""
    return _PLURALS[sweo_object]


def look_at_companies(visit: Visit) -> Iterator[Finding]:
    """Whether the workspace has companies switched on."""
    if not any(model_of(mapping.sweo) == "company" for mapping in visit.mappings):
        return
    try:
        visit.people("company")
    except CompaniesDisabledError as error:
        visit.fail("companies", "companies are not enabled in the workspace")
        yield Finding(
            COMPANIES, Level.FAILURE, str(error), "switch companies on in the workspace's settings"
        )
    else:
        yield Finding(COMPANIES, Level.OK, "Companies are enabled in the workspace.")


def look_at_sweo_records(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Whether Sweo lists records, and whether one was created or updated lately."""
    sample = visit.people(mapping.sweo)
    plural = plural_of(mapping.sweo)
    if not sample.rows:
        if mapping.create[Side.SWEO] is Create.ALWAYS:
            found = f"Sweo lists no {plural} yet; the sync makes them (create)."
            yield Finding(SWEO_RECORDS, Level.OK, found, mapping=mapping.name)
            return
        unseen = " (it lists those with a contact only)" if mapping.sweo == "company" else ""
        yield Finding(
            SWEO_RECORDS,
            Level.FAILURE,
            f"Sweo lists no {plural}{unseen}, so that there is nothing to link.",
            f"send {plural} from your product, or set create: [sweo]",
            mapping.name,
        )
        return
    newest = max(int(row.get("updated_at") or row.get("created_at") or 0) for row in sample.rows)
    now = datetime.fromtimestamp(visit.client.clock.now(), timezone.utc)
    moved = datetime.fromtimestamp(newest, timezone.utc)
    shown = f"{len(sample.rows)} {plural} that were active last"
    if now - moved > timedelta(days=_LATELY_DAYS):
        yield Finding(
            SWEO_RECORDS,
            Level.WARNING,
            f"None of the {shown} was created or updated in the last {_LATELY_DAYS} days, and "
            "only changes start a sync to Salesforce.",
            f"check that your product still sends its {plural}",
            mapping.name,
        )
        return
    yield Finding(
        SWEO_RECORDS, Level.OK, f"Sweo's {plural} change: last on {moved:%Y-%m-%d}.", None,
        mapping.name,
    )  # fmt: skip


def look_at_salesforce_records(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Whether the user sees records, and whether one was created or updated lately."""
    name = mapping.salesforce
    sample = visit.accounts.get(name)
    if sample is None:
        raise UnavailableError(f"{name} cannot be seen.")
    if not sample.rows:
        makes = mapping.create[Side.SALESFORCE] is Create.ALWAYS
        yield Finding(
            SALESFORCE_RECORDS,
            Level.OK if makes else Level.FAILURE,
            f"Salesforce shows this user no {name} at all.",
            None if makes else f"check sharing: the user needs View All on {name}, or a role above",
            mapping.name,
        )
        return
    moved = parse_stamp(_with_offset(sample.rows[0]))
    left_out = f"; {sample.people:,} person accounts are left out" if sample.people else ""
    if visit.connection.server_now() - moved > timedelta(days=_LATELY_DAYS):
        yield Finding(
            SALESFORCE_RECORDS,
            Level.WARNING,
            f"No {name} was created or updated in the last {_LATELY_DAYS} days, and only changes "
            "start a sync to Sweo.",
            "check that this is the org that people work in",
            mapping.name,
        )
        return
    yield Finding(
        SALESFORCE_RECORDS,
        Level.OK,
        f"{name} records change: last on {moved:%Y-%m-%d}{left_out}.",
        mapping=mapping.name,
    )


def _with_offset(row: dict[str, Any]) -> str:
    """Salesforce writes ``+0000``, which Python before 3.11 does not read."""
    stamp = str(row[STAMP])
    return stamp[:-5] + "+00:00" if stamp.endswith("+0000") else stamp
